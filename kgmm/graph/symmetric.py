"""Walks on undirected views: conjugate gradients after eliminating an independent set.

With x = D z the walk solves (D - (1 - c) A) z = c e, symmetric positive definite. The fringe (an independent
set, see :mod:`kgmm.graph.elimination`) is substituted out; Jacobi-preconditioned conjugate gradients
(Hestenes & Stiefel 1952; Saad, Iterative Methods, 2nd ed., algorithm 9.1) solve the rest. Fringe rows hold
exactly at every step, so the L1 residual on the core divided by c bounds the L1 error of x.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import KgmmError
from kgmm.graph.batch import batchable, solve_columns
from kgmm.graph.elimination import members
from kgmm.graph.scores import Solution
from kgmm.graph.seeds import SeedNodes

if TYPE_CHECKING:
    from kgmm.graph.view import GraphView

#: walks solved together in one batch
WIDTH = 32

#: fewer walks, or fewer edges, are faster one after the other
_WORTH_BATCHING, _FEWEST = 50_000, 5


class _System:
    """The reduced system of a view at one restart probability, and its vectors."""

    def __init__(self, view: GraphView, restart: float) -> None:
        self.rows, self.parts = view.adjacency, view.elimination
        self.strengths = self.rows.unit_strengths
        self.damping = 1 - restart
        self.diagonal = self.parts.diagonal(self.strengths, restart)
        self.arrays = (self.rows.indptr, self.rows.indices, self.rows.weights, self.strengths)
        blocks = max(len(self.parts.core_blocks) - 1, 0)
        self.dots, self.norms = np.zeros(blocks), np.zeros(blocks)

    def _each(self, kernel: Callable[[int, int], None], blocks: NDArray[np.int64]) -> None:
        from kgmm.graph import threads

        threads.over_blocks(kernel, len(blocks) - 1, len(self.rows.indices))

    def fill_fringe(self, p: NDArray[np.float64]) -> None:
        """Make *p* hold the fringe's rows with zero right-hand side."""
        from kgmm.graph import kernels

        fringe, blocks = self.parts.fringe, self.parts.fringe_blocks
        self._each(
            lambda a, b: kernels.fill_fringe(*self.arrays, fringe, p, self.damping, blocks, a, b), blocks
        )

    def apply(self, p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
        """Q <- (D - (1 - c) A) p on the core; return p . q there."""
        from kgmm.graph import kernels

        core, blocks = self.parts.core, self.parts.core_blocks
        self._each(
            lambda a, b: kernels.apply_core(*self.arrays, core, p, q, self.damping, blocks, a, b, self.dots),
            blocks,
        )
        return float(self.dots.sum())

    def move(self, p: NDArray[np.float64], q: NDArray[np.float64], x: NDArray[np.float64],
             r: NDArray[np.float64], step: float) -> tuple[float, float]:  # fmt: skip
        """X += step p, r -= step q; return r . r / diagonal and the L1 norm of r."""
        from kgmm.graph import kernels

        core, blocks = self.parts.core, self.parts.core_blocks
        self._each(
            lambda a, b: kernels.move(
                core, p, q, self.diagonal, x, r, step, blocks, a, b, self.dots, self.norms
            ),
            blocks,
        )  # fmt: skip
        return float(self.dots.sum()), float(self.norms.sum())

    def turn(self, p: NDArray[np.float64], r: NDArray[np.float64], share: float) -> None:
        """P <- r / diagonal + share p on the core."""
        from kgmm.graph import kernels

        core, blocks = self.parts.core, self.parts.core_blocks
        self._each(lambda a, b: kernels.turn(core, p, r, self.diagonal, share, blocks, a, b), blocks)


def solve(
    view: GraphView, seeds: SeedNodes, restart: float, tol: float, initial: NDArray[np.float64] | None
) -> Solution:
    """Solve for one distribution of seeds; seeds without edges keep a share that is known in closed form."""
    linked = view.adjacency.unit_strengths[seeds.positions] > 0
    lonely = float(seeds.masses[~linked].sum())
    # the mass of seeds without edges returns to all seeds: scale to sum 1
    total = 1 - lonely + restart * lonely
    scores, error, steps = np.zeros(len(view)), 0.0, 0
    if linked.any():
        inside = SeedNodes(seeds.positions[linked], seeds.masses[linked])
        scores, error, steps = _conjugate_gradients(view, inside, restart, tol * total, initial)
    scores[seeds.positions[~linked]] = restart * seeds.masses[~linked]
    if lonely:
        scores /= total
    return Solution(scores, error / total, steps)


class Iteration:
    """Conjugate gradients for one distribution whose seeds all have edges, step by step.

    Args:
        view: an undirected view.
        seeds: where the walk restarts.
        restart: with which probability.
        initial: scores to start from.

    Attributes:
        error: bound on the L1 error of the scores.
        steps: taken so far.
    """

    def __init__(
        self, view: GraphView, seeds: SeedNodes, restart: float, initial: NDArray[np.float64] | None = None
    ) -> None:
        self.system, self.restart = _System(view, restart), restart
        self.core = self.system.parts.core
        self.in_core, self.rows = members(self.core, seeds.positions)
        in_fringe, _ = members(self.system.parts.fringe, seeds.positions)
        self.pulls = restart * seeds.masses
        held = seeds.positions[in_fringe]
        self.fringe_seeds = held, self.pulls[in_fringe] / self.system.strengths[held]
        self.x, self.q = np.zeros(len(self.core)), np.empty(len(self.core))
        if initial is not None:
            self.x = initial[self.core] / self.system.strengths[self.core]
        self.p = np.empty(len(view))
        self.steps, self.error = 0, math.inf
        self.start()

    def start(self) -> None:
        """Compute the residual afresh and search along it."""
        system = self.system
        _substitute(system, self.x, self.fringe_seeds, self.p)
        system.apply(self.p, self.q)
        self.r = -self.q
        self.r[self.rows] += self.pulls[self.in_core]
        self.error = float(np.abs(self.r).sum()) / self.restart
        self.p[self.core] = self.r / system.diagonal
        self.square = float(self.r @ self.p[self.core])

    def step(self) -> bool:
        """Take one step; False if rounding leaves no direction."""
        system = self.system
        system.fill_fringe(self.p)
        curvature = system.apply(self.p, self.q)
        if curvature <= 0:
            return False
        before = self.square
        self.square, norm = system.move(self.p, self.q, self.x, self.r, before / curvature)
        self.error = norm / self.restart
        self.steps += 1
        system.turn(self.p, self.r, self.square / before)
        return True

    def scores(self, out: NDArray[np.float64]) -> NDArray[np.float64]:
        """Write the scores so far to *out*, one a node."""
        _substitute(self.system, self.x, self.fringe_seeds, out)
        np.multiply(out, self.system.strengths, out=out)
        return np.maximum(out, 0.0, out=out)

    def energy(self) -> float:
        """Return e with |error of node v| <= e sqrt(d_v), d_v its strength.

        M = D - (1 - c) A is at least c D, so its inverse is at most D^-1 / c, and v's error d_v (M^-1 r)_v is by
        Cauchy and Schwarz at most d_v sqrt((M^-1)_vv r' M^-1 r), with d_v c (M^-1)_vv = x^(v)_v, at most 1.
        """
        return float(np.sqrt((self.r**2 / self.system.strengths[self.core]).sum())) / self.restart


def _conjugate_gradients(
    view: GraphView, seeds: SeedNodes, restart: float, tol: float, initial: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], float, int]:
    run = Iteration(view, seeds, restart, initial)
    most = most_steps(restart, tol)
    while run.error > tol and run.steps <= most:
        while run.error > 0.9 * tol and run.steps <= most and run.step():
            pass
        if tol >= 1e-11 and run.error <= tol:  # rounding cannot have moved the residual by as much
            break
        run.start()
    if run.error > tol:
        raise KgmmError(f"the walk stopped at an L1 error of {run.error:.1e}; raise tol={tol:.1e}")
    return run.scores(run.p), run.error, run.steps


