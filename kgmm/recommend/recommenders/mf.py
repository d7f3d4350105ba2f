"""Matrix factorization of ratings by stochastic gradients (Koren, Bell, Volinsky, Computer 2009)."""

import numpy as np
from numpy.typing import NDArray

from kgmm.recommend.base import FactorRecommender, Rows
from kgmm.recommend.kernels import MANY, rating_steps, rating_steps_beside, strata
from kgmm.recommend.ratings import Ratings


class MatrixFactorization(FactorRecommender):
    """Minimizes Σ (r - μ - b_u - b_i - u·v)² + weight Σ (|u|² + |v|² + b_u² + b_i²), the sums over ratings.

    A new user's bias and factors are the minimum of the same sum over their ratings, the items' being held.

    Args:
        factors: length of the vectors.
        epochs: passes over the ratings, in their order; of millions in an order that lets four go beside each other.
        rate: of a step.
        weight: of the squares.
        seed: of the first vectors, normal with deviation .01.
    """

    rates = True

    def __init__(
        self, factors: int = 10, epochs: int = 25, rate: float = 0.01, weight: float = 0.02, seed: int = 0
    ) -> None:
        self.factors, self.epochs, self.rate, self.weight, self.seed = factors, epochs, rate, weight, seed

    def _fit(self, ratings: Ratings) -> None:
        rng = np.random.RandomState(self.seed)
        sizes = len(ratings.users), len(ratings.items)
        U, V = (rng.normal(0, 0.01, (size, self.factors)).astype(np.float32) for size in sizes)
        bu, bi = (np.zeros(size, np.float32) for size in sizes)
        self.mean = np.array([ratings.value.mean(dtype=np.float64)], np.float32)
        numbers = [np.float32(x) for x in (self.mean[0], self.rate, self.weight)]
        rows = ratings.user, ratings.item, ratings.value
        if len(ratings) < MANY:
            self.losses = rating_steps(*rows, U, V, bu, bi, *numbers, self.epochs)
        else:
            order, starts = strata(ratings.user, ratings.item)
            sorted_rows = (column[order] for column in rows)
            self.losses = rating_steps_beside(*sorted_rows, starts, U, V, bu, bi, *numbers, self.epochs)
        self.user_factors, self.item_factors = U, V
        self.user_bias, self.item_bias = bu, bi

    def _placed(self, items: NDArray[np.int32], values: Rows) -> tuple[Rows, float]:
        rows = np.column_stack([self.item_factors[items], np.ones(len(items), np.float32)]).astype(np.float64)
        left = values - self.mean[0] - self.item_bias[items]
        matrix = rows.T @ rows + self.weight * len(items) * np.eye(rows.shape[1])
        found = np.linalg.lstsq(matrix, rows.T @ left, rcond=None)[0].astype(np.float32)
        return found[:-1], float(found[-1])


METHOD = MatrixFactorization
