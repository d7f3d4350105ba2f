"""Selective transfer: source users whose tastes do not fit the target's lose their weight, by boosting (after Lu et al., SDM 2013)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kgmm.recommend.base import Rows
from kgmm.recommend.cross import CrossRecommender
from kgmm.recommend.factors import placed
from kgmm.recommend.joint import minimized, misfit
from kgmm.recommend.ratings import Ratings


class ConsistentTransfer(CrossRecommender):
    """Rounds of Σ w (r - μ - b_u - b_i - u·v)² over both domains, users' u shared; then target ratings predicted badly gain w.

    A source rating has the weight of its user, which is multiplied by exp(-selection (error + variance) / its mean) of the user's
    target ratings, each predicted by a round that has the source and the other half of the target. Target weights and the rounds'
    votes ln(1/β) are those of AdaBoost.R2 (Drucker 1997), with a weighted mean for its median. In the spirit of the paper, whose
    base model is a topic model. Without selection and with one round it is collective matrix factorization (Singh, Gordon 2008).

    Args:
        factors: of each round.
        rounds: how many.
        share: of the source's errors at first.
        selection: how fast inconsistent users lose weight; 0 for never.
        variance: of the variance beside the error.
        weight: of all squares.
        turns: of L-BFGS in a round, at most.
        seed: of the first vectors.
    """

    def __init__(
        self, factors: int = 10, rounds: int = 4, share: float = 1.0, selection: float = 1.0, variance: float = 1.0,
        weight: float = 1.0, turns: int = 100, seed: int = 0,
    ) -> None:  # fmt: skip
        self.factors, self.rounds, self.share, self.selection = factors, rounds, share, selection
        self.variance, self.weight, self.turns, self.seed = variance, weight, turns, seed

    learned = (*CrossRecommender.learned, "user_trust")

    def _fit(self, ratings: Ratings) -> None:
        every = self._all_of_source(ratings)
        there = every.target[np.argsort(every.source)]  # the row of each user of the source
        w, trust = np.ones(len(ratings)), np.ones(len(self.users))
        votes, found = [], []
        self.losses: list[list[float]] = []
        for n in range(self.rounds):
            U, V, losses = self._round(ratings, there, w, self.share * trust, n)
            self.losses.append(losses)
            off = np.abs(_predicted(ratings, U, V) - ratings.value)
            if self.selection:
                trust = self._trusted(trust, ratings.user, self._held(ratings, there, w, self.share * trust, n))
            error = off / max(float(off.max()), 1e-12)
            mean = min(max(float(w @ error / w.sum()), 1e-6), 0.499)
            beta = mean / (1 - mean)
            w = w * beta ** (1 - error)
            w *= len(w) / w.sum()
            votes.append(np.log(1 / beta))
            found.append((U, V))
        share = np.array(votes) / sum(votes)
        self.user_factors = np.column_stack([s * U[:, :-1] for s, (U, _) in zip(share, found, strict=True)]).astype(
            np.float32
        )
        self.item_factors = np.column_stack([V[:, :-1] for _, V in found]).astype(np.float32)
        self.user_bias, self.item_bias = (
            sum(s * pair[side][:, -1] for s, pair in zip(share, found, strict=True)).astype(np.float32)
            for side in (0, 1)
        )
        self.mean = np.array([ratings.value.mean(dtype=np.float64)], np.float32)
        self.user_trust = trust.astype(np.float32)

    def _round(
        self, ratings: Ratings, there: NDArray[np.int64], w: Rows, trust: Rows, n: int
    ) -> tuple[Rows, Rows, list[float]]:
        rng = np.random.default_rng([self.seed, n])
        counts = len(self.users), len(ratings.items), len(self._source.items)
        start = [0.1 * rng.normal(size=(count, self.factors + 1)) for count in counts]
        users = there[self._source.user]

        def objective(state: list[Rows]) -> tuple[float, list[Rows]]:
            U, V, other = state
            near, dU, dV = misfit(ratings, U, V, ratings.user, ratings.item, w)
            far, dU2, dO = misfit(self._source, U, other, users, self._source.item, trust[users])
            squares = self.weight * sum(float((part**2).sum()) for part in state)
            slopes = [dU + dU2, dV, dO]
            return near + far + squares, [s + 2 * self.weight * part for s, part in zip(slopes, state, strict=True)]

        found, losses = minimized(objective, start, self.turns)
        return found[0], found[1], losses

    def _held(self, ratings: Ratings, there: NDArray[np.int64], w: Rows, trust: Rows, n: int) -> Rows:
        """The error of every target rating when half of them, it among them, weigh nothing."""
        half = np.random.default_rng([self.seed, n, 1]).permutation(len(ratings)) % 2
        off = np.zeros(len(ratings))
        for part in (0, 1):
            U, V, _ = self._round(ratings, there, w * (half != part), trust, n)
            held = half == part
            off[held] = np.abs(_predicted(ratings, U, V) - ratings.value)[held]
        return off

    def _trusted(self, trust: Rows, user: NDArray[np.int32], off: Rows) -> Rows:
        """New weights of users; those without target ratings keep theirs, and the mean of the others' stays 1."""
        count = np.bincount(user, minlength=len(trust))
        rated = count > 0
        mean = np.bincount(user, off, len(trust)) / np.maximum(count, 1)
        spread = np.bincount(user, (off - mean[user]) ** 2, len(trust)) / np.maximum(count, 1)
        doubt = mean**2 + self.variance * spread
        doubt = doubt / max(float(doubt[rated].mean()), 1e-12)
        trust = np.where(rated, trust * np.exp(-self.selection * doubt), trust)
        found: Rows = np.where(rated, trust / trust[rated].mean(), trust)
        return found

    per_rating = False

    def _placed(self, items: NDArray[np.int32], values: Rows) -> tuple[Rows, float]:
        return placed(self, items, values, self.weight / max(len(items), 1))


def _predicted(ratings: Ratings, U: Rows, V: Rows) -> Rows:
    A, B = U[ratings.user], V[ratings.item]
    found: Rows = np.einsum("rk,rk->r", A[:, :-1], B[:, :-1]) + A[:, -1] + B[:, -1] + ratings.value.mean(dtype=float)
    return found


METHOD = ConsistentTransfer
