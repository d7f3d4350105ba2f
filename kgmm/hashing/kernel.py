"""Radial basis features and the bases they are measured from."""

from typing import cast

import numpy as np
from numpy.typing import NDArray

from kgmm.hashing.features import Array

SWEEPS = 15  #: of Lloyd's algorithm at most


def square_distances(x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return ‖x_i - y_j‖², shape (len(x), len(y)), never negative."""
    out = x @ y.T
    out *= -2
    out += (x**2).sum(1)[:, None]
    out += (y**2).sum(1)
    return cast("NDArray[np.floating]", np.maximum(out, 0, out=out))


def rbf(x: NDArray[np.floating], bases: Array, width: float) -> NDArray[np.floating]:
    """Return exp(-‖x_i - b_j‖² / width)."""
    out = square_distances(x, bases.astype(x.dtype))
    out /= -width
    return cast("NDArray[np.floating]", np.exp(out, out=out))


def cluster_centers(x: Array, count: int, seed: int) -> Array:
    """Return *count* k-means centres, shape (count, d), starting from random rows (Lloyd)."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(x))
    centers = np.array(x[np.sort(rows[: min(count, len(x))])], np.float64)
    x = np.asarray(x[np.sort(rows[: 20 * count])], np.float64)
    for _ in range(SWEEPS):
        nearest = square_distances(x, centers).argmin(1)
        size = np.bincount(nearest, minlength=len(centers))
        total = np.zeros_like(centers)
        np.add.at(total, nearest, x)
        fresh = np.where(size[:, None] > 0, total / np.maximum(size, 1)[:, None], centers)
        if np.allclose(fresh, centers):
            break
        centers = fresh
    return centers
