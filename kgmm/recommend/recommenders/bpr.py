"""Bayesian personalized ranking (Rendle, Freudenthaler, Gantner, Schmidt-Thieme, UAI 2009)."""

import numpy as np
from numpy.typing import NDArray

from kgmm.recommend.adding import pairwise_placed
from kgmm.recommend.base import FactorRecommender, Rows
from kgmm.recommend.kernels import chosen_bits, padded, pair_steps
from kgmm.recommend.ratings import Ratings


class PairwiseRanking(FactorRecommender):
    """Maximizes Σ ln σ(x_ui - x_uj) - weight (|u|² + |v|² + b²): a chosen item i ahead of another j, x = b_i + u·v.

    Pairs are drawn evenly over ratings and items; values do not count. A new user's factors maximize the same sum over all
    pairs, the items' being held (Newton's steps).

    Args:
        factors: length of the vectors.
        epochs: passes of as many draws as there are ratings.
        rate: of a step.
        weight: of the squares.
        seed: of the first vectors, even within ±1/(2 factors), and of the draws.
    """

    def __init__(
        self, factors: int = 10, epochs: int = 200, rate: float = 0.001, weight: float = 0.01, seed: int = 0
    ) -> None:
        self.factors, self.epochs, self.rate, self.weight, self.seed = factors, epochs, rate, weight, seed

    def _fit(self, ratings: Ratings) -> None:
        rng = np.random.RandomState(self.seed)
        (U, lanes), (V, _) = (
            padded(((rng.uniform(size=(len(names), self.factors)) - 0.5) / self.factors).astype(np.float32))
            for names in (ratings.users, ratings.items)
        )
        self.item_bias = np.zeros(len(V), np.float32)
        starts, items, _ = ratings.by_user
        owner = np.repeat(np.arange(len(U), dtype=np.int32), np.diff(starts))
        numbers = np.float32(self.rate), np.float32(self.weight)
        draws = int(rng.randint(2**31 - 1))
        bits = chosen_bits(ratings.user, ratings.item, len(U), len(V))
        pair_steps(starts, items, owner, bits, U, V, self.item_bias, *numbers, draws, self.epochs * len(ratings), lanes)
        self.user_factors, self.item_factors = (np.ascontiguousarray(wide[:, : self.factors]) for wide in (U, V))
        self.user_bias, self.mean = np.zeros(len(U), np.float32), np.zeros(1, np.float32)

    def _placed(self, items: NDArray[np.int32], values: Rows) -> tuple[Rows, float]:
        chosen = np.zeros(len(self.item_factors), bool)
        chosen[items] = True
        V, b = self.item_factors.astype(np.float64), self.item_bias.astype(np.float64)
        others = V[~chosen] if not chosen.all() else V
        shift = b[~chosen] if not chosen.all() else b
        u = np.zeros(V.shape[1])
        for _ in range(5):
            ahead = V[items] @ u + b[items]
            score = ahead[:, None] - (others @ u + shift)[None, :]
            z = 1 / (1 + np.exp(np.clip(score, -30, 30)))
            w = z * (1 - z)
            slope = z.sum(1) @ V[items] - z.sum(0) @ others
            scale = 1 / len(others)  # as many pairs of a chosen item as the training draws
            cross = (V[items].T @ w) @ others
            curve = (V[items].T * w.sum(1)) @ V[items] + (others.T * w.sum(0)) @ others - cross - cross.T
            ridge = self.weight * len(items)
            u += np.linalg.solve(scale * curve + ridge * np.eye(len(u)), scale * slope - ridge * u)
        return u.astype(np.float32), 0.0

    def _item_placed(self, users: NDArray[np.int32], values: Rows) -> tuple[Rows, float]:
        return pairwise_placed(self, users, self.weight)


METHOD = PairwiseRanking
