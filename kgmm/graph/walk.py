"""Random walk with restart, exact to a tolerance.

Solves x = c e + (1 - c) P x (Pan, Yang, Faloutsos, Duygulu, KDD 2004), P column-stochastic. A node without
out-edges returns its mass to the seeds, as igraph and networkx do for personalized PageRank. For such nodes
it is enough to let their mass vanish and scale the result to sum 1: what returns has the seeds' distribution.

An undirected P is similar to the symmetric D^-1/2 A D^-1/2, so its eigenvalues are real and in [-1, 1], and
Chebyshev's semi-iteration (Golub & Varga 1961) needs about half the products of power iteration at c = 0.15
and no inner products. Directed views take Gauss-Seidel, strongly connected components in topological order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import BadInput, KgmmError
from kgmm.graph.scores import Scores
from kgmm.graph.seeds import SeedNodes, Seeds, resolve

if TYPE_CHECKING:
    from kgmm.graph.view import GraphView


def walk(
    view: GraphView, seeds: Seeds, *, restart: float = 0.15, tol: float = 1e-8, start: Scores | None = None
) -> Scores:
    """Rank all nodes of a view by random walk with restart from *seeds*.

    Args:
        view: the graph to walk.
        seeds: one concept, several, or a mapping concept -> weight; weights are normalized, and seeds that are
            not in the view are left out and listed in ``Scores.missing``.
        restart: probability in (0, 1] of jumping back to the seeds at each step.
        tol: bound on the L1 error of the result.
        start: scores of an earlier walk on this view to start from; the result does not depend on them beyond
            *tol*.

    Returns:
        Scores over the view's nodes, non-negative, summing to 1.

    Raises:
        UnknownConcept: if no seed is in the view; the message lists near spellings.
        BadInput: if *restart* or *tol* is out of range, or *start* belongs to another view.

    Example:
        >>> from kgmm.graph import GraphView
        >>> view = GraphView.from_edges(["cat", "dog", "dog"], ["animal", "animal", "bark"])
        >>> [concept for concept, _ in view.walk("dog").top(2)]
        ['dog', 'animal']
    """
    _check(restart, tol)
    if start is not None and len(start.values) != len(view):
        raise BadInput("start", f"its {len(start.values)} scores do not fit a view of {len(view)} concepts")
    nodes = resolve(view, seeds)
    initial = None if start is None else start.values
    if view.directed:
        values, error, iterations = _directed(view, nodes, restart, tol, initial)
    else:
        values, error, iterations = _undirected(view, nodes, restart, tol, initial)
    return Scores(
        view, values, restart=restart, error=error, iterations=iterations,
        seeds=nodes.positions, missing=nodes.missing,
    )  # fmt: skip


def walk_many(
    view: GraphView, seed_sets: Sequence[Seeds], *, restart: float = 0.15, tol: float = 1e-8
) -> Iterator[Scores]:
    """Walk from each of many seed sets, several at a time through one pass over the edges.

    Yields the scores in the order of *seed_sets*; only one block of them is held, so hundreds of walks over a
    large view fit in memory as long as the caller keeps what it needs of each.

    Raises:
        UnknownConcept: if a seed set has no seed in the view (before anything is computed).

    Example:
        >>> from kgmm.graph import GraphView
        >>> view = GraphView.from_edges(["cat", "dog"], ["animal", "animal"])
        >>> [scores.top(1)[0][0] for scores in view.walk_many(["cat", "animal"])]
        ['animal', 'animal']
    """
    _check(restart, tol)
    resolved = [resolve(view, seeds) for seeds in seed_sets]
    return _walks(view, resolved, restart, tol)


def _walks(view: GraphView, resolved: list[SeedNodes], restart: float, tol: float) -> Iterator[Scores]:
    from kgmm.graph import kernels, threads

    for start in range(0, len(resolved), kernels.WIDTH):
        block = resolved[start : start + kernels.WIDTH]
        if view.directed:
            _ = view.walk_order, view.reversed_adjacency
            solved = threads.in_parallel(
                [lambda nodes=nodes: _directed(view, nodes, restart, tol, None) for nodes in block]
            )
        elif len(block) == 1:
            solved = [_undirected(view, block[0], restart, tol, None)]
        else:
            solved = _undirected_block(view, block, restart, tol)
        for nodes, (values, error, iterations) in zip(block, solved, strict=True):
            yield Scores(
                view, values, restart=restart, error=error, iterations=iterations,
                seeds=nodes.positions, missing=nodes.missing,
            )  # fmt: skip


def _check(restart: float, tol: float) -> None:
    if not 0 < restart <= 1:
        raise BadInput("restart", f"{restart} is not in (0, 1]")
    if not 1e-13 <= tol < 1:
        raise BadInput("tol", f"{tol} is not in [1e-13, 1); float64 cannot promise less")


Solution = tuple[NDArray[np.float64], float, int]


def _undirected(
    view: GraphView, seeds: SeedNodes, restart: float, tol: float, initial: NDArray[np.float64] | None
) -> Solution:
    """Chebyshev's semi-iteration on z = D^-1 x; every step also yields the residual of the z it starts from."""
    from kgmm.graph import kernels, threads

    rows = view.adjacency
    strengths = rows.unit_strengths
    linked = strengths[seeds.positions] > 0
    positions, masses = seeds.positions[linked], seeds.masses[linked]
    values = np.zeros(len(view))
    error, steps = 0.0, 0
    if len(positions):
        pulls = restart * masses / strengths[positions]
        z, other = np.zeros(len(view)), np.zeros(len(view))
        if initial is None:
            z[positions] = pulls / restart
        else:
            np.divide(initial, strengths, out=z, where=strengths > 0)
        residuals, peaks = np.zeros(len(rows.blocks) - 1), np.zeros(len(rows.blocks) - 1)
        omega = 1.0
        for steps in range(1, _most_steps(restart, tol) + 1):
            factor = omega
            threads.over_blocks(
                lambda first, last, z=z, other=other, factor=factor: kernels.chebyshev_step(
                    rows.indptr, rows.indices, rows.weights, strengths, z, other, positions, pulls,
                    1 - restart, factor, rows.blocks, first, last, residuals, peaks,
                ),
                len(residuals),
                len(rows.indices),
            )  # fmt: skip
            error = float(residuals.sum()) / restart
            if error <= tol:
                break
            z, other = other, z
            omega = _next_omega(steps, omega, 1 - restart)
        else:
            raise _not_reached(tol, error)
        np.multiply(z, strengths, out=values)
    return _with_isolated(values, seeds, linked, restart), error, steps


