"""Terms of a transcript: names, nouns and noun phrases."""
