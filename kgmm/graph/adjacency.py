"""Compressed sparse rows with 32-bit indices: what every algorithm on a view reads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.compiled import compiled
from kgmm.graph.statements import Statements


@dataclass(frozen=True)
class Adjacency:
    """Rows of neighbors: row u holds ``indices[indptr[u]:indptr[u + 1]]`` with ``weights`` beside them."""

    indptr: NDArray[Any]  #: int32, int64 from 2^31 entries on
    indices: NDArray[np.int32]  #: ascending in a row
    weights: NDArray[Any]  #: float32 (float64 where the sums need it), or empty if every edge weighs the same ``unit``
    unit: float = 1.0

    @property
    def size(self) -> int:
        """Number of nodes."""
        return len(self.indptr) - 1

    @property
    def nbytes(self) -> int:
        """Bytes in the three arrays."""
        return sum(array.nbytes for array in self.arrays)

    @property
    def arrays(self) -> tuple[NDArray[Any], NDArray[np.int32], NDArray[Any]]:
        """Row bounds, indices and weights, as compiled loops take them."""
        return self.indptr, self.indices, self.weights

    @property
    def uniform(self) -> bool:
        """Whether every edge weighs ``unit``."""
        return len(self.weights) == 0

    @cached_property
    def strengths(self) -> NDArray[np.float64]:
        """Sum of the weights in each row, float64."""
        if self.uniform:
            return np.diff(self.indptr) * float(self.unit)
        total = np.empty(self.size, np.float64)
        _row_sums(self.indptr, self.weights, total)
        return total

    @cached_property
    def unit_strengths(self) -> NDArray[np.float64]:
        """Strengths in units of ``unit``: row lengths if all edges weigh the same."""
        return self.strengths / self.unit if self.uniform and self.unit != 1 else self.strengths

    @cached_property
    def blocks(self) -> NDArray[np.int64]:
        """Row bounds of :func:`blocks` of rows."""
        return blocks(np.diff(self.indptr))

    def transposed(self) -> Adjacency:
        """Return the rows of the reversed graph."""
        other = self.to_scipy().T.tocsr()
        other.sort_indices()
        return Adjacency(other.indptr, other.indices, self.weights if self.uniform else other.data, self.unit)

    def renumbered(self, order: NDArray[np.int32]) -> Adjacency:
        """Return the same graph with node ``order[i]`` as node i."""
        place = np.empty(self.size, np.int32)
        place[order] = np.arange(self.size, dtype=np.int32)
        indptr = np.zeros_like(self.indptr)
        np.cumsum(np.diff(self.indptr)[order], out=indptr[1:])
        indices, weights = np.empty_like(self.indices), np.empty_like(self.weights)
        _renumber(self.arrays, order, place, (indptr, indices, weights))
        other = Adjacency(indptr, indices, weights, self.unit)
        if self.uniform:
            _sort_rows(indptr, indices)
        else:
            other.to_scipy().sort_indices()
        return other

    def to_scipy(self) -> Any:
        """Return a ``scipy.sparse.csr_array``; index arrays are shared, not copied."""
        from scipy.sparse import csr_array  # not needed by walks, and slow to import

        data = np.full(len(self.indices), self.unit, np.float32) if self.uniform else self.weights
        return csr_array((data, self.indices, self.indptr), shape=(self.size, self.size))


def adjacency(statements: Statements, size: int, *, directed: bool) -> Adjacency:
    """Return the rows of a graph whose parallel statements are added up; undirected ones go both ways."""
    from scipy.sparse import coo_array

    subject, target, weight = statements.subject, statements.object, statements.weight
    if not directed:
        other_way = subject != target  # a self-loop counts once
        subject, target = np.concatenate((subject, target[other_way])), np.concatenate((target, subject[other_way]))
        weight = np.concatenate((weight, weight[other_way]))
    rows = coo_array((weight, (subject, target)), shape=(size, size)).tocsr()
    rows.sum_duplicates()
    data = rows.data
    if len(data) and data.min() == data.max():
        return Adjacency(rows.indptr, rows.indices, np.empty(0, np.float32), float(data[0]))
    if data.dtype == np.float64 and np.array_equal(data.astype(np.float32), data):
        data = data.astype(np.float32)
    return Adjacency(rows.indptr, rows.indices, data)


def topological_order(rows: Adjacency) -> NDArray[np.int32]:
    """Return the nodes, strongly connected components in topological order of the edges between them."""
    if rows.size == 0:
        return np.empty(0, np.int32)
    from scipy.sparse.csgraph import connected_components

    # SciPy numbers components as Pearce's algorithm finishes them: sinks first
    _, component = connected_components(rows.to_scipy(), directed=True, connection="strong")
    return np.argsort(-component, kind="stable").astype(np.int32)


def blocks(lengths: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return bounds of at most 64 blocks of about equal work; they never depend on the number of threads."""
    if len(lengths) == 0:
        return np.zeros(1, np.int64)
    work = np.cumsum(lengths.astype(np.int64) + 4)
    count = max(1, min(64, int(work[-1]) // 4096))
    cuts = np.searchsorted(work, work[-1] * np.arange(1, count) // count)
    return np.unique(np.concatenate(([0], cuts, [len(lengths)]))).astype(np.int64)


@compiled
def _row_sums(indptr: Any, weights: Any, out: Any) -> None:
    """out_i <- the sum of row i."""
    for i in range(len(indptr) - 1):
        total = 0.0
        for k in range(indptr[i], indptr[i + 1]):
            total += weights[k]
        out[i] = total


@compiled
def _renumber(rows: Any, order: Any, place: Any, made: Any) -> None:
    """Copy row order_i to row i with its entries renumbered by *place*."""
    indptr, indices, weights = rows
    starts, to, data = made
    for i in range(len(order)):
        at = starts[i]
        for k in range(indptr[order[i]], indptr[order[i] + 1]):
            to[at] = place[indices[k]]
            if len(weights):
                data[at] = weights[k]
            at += 1


@compiled
def _sort_rows(indptr: Any, indices: Any) -> None:
    """Put each row's indices in ascending order."""
    for i in range(len(indptr) - 1):
        indices[indptr[i] : indptr[i + 1]].sort()
