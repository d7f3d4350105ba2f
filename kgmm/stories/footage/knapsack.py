"""The choice of segments that are worth most and fit: the 0/1 knapsack, exactly."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kgmm.compiled import njit
from kgmm.errors import BadInput

CELLS = 400_000_000  #: entries of the table of choices at most, a bit each


def knapsack(values: ArrayLike, weights: ArrayLike, capacity: int) -> NDArray[np.int64]:
    """Return which items are worth most together among those sets that weigh at most *capacity*, ascending.

    Of equal sets the one whose last items stand first; items worth nothing are left out.

    Args:
        values: shape (n,), finite.
        weights: shape (n,), whole numbers above 0.
        capacity: what they may weigh together.

    Raises:
        BadInput: if a value is not finite, a weight not above 0, the lengths differ, or n times *capacity* is above
            :data:`CELLS`.

    Source: Bellman's recursion; the choice of shots as in Song et al. (TVSum, CVPR 2015).

    Example:
        >>> knapsack([3.0, 4.0, 5.0], [2, 3, 4], 5).tolist()
        [0, 1]
    """
    worth, heavy = np.asarray(values, np.float64), np.asarray(weights, np.int64)
    if worth.shape != heavy.shape or worth.ndim != 1:
        raise BadInput("knapsack", f"{worth.shape} values and {heavy.shape} weights")
    if not np.isfinite(worth).all() or (heavy <= 0).any():
        raise BadInput("knapsack", "a value is not finite, or a weight is not above 0")
    inside = np.flatnonzero((worth > 0) & (heavy <= capacity))
    if not len(inside):
        return inside
    if len(inside) * capacity > CELLS:
        raise BadInput(
            "knapsack", f"{len(inside)} items and a capacity of {capacity} are too many; count in larger units"
        )
    return np.asarray(inside[_chosen(worth[inside], heavy[inside], int(min(capacity, heavy[inside].sum())))])


@njit()
def _chosen(values: Any, weights: Any, capacity: Any) -> Any:
    best = np.zeros(capacity + 1)
    taken = np.zeros((len(values), capacity // 8 + 1), np.uint8)
    for item in range(len(values)):
        value, weight = values[item], weights[item]
        for room in range(capacity, weight - 1, -1):
            made = best[room - weight] + value
            if made > best[room]:
                best[room] = made
                taken[item, room >> 3] |= 1 << (room & 7)
    chosen, room = np.zeros(len(values), np.bool_), capacity
    for item in range(len(values) - 1, -1, -1):
        if taken[item, room >> 3] >> (room & 7) & 1:
            chosen[item] = True
            room -= weights[item]
    return np.flatnonzero(chosen)
