"""Layers of the models, one idea a file, each with its equation; they know nothing of stores, scenes or files."""
