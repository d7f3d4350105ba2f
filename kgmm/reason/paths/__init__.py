"""Paths of at most three statements to the answer of a question about one thing and one relation, walked by a policy."""
