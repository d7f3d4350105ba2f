"""The mean of an item's ratings and a user's usual distance from it, each drawn towards 0 when there are few."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.recommend.adding import NewItems
from kgmm.recommend.base import Recommender, Rows
from kgmm.recommend.factors import damped
from kgmm.recommend.ratings import Ratings


class ItemMean(Recommender):
    """Score = μ + b_i + b_u, with b_i = Σ (r - μ) / (n_i + damping), b_u likewise of what is left (Koren 2010, §2.1).

    Args:
        damping: how many ratings at the mean each item and user is given beforehand.

    Example:
        >>> model = ItemMean(damping=0).fit([("ann", "Alien", 5), ("bob", "Alien", 3), ("bob", "Emma", 2)])
        >>> model.score({"Emma": 2}, "Alien").round(2).tolist()
        [[4.0]]
    """

    learned = ("mean", "item_bias", "user_bias")
    mean: Rows
    item_bias: Rows
    user_bias: Rows
    rates = True

    def __init__(self, damping: float = 10.0) -> None:
        self.damping = damping

    def _fit(self, ratings: Ratings) -> None:
        self.mean = np.array([ratings.value.mean(dtype=np.float64)], np.float32)
        left = ratings.value - self.mean[0]
        self.item_bias = damped(ratings.item, left, len(ratings.items), self.damping)
        left = left - self.item_bias[ratings.item]
        self.user_bias = damped(ratings.user, left, len(ratings.users), self.damping)

    def _added(self, new: NewItems, kinds: list[dict[str, Any]]) -> None:
        item = np.repeat(np.arange(len(new.names), dtype=np.int32), new.counts)
        biases = damped(item, new.values - self.mean[0], len(new.names), self.damping)
        self.item_bias = np.concatenate([self.item_bias, biases]).astype(np.float32)

    def _known(self, user: int) -> Rows:
        scores: Rows = self.mean[0] + self.item_bias + self.user_bias[user]
        return scores

    def _new(self, items: NDArray[np.int32], values: Rows) -> Rows:
        left = values - self.mean[0] - self.item_bias[items]
        scores: Rows = self.mean[0] + self.item_bias + np.float32(left.sum() / (len(left) + self.damping))
        return scores


METHOD = ItemMean