def _substitute(
    system: _System,
    x: NDArray[np.float64],
    seeds: tuple[NDArray[np.int64], NDArray[np.float64]],
    out: NDArray[np.float64],
) -> None:
    """Out <- the solution whose core is *x*: fringe rows solved exactly, nodes without edges 0."""
    out[:] = 0.0
    out[system.parts.core] = x
    system.fill_fringe(out)
    out[seeds[0]] += seeds[1]


def most_steps(restart: float, tol: float) -> int:
    """Four times what Chebyshev's bound says: more means that rounding is in the way, not the graph."""
    radius = 1 - restart
    rate = radius / (1 + math.sqrt(1 - radius**2))
    return 20 + (4 * math.ceil(math.log(tol) / math.log(rate)) if rate > 0 else 0)


def solve_many(view: GraphView, block: list[SeedNodes], restart: float, tol: float) -> list[Solution]:
    """Solve several distributions side by side; those that hold seeds without edges are solved alone."""
    strengths = view.adjacency.unit_strengths
    together = [at for at, seeds in enumerate(block) if (strengths[seeds.positions] > 0).all()]
    solved: dict[int, Solution] = {}
    if len(together) >= _FEWEST and len(view.adjacency.indices) >= _WORTH_BATCHING and batchable(view):
        columns = solve_columns(view, [block[at] for at in together], restart, tol, most_steps(restart, tol))
        solved = dict(zip(together, columns, strict=True))
    return [solved.get(at) or solve(view, seeds, restart, tol, None) for at, seeds in enumerate(block)]
