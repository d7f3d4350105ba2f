"""The entries of a large view's rows once more, in the order in which memory gives what they point to.

Summing up a row fetches a vector's entries from all over memory, which waits once an entry where the vector is larger than
the processor's cache. A band is a range of a layer's rows whose sums fit there; its entries lie in ascending order of
what they point to, so that the vector is read from one end to the other, and the sums are what is written all over.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.compiled import compiled
from kgmm.graph import threads
from kgmm.graph.adjacency import Adjacency

FROM = 4_000_000  #: entries of a view from which on it has bands: with fewer, a vector is found in the near cache
FEWEST, MOST = 1 << 14, 1 << 17  #: rows of a band: a megabyte of sums at most
_BANDS = 8  #: of a layer at least, if it has the rows: threads share them out


@dataclass(frozen=True)
class Bands:
    """Bands of all layers, in their order."""

    marks: NDArray[
        np.int64
    ]  #: (bands, 3): where a band's entries begin, those of its own and later layers, where they end
    columns: NDArray[np.uint32]  #: what each entry points to, ascending in a band
    rows: NDArray[np.uint32]  #: whose it is, counted from the band's first
    weights: NDArray[Any]  #: its weight, or empty if all are 1


def cuts(first: int, last: int) -> NDArray[np.int64]:
    """Return bounds of a layer's bands: as many rows in each as in any other, but for the last."""
    if last <= first:
        return np.array([first], np.int64)
    return np.append(np.arange(first, last, _width(last - first)), last).astype(np.int64)


def _width(rows: int) -> int:
    return min(MOST, max(FEWEST, -(-rows // _BANDS)))


def bands(rows: Adjacency, bounds: tuple[int, ...]) -> Bands:
    """Return the bands of symmetric *rows* in walk order, layers ending at *bounds*."""
    firsts, ends = np.array(bounds[:-1], np.int64), np.array(bounds[1:], np.int64)
    counts_of = [len(cuts(a, b)) - 1 for a, b in pairwise(bounds)]
    before = np.concatenate(([0], np.cumsum(counts_of))).astype(np.int64)
    parts = min(threads.count(), 4)
    halves = np.searchsorted(rows.indptr, [int(rows.indptr[-1]) * at // parts for at in range(1, parts)])
    halves = np.concatenate(([0], halves, [bounds[-1]])).tolist()
    counts = np.zeros((parts, int(before[-1])), np.int64)
    widths = np.array([_width(b - a) for a, b in pairwise(bounds)], np.int64)
    shape = (firsts, ends, before, widths)
    jobs = zip(pairwise(halves), counts, strict=True)
    threads.in_parallel([partial(_count, *rows.arrays[:2], shape, a, b, own) for (a, b), own in jobs])
    flat = np.cumsum(counts.T.reshape(-1))
    starts = np.concatenate(([0], flat[:-1])).reshape(counts.shape[::-1]).T.copy()
    total = int(flat[-1]) if len(flat) else 0
    made = (
        np.empty(total, np.uint32),
        np.empty(total, np.uint32),
        np.empty(0 if rows.uniform else total, rows.weights.dtype),
    )
    marks = np.empty((len(before) and int(before[-1]), 3), np.int64)
    marks[:, 0] = starts[0]
    marks[:, 2] = np.append(starts[0, 1:], total)
    jobs = zip(pairwise(halves), starts, strict=True)
    threads.in_parallel([partial(_fill, rows.arrays, shape, a, b, own, made) for (a, b), own in jobs])
    layer = np.repeat(np.arange(len(firsts)), counts_of)
    for band, (low, _, high) in enumerate(marks.tolist()):
        marks[band, 1] = low + np.searchsorted(made[0][low:high], np.uint32(ends[layer[band]]))
    return Bands(marks, *made)


@compiled
def _band(shape: Any, row: int) -> Any:
    """Return the band of a row, and where it begins."""
    firsts, ends, before, widths = shape
    layer = 0
    while row >= ends[layer]:
        layer += 1
    at = (row - firsts[layer]) // widths[layer]
    return before[layer] + at, firsts[layer] + at * widths[layer]


@compiled
def _count(indptr: Any, indices: Any, shape: Any, first: int, last: int, counts: Any) -> None:
    for k in range(indptr[first], indptr[last]):
        counts[_band(shape, indices[k])[0]] += 1


@compiled
def _fill(rows: Any, shape: Any, first: int, last: int, starts: Any, made: Any) -> None:
    indptr, indices, weights = rows
    columns, own, data = made
    for j in range(first, last):
        for k in range(indptr[j], indptr[j + 1]):
            band, begin = _band(shape, indices[k])
            at = starts[band]
            starts[band] += 1
            columns[at] = j
            own[at] = indices[k] - begin
            if len(data):
                data[at] = weights[k]
