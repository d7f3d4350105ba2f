"""Walks on directed views: Gauss-Seidel, strongly connected components in topological order.

Mass of nodes without out-edges vanishes while solving; it would return with the seeds' distribution, so
scaling the result to sum 1 puts it back.
"""

import math
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.compiled import compiled
from kgmm.errors import KgmmError
from kgmm.graph import threads
from kgmm.graph.graph import Graph
from kgmm.graph.scores import Solution
from kgmm.graph.seeds import SeedNodes


def solve(view: Graph, seeds: SeedNodes, restart: float, tol: float, initial: NDArray[np.float64] | None) -> Solution:
    """Sweep until the L1 residual / restart is at most *tol*; a sweep's own changes bound it until then."""
    rows, strengths = view.reversed_adjacency, view.out_strengths
    at_seed = np.full(len(view), -1, np.int32)
    at_seed[seeds.positions] = np.arange(len(seeds.positions))
    pulls = restart * seeds.masses
    z = np.zeros(len(view)) if initial is None else initial / strengths
    # scaling to sum 1 magnifies the error where mass vanished
    factor = (2 / restart if not view.adjacency.unit_strengths.all() else 1.0) / restart
    arrays = (rows.arrays, strengths)
    error = math.inf
    for sweep in range(1, 10 + 4 * math.ceil(math.log(tol * restart) / math.log(1 - restart / 2))):
        change = _gauss_seidel_sweep(*arrays, view.walk_order, z, at_seed, pulls, 1 - restart)
        if (1 - restart) * change * factor > 2 * tol:
            continue
        error = _directed_residual(*arrays, z, at_seed, pulls, 1 - restart) * factor
        if error <= tol:
            scores = z * strengths
            return Solution(scores / scores.sum(), error, sweep)
    raise KgmmError(f"the walk stopped at an L1 error of {error:.1e}; raise tol={tol:.1e}")


def solve_many(view: Graph, block: list[SeedNodes], restart: float, tol: float) -> list[Solution]:
    """Solve several seed sets, one per thread at a time."""
    _ = view.walk_order, view.reversed_adjacency, view.out_strengths  # made once, before threads want them
    return threads.in_parallel([partial(solve, view, seeds, restart, tol, None) for seeds in block])


@compiled
def _gauss_seidel_sweep(rows: Any, strengths: Any, order: Any, z: Any, seeds: Any, pulls: Any, damping: float) -> float:
    """Solve row after row in *order*: z_v <- (damping sum_u w_uv z_u + pull_v) / d_v; return sum |change of x|.

    z = x / d with d the out-strength, or 1 for nodes without out-edges; a self-loop is solved within its row.
    ``seeds`` maps a node to its row in ``pulls`` or -1.
    """
    indptr, indices, weights = rows
    uniform = len(weights) == 0
    change = 0.0
    for i in order:
        total = 0.0
        own = 0.0
        for k in range(indptr[i], indptr[i + 1]):
            j = indices[k]
            weight = 1.0 if uniform else float(weights[k])
            if j == i:
                own = weight
            else:
                total += weight * z[j]
        total *= damping
        if seeds[i] >= 0:
            total += pulls[seeds[i]]
        new = total / (strengths[i] - damping * own)
        change += abs(new - z[i]) * strengths[i]
        z[i] = new
    return change


@compiled
def _directed_residual(rows: Any, strengths: Any, z: Any, seeds: Any, pulls: Any, damping: float) -> float:
    """Return the L1 norm of c e - (I - damping P) x for x = D z."""
    indptr, indices, weights = rows
    uniform = len(weights) == 0
    residual = 0.0
    for i in range(len(z)):
        total = 0.0
        for k in range(indptr[i], indptr[i + 1]):
            total += (1.0 if uniform else float(weights[k])) * z[indices[k]]
        total *= damping
        if seeds[i] >= 0:
            total += pulls[seeds[i]]
        residual += abs(total - z[i] * strengths[i])
    return residual
