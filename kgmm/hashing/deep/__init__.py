"""Hashing by neural networks, one file per method."""
