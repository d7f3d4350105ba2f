"""Covariances of paired features, summed batch by batch, and the directions in which both views correlate."""

from dataclasses import dataclass
from typing import cast

import numpy as np
import scipy.linalg

from kgmm.hashing.features import Array, Pair, batches


@dataclass(frozen=True)
class Covariances:
    """Second moments of centred pairs (sums, not means), those of each view with a ridge."""

    means: Pair  #: column means, (d_image,) and (d_text,)
    image: Array  #: (d_image, d_image)
    text: Array  #: (d_text, d_text)
    cross: Array  #: (d_image, d_text)

    def directions(self) -> tuple[Array, Array, Array]:
        """Return the canonical directions of both views and their correlations; see :func:`canonical`."""
        return canonical(self.image, self.text, self.cross)


def covariances(image: Array, text: Array, ridge: float) -> Covariances:
    """Return the second moments of pairs, read batch by batch."""
    means = mean(image), mean(text)
    own = [ridged(product(x, x, center, center), ridge) for x, center in zip((image, text), means, strict=True)]
    return Covariances(means, own[0], own[1], product(image, text, *means))


def mean(x: Array) -> Array:
    """Return the column means, shape (d,), float64, read batch by batch."""
    total = np.zeros(x.shape[1])
    for part in batches(x):
        total += part.sum(0)
    return total / len(x)


def product(x: Array, y: Array, mean_x: Array | float = 0.0, mean_y: Array | float = 0.0) -> Array:
    """Return (x - mean_x)^T (y - mean_y), read batch by batch."""
    total = np.zeros((x.shape[1], y.shape[1]))
    for part_x, part_y in zip(batches(x, mean_x), batches(y, mean_y), strict=True):
        total += part_x.T @ part_y
    return total


def projected(x: Array, center: Array, weights: Array) -> Array:
    """Return (x - center) W, shape (n, columns of W), read batch by batch."""
    return np.concatenate([part @ weights for part in batches(x, center)])


def ridged(c: Array, ridge: float) -> Array:
    """Return a covariance plus *ridge* times its mean variance on the diagonal (singular features need it)."""
    return cast("Array", c + ridge * np.trace(c) / len(c) * np.eye(len(c)))


def inverse_root(c: Array) -> Array:
    """Return C^(-1/2) of a positive definite matrix."""
    values, vectors = scipy.linalg.eigh(c)
    values = np.maximum(values, values[-1] * 1e-15)
    return cast("Array", (vectors / np.sqrt(values)) @ vectors.T)


def canonical(cxx: Array, cyy: Array, cxy: Array) -> tuple[Array, Array, Array]:
    """Return all canonical directions W^T C W = I, the largest entry positive, and correlations, largest first."""
    root_x, root_y = inverse_root(cxx), inverse_root(cyy)
    u, s, vt = scipy.linalg.svd(root_x @ cxy @ root_y, full_matrices=False)
    keep = s > max(s[0], 1e-300) * 1e-9
    sign = np.where(u[np.abs(u).argmax(0), np.arange(u.shape[1])] < 0, -1.0, 1.0)
    return root_x @ (u * sign)[:, keep], root_y @ (vt.T * sign)[:, keep], s[keep]


def extended(w_x: Array, w_y: Array, bits: int, seed: int) -> Pair:
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
