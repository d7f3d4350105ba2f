"""TLRec: both domains factorized at once, the vectors of the same users tied, neighbours smooth (after TLRec, ICBK 2017)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.recommend.base import Rows
from kgmm.recommend.cross import Both, CrossRecommender
from kgmm.recommend.factors import placed
from kgmm.recommend.joint import minimized, misfit, neighbours
from kgmm.recommend.ratings import Ratings


class TiedFactors(CrossRecommender):
    """Σ_m share_m Σ (r - μ_m - b_u - b_i - u·v)² + tie Σ_{users of both} ‖u¹ - u²‖² + smooth Σ_ij s_ij ‖u_i - u_j‖² + weight Σ ‖·‖².

    In the spirit of the paper, whose neighbour term is not at hand: s is the cosine of centred ratings, over each user's and
    item's nearest in its domain. Biases are the last column of a vector. Users of the source only have a row in
    the target, which the tie and their neighbours in the source place.

    Args:
        factors: of both domains.
        share: of the source's errors; the target's have 1.
        tie: of the users of both.
        smooth: of neighbours.
        near: how many neighbours.
        weight: of the squares of all vectors.
        turns: of L-BFGS, at most.
        seed: of the first vectors.
    """

    def __init__(
        self, factors: int = 10, share: float = 1.0, tie: float = 10.0, smooth: float = 0.5, near: int = 10,
        weight: float = 0.5, turns: int = 150, seed: int = 0,
    ) -> None:  # fmt: skip
        self.factors, self.share, self.tie, self.smooth = factors, share, tie, smooth
        self.near, self.weight, self.turns, self.seed = near, weight, turns, seed

    def _fit(self, ratings: Ratings) -> None:
        tied = self._all_of_source(ratings)
        users = len(self.users)
        rng = np.random.default_rng(self.seed)
        counts = users, len(ratings.items), len(self._source.users), len(self._source.items)
        start = [0.1 * rng.normal(size=(count, self.factors + 1)) for count in counts]
        near = self._laplacians(ratings, tied, users)
        state, self.losses = minimized(lambda parts: self._objective(parts, ratings, tied, near), start, self.turns)
        U, V = (part.astype(np.float32) for part in state[:2])
        self.user_factors, self.user_bias = U[:, :-1].copy(), U[:, -1].copy()
        self.item_factors, self.item_bias = V[:, :-1].copy(), V[:, -1].copy()
        self.mean = np.array([ratings.value.mean(dtype=np.float64)], np.float32)

    def _laplacians(self, ratings: Ratings, tied: Both, users: int) -> list[Any]:
        from scipy.sparse import csr_matrix

        found = []
        for rated in (ratings, self._source):
            left = (rated.value - rated.value.mean()).astype(np.float64)
            shape = len(rated.users), len(rated.items)
            found.append(neighbours(rated.user, rated.item, left, shape, self.near))
            found.append(neighbours(rated.item, rated.user, left, shape[::-1], self.near))
        # who is alike in the source is alike in the target: those whom the target does not know have no other neighbours
        there = csr_matrix((np.ones(len(tied.target)), (tied.target, tied.source)), shape=(users, found[2].shape[0]))
        own = csr_matrix(found[0])
        own.resize((users, users))
        return [own + there @ found[2] @ there.T, *found[1:]]

    def _objective(self, state: list[Rows], ratings: Ratings, tied: Both, near: list[Any]) -> tuple[float, list[Rows]]:
        loss = self.weight * sum(float((part**2).sum()) for part in state)
        slopes = [2 * self.weight * part for part in state]
        for n, (rated, share) in enumerate(((ratings, 1.0), (self._source, self.share))):
            off, dU, dV = misfit(rated, state[2 * n], state[2 * n + 1], rated.user, rated.item)
            loss += share * off
            slopes[2 * n] += share * dU
            slopes[2 * n + 1] += share * dV
        apart = state[0][tied.target] - state[2][tied.source]
        loss += self.tie * float((apart**2).sum())
        slopes[0][tied.target] += 2 * self.tie * apart
        slopes[2][tied.source] -= 2 * self.tie * apart
        for part, slope, L in zip(state, slopes, near, strict=True):
            smoothed = L @ part
            loss += self.smooth * float((part * smoothed).sum())
            slope += 2 * self.smooth * smoothed
        return loss, slopes

    per_rating = False

    def _placed(self, items: NDArray[np.int32], values: Rows) -> tuple[Rows, float]:
        return placed(self, items, values, self.weight / max(len(items), 1))


METHOD = TiedFactors