def _undirected_block(view: GraphView, block: list[SeedNodes], restart: float, tol: float) -> list[Solution]:
    """The same iteration for up to WIDTH seed sets; columns beyond the block stay zero."""
    from kgmm.graph import kernels, threads

    rows = view.adjacency
    strengths = rows.unit_strengths
    positions = np.unique(np.concatenate([s.positions for s in block]))
    positions = positions[strengths[positions] > 0]
    pulls = np.zeros((len(positions), kernels.WIDTH))
    for column, seeds in enumerate(block):
        linked = strengths[seeds.positions] > 0
        at = np.searchsorted(positions, seeds.positions[linked])
        pulls[at, column] = restart * seeds.masses[linked] / strengths[seeds.positions[linked]]
    z, other = np.zeros((len(view), kernels.WIDTH)), np.zeros((len(view), kernels.WIDTH))
    z[positions] = pulls / restart
    residuals = np.zeros((len(rows.blocks) - 1, kernels.WIDTH))
    omega, errors = 1.0, np.zeros(kernels.WIDTH)
    for steps in range(1, _most_steps(restart, tol) + 1):
        factor = omega
        threads.over_blocks(
            lambda first, last, z=z, other=other, factor=factor: kernels.chebyshev_block_step(
                rows.indptr, rows.indices, rows.weights, strengths, z, other, positions, pulls,
                1 - restart, factor, rows.blocks, first, last, residuals,
            ),
            len(residuals),
            len(rows.indices) * kernels.WIDTH,
        )  # fmt: skip
        errors = residuals.sum(axis=0) / restart
        if errors.max() <= tol:
            break
        z, other = other, z
        omega = _next_omega(steps, omega, 1 - restart)
    else:
        raise _not_reached(tol, float(errors.max()))
    solved = []
    for column, seeds in enumerate(block):
        linked = strengths[seeds.positions] > 0
        values = _with_isolated(z[:, column] * strengths, seeds, linked, restart)
        solved.append((values, float(errors[column]), steps))
    return solved


def _next_omega(step: int, omega: float, radius: float) -> float:
    """Chebyshev's weights for eigenvalues in [-radius, radius]."""
    return 1 / (1 - radius**2 / 2) if step == 1 else 1 / (1 - radius**2 * omega / 4)


def _most_steps(restart: float, tol: float) -> int:
    """Four times what Chebyshev's bound says: reaching it means that rounding, not the graph, is in the way."""
    radius = 1 - restart
    rate = radius / (1 + math.sqrt(1 - radius**2))
    return 20 + (4 * math.ceil(math.log(tol) / math.log(rate)) if rate > 0 else 0)


def _not_reached(tol: float, error: float) -> KgmmError:
    return KgmmError(
        f"the walk stopped at an L1 error of {error:.1e}, tol={tol:.1e} is beyond float64 here; raise tol"
    )


def _with_isolated(
    values: NDArray[np.float64], seeds: SeedNodes, linked: NDArray[np.bool_], restart: float
) -> NDArray[np.float64]:
    """Add seeds without edges, whose mass returns to all seeds, and scale to sum 1."""
    values[seeds.positions[~linked]] = restart * seeds.masses[~linked]
    np.maximum(values, 0.0, out=values)
    values /= values.sum()
    return values


def _directed(
    view: GraphView, seeds: SeedNodes, restart: float, tol: float, initial: NDArray[np.float64] | None
) -> Solution:
    """Gauss-Seidel over in-edges; its own changes bound the residual, which is then measured once."""
    from kgmm.graph import kernels

    rows = view.reversed_adjacency
    strengths = view.out_strengths
    at_seed = np.full(len(view), -1, np.int32)
    at_seed[seeds.positions] = np.arange(len(seeds.positions))
    pulls = restart * seeds.masses
    z = np.zeros(len(view)) if initial is None else initial / strengths
    lost = 2.0 / restart if view.has_dangling else 1.0  # scaling to sum 1 magnifies the error
    arrays = (rows.indptr, rows.indices, rows.weights, strengths)
    error = math.inf
    for sweep in range(1, 10 + 4 * math.ceil(math.log(tol * restart) / math.log(1 - restart / 2))):
        change = kernels.gauss_seidel_sweep(*arrays, view.walk_order, z, at_seed, pulls, 1 - restart)
        if (1 - restart) * change * lost / restart > 2 * tol:
            continue
        error = kernels.directed_residual(*arrays, z, at_seed, pulls, 1 - restart) * lost / restart
        if error <= tol:
            values = z * strengths
            values /= values.sum()
            return values, error, sweep
    raise _not_reached(tol, error)
