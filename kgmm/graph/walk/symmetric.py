"""Walks on undirected views: conjugate gradients, preconditioned by sweeps over independent sets.

With x = D z the walk solves (D - (1 - c) A) z = c e, symmetric positive definite. The fringe (an independent set, see
:mod:`kgmm.graph.layers`) is substituted out, which leaves S = L + L' + (D_S + R) on the core: L couples a row to
later layers, R holds the rest. Conjugate gradients (Hestenes & Stiefel 1952; Saad, Iterative Methods, 2nd ed.,
algorithm 9.1) are preconditioned by (T + L) T^-1 (T + L'), with the pivots T of an incomplete factorization without
fill. By Eisenstat's trick (SIAM J. Sci. Stat. Comput. 2, 1981) a step then reads every edge once, as a plain product
does: with t = (T + L')^-1 p,

    (T + L)^-1 S t = t + (T + L)^-1 (p + (D_S + R - 2 T) t).

Fringe rows hold exactly at every step, so the L1 residual on the core divided by c bounds the L1 error of x.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import KgmmError
from kgmm.graph.graph import Graph
from kgmm.graph.scores import Solution
from kgmm.graph.seeds import SeedNodes
from kgmm.graph.walk import duals, sweeps
from kgmm.graph.walk.batch import batchable, solve_columns
from kgmm.graph.walk.factors import factors, level

_WORTH_BATCHING, _FEWEST = 50_000, 5  #: fewer walks, or fewer edges, are faster one after the other


def solve(view: Graph, seeds: SeedNodes, restart: float, tol: float, initial: NDArray[np.float64] | None) -> Solution:
    """Solve for one distribution of seeds; seeds without edges keep a share that is known in closed form."""
    linked = view.adjacency.unit_strengths[seeds.positions] > 0
    lonely = float(seeds.masses[~linked].sum())
    # the mass of seeds without edges returns to all seeds: scale to sum 1
    total = 1 - lonely + restart * lonely
    inside = SeedNodes(seeds.positions[linked], seeds.masses[linked])
    if linked.any():
        scores, error, steps = _conjugate_gradients(view, inside, restart, tol * total, initial)
    else:
        scores, error, steps = np.zeros(len(view)), 0.0, 0
    scores[seeds.positions[~linked]] = restart * seeds.masses[~linked]
    if lonely:
        scores /= total
    return Solution(scores, error / total, steps)


_HEAD_START = 64  #: a push from the seeds first reads one of so many edges
_HALF_ULP = 2.0**-24  #: half of the distance between neighboring numbers in single precision, relative
_BLUR = 0.03  #: the residual is computed afresh when rounding may have moved it by more than this share of itself


class Iteration:
    """Conjugate gradients for one distribution whose seeds all have edges on an undirected view, step by step.

    Directions are kept in single precision: half of the memory that a step waits for. z moves along what is kept,
    exactly; how far rounding moves the residual is bounded and counts as error.

    Attributes:
        error: bound on the L1 error of the scores.
        steps: taken so far.
        blur: the part of ``error`` that is due to rounding since the residual was computed last.
    """

    def __init__(self, view: Graph, seeds: SeedNodes, restart: float) -> None:
        self.layers, self.restart, self.damping = view.layers, restart, 1 - restart
        rows, core, order = self.layers.rows, self.layers.core, self.layers.order
        self.arrays, self.edges, self.strengths = rows.arrays, self.layers.edges, rows.unit_strengths
        known = self.layers.at(restart, factors)
        self.pivots, self.reach = known.pivots, known.reach
        self.inner = (self.pivots, self.layers.dense, self.damping)
        self.seeds = seeds.positions if order is None else _places(order)[seeds.positions]
        self.pulls: NDArray[np.float64] = restart * seeds.masses
        self.z, self.r, self.p = np.zeros(core), np.zeros(core), np.zeros(core)
        self.t, self.v = np.zeros(core, np.float32), np.zeros(len(view), np.float32)
        self.sums = [np.zeros((4, len(blocks) - 1)) for blocks in self.layers.blocks]
        self.square = self.share = self.rounding = self.blur = 0.0
        self.steps, self.error = 0, math.inf

    def resume(self, scores: NDArray[np.float64]) -> None:
        """Start from *scores* of another walk on the view."""
        core, order = self.layers.core, self.layers.order
        self.z = (scores[:core] if order is None else scores[order[:core]]) / self.strengths[:core]
        self.refresh()
        self.share = 0.0

    def head_start(self, slot: NDArray[np.int32] | None = None, budget: int | None = None) -> int:
        """Start from a push from the seeds, which saves two steps; return how many edges it read.

        ``slot`` is -1 for each node, and left so. ``budget`` edges are read at most, one of _HEAD_START by default.
        """
        if slot is None:
            slot = np.full(len(self.v), -1, np.int32)
        if budget is None:
            budget = max(1000, len(self.layers.rows.indices) // _HEAD_START)
        graph = (self.arrays, self.strengths, self.damping)
        nodes, y, rho, edges = duals.push(*graph, self.seeds, self.pulls, budget, slot)
        inside = nodes < self.layers.core
        self.z[nodes[inside]] = y[inside]
        duals.fold(*graph, nodes, rho, self.r)
        self.error = float(np.abs(self.r).sum()) / self.restart
        sweeps.eliminate(*self.edges, self.inner, self.r)
        self._measure()
        return int(edges)

    def refresh(self) -> None:
        """Compute the residual afresh, in double precision, and go on searching."""
        z, last = self.solution(), len(self.layers.blocks) - 1
        inside = self.seeds < self.layers.core
        self.r[:] = 0.0
        np.add.at(self.r, self.seeds[inside], self.pulls[inside])
        for layer in range(last):
            self.layers.each(layer, sweeps.residual, *self.edges, self.strengths, self.damping, z, self.r)
        self.error = float(np.abs(self.r).sum()) / self.restart
        for layer in reversed(range(last)):  # r <- (T + L)^-1 r
            self.layers.each(layer, sweeps.lower, *self.edges, self.inner, self.r)
        self._measure()
        self.rounding = self.blur = 0.0

    def _measure(self) -> None:
        """Set the square of r."""
        # no matrix product: BLAS threads would spin beside ours for the tenth of a second that a walk takes
        self.square = float(np.einsum("i,i,i->", self.r, self.r, self.pivots))

    def level(self) -> None:
        """Raise z by one level a component so that residuals sum to 0 in each, and search from there."""
        known = self.layers.at(self.restart, level)
        levels = np.zeros(len(known.totals))
        sweeps.column_sums(known.labels, self.pivots, self.reach, self.r, levels)
        levels /= known.totals
        self.square = sweeps.raise_level(levels, known.labels, known.lifted, self.pivots, self.z, self.r)
        self.share = 0.0

    def step(self) -> bool:
        """Take one step; False if rounding leaves no direction."""
        curvature = self._apply()
        if curvature <= 0:
            return False
        before = self.square
        self._move(before / curvature)
        self.share = self.square / before
        self.steps += 1
        return True

    def _apply(self) -> float:
        """Turn p to the residual; t <- (T + L')^-1 p and v <- (T + L)^-1 S t - t; return p . (t + v)."""
        layers, last = self.layers, len(self.layers.blocks) - 1
        for layer in range(last):
            layers.sum_up(layer, sweeps.back, *self.edges, self.inner, self.share, (self.r, self.p, self.t))
        self._fill(-self.damping, self.t, self.v)
        arrays = (*self.edges, self.strengths, self.inner, (self.p, self.t, self.v))
        for layer in reversed(range(last)):
            layers.sum_up(layer, sweeps.forth, *arrays, self.sums[layer])
        return float(sum(sums[0].sum() for sums in self.sums[:-1]))

    def _move(self, step: float) -> None:
        """Z += step t, r -= step (t + v); set the square and the bound of the error."""
        arrays = ((self.pivots, self.reach), step, (self.t, self.v, self.z, self.r))
        for layer, sums in enumerate(self.sums[:-1]):
            self.layers.each(layer, sweeps.move, *arrays, sums)
        self.square, norm, size, mass = (float(sum(sums[which].sum() for sums in self.sums[:-1])) for which in range(4))
        outside, more = (float(self.sums[-1][which].sum()) for which in (2, 3))
        self.rounding += _HALF_ULP * abs(step) * (math.sqrt(size) + math.sqrt(outside))
        self.blur += _HALF_ULP * abs(step) * (mass + more) / self.restart
        self.error = norm / self.restart + self.blur

    def energy(self) -> tuple[float, float]:
        """Return (e, q) with |error of node v| <= (e + q) sqrt(d_v), d_v its strength; q is rounding's part.

        By Cauchy and Schwarz v's error d_v e_v' M^-1 r is at most d_v sqrt((M^-1)_vv r' S^-1 r). Since
        M = D - (1 - c) A is at least c D, (M^-1)_vv is at most 1 / (c d_v); r' S^-1 r is at most r' K^-1 r, the
        square of this step, by the smallest eigenvalue of K^-1 S (see :mod:`kgmm.graph.walk.factors`). What rounding to
        single precision moved the residual by, s, adds sqrt(s' S^-1 s), at most ||D^-1/2 s|| / sqrt(c).
        """
        least = self.layers.at(self.restart, level).least
        return math.sqrt(self.square / (least * self.restart)), self.rounding / self.restart

    def _fill(self, factor: float, core: NDArray[Any], out: NDArray[Any]) -> None:
        """Out <- factor D^-1 A core on the fringe."""
        arrays = (*self.edges, self.strengths, factor, (core, out), self.sums[-1])
        self.layers.sum_up(len(self.sums) - 1, sweeps.fringe, *arrays)

    def solution(self) -> NDArray[np.float64]:
        """Return z so far, one a row: fringe rows solved exactly, 0 for nodes without edges."""
        core, out = self.layers.core, np.empty(len(self.v))
        out[:core] = self.z
        out[self.layers.linked :] = 0.0
        self._fill(self.damping, out, out)
        outside = self.seeds >= core
        np.add.at(out, self.seeds[outside], self.pulls[outside] / self.strengths[self.seeds[outside]])
        return out

    def scores(self) -> NDArray[np.float64]:
        """Return the scores so far, one a node of the view."""
        out = self.solution()
        np.multiply(out, self.strengths, out=out)
        np.maximum(out, 0.0, out=out)
        if self.layers.order is None:
            return out
        named = np.empty(len(out))
        named[self.layers.order] = out
        return named


def _places(order: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return where each node stands in *order*."""
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return place


def _conjugate_gradients(
    view: Graph, seeds: SeedNodes, restart: float, tol: float, initial: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], float, int]:
    run = Iteration(view, seeds, restart)
    if initial is None:
        run.head_start()
    else:
        run.resume(initial)
    most = most_steps(restart, tol)
    while run.error > tol and run.steps <= most:
        while run.steps <= most and run.step():
            if run.error <= 0.9 * tol or run.blur > _BLUR * run.error:
                break
        if tol >= 1e-11 and run.error <= tol:
            break
        run.refresh()
    if run.error > tol:
        raise KgmmError(f"the walk stopped at an L1 error of {run.error:.1e}; raise tol={tol:.1e}")
    return run.scores(), run.error, run.steps


def most_steps(restart: float, tol: float) -> int:
    """Four times what Chebyshev's bound says: more means that rounding is in the way, not the graph."""
    radius = 1 - restart
    rate = radius / (1 + math.sqrt(1 - radius**2))
    return 20 + (4 * math.ceil(math.log(tol) / math.log(rate)) if rate > 0 else 0)


def solve_many(view: Graph, block: list[SeedNodes], restart: float, tol: float) -> list[Solution]:
    """Solve several distributions side by side; those that hold seeds without edges are solved alone."""
    strengths = view.adjacency.unit_strengths
    together = [at for at, seeds in enumerate(block) if (strengths[seeds.positions] > 0).all()]
    solved: dict[int, Solution] = {}
    if len(together) >= _FEWEST and len(view.adjacency.indices) >= _WORTH_BATCHING and batchable(view):
        columns = solve_columns(view, [block[at] for at in together], restart, tol, most_steps(restart, tol))
        solved = dict(zip(together, columns, strict=True))
    return [solved.get(at) or solve(view, seeds, restart, tol, None) for at, seeds in enumerate(block)]
