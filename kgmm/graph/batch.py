"""Many undirected walks at once: the same conjugate gradients, WIDTH columns side by side, in mixed precision.

The inner iterations keep search directions in bfloat16, where a core node's entries for all walks are one cache
line, and everything else in float32. The outer loop computes residuals in float64 (iterative refinement; Higham,
Accuracy and Stability, 2nd ed., chapter 12), so the result is as exact as a single walk's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import KgmmError
from kgmm.graph.scores import Solution
from kgmm.graph.seeds import SeedNodes

if TYPE_CHECKING:
    from kgmm.graph.view import GraphView

#: a cycle in float32 shrinks the residual by this much at most; float32 resolves about 1e-6
_CYCLE = 5e-5

Doubles = NDArray[np.float64]
Singles = NDArray[np.float32]


def batchable(view: GraphView) -> bool:
    """Tell whether a view numbers its core before its fringe, as large views do."""
    core = view.elimination.core
    return len(core) > 0 and int(core[-1]) == len(core) - 1


class _Columns:
    """The reduced system for WIDTH right-hand sides; vectors are flat, node by node."""

    def __init__(self, view: GraphView, block: list[SeedNodes], restart: float) -> None:
        from kgmm.graph.batch_kernels import WIDTH

        self.rows, self.parts = view.adjacency, view.elimination
        self.size, self.width, self.damping = len(self.parts.core), WIDTH, 1 - restart
        self.strengths = self.rows.unit_strengths
        self.diagonal = self.parts.diagonal(self.strengths, restart)
        self.arrays = (self.rows.indptr, self.rows.indices, self.rows.weights, self.strengths)
        self.nodes = np.unique(np.concatenate([seeds.positions for seeds in block]))
        self.pulls = np.zeros((len(self.nodes), WIDTH))
        for column, seeds in enumerate(block):
            self.pulls[np.searchsorted(self.nodes, seeds.positions), column] = restart * seeds.masses
        self.seeds = np.full(len(view), -1, np.int32)
        self.seeds[self.nodes] = np.arange(len(self.nodes))
        shape = (len(self.parts.core_blocks) - 1, WIDTH)
        self.dots, self.norms = np.zeros(shape), np.zeros(shape)
        long = self.size * WIDTH
        self.x, self.correction, self.q = (
            np.zeros(long),
            np.zeros(long, np.float32),
            np.zeros(long, np.float32),
        )
        self.p = _on_cache_lines(long, np.uint16)
        self.fringe = _on_cache_lines(len(self.parts.fringe) * WIDTH, np.float32)

    def _each(self, kernel: Callable[[int, int], None], blocks: NDArray[np.int64]) -> None:
        from kgmm.graph import threads

        threads.over_blocks(kernel, len(blocks) - 1, self.width * len(self.rows.indices))

    def right_side(self) -> Singles:
        """Return the reduced system's right-hand side: the core's pulls and what the fringe's pass on to it."""
        right = np.zeros((self.size, self.width))
        for node, pulls in zip(self.nodes.tolist(), self.pulls, strict=True):
            if node < self.size:
                right[node] += pulls
                continue
            row = slice(int(self.rows.indptr[node]), int(self.rows.indptr[node + 1]))
            weights = np.ones(row.stop - row.start) if self.rows.uniform else self.rows.weights[row]
            right[self.rows.indices[row]] += np.outer(weights, self.damping / self.strengths[node] * pulls)
        return right.astype(np.float32).ravel()

    def shrink(self, r: Singles, goal: float, most: int) -> int:
        """Add to ``x`` what brings the L1 norms of *r* below *goal* or _CYCLE of themselves; return the steps taken."""
        from kgmm.graph import batch_kernels as kernels

        blocks, x, p, q = self.parts.core_blocks, self.correction, self.p, self.q
        x.fill(0)
        nothing = np.zeros(self.width, np.float32)

        def move(step: Singles) -> tuple[Doubles, Doubles]:
            self._each(
                partial(kernels.move, p, q, self.diagonal, x, r, step, blocks, self.dots, self.norms), blocks
            )
            return self.dots.sum(axis=0), self.norms.sum(axis=0)

        square, norms = move(nothing)
        goals = np.maximum(0.9 * goal, _CYCLE * norms)
        share, steps = nothing, 0
        while (norms > goals).any() and steps < most:
            self._each(partial(kernels.turn, p, r, self.diagonal, share, blocks), blocks)
            step = _ratio(square, self._apply()).astype(np.float32)
            before = square
            square, norms = move(step)
            share = _ratio(square, before).astype(np.float32)
            steps += 1
        self.x += x
        return steps

    def _apply(self) -> Doubles:
        """Q <- the reduced matrix times p, by way of the fringe; return p . q by column."""
        from kgmm.graph import batch_kernels as kernels

        parts, shared = self.parts, (*self.arrays, self.size, self.p, self.fringe)
        self._each(
            partial(kernels.fill_fringe, *shared, self.damping, parts.fringe_blocks), parts.fringe_blocks
        )
        self._each(
            lambda a, b: kernels.apply_core(
                *shared, self.q, self.damping, parts.core_blocks, a, b, self.dots
            ),
            parts.core_blocks,
        )
        return np.asarray(self.dots.sum(axis=0))

    def refine(self, column: int, z: Doubles, r: Singles) -> Doubles:
        """Fill *z* with the GROUP columns of the solution from *column* on; return their residuals' L1 norms.

        The residuals themselves go to *r*.
        """
        from kgmm.graph import batch_kernels as kernels

        parts, group = self.parts, kernels.GROUP
        z.reshape(-1, group)[: self.size] = self.x.reshape(-1, self.width)[:, column : column + group]
        pulls = np.ascontiguousarray(self.pulls[:, column : column + group])
        fixed = (self.seeds, pulls, self.damping)
        self._each(
            partial(kernels.substitute, *self.arrays, self.size, z, *fixed, parts.fringe_blocks),
            parts.fringe_blocks,
        )
        norms = self.norms[:, :group].copy()
        self._each(
            partial(kernels.residual, *self.arrays, z, *fixed, r, column, parts.core_blocks, norms),
            parts.core_blocks,
        )
        return np.asarray(norms.sum(axis=0))

    def scores(self, z: Doubles) -> tuple[Doubles, ...]:
        """Return x = max(D z, 0), column by column."""
        from kgmm.graph import batch_kernels as kernels
        from kgmm.graph import threads

        columns = tuple(np.empty(len(self.strengths)) for _ in range(kernels.GROUP))
        blocks = -(-len(self.strengths) // 64)
        threads.over_blocks(partial(kernels.scores, z, self.strengths, columns), blocks, len(z))
        return columns


def _ratio(over: Doubles, under: Doubles) -> Doubles:
    """Quotient, 0 for columns that are done."""
    return np.divide(over, under, out=np.zeros_like(over), where=under > 0)


def _on_cache_lines(size: int, kind: Any) -> NDArray[Any]:
    """Return zeros that begin at a multiple of 64 bytes, so that a node's entries are one cache line or two."""
    item = np.dtype(kind).itemsize
    raw = np.zeros(size + 64 // item, kind)
    skip = (-raw.ctypes.data % 64) // item
    return raw[skip : skip + size]


def solve_columns(
    view: GraphView, block: list[SeedNodes], restart: float, tol: float, most: int
) -> list[Solution]:
    """Solve for up to WIDTH distributions whose seeds all have edges, on a :func:`batchable` view."""
    from kgmm.graph.batch_kernels import GROUP

    system = _Columns(view, restart=restart, block=block)
    r = system.right_side()
    z = _on_cache_lines(len(view) * GROUP, np.float64)
    found: dict[int, Solution] = {}
    steps = 0
    while True:
        steps += system.shrink(r, restart * tol, most - steps + 1)
        worst = 0.0
        for column in range(0, len(block), GROUP):
            if column in found:
                continue
            errors = system.refine(column, z, r) / restart
            worst = max(worst, float(errors.max()))
            if errors.max() <= tol:
                r.reshape(-1, system.width)[:, column : column + GROUP] = 0.0
                for at, scores in enumerate(system.scores(z)):
                    found[column + at] = Solution(scores, float(errors[at]), steps)
        if worst <= tol:
            return [found[column] for column in range(len(block))]
        if steps > most:
            raise KgmmError(f"a walk stopped at an L1 error of {worst:.1e}; raise tol={tol:.1e}")
