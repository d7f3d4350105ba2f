"""Random walk with restart, exact to a tolerance.

Solves x = c e + (1 - c) P x (Pan, Yang, Faloutsos, Duygulu, KDD 2004), P column-stochastic. A node without
out-edges returns its mass to the seeds, as igraph and networkx do for personalized PageRank. For such nodes
it is enough to let their mass vanish and scale the result to sum 1: what returns has the seeds' distribution.

Undirected views are solved by conjugate gradients on a reduced symmetric system (see
:mod:`kgmm.graph.walk.symmetric`), directed ones by Gauss-Seidel (:mod:`kgmm.graph.walk.directed`).
"""

from collections.abc import Iterator, Sequence

from kgmm.errors import BadInput
from kgmm.graph.graph import Graph
from kgmm.graph.scores import Scores, Solution
from kgmm.graph.seeds import SeedNodes, Seeds, resolve
from kgmm.graph.walk import directed, symmetric
from kgmm.graph.walk.lines import WIDTH

LEAST_RESTART = 1e-6  #: below this a walk would take millions of steps to settle


def walk(view: Graph, seeds: Seeds, *, restart: float = 0.15, tol: float = 1e-8, start: Scores | None = None) -> Scores:
    """Rank all nodes of a view by random walk with restart from *seeds*.

    Args:
        seeds: one concept, several, or a mapping concept -> weight; weights are normalized, and seeds that are
            not in the view are left out and listed in ``Scores.missing``.
        restart: probability in [1e-6, 1] of jumping back to the seeds at each step.
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
    if start is not None and len(start.array) != len(view):
        raise BadInput("start", f"its {len(start.array)} scores do not fit a view of {len(view)} concepts")
    nodes = resolve(view, seeds)
    initial = None if start is None else start.array
    solve = directed.solve if view.directed else symmetric.solve
    return _scores(view, nodes, restart, solve(view, nodes, restart, tol, initial))


def walk_many(view: Graph, seed_sets: Sequence[Seeds], *, restart: float = 0.15, tol: float = 1e-8) -> Iterator[Scores]:
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
    solve_many = directed.solve_many if view.directed else symmetric.solve_many
    return (
        _scores(view, nodes, restart, solution)
        for block in (resolved[at : at + WIDTH] for at in range(0, len(resolved), WIDTH))
        for nodes, solution in zip(block, solve_many(view, block, restart, tol), strict=True)
    )


def _scores(view: Graph, nodes: SeedNodes, restart: float, solution: Solution) -> Scores:
    return Scores(view, solution.array, restart, solution.error, solution.iterations, nodes.positions, nodes.missing)


def _check(restart: float, tol: float) -> None:
    if not LEAST_RESTART <= restart <= 1:
        raise BadInput("restart", f"{restart} is not in [{LEAST_RESTART}, 1]")
    if not 1e-13 <= tol < 1:
        raise BadInput("tol", f"{tol} is not in [1e-13, 1); float64 cannot promise less")
