"""Benchmarks as iterables, one file per data set; only training and evaluation import them."""
