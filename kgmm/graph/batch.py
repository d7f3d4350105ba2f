"""Many undirected walks at once: the same conjugate gradients, WIDTH columns side by side, in mixed precision.

The inner iterations run in float32, where a node's entries for all walks are one cache line. The outer
loop keeps solution and residual in float64 (iterative refinement; Higham, Accuracy and Stability, 2nd ed.,
chapter 12), so the result is as exact as a single walk's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import KgmmError
from kgmm.graph.scores import Solution
from kgmm.graph.seeds import SeedNodes

if TYPE_CHECKING:
    from kgmm.graph.view import GraphView

#: a cycle in float32 shrinks the residual by this much at most; float32 resolves about 1e-6
_CYCLE = 2e-5

Flat = NDArray[np.floating]  # type: ignore[type-arg]


class _Columns:
    """The reduced system for WIDTH right-hand sides; vectors are flat, node by node."""

    def __init__(self, view: GraphView, restart: float) -> None:
        from kgmm.graph.batch_kernels import WIDTH

        self.width = WIDTH
        self.rows, self.parts = view.adjacency, view.elimination
        self.strengths, self.damping = self.rows.unit_strengths, 1 - restart
        self.diagonal = self.parts.diagonal(self.strengths, restart)
        self.arrays = (self.rows.indptr, self.rows.indices, self.rows.weights, self.strengths)
        shape = (max(len(self.parts.core_blocks) - 1, 0), WIDTH)
        self.dots, self.norms = np.zeros(shape), np.zeros(shape)

    def _each(self, kernel: Callable[[int, int], None], blocks: NDArray[np.int64]) -> None:
        from kgmm.graph import threads

        threads.over_blocks(kernel, len(blocks) - 1, self.width * len(self.rows.indices))

    def substitute(self, core: Flat, pulls: Flat, out: Flat) -> None:
        """Out <- the vector whose core is *core* and whose fringe rows hold for the right-hand side *pulls*."""
        by_node = out.reshape(-1, self.width)
        by_node[self.parts.core] = core.reshape(-1, self.width)
        self.fill_fringe(out)
        fringe = self.parts.fringe
        seeded = fringe[pulls.reshape(-1, self.width)[fringe].any(axis=1)]
        by_node[seeded] += pulls.reshape(-1, self.width)[seeded] / self.strengths[seeded, None]

    def fill_fringe(self, p: Flat) -> None:
        """Make *p* hold the fringe's rows with zero right-hand side."""
        from kgmm.graph import batch_kernels as kernels

        blocks = self.parts.fringe_blocks
        self._each(
            lambda a, b: kernels.fill_fringe(*self.arrays, self.parts.fringe, p, self.damping, blocks, a, b), blocks
        )

    def apply(self, p: Flat, q: Flat) -> Flat:
        """q <- (D - (1 - c) A) p on the core; return p . q by column."""
        from kgmm.graph import batch_kernels as kernels

        core, blocks = self.parts.core, self.parts.core_blocks
        self._each(
            lambda a, b: kernels.apply_core(*self.arrays, core, p, q, self.damping, blocks, a, b, self.dots), blocks
        )
        return np.asarray(self.dots.sum(axis=0))

    def shrink(self, r: Flat, p: Flat, goal: float, most: int) -> tuple[Flat, int]:
        """Return a float32 correction that brings the L1 norms of *r* below *goal* or _CYCLE of themselves."""
        from kgmm.graph import batch_kernels as kernels

        core, blocks = self.parts.core, self.parts.core_blocks
        norms = np.abs(r.reshape(-1, self.width)).sum(axis=0)
        goals = np.maximum(0.9 * goal, _CYCLE * norms)
        x, q = np.zeros(r.shape, np.float32), np.empty(r.shape, np.float32)
        p.reshape(-1, self.width)[core] = (r.reshape(-1, self.width) / self.diagonal[:, None]).astype(np.float32)
        square = (np.square(r.reshape(-1, self.width), dtype=np.float64) / self.diagonal[:, None]).sum(axis=0)
        steps = 0
        while (norms > goals).any() and steps < most:
            self.fill_fringe(p)
            step = _ratio(square, self.apply(p, q))
            self._each(
                lambda a, b, step=step.astype(np.float32): kernels.move(
                    core, p, q, self.diagonal, x, r, step, blocks, a, b, self.dots, self.norms
                ),
                blocks,
            )  # fmt: skip
            before, square, norms = square, self.dots.sum(axis=0), self.norms.sum(axis=0)
            share = _ratio(square, before).astype(np.float32)
            self._each(
                lambda a, b, share=share: kernels.turn(core, p, r, self.diagonal, share, blocks, a, b), blocks
            )
            steps += 1
        return x, steps


def _ratio(over: Flat, under: Flat) -> Flat:
    """Quotient, 0 for columns that are done."""
    return np.divide(over, under, out=np.zeros_like(over), where=under > 0)


def solve_columns(view: GraphView, block: list[SeedNodes], restart: float, tol: float, most: int) -> list[Solution]:
    """Solve for up to WIDTH distributions whose seeds all have edges."""
    system = _Columns(view, restart)
    width, core = system.width, system.parts.core
    pulls = np.zeros(len(view) * width)
    for column, seeds in enumerate(block):
        pulls[seeds.positions * width + column] = restart * seeds.masses
    x, z = np.zeros(len(core) * width), np.zeros(len(view) * width)
    q = np.empty(len(core) * width)
    p = np.zeros(len(view) * width, np.float32)
    steps = 0
    while True:
        system.substitute(x, pulls, z)
        system.apply(z, q)
        np.subtract(pulls.reshape(-1, width)[core].ravel(), q, out=q)
        errors = np.abs(q.reshape(-1, width)).sum(axis=0) / restart
        if errors.max() <= tol or steps > most:
            break
        # float32 holds residuals of any size, but sums of tiny ones lose little only if scaled
        correction, taken = system.shrink(q.astype(np.float32), p, restart * tol, most - steps + 1)
        x += correction
        steps += taken
    if errors.max() > tol:
        raise KgmmError(f"a walk stopped at an L1 error of {errors.max():.1e}; raise tol={tol:.1e}")
    by_node = z.reshape(-1, width)
    return [
        Solution(np.maximum(by_node[:, column] * system.strengths, 0.0), float(errors[column]), steps)
        for column in range(len(block))
    ]
