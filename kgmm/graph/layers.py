"""The order in which undirected walks solve a view's nodes: independent sets, found once per view.

Nodes of an independent set have no edges among each other, so their rows of the linear system are solved side by
side. The first set found, the fringe, is about half of a power-law graph and is substituted out exactly; a few more
leave a small dense layer of busy nodes. Sweeps from the fringe to that layer and back (:mod:`kgmm.graph.walk.sweeps`)
then do as well as sweeps node by node, and yet run on any number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from kgmm.compiled import compiled
from kgmm.graph import bands as banding
from kgmm.graph import threads
from kgmm.graph.adjacency import Adjacency, blocks
from kgmm.graph.bands import Bands
from kgmm.graph.grouped import grouped

SETS = 4  #: independent sets beside the fringe; more of them do not save a step on graphs like ConceptNet's

T = TypeVar("T")


@dataclass(frozen=True)
class Layers:
    """Rows in walk order: the dense layer, independent sets, the fringe, nodes without edges."""

    rows: Adjacency  #: the view's adjacency in this order; the same object if the view itself is in it
    order: NDArray[np.int32] | None  #: which node of the view each row is (int32), or None if the view is in this order
    bounds: tuple[int, ...]  #: layer k is rows ``bounds[k]:bounds[k + 1]``; the last is the fringe
    #: for each row before the fringe, where its entries of later layers begin (a position in ``indices``)
    cut: NDArray[np.int32]
    #: for each layer, row bounds of blocks of about equal work; where there are bands, of its bands
    blocks: tuple[NDArray[np.int64], ...]
    bands: Bands | None = None  #: the same entries for sums of large views
    _kept: dict[Callable[[Layers, float], Any], tuple[float, Any]] = field(default_factory=dict, repr=False)

    @property
    def dense(self) -> int:
        """Number of rows in the first layer, the only one with edges inside."""
        return self.bounds[1]

    @property
    def core(self) -> int:
        """Number of rows before the fringe."""
        return self.bounds[-2]

    @property
    def linked(self) -> int:
        """Number of rows with edges."""
        return self.bounds[-1]

    @property
    def edges(self) -> tuple[tuple[NDArray[Any], NDArray[np.uint32], NDArray[Any]], NDArray[Any] | None]:
        """(Row bounds, indices, cuts) and weights (None if all are 1) as sweeps read them: unsigned."""
        rows = self.rows
        unsigned = np.dtype(f"u{rows.indptr.itemsize}")
        indices = rows.indices.view(np.uint32)
        return (rows.indptr.view(unsigned), indices, self.cut.view(unsigned)), None if rows.uniform else rows.weights

    def each(self, layer: int, kernel: Callable[..., Any], *arrays: Any, width: int = 1) -> None:
        """Run ``kernel(*arrays, blocks, first, last)`` over a layer's blocks; an entry is *width* numbers of work."""
        blocks = self.blocks[layer]
        first, last = self.rows.indptr[list(self.bounds[layer : layer + 2])].tolist()
        threads.over_blocks(partial(kernel, *arrays, blocks), len(blocks) - 1, width * (last - first))

    def sum_up(self, layer: int, kernel: Callable[..., Any], *arrays: Any) -> None:
        """Do what :meth:`each` does for a kernel that sums up rows, and can by bands."""
        if self.bands is None:
            self.each(layer, kernel, *arrays)
            return
        blocks, before = self.blocks[layer], sum(len(blocks) - 1 for blocks in self.blocks[:layer])
        weights = None if self.rows.uniform else self.bands.weights
        banded = (self.bands.marks, self.bands.columns, self.bands.rows, weights)

        def job(first: int, last: int) -> None:
            kernel(*arrays, blocks, first, last, banded, before)

        first, last = self.rows.indptr[list(self.bounds[layer : layer + 2])].tolist()
        threads.over_blocks(job, len(blocks) - 1, last - first)

    def at(self, restart: float, make: Callable[[Layers, float], T]) -> T:
        """Return what *make* gives for these layers at one restart probability; its last result is kept."""
        kept = self._kept.get(make)
        if kept is None or kept[0] != restart:
            kept = self._kept[make] = restart, make(self, restart)
        made: T = kept[1]
        return made


