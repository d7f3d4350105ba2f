"""The most popular items, the same for everyone."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.recommend.adding import NewItems
from kgmm.recommend.base import Recommender, Rows
from kgmm.recommend.ratings import Ratings


class Popularity(Recommender):
    """Score = how many users rated the item; what every other method must be ahead of.

    Example:
        >>> Popularity().fit([("ann", "Alien"), ("bob", "Alien"), ("bob", "Emma")]).recommend("ann", k=1)
        [Recommendation(item='Emma', score=1.0, reasons=())]
    """

    learned = ("item_count",)

    def _fit(self, ratings: Ratings) -> None:
        self.item_count = np.bincount(ratings.item, minlength=len(ratings.items)).astype(np.float32)

    def _added(self, new: NewItems, kinds: list[dict[str, Any]]) -> None:
        self.item_count = np.concatenate([self.item_count, new.counts]).astype(np.float32)

    def _known(self, user: int) -> Rows:
        return self.item_count.copy()

    def _new(self, items: NDArray[np.int32], values: Rows) -> Rows:
        return self.item_count.copy()


METHOD = Popularity
