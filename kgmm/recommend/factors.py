"""Ratings factorized: vectors and biases of users and items, and those of someone new."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kgmm.recommend.base import FactorRecommender, Rows
from kgmm.recommend.kernels import MANY, padded, rating_steps, rating_steps_beside, strata
from kgmm.recommend.ratings import Ratings


class Factors(NamedTuple):
    """What a factorization finds: r ≈ mean + user_bias + item_bias + user_factors · item_factors, and its loss per epoch."""

    mean: Rows
    user_bias: Rows
    item_bias: Rows
    user_factors: Rows
    item_factors: Rows
    losses: Rows


def factorized(ratings: Ratings, factors: int, epochs: int, rate: float, weight: float, seed: int) -> Factors:
    """Minimize Σ (r - μ - b_u - b_i - u·v)² + weight Σ (|u|² + |v|² + b_u² + b_i²), the sums over ratings, by gradient steps."""
    rng = np.random.RandomState(seed)
    sizes = len(ratings.users), len(ratings.items)
    (U, lanes), (V, _) = (padded(rng.normal(0, 0.01, (size, factors)).astype(np.float32)) for size in sizes)
    bu, bi = (np.zeros(size, np.float32) for size in sizes)
    mean = np.array([ratings.value.mean(dtype=np.float64)], np.float32)
    numbers = [np.float32(x) for x in (mean[0], rate, weight)]
    rows = ratings.user, ratings.item, ratings.value
    if len(ratings) < MANY:
        losses = rating_steps(*rows, U, V, bu, bi, *numbers, epochs, lanes)
    else:
        order, starts = strata(ratings.user, ratings.item)
        sorted_rows = (column[order] for column in rows)
        losses = rating_steps_beside(*sorted_rows, starts, U, V, bu, bi, *numbers, epochs, lanes)
    return Factors(mean, bu, bi, U[:, :factors].copy(), V[:, :factors].copy(), losses)


def damped(groups: NDArray[np.int32], values: Rows, count: int, damping: float = 10.0) -> Rows:
    """Return the mean of each group's values, drawn towards 0 by *damping* values of 0, (count,) float32."""
    sums = np.bincount(groups, weights=values, minlength=count)
    sizes = np.bincount(groups, minlength=count) + damping
    means: Rows = (sums / np.maximum(sizes, 1e-9)).astype(np.float32)
    return means


def placed(model: FactorRecommender, items: NDArray[np.int32], values: Rows, weight: float) -> tuple[Rows, float]:
    """Return factors and bias of a new user: ridge regression of their ratings on the items' vectors."""
    rows = np.column_stack([model.item_factors[items], np.ones(len(items), np.float32)]).astype(np.float64)
    left = values - model.mean[0] - model.item_bias[items]
    matrix = rows.T @ rows + weight * len(items) * np.eye(rows.shape[1])
    found = np.linalg.lstsq(matrix, rows.T @ left, rcond=None)[0].astype(np.float32)
    return found[:-1], float(found[-1])
