"""Weights of the explicit reasoner, written by ``benchmarks/fit_explicit.py``; do not edit by hand."""

from __future__ import annotations

import numpy as np

WEIGHTS = np.zeros(26)
SLOPE, BIAS = 1.0, 0.0
THRESHOLD = 0.12
