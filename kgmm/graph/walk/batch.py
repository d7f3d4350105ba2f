"""Many undirected walks at once: the same conjugate gradients, WIDTH columns side by side, in mixed precision.

The inner iterations keep search directions in bfloat16, where a core node's entries for all walks are one cache
line, and everything else in float32. The outer loop computes residuals in float64 (iterative refinement; Higham,
Accuracy and Stability, 2nd ed., chapter 12), so the result is as exact as a single walk's.
"""

import math
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import KgmmError
from kgmm.graph import threads
from kgmm.graph.graph import Graph
from kgmm.graph.layers import Layers
from kgmm.graph.scores import Solution
from kgmm.graph.seeds import SeedNodes
from kgmm.graph.walk import batch_kernels as kernels
from kgmm.graph.walk import duals
from kgmm.graph.walk.factors import factors
from kgmm.graph.walk.lines import GROUP, WIDTH

_CYCLE = 5e-5  #: a cycle in float32 shrinks the residual by this much at most; float32 resolves about 1e-6
_HEAD_START = 1024  #: a push from the seeds first reads one of so many edges
_SLACK = 1.4  #: residuals are about so much smaller than the bound that is kept of them

Doubles = NDArray[np.float64]
Singles = NDArray[np.float32]


def batchable(view: Graph) -> bool:
    """Tell whether a view numbers its nodes in walk order, as large views do."""
    return view.layers.order is None and view.layers.core > 0


