"""Answers from documents: a question's hops over what sentences state, else the mention that a sentence has where it asks."""
