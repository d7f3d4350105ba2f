"""Fusion of two modalities in a classifier, and spaces in which both can be compared."""
