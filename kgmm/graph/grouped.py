"""Rows grouped by a small number each has: a counting sort, in time that grows with the rows and not faster."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.compiled import compiled


def grouped(keys: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows ordered by key, those of one key as they were, and where each key's rows begin (one more: the end).

    >>> order, starts = grouped(np.array([2, 0, 2], np.int32))
    >>> order.tolist(), starts.tolist()
    ([1, 0, 2], [0, 1, 1, 3])
    """
    counts = np.bincount(keys)
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    order = np.empty(len(keys), np.int64)
    _place(keys, starts[:-1].copy(), order)
    return order, starts


@compiled
def _place(keys: Any, next_place: Any, order: Any) -> None:
    """Put each row where the next of its key belongs."""
    for row in range(len(keys)):
        key = keys[row]
        order[next_place[key]] = row
        next_place[key] += 1
