"""What an undirected walk prepares once per view: an independent set of nodes to eliminate.

Nodes of an independent set (the fringe) have no edges among each other, so their rows of the linear system
are solved exactly by substitution. What is left, on the core, is smaller and better conditioned; a product
with it reads every edge once, as before: first the fringe's rows, then the core's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kgmm.graph.adjacency import Adjacency


@dataclass(frozen=True)
class Elimination:
    """Core and fringe rows (int32, ascending; nodes without edges are in neither) with what CG needs.

    ``core_blocks`` and ``fringe_blocks`` bound blocks of about equal work, ``own`` is the core's self-loops
    and ``through`` the sum of a_ij^2 / d_j over fringe neighbors j.
    """

    core: NDArray[np.int32]
    fringe: NDArray[np.int32]
    core_blocks: NDArray[np.int64]
    fringe_blocks: NDArray[np.int64]
    own: NDArray[np.float64]
    through: NDArray[np.float64]

    def diagonal(self, strengths: NDArray[np.float64], restart: float) -> NDArray[np.float64]:
        """Return the diagonal of the reduced system: CG's preconditioner."""
        damping = 1 - restart
        return strengths[self.core] - damping * self.own - damping**2 * self.through


def split(rows: Adjacency) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return core and fringe, ascending; the fringe is chosen greedily, fewest neighbors first."""
    from kgmm.graph import kernels

    lengths = np.diff(rows.indptr)
    order = np.argsort(np.minimum(lengths, 65_535).astype(np.uint16), kind="stable").astype(np.int32)
    chosen = kernels.independent_set(rows.indptr, rows.indices, order)
    core = np.flatnonzero(~chosen & (lengths > 0)).astype(np.int32)
    return core, np.flatnonzero(chosen).astype(np.int32)


def eliminate(rows: Adjacency, core: NDArray[np.int32], fringe: NDArray[np.int32]) -> Elimination:
    """Prepare *rows* for walks that substitute *fringe* out."""
    from kgmm.graph import kernels

    lengths = np.diff(rows.indptr)
    chosen = np.zeros(rows.size, bool)
    chosen[fringe] = True
    own, through = np.empty(len(core)), np.empty(len(core))
    kernels.eliminated_diagonal(
        rows.indptr, rows.indices, rows.weights, rows.unit_strengths, core, chosen, own, through
    )
    if not own.any():
        own = np.broadcast_to(0.0, len(core))
    return Elimination(core, fringe, blocks(lengths[core]), blocks(lengths[fringe]), own, through)


def walk_order(rows: Adjacency) -> tuple[NDArray[np.int32], int, int]:
    """Return the node order that walks read fastest, and how many nodes of it are core and fringe.

    Core first, then fringe, then nodes without edges; more neighbors first in each: rows of equal length are
    read together and the busiest entries lie in the same cache lines.
    """
    core, fringe = split(rows)
    lengths = np.diff(rows.indptr)
    rest = np.flatnonzero(lengths == 0).astype(np.int32)
    parts = [part[np.argsort(-lengths[part], kind="stable")] for part in (core, fringe)]
    return np.concatenate((*parts, rest)), len(core), len(fringe)


def blocks(lengths: NDArray[np.integer]) -> NDArray[np.int64]:  # type: ignore[type-arg]
    """Return bounds of at most 64 blocks of about equal work; they never depend on the number of threads."""
    if len(lengths) == 0:
        return np.zeros(1, np.int64)
    work = np.cumsum(lengths.astype(np.int64) + 4)
    count = max(1, min(64, int(work[-1]) // 4096))
    cuts = np.searchsorted(work, work[-1] * np.arange(1, count) // count)
    return np.unique(np.concatenate(([0], cuts, [len(lengths)]))).astype(np.int64)


def members(
    among: NDArray[np.int32], nodes: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which of *nodes* are in the ascending *among*, and where."""
    at = np.searchsorted(among, nodes)
    inside = np.zeros(len(nodes), bool)
    within = at < len(among)
    inside[within] = among[at[within]] == nodes[within]
    chosen = np.flatnonzero(inside)
    return chosen, at[chosen]
