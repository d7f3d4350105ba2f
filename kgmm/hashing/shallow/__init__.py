"""Hashing by matrices and kernels, one file per method."""
