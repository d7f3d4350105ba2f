"""Walks on directed views: Gauss-Seidel, strongly connected components in topological order.

Mass of nodes without out-edges vanishes while solving; it would return with the seeds' distribution, so
scaling the result to sum 1 puts it back.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import KgmmError
from kgmm.graph.scores import Solution
from kgmm.graph.seeds import SeedNodes

if TYPE_CHECKING:
    from kgmm.graph.view import GraphView


def solve(
    view: GraphView, seeds: SeedNodes, restart: float, tol: float, initial: NDArray[np.float64] | None
) -> Solution:
    """Sweep until the L1 residual / restart is at most *tol*; a sweep's own changes bound it until then."""
    from kgmm.graph.walk import kernels

    rows, strengths = view.reversed_adjacency, view.out_strengths
    at_seed = np.full(len(view), -1, np.int32)
    at_seed[seeds.positions] = np.arange(len(seeds.positions))
    pulls = restart * seeds.masses
    z = np.zeros(len(view)) if initial is None else initial / strengths
    # scaling to sum 1 magnifies the error where mass vanished
    factor = (2 / restart if view.has_dangling else 1.0) / restart
    arrays = (rows.indptr, rows.indices, rows.weights, strengths)
    error = math.inf
    for sweep in range(1, 10 + 4 * math.ceil(math.log(tol * restart) / math.log(1 - restart / 2))):
        change = kernels.gauss_seidel_sweep(*arrays, view.walk_order, z, at_seed, pulls, 1 - restart)
        if (1 - restart) * change * factor > 2 * tol:
            continue
        error = kernels.directed_residual(*arrays, z, at_seed, pulls, 1 - restart) * factor
        if error <= tol:
            scores = z * strengths
            return Solution(scores / scores.sum(), error, sweep)
    raise KgmmError(f"the walk stopped at an L1 error of {error:.1e}; raise tol={tol:.1e}")


def solve_many(view: GraphView, block: list[SeedNodes], restart: float, tol: float) -> list[Solution]:
    """Solve several seed sets, one per thread at a time."""
    from kgmm.graph.walk import threads

    _ = view.walk_order, view.reversed_adjacency, view.out_strengths  # made once, before threads want them
    return threads.in_parallel([partial(solve, view, seeds, restart, tol, None) for seeds in block])
