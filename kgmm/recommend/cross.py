"""What recommenders across domains share: a target's ratings, a source's, and the users who are in both."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import KgmmError
from kgmm.recommend.base import FactorRecommender, Rows
from kgmm.recommend.factors import Factors, factorized, placed
from kgmm.recommend.ratings import Ratings

#: vectors of a source's users (n, k + 1) -> those of the target's (n, k + 1); the last entry is the user's bias
Mapping = Callable[[Rows], Rows]


class Both(NamedTuple):
    """Positions of the same users in two domains, in the target's order."""

    target: NDArray[np.int64]
    source: NDArray[np.int64]


def overlap(target: Ratings, source: Ratings) -> Both:
    """Return the users that are in both domains, by their names.

    Example:
        >>> both = overlap(Ratings.of([("a", "x"), ("b", "y")]), Ratings.of([("c", "p"), ("b", "q")]))
        >>> both.target.tolist(), both.source.tolist()
        ([1], [1])
    """
    pairs = [(u, source.user_number[name]) for u, name in enumerate(target.users) if name in source.user_number]
    found = np.array(pairs, np.int64).reshape(-1, 2)
    return Both(found[:, 0], found[:, 1])


class CrossRecommender(FactorRecommender):
    """A recommender that learns from the ratings of a second domain too; the users of both are known by their names.

    Users whom only the source knows are recommended the target's items.
    """

    rates = True

    def fit(self, ratings: Any, source: Any = None) -> Self:
        """Learn from the *ratings* of the domain to recommend in and those of the *source*.

        Raises:
            BadInput: if there are no ratings, or one is no finite number.
            KgmmError: if there is no source, or no user is in both where the method needs them.
        """
        if source is None:
            raise KgmmError(f"the recommender {self.name} learns from two domains: fit(ratings, source=other ratings)")
        self._source = Ratings.of(source, "ratings of the source")
        super().fit(ratings)
        del self._source
        return self

    def _both(self, target: Ratings, least: int = 1) -> Both:
        both = overlap(target, self._source)
        if len(both.target) < least:
            raise KgmmError(
                f"the recommender {self.name} needs at least {least} users with ratings in both domains; there are "
                f"{len(both.target)}"
            )
        return both

    def _all_of_source(self, ratings: Ratings, least: int = 1) -> Both:
        """Know the users of the source only as well; return all of the source, with those rows after the target's."""
        both = self._both(ratings, least)
        only = np.setdiff1d(np.arange(len(self._source.users)), both.source)
        rows = len(ratings.users) + np.arange(len(only))
        self._also([self._source.users[u] for u in only])
        return Both(np.append(both.target, rows), np.append(both.source, only))

    def _also(self, users: Sequence[str]) -> None:
        """Know *users* too, after those of the ratings: they have rated nothing that is recommended."""
        self._names((*self.users, *users), self.items)
        self.seen_starts = np.concatenate([self.seen_starts, np.full(len(users), self.seen_starts[-1])])


def ridge_map(source: Rows, target: Rows, shrink: float) -> Mapping:
    """Return the map by W = (Xᵀ X + shrink I)⁻¹ Xᵀ Y of rows x, which makes ‖Y - X W‖²_F + shrink ‖W‖²_F least."""
    W = np.linalg.solve(source.T @ source + shrink * np.eye(source.shape[1]), source.T @ target)
    return lambda vectors: vectors @ W


class MappedRecommender(CrossRecommender):
    """Both domains are factorized apart; a mapping learned on the users of both takes the source's vectors to the target's.

    Args:
        factors: length of the vectors.
        epochs: of both factorizations.
        rate: of their steps.
        weight: of their squares.
        seed: of their first vectors.
    """

    def __init__(
        self, factors: int = 20, epochs: int = 50, rate: float = 0.01, weight: float = 0.05, seed: int = 0
    ) -> None:
        self.factors, self.epochs, self.rate, self.weight, self.seed = factors, epochs, rate, weight, seed

    def _factorized(self, ratings: Ratings) -> Factors:
        return factorized(ratings, self.factors, self.epochs, self.rate, self.weight, self.seed)

    def _fit(self, ratings: Ratings) -> None:
        both = self._both(ratings, 2)
        target, source = self._factorized(ratings), self._factorized(self._source)
        x, y = (np.column_stack([m.user_factors, m.user_bias]).astype(np.float64) for m in (source, target))
        mapped = self._mapping(x[both.source], y[both.target])
        only = np.setdiff1d(np.arange(len(x)), both.source)
        new = mapped(x[only]).astype(np.float32)
        self.mean, self.item_bias, self.item_factors = target.mean, target.item_bias, target.item_factors
        self.user_factors = np.concatenate([target.user_factors, new[:, :-1]])
        self.user_bias = np.concatenate([target.user_bias, new[:, -1]])
        self._also([self._source.users[u] for u in only])

    def _placed(self, items: NDArray[np.int32], values: Rows) -> tuple[Rows, float]:
        return placed(self, items, values, self.weight)

    @abstractmethod
    def _mapping(self, source: Rows, target: Rows) -> Mapping:
        """Learn a mapping from the vectors (n, k + 1) of the same users in the source and in the target."""
