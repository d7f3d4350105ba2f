"""Matrix factorization of ratings by stochastic gradients (Koren, Bell, Volinsky, Computer 2009)."""

import numpy as np
from numpy.typing import NDArray

from kgmm.recommend.base import FactorRecommender, Rows
from kgmm.recommend.factors import factorized, placed
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
        found = factorized(ratings, self.factors, self.epochs, self.rate, self.weight, self.seed)
        self.mean, self.user_bias, self.item_bias, self.user_factors, self.item_factors, self.losses = found

    def _placed(self, items: NDArray[np.int32], values: Rows) -> tuple[Rows, float]:
        return placed(self, items, values, self.weight)


METHOD = MatrixFactorization
