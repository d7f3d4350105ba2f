"""The knowledge-incorporated dynamic memory network: its memory, its answers, its reasoner."""
