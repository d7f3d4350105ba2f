"""Profiles of tags, the weighted union of both domains: the easy baseline by contents (in the spirit of Abel et al., 2013)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.recommend.base import Rows
from kgmm.recommend.contents import ContentRecommender


class TagProfile(ContentRecommender):
    """A tag's weight for a user is Σ share f_it (r - μ - b_i) / (Σ share f_it + damping), f_i the shares of tags in an item.

    Nothing is trained. The score is μ + b_i + Σ_t f_it weight_t.

    Args:
        share: of the source's ratings in the union.
        damping: how much of a tag at the mean everyone is given beforehand.

    Example:
        >>> tags = {"Alien": ["space"], "Aliens": ["space"], "Emma": ["love"]}
        >>> model = TagProfile().fit([("ann", "Alien", 5), ("bob", "Aliens", 4), ("bob", "Emma", 1)], contents=tags)
        >>> [one.item for one in model.recommend("ann")]
        ['Aliens', 'Emma']
    """

    def __init__(self, share: float = 1.0, damping: float = 0.5) -> None:
        self.share, self.damping = share, damping

    def _features(self, counts: list[Any], target: NDArray[np.bool_], source: NDArray[np.bool_]) -> Rows:
        return self._mapped(counts)

    def _mapped(self, counts: list[Any]) -> Rows:
        F = np.column_stack([one.toarray() for one in counts])
        shares: Rows = F / np.maximum(F.sum(1, keepdims=True), 1e-12)
        return shares

    def _vector(self, F: Rows, left: Rows, share: Rows) -> Rows:
        weights = (share * left) @ F / np.maximum(share @ F + self.damping, 1e-12)
        return np.append(weights, 0.0)


METHOD = TagProfile
