"""Covariances of paired features, summed batch by batch, and the directions in which both views correlate."""

from __future__ import annotations

from typing import cast

import numpy as np
import scipy.linalg

from kgmm.hashing.features import BATCH, Array


def mean(x: Array) -> Array:
    """Return the column means, shape (d,), float64, read batch by batch."""
    total = np.zeros(x.shape[1])
    for start in range(0, len(x), BATCH):
        total += np.asarray(x[start : start + BATCH], np.float64).sum(0)
    return cast("Array", total / len(x))


def product(x: Array, y: Array, mean_x: Array | float = 0.0, mean_y: Array | float = 0.0) -> Array:
    """Return (x - mean_x)^T (y - mean_y), read batch by batch."""
    total = np.zeros((x.shape[1], y.shape[1]))
    for start in range(0, len(x), BATCH):
        part_x = np.asarray(x[start : start + BATCH], np.float64) - mean_x
        total += part_x.T @ (np.asarray(y[start : start + BATCH], np.float64) - mean_y)
    return total


def projected(x: Array, center: Array, weights: Array) -> Array:
    """Return (x - center) W, shape (n, columns of W), read batch by batch."""
    out = np.empty((len(x), weights.shape[1]))
    for start in range(0, len(x), BATCH):
        out[start : start + BATCH] = (np.asarray(x[start : start + BATCH], np.float64) - center) @ weights
    return out


def ridged(c: Array, ridge: float) -> Array:
    """Return a covariance plus *ridge* times its mean variance on the diagonal (singular features need it)."""
    return cast("Array", c + ridge * np.trace(c) / len(c) * np.eye(len(c)))


def inverse_root(c: Array) -> Array:
    """Return C^(-1/2) of a positive definite matrix."""
    values, vectors = scipy.linalg.eigh(c)
    values = np.maximum(values, values[-1] * 1e-15)
    return cast("Array", (vectors / np.sqrt(values)) @ vectors.T)


def canonical(cxx: Array, cyy: Array, cxy: Array) -> tuple[Array, Array, Array]:
    """Return all canonical directions W_x, W_y with W^T C W = I, and their correlations, largest first.

    Directions of zero correlation are left out. The sign of a direction makes its largest entry positive.
    """
    root_x, root_y = inverse_root(cxx), inverse_root(cyy)
    u, s, vt = scipy.linalg.svd(root_x @ cxy @ root_y, full_matrices=False)
    keep = s > max(s[0], 1e-300) * 1e-9
    sign = np.where(u[np.abs(u).argmax(0), np.arange(u.shape[1])] < 0, -1.0, 1.0)
    return root_x @ (u * sign)[:, keep], root_y @ (vt.T * sign)[:, keep], s[keep]


def extended(w_x: Array, w_y: Array, bits: int, seed: int) -> tuple[Array, Array]:
    """Return *bits* directions: the given ones, then the same random mixtures of them in both views.

    CCA has no more than min(d_x, d_y) directions; longer codes need something, and mixtures of correlated
    directions stay correlated (the sign patterns of locality-sensitive hashing in the shared subspace).
    """
    found = w_x.shape[1]
    if found >= bits:
        return w_x[:, :bits], w_y[:, :bits]
    mix = np.random.default_rng(seed).normal(size=(found, bits - found))
    mix /= np.linalg.norm(mix, axis=0)
    return np.hstack([w_x, w_x @ mix]), np.hstack([w_y, w_y @ mix])
