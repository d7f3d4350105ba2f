"""Each user's own weight between what they did here and what they did elsewhere (in the spirit of Yan et al., 2015)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kgmm.recommend.base import Rows
from kgmm.recommend.cross import MappedRecommender, Mapping, ridge_map
from kgmm.recommend.factors import factorized
from kgmm.recommend.ratings import Ratings


class UserWeights(MappedRecommender):
    """A user of both has the vector a u² + (1 - a) W u¹, W of :mod:`ridge <kgmm.recommend.recommenders.ridge>`.

    Each user's a in [0, 1] has the least squared error over their target ratings, each predicted by factorizations that did not
    see it, drawn towards the a of all users with about as many ratings (the same power of two). It is 0 for users of the source only.

    Args:
        shrink: of the matrix.
        folds: how many factorizations, each of all but one part of the target's ratings.
        damping: how much the a of those users counts, in squared units of ratings.
    """

    def __init__(
        self, factors: int = 20, epochs: int = 50, rate: float = 0.01, weight: float = 0.05, shrink: float = 1.0,
        folds: int = 5, damping: float = 20.0, seed: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(factors, epochs, rate, weight, seed)
        self.shrink, self.folds, self.damping = shrink, folds, damping

    def _fit(self, ratings: Ratings) -> None:
        both = self._both(ratings, 2)
        source = self._factorized(self._source)
        x = np.column_stack([source.user_factors, source.user_bias]).astype(np.float64)
        share = self._shares(ratings, x)
        super()._fit(ratings)  # users of both have the target's vectors, those of the source only mapped ones
        own = np.column_stack([self.user_factors, self.user_bias]).astype(np.float64)
        mapped = self._mapping(x[both.source], own[both.target])(x[both.source])
        a = share[both.target, None]
        own[both.target] = a * own[both.target] + (1 - a) * mapped
        self.user_factors, self.user_bias = own[:, :-1].astype(np.float32), own[:, -1].astype(np.float32)
        self.user_share = np.zeros(len(self.users), np.float32)
        self.user_share[: len(share)] = share

    learned = (*MappedRecommender.learned, "user_share")

    def _shares(self, ratings: Ratings, x: Rows) -> Rows:
        """The weight of every user's own vector; 1 for users of the target only."""
        both = self._both(ratings, 2)
        rng = np.random.default_rng(self.seed)
        fold = rng.permutation(len(ratings)) % max(min(self.folds, len(ratings)), 2)
        own, carried = (np.zeros(len(ratings)) for _ in range(2))
        place = np.full(len(ratings.users), -1)
        place[both.target] = np.arange(len(both.target))
        for n in range(fold.max() + 1):
            rest, held = fold != n, (fold == n) & (place[ratings.user] >= 0)
            columns = ratings.user[rest], ratings.item[rest], ratings.value[rest]
            kept = Ratings(ratings.users, ratings.items, *columns)
            m = factorized(kept, self.factors, self.epochs, self.rate, self.weight, self.seed)
            y = np.column_stack([m.user_factors, m.user_bias]).astype(np.float64)
            mapped = self._mapping(x[both.source], y[both.target])(x[both.source])
            user, item = ratings.user[held], ratings.item[held]
            for to, rows in ((own, y[user]), (carried, mapped[place[user]])):
                to[held] = m.mean[0] + m.item_bias[item] + rows[:, -1]
                to[held] += np.einsum("rk,rk->r", rows[:, :-1], m.item_factors[item])
        mine = place[ratings.user] >= 0
        count = len(ratings.users)
        rows = ratings.user[mine]
        share = shares(rows, own[mine], carried[mine], ratings.value[mine].astype(np.float64), count, self.damping)
        return np.where(place >= 0, share, 1.0)

    def _mapping(self, source: Rows, target: Rows) -> Mapping:
        return ridge_map(source, target, self.shrink)


def shares(user: NDArray[np.int32], own: Rows, carried: Rows, value: Rows, count: int, damping: float) -> Rows:
    """Return each user's argmin over a in [0, 1] of Σ (r - a own - (1 - a) carried)² + damping (a - a₀)².

    a₀ is that of all users with about as many rows.

    Example:
        >>> rows = np.array([0, 0, 1]), np.array([4.0, 2, 5]), np.array([1.0, 1, 3]), np.array([4.0, 2, 3])
        >>> shares(*rows, count=2, damping=0.001).round(2).tolist()
        [1.0, 0.0]
    """
    apart, wanted = own - carried, value - carried
    product, square = np.bincount(user, apart * wanted, count), np.bincount(user, apart**2, count)
    kind = np.log2(np.maximum(np.bincount(user, minlength=count), 1)).astype(np.int64)
    alike = np.bincount(kind, product) / np.maximum(np.bincount(kind, square), 1e-12)
    top = product + damping * np.clip(alike, 0, 1)[kind]
    found: Rows = np.clip(top / np.maximum(square + damping, 1e-12), 0, 1)
    return found


METHOD = UserWeights
