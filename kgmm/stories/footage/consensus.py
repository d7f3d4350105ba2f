"""How far two summaries agree, and the one summary that agrees most with those of several people."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kgmm.stories.footage.segments import Ints, kept, means

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def f_score(one: Bools, other: Bools) -> float:
    """Return the harmonic mean of precision and recall of two summaries' frames; 0 if they share none.

    >>> f_score(np.array([True, True, False]), np.array([True, False, False])) == 2 / 3
    True
    """
    both = int(np.count_nonzero(one & other))
    return 2 * both / (int(one.sum()) + int(other.sum())) if both else 0.0


def consensus(summaries: Bools, edges: Ints) -> tuple[int, ...]:
    """Return the segments that agree best with people's summaries, ascending: taken greedily while the mean F grows.

    Args:
        summaries: shape (people, moments).
        edges: first moments of the segments and the end, shape (segments + 1,).

    Source: the oracle summary of Gong et al., Diverse sequential subset selection, NIPS 2014.

    Example:
        >>> consensus(np.array([[1, 1, 0, 0], [1, 1, 1, 0]], bool), np.array([0, 2, 3, 4]))
        (0,)
    """
    shared = np.add.reduceat(summaries.astype(np.int64), edges[:-1], axis=1)  # (people, segments)
    long, own = np.diff(edges), summaries.sum(axis=1)
    taken: list[int] = []
    inside, size, best = np.zeros(len(summaries)), 0, 0.0
    while len(taken) < len(long):
        lengths = np.maximum(size + long[None] + own[:, None], 1)
        made = (2 * (inside[:, None] + shared) / lengths).mean(axis=0)
        made[taken] = -1
        at = int(np.argmax(made))
        if made[at] <= best:
            break
        taken.append(at)
        inside, size, best = inside + shared[:, at], size + int(long[at]), float(made[at])
    return tuple(sorted(taken))


def asked_first(people: Floats, edges: Ints, rate: float, asked: Bools | None = None) -> Bools:
    """Return what each person would keep, shape (people, moments): of what was asked for first, then the rest.

    Args:
        people: how much each moment matters to each, shape (people, moments).
        edges: of the segments.
        rate: share that is kept.
        asked: moments that show what was asked for; None if nothing was.
    """
    values = means(people, edges)
    if asked is not None:
        values = values + 10 * max(1.0, float(np.abs(values).max())) * means(asked.astype(np.float64), edges)
    return np.stack([kept(row, edges, rate) for row in values])


def taken(values: Sequence[float] | Floats, edges: Ints, rate: float, offered: Sequence[int] | None = None) -> Bools:
    """Return the moments that a method's summary keeps, shape (moments,): the knapsack among the segments on *offer*."""
    worth = np.asarray(values, np.float64)
    if offered is not None:
        inside = np.zeros(len(worth), bool)
        inside[list(offered)] = True
        worth = np.where(inside, worth, 0)
    return kept(worth, edges, rate)
