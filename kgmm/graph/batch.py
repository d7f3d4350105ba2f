"""Many undirected walks at once: the same conjugate gradients, WIDTH columns side by side, in mixed precision.

The inner iterations run in float32, where a node's entries for all walks are one cache line. The outer
loop keeps solution and residual in float64 (iterative refinement; Higham, Accuracy and Stability, 2nd ed.,
chapter 12), so the result is as exact as a single walk's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import KgmmError
from kgmm.graph.elimination import members
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

    def substitute(self, core: Flat, nodes: NDArray[np.int64], pulls: Flat, out: Flat) -> None:
        """Out <- the vector whose core is *core* and whose fringe rows hold for *pulls* at *nodes*."""
        by_node = out.reshape(-1, self.width)
        by_node[self.parts.core] = core.reshape(-1, self.width)
        self.fill_fringe(out)
        seeded, _ = members(self.parts.fringe, nodes)
        by_node[nodes[seeded]] += pulls[seeded] / self.strengths[nodes[seeded], None]

    def fill_fringe(self, p: Flat) -> None:
        """Make *p* hold the fringe's rows with zero right-hand side."""
        from kgmm.graph import batch_kernels as kernels

        blocks = self.parts.fringe_blocks
        self._each(
            lambda a, b: kernels.fill_fringe(*self.arrays, self.parts.fringe, p, self.damping, blocks, a, b),
            blocks,
        )

    def apply(self, p: Flat, q: Flat) -> Flat:
        """Q <- (D - (1 - c) A) p on the core; return p . q by column."""
        from kgmm.graph import batch_kernels as kernels

        core, blocks = self.parts.core, self.parts.core_blocks
        self._each(
            lambda a, b: kernels.apply_core(*self.arrays, core, p, q, self.damping, blocks, a, b, self.dots),
            blocks,
        )
        return np.asarray(self.dots.sum(axis=0))

    def shrink(self, r: Flat, p: Flat, goal: float, most: int) -> tuple[Flat, int]:
        """Return a float32 correction that brings the L1 norms of *r* below *goal* or _CYCLE of themselves."""
        from kgmm.graph import batch_kernels as kernels

        core, blocks = self.parts.core, self.parts.core_blocks
        norms = np.abs(r.reshape(-1, self.width)).sum(axis=0)
        goals = np.maximum(0.9 * goal, _CYCLE * norms)
        x, q = np.zeros(r.shape, np.float32), np.empty(r.shape, np.float32)
        p.reshape(-1, self.width)[core] = (r.reshape(-1, self.width) / self.diagonal[:, None]).astype(
            np.float32
        )
        square = (np.square(r.reshape(-1, self.width), dtype=np.float64) / self.diagonal[:, None]).sum(axis=0)
        steps = 0
        while (norms > goals).any() and steps < most:
            self.fill_fringe(p)
            step = _ratio(square, self.apply(p, q)).astype(np.float32)
            self._each(
                partial(
                    kernels.move, core, p, q, self.diagonal, x, r, step, blocks, self.dots, self.norms
                ),
                blocks,
            )  # fmt: skip
            before, square, norms = square, self.dots.sum(axis=0), self.norms.sum(axis=0)
            share = _ratio(square, before).astype(np.float32)
            self._each(partial(kernels.turn, core, p, r, self.diagonal, share, blocks), blocks)
            steps += 1
        return x, steps


def _ratio(over: Flat, under: Flat) -> Flat:
    """Quotient, 0 for columns that are done."""
    return np.divide(over, under, out=np.zeros_like(over), where=under > 0)


def _on_cache_lines(size: int, kind: type[np.floating]) -> Flat:  # type: ignore[type-arg]
    """Return zeros that begin at a multiple of 64 bytes, so that a node's entries are one cache line or two."""
    item = np.dtype(kind).itemsize
    raw = np.zeros(size + 64 // item, kind)
    skip = (-raw.ctypes.data % 64) // item
    return raw[skip : skip + size]


def solve_columns(
    view: GraphView, block: list[SeedNodes], restart: float, tol: float, most: int
) -> list[Solution]:
    """Solve for up to WIDTH distributions whose seeds all have edges."""
    system = _Columns(view, restart)
    width, core = system.width, system.parts.core
    nodes = np.unique(np.concatenate([seeds.positions for seeds in block]))
    pulls = np.zeros((len(nodes), width))
    for column, seeds in enumerate(block):
        pulls[np.searchsorted(nodes, seeds.positions), column] = restart * seeds.masses
    inside, rows = members(core, nodes)
    x, z = np.zeros(len(core) * width), _on_cache_lines(len(view) * width, np.float64)
    r = np.empty(len(core) * width)
    p = _on_cache_lines(len(view) * width, np.float32)
    steps = 0
    while True:
        system.substitute(x, nodes, pulls, z)
        system.apply(z, r)
        np.negative(r, out=r)
        r.reshape(-1, width)[rows] += pulls[inside]
        errors = np.abs(r.reshape(-1, width)).sum(axis=0) / restart
        if errors.max() <= tol or steps > most:
            break
        correction, taken = system.shrink(r.astype(np.float32), p, restart * tol, most - steps + 1)
        x += correction
        steps += taken
    if errors.max() > tol:
        raise KgmmError(f"a walk stopped at an L1 error of {errors.max():.1e}; raise tol={tol:.1e}")
    scores = _by_column(z.reshape(-1, width), system.strengths, len(block))
    return [Solution(scores[column], float(errors[column]), steps) for column in range(len(block))]


def _by_column(z: Flat, strengths: Flat, count: int) -> list[NDArray[np.float64]]:
    """Return x = max(D z, 0) column by column, turning a few thousand nodes at a time."""
    columns = [np.empty(len(z)) for _ in range(count)]
    for start in range(0, len(z), 4096):
        part = slice(start, start + 4096)
        turned = np.maximum(z[part].T * strengths[part], 0.0)
        for column in range(count):
            columns[column][part] = turned[column]
    return columns