def layer_order(rows: Adjacency) -> tuple[NDArray[np.int32], tuple[int, ...]]:
    """Return the nodes in walk order and the layers' bounds.

    Sets are chosen greedily, fewest neighbors first: what is left is dense. In a layer, rows with more entries of
    earlier layers come first, then longer rows: the busiest entries lie in the same cache lines, and a sweep reads
    as many entries of a row as of the row before, so that the processor does not wait to know when a row ends.
    """
    lengths = np.diff(rows.indptr)
    layer = np.zeros(rows.size, np.int8)
    left = lengths.astype(np.int32)
    waiting = np.flatnonzero(lengths > 0).astype(np.int32)
    for found in range(SETS + 1):
        ranked = waiting[_ranks(left[waiting])]
        _independent_set(rows.indptr, rows.indices, ranked, layer, left, found + 1)
        waiting = waiting[layer[waiting] == 0]
    layer[waiting] = SETS + 2
    earlier, parted = np.empty(rows.size, np.int32), rows.blocks
    count = partial(_heavier_neighbors, rows.indptr, rows.indices, layer, earlier, parted)
    threads.over_blocks(count, len(parted) - 1, len(rows.indices))
    parts = [np.flatnonzero(layer == mark).astype(np.int32) for mark in range(SETS + 2, 0, -1)]
    for at, part in enumerate(parts):
        longest = part[_ranks(lengths[part])[::-1]]
        parts[at] = longest[_ranks(earlier[longest])[::-1]]
    bounds = tuple(np.cumsum([0] + [len(part) for part in parts]).tolist())
    return np.concatenate((*parts, np.flatnonzero(lengths == 0).astype(np.int32))), bounds


def _ranks(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return where to find the lowest count, the next and so on; all from 65,535 on are alike."""
    return grouped(np.minimum(counts, 65_535).astype(np.int32))[0]


def layers(rows: Adjacency, order: NDArray[np.int32] | None, bounds: tuple[int, ...]) -> Layers:
    """Return the layers of *rows*, which stand in walk order."""
    lengths = np.diff(rows.indptr)
    cut = np.empty(bounds[-2], rows.indptr.dtype)
    cuts, banded = [], len(rows.indices) >= banding.FROM
    for first, last in pairwise(bounds):
        if last <= bounds[-2]:
            _cuts(rows.indptr, rows.indices, first, last, cut)
        cuts.append(banding.cuts(first, last) if banded else first + blocks(lengths[first:last]))
    return Layers(rows, order, bounds, cut, tuple(cuts), banding.bands(rows, bounds) if banded else None)


@compiled
def _independent_set(indptr: Any, indices: Any, order: Any, layer: Any, left: Any, mark: int) -> None:
    """Mark nodes of *order*, all of layer 0, in ``layer`` so that no two are neighbors nor one its own; greedily."""
    barred = np.zeros(len(layer), np.bool_)
    for i in order:
        if barred[i]:
            continue
        loop = False
        for k in range(indptr[i], indptr[i + 1]):
            loop = loop or indices[k] == i
        if loop:
            continue
        layer[i] = mark
        for k in range(indptr[i], indptr[i + 1]):
            barred[indices[k]] = True
            left[indices[k]] -= 1


@compiled
def _heavier_neighbors(indptr: Any, indices: Any, layer: Any, counts: Any, parted: Any, first: int, last: int) -> None:
    """counts_i <- how many neighbors of node i have a higher layer number."""
    for i in range(parted[first], parted[last]):
        own = layer[i]
        count = 0
        for k in range(indptr[i], indptr[i + 1]):
            count += layer[indices[k]] > own
        counts[i] = count


@compiled
def _cuts(indptr: Any, indices: Any, first: int, last: int, cut: Any) -> None:
    """cut_i <- where row i's entries from row *last* on begin."""
    for i in range(first, last):
        k = indptr[i]
        while k < indptr[i + 1] and indices[k] < last:
            k += 1
        cut[i] = k
