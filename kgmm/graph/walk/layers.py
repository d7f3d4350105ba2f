"""The order in which undirected walks solve a view's nodes: independent sets, found once per view.

Nodes of an independent set have no edges among each other, so their rows of the linear system are solved side by
side. The first set found, the fringe, is about half of a power-law graph and is substituted out exactly; a few more
leave a small dense layer of busy nodes. Sweeps from the fringe to that layer and back (:mod:`kgmm.graph.walk.sweeps`)
then do as well as sweeps node by node, and yet run on any number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kgmm.graph.adjacency import Adjacency

if TYPE_CHECKING:
    from kgmm.graph.walk.level import Level

#: independent sets beside the fringe; more of them do not save a step on graphs like ConceptNet's
SETS = 4


@dataclass(frozen=True)
class Factors:
    """The diagonal T of an incomplete factorization (T + L) T^-1 (T + L') without fill, one a core row.

    Attributes:
        pivots: T, float32, rounded up.
        reach: the L1 norm of each column of T + L, float32.
    """

    pivots: NDArray[np.float32]
    reach: NDArray[np.float32]


@dataclass(frozen=True)
class Layers:
    """Rows in walk order: the dense layer, independent sets, the fringe, nodes without edges.

    Attributes:
        rows: the view's adjacency in this order; the same object if the view itself is in it.
        order: which node of the view each row is (int32), or None if the view is in this order.
        bounds: layer k is rows ``bounds[k]:bounds[k + 1]``; the last is the fringe.
        cut: for each row before the fringe, where its entries of later layers begin (a position in ``indices``).
        blocks: for each layer, row bounds of blocks of about equal work.
    """

    rows: Adjacency
    order: NDArray[np.int32] | None
    bounds: tuple[int, ...]
    cut: NDArray[np.int32]
    blocks: tuple[NDArray[np.int64], ...]
    _factors: dict[float, Factors] = field(default_factory=dict, repr=False)
    _levels: dict[float, Level] = field(default_factory=dict, repr=False)

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
    def edges(self) -> tuple[NDArray[Any], NDArray[np.uint32], NDArray[Any] | None, NDArray[Any]]:
        """Row bounds, indices, weights (None if all are 1) and cuts as sweeps read them: unsigned."""
        rows = self.rows
        unsigned = np.dtype(f"u{rows.indptr.itemsize}")
        weights = None if rows.uniform else rows.weights
        return rows.indptr.view(unsigned), rows.indices.view(np.uint32), weights, self.cut.view(unsigned)

    def work(self, layer: int) -> int:
        """Return how many entries a layer's rows hold."""
        indptr = self.rows.indptr
        return int(indptr[self.bounds[layer + 1]]) - int(indptr[self.bounds[layer]])

    def factors(self, restart: float) -> Factors:
        """Return the incomplete factorization at one restart probability; the last is kept."""
        known = self._factors.get(restart)
        if known is None:
            from kgmm.graph.walk import sweeps, threads

            rows, core = self.rows, self.core
            known = Factors(np.empty(core, np.float32), np.empty(core, np.float32))
            for layer in reversed(range(len(self.bounds) - 2)):
                blocks = self.blocks[layer]
                threads.over_blocks(
                    lambda a, b, blocks=blocks: sweeps.factor(  # type: ignore[misc]
                        *self.edges,
                        rows.unit_strengths,
                        self.dense,
                        1 - restart,
                        known.pivots,
                        known.reach,
                        blocks,
                        a,
                        b,
                    ),
                    len(blocks) - 1,
                    self.work(layer),
                )
            self._factors.clear()
            self._factors[restart] = known
        return known

    def level(self, restart: float) -> Level:
        """Return what certified rankings prepare at one restart probability; the last is kept."""
        known = self._levels.get(restart)
        if known is None:
            from kgmm.graph.walk.level import level

            known = level(self, restart)
            self._levels.clear()
            self._levels[restart] = known
        return known


def layer_order(rows: Adjacency) -> tuple[NDArray[np.int32], tuple[int, ...]]:
    """Return the nodes in walk order and the layers' bounds.

    Sets are chosen greedily, fewest neighbors first: what is left is dense. In a layer, rows with more entries of
    earlier layers come first, then longer rows: the busiest entries lie in the same cache lines, and a sweep reads
    as many entries of a row as of the row before, so that the processor does not wait to know when a row ends.
    """
    from kgmm.graph.walk import kernels

    lengths = np.diff(rows.indptr)
    layer = np.zeros(rows.size, np.int8)
    left = lengths.astype(np.int32)
    waiting = np.flatnonzero(lengths > 0).astype(np.int32)
    for found in range(SETS + 1):
        ranked = waiting[_ranks(left[waiting])]
        kernels.independent_set(rows.indptr, rows.indices, ranked, layer, left, found + 1)
        waiting = waiting[layer[waiting] == 0]
    layer[waiting] = SETS + 2
    earlier = kernels.heavier_neighbors(rows.indptr, rows.indices, layer)
    parts = [np.flatnonzero(layer == mark).astype(np.int32) for mark in range(SETS + 2, 0, -1)]
    for at, part in enumerate(parts):
        longest = part[_ranks(lengths[part])[::-1]]
        parts[at] = longest[_ranks(earlier[longest])[::-1]]
    bounds = tuple(np.cumsum([0] + [len(part) for part in parts]).tolist())
    return np.concatenate((*parts, np.flatnonzero(lengths == 0).astype(np.int32))), bounds


def _ranks(counts: NDArray[np.integer]) -> NDArray[np.int64]:  # type: ignore[type-arg]
    """Return where to find the lowest count, the next and so on; NumPy is fast with 16 bits."""
    return np.argsort(np.minimum(counts, 65_535).astype(np.uint16), kind="stable")


def layers(rows: Adjacency, order: NDArray[np.int32] | None, bounds: tuple[int, ...]) -> Layers:
    """Return the layers of *rows*, which stand in walk order."""
    from kgmm.graph.walk import sweeps

    lengths = np.diff(rows.indptr)
    cut = np.empty(bounds[-2], rows.indptr.dtype)
    cuts = []
    for first, last in pairwise(bounds):
        if last <= bounds[-2]:
            sweeps.cuts(rows.indptr, rows.indices, first, last, cut)
        cuts.append(first + blocks(lengths[first:last]))
    return Layers(rows, order, bounds, cut, tuple(cuts))


def blocks(lengths: NDArray[np.integer]) -> NDArray[np.int64]:  # type: ignore[type-arg]
    """Return bounds of at most 64 blocks of about equal work; they never depend on the number of threads."""
    if len(lengths) == 0:
        return np.zeros(1, np.int64)
    work = np.cumsum(lengths.astype(np.int64) + 4)
    count = max(1, min(64, int(work[-1]) // 4096))
    cuts = np.searchsorted(work, work[-1] * np.arange(1, count) // count)
    return np.unique(np.concatenate(([0], cuts, [len(lengths)]))).astype(np.int64)