class _Columns:
    """The reduced system for WIDTH right-hand sides; vectors have a row for each node."""

    def __init__(self, view: Graph, block: list[SeedNodes], restart: float) -> None:
        self.rows, self.layers = view.adjacency, view.layers
        self.size, self.damping = self.layers.core, 1 - restart
        self.strengths, self.factors = self.rows.unit_strengths, self.layers.at(restart, factors)
        (indptr, indices, _), weights = self.layers.edges
        self.edges = (indptr, indices, weights)
        self.inner = (self.factors.pivots, self.layers.dense, self.damping)
        self.before, self.after = _halves(self.layers)
        self.nodes = np.unique(np.concatenate([seeds.positions for seeds in block]))
        self.pulls = np.zeros((len(self.nodes), WIDTH))
        for column, seeds in enumerate(block):
            self.pulls[np.searchsorted(self.nodes, seeds.positions), column] = restart * seeds.masses
        self.seeds = np.full(len(view), -1, np.int32)
        self.seeds[self.nodes] = np.arange(len(self.nodes))
        self.sums = [np.zeros((2, len(blocks) - 1, WIDTH)) for blocks in self.layers.blocks[:-1]]
        core = (self.size, WIDTH)
        self.x, self.t = np.zeros(core), _on_cache_lines(core, np.uint16)
        self.correction, self.p = np.zeros(core, np.float32), np.zeros(core, np.float32)
        self.v = _on_cache_lines((len(view), WIDTH), np.float32)

    def head_start(self, block: list[SeedNodes], restart: float) -> Singles:
        """Set ``x`` to what a short push from each distribution's seeds gives; return the reduced system's residuals."""
        arrays = (self.rows.arrays, self.strengths, self.damping)
        budget, slot = len(self.rows.indices) // _HEAD_START, np.full(len(self.strengths), -1, np.int32)
        residual = _on_cache_lines((self.size, WIDTH), np.float32)
        for column, seeds in enumerate(block):
            nodes, y, rho, _ = duals.push(*arrays, seeds.positions, restart * seeds.masses, budget, slot)
            inside = nodes < self.size
            self.x[nodes[inside], column] = y[inside]
            duals.fold(*arrays, nodes, rho, residual[:, column])
        return residual

    def shrink(self, r: Singles, goal: float, most: int) -> int:
        """Add to ``x`` what brings the L1 norms of *r* (used up) below *goal* or _CYCLE of them; return the steps."""
        layers = self.layers
        for layer in reversed(range(len(self.sums))):
            layers.each(layer, kernels.lower, self.after, self.inner, r, width=WIDTH)
        nothing = np.zeros(WIDTH, np.float32)  # what a cycle before left in p, t and v counts 0 times
        square, norms = self._move(r, nothing)
        goals = np.maximum(0.9 * _SLACK * goal, _CYCLE * norms)
        share, steps = nothing, 0
        while (norms > goals).any() and steps < most:
            step = _ratio(square, self._apply(r, share)).astype(np.float32)
            before = square
            square, norms = self._move(r, step)
            share = _ratio(square, before).astype(np.float32)
            steps += 1
        threads.over_blocks(partial(kernels.accept, self.correction, self.x), -(-self.size // 64), self.x.size)
        return steps

    def _move(self, r: Singles, step: Singles) -> tuple[Doubles, Doubles]:
        """Go *step* along t; return r . pivot r and a bound of the residual's L1 norm, by column."""
        arrays = ((self.factors.pivots, self.factors.reach), (self.t, self.v, self.correction, r), step)
        for layer, sums in enumerate(self.sums):
            self.layers.each(layer, kernels.move, *arrays, sums, width=WIDTH)
        square, norm = (np.sum([sums[which].sum(axis=0) for sums in self.sums], axis=0) for which in (0, 1))
        return square, norm

    def _apply(self, r: Singles, share: Singles) -> Doubles:
        """Turn p to the residual *r*, sweep back and forth; return p . (t + v) by column."""
        layers, last = self.layers, len(self.sums)
        for layer in range(last):
            layers.each(layer, kernels.back, self.before, self.inner, share, (r, self.p, self.t), width=WIDTH)
        layers.each(last, kernels.fringe, self.edges, self.strengths, self.damping, self.t, self.v, width=WIDTH)
        arrays = (self.after, self.before, self.strengths, self.inner, (self.p, self.t, self.v))
        for layer in reversed(range(last)):
            layers.each(layer, kernels.forth, *arrays, self.sums[layer], width=WIDTH)
        return np.asarray(np.sum([dots.sum(axis=0) for dots, _ in self.sums], axis=0))

    def refine(self, column: int, z: Doubles, r: Singles) -> Doubles:
        """Fill *z* with GROUP columns of the solution from *column* on, *r* with residuals; return these' L1 norms."""
        last, columns = len(self.sums), slice(column, column + GROUP)
        z[: self.size] = self.x[:, columns]
        pulled = (self.seeds, np.ascontiguousarray(self.pulls[:, columns]), self.damping)
        arrays = (self.edges, self.strengths, z, pulled)
        self.layers.each(last, kernels.substitute, *arrays, width=WIDTH)
        total = np.zeros(GROUP)
        for layer in range(last):
            norms = np.zeros((len(self.layers.blocks[layer]) - 1, GROUP))
            self.layers.each(layer, kernels.residual, *arrays, r, column, norms, width=WIDTH)
            total += norms.sum(axis=0)
        return total

    def scores(self, z: Doubles) -> tuple[Doubles, ...]:
        """Return x = max(D z, 0), column by column."""
        columns = tuple(np.empty(len(self.strengths)) for _ in range(GROUP))
        blocks = -(-len(self.strengths) // 64)
        threads.over_blocks(partial(kernels.scores, z, self.strengths, columns), blocks, z.size)
        return columns


def _ratio(over: Doubles, under: Doubles) -> Doubles:
    """Quotient, 0 for columns that are done."""
    return np.divide(over, under, out=np.zeros_like(over), where=under > 0)


def _halves(layers: Layers) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return (starts, indices, weights) of the entries before each core row's cut, and of those after it."""
    (indptr, indices, cut), weights = layers.edges
    starts, ends = np.zeros((2, layers.core + 1), indptr.dtype)
    np.cumsum(cut - indptr[: layers.core], out=starts[1:])
    np.cumsum(indptr[1 : layers.core + 1] - cut, out=ends[1:])
    before, after = kernels.split(indptr, cut, indices, starts, ends)
    lighter, heavier = (None, None) if weights is None else kernels.split(indptr, cut, weights, starts, ends)
    return (starts, before, lighter), (ends, after, heavier)


def _on_cache_lines(shape: tuple[int, ...], kind: Any) -> NDArray[Any]:
    """Return zeros that begin at a multiple of 64 bytes, so that a node's entries are one cache line or two."""
    size, item = math.prod(shape), np.dtype(kind).itemsize
    raw = np.zeros(size + 64 // item, kind)
    skip = (-raw.ctypes.data % 64) // item
    return raw[skip : skip + size].reshape(shape)


def solve_columns(view: Graph, block: list[SeedNodes], restart: float, tol: float, most: int) -> list[Solution]:
    """Solve for up to WIDTH distributions whose seeds all have edges, on a :func:`batchable` view."""
    system = _Columns(view, restart=restart, block=block)
    r = system.head_start(block, restart)
    z = _on_cache_lines((len(view), GROUP), np.float64)
    found: dict[int, Solution] = {}
    steps, goal = 0, restart * tol
    while True:
        taken = system.shrink(r, goal, most - steps + 1)
        if taken == 0:  # a residual was nearer to its bound than _SLACK says
            goal /= 2
        steps += taken
        worst = 0.0
        for column in range(0, len(block), GROUP):
            if column in found:
                continue
            errors = system.refine(column, z, r) / restart
            worst = max(worst, float(errors.max()))
            if errors.max() <= tol:
                r[:, column : column + GROUP] = 0.0
                for at, scores in enumerate(system.scores(z)):
                    found[column + at] = Solution(scores, float(errors[at]), steps)
        if worst <= tol:
            return [found[column] for column in range(len(block))]
        if steps > most:
            raise KgmmError(f"a walk stopped at an L1 error of {worst:.1e}; raise tol={tol:.1e}")
