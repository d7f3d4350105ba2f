"""The best k nodes of a walk, in an order that is proved.

First a local push (Andersen, Chung & Lang, FOCS 2006) with the bound that undirected graphs give: residuals of at
most eps d_u leave every score x_v within [p_v, p_v + eps d_v], because d_u x^(u)_v = d_v x^(v)_u. It settles the order
where seeds reach little of the graph. Then bounds for single nodes do (:mod:`kgmm.graph.walk.settle`), and where the order
hangs on still less, the whole walk is solved until its L1 error is below half of the smallest gap.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import BadInput
from kgmm.graph.graph import Graph
from kgmm.graph.scores import Ranking, best_positions
from kgmm.graph.seeds import SeedNodes, Seeds, resolve
from kgmm.graph.walk import directed, symmetric
from kgmm.graph.walk.local import push
from kgmm.graph.walk.settle import settle

FINEST = 1e-11  #: scores closer than this are reported as ties
_PUSHES = (1e-5, 1e-8)
_PUSH_SHARE = 0.002  #: a push that reads more than this share of the edges will not settle the order
_PUSH_EDGES = 10_000, 20_000  #: but so many at least and at most

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def top(view: Graph, seeds: Seeds, k: int = 20, *, restart: float = 0.15) -> Ranking:
    """Return the *k* nodes with the highest scores of a walk from *seeds*, certified.

    Args:
        view, seeds, restart: as for :func:`kgmm.graph.walk.walk.walk`.
        k: how many nodes; fewer if the view is smaller.

    Returns:
        A :class:`Ranking`. Neighbors in it either differ by more than twice ``bound`` or are listed in
        ``ties``: nodes with the same neighbors score exactly the same, others may be closer than 1e-11.

    Raises:
        UnknownConcept: if no seed is in the view.
        BadInput: if *k* is below 1 or *restart* not in (0, 1].

    Example:
        >>> from kgmm.graph import GraphView
        >>> view = GraphView.from_edges(["cat", "dog", "cow"], ["animal"] * 3)
        >>> ranking = view.top("cat", 3)
        >>> [concept for concept, _ in ranking], ranking.ties
        (['animal', 'cat', 'dog'], ((2, 3),))
    """
    if k < 1 or not 1e-6 <= restart <= 1:
        raise BadInput("top", f"k={k} must be at least 1 and restart={restart} in [1e-06, 1]")
    nodes = resolve(view, seeds)
    rows = view.adjacency
    linked = not view.directed and bool((rows.unit_strengths[nodes.positions] > 0).all())
    if linked and k < len(view):
        pushed = _push(view, nodes, k, restart)
        if pushed is not None:
            return pushed
        found = settle(view, nodes, k, restart)
        if found is not None:
            return _ranking(view, k, *found)
    solve = directed.solve if view.directed else symmetric.solve
    tol, edges, start = 1e-7, 0, None
    while True:
        solution = solve(view, nodes, restart, tol, start)
        edges += solution.iterations * len(rows.indices)
        order = best_positions(solution.array, k + 1)
        gaps = -np.diff(solution.array[order])
        apart = gaps > 2 * solution.error
        pairs = list(pairwise(order.tolist()))
        same = np.array([not far and twins(view, a, b, nodes) for far, (a, b) in zip(apart, pairs, strict=True)], bool)
        doubtful = gaps[~(apart | same)]
        if len(doubtful) == 0 or tol <= FINEST:
            certified = bool((doubtful <= 4 * FINEST).all())
            return _ranking(view, k, order, solution.array[order], apart, solution.error, edges, certified)
        tol = float(np.clip(0.4 * max(float(doubtful.min()), FINEST), FINEST, tol / 10))
        start = solution.array


def _push(view: Graph, seeds: SeedNodes, k: int, restart: float) -> Ranking | None:
    """Return the ranking if a local push settles it."""
    rows = view.adjacency
    strengths = rows.unit_strengths
    estimate, residual = np.zeros(len(view)), np.zeros(len(view))
    residual[seeds.positions] = seeds.masses
    active, edges = seeds.positions, 0
    most = min(max(_PUSH_EDGES[0], int(_PUSH_SHARE * len(rows.indices))), _PUSH_EDGES[1])
    for threshold in _PUSHES:
        if edges:
            active = np.flatnonzero(residual > threshold * strengths)
        edges += push(rows.arrays, strengths, estimate, residual, active, restart, threshold, most - edges)
        if edges >= most:
            return None
        # one more step of the walk's equation tightens both ends of the interval
        lower = estimate + restart * residual
        slack = (1 - restart) * threshold
        order = best_positions(lower, k + 1)
        if len(order) <= k or lower[order[-1]] == 0:
            continue
        upper, inside = lower + slack * strengths, order[:k]
        best_outside = np.delete(upper, inside).max()
        apart = lower[inside[:-1]] > upper[inside[1:]]
        told = [far or twins(view, a, b, seeds) for far, (a, b) in zip(apart, pairwise(inside.tolist()), strict=True)]
        if all(told) and lower[inside[-1]] > best_outside:
            bound = slack * float(strengths[inside].max())
            return _ranking(view, k, inside, lower[inside], apart, bound, edges)
    return None


def twins(view: Graph, a: int, b: int, seeds: SeedNodes) -> bool:
    """Tell whether two nodes must score the same: same neighbors and weights, both no seeds."""
    if a in seeds.positions or b in seeds.positions:
        return False
    rows = view.reversed_adjacency
    one, two = (slice(rows.indptr[i], rows.indptr[i + 1]) for i in (a, b))
    if not np.array_equal(rows.indices[one], rows.indices[two]):
        return False
    # a directed score depends on in-edges alone, unless a self-loop is among them
    if view.directed and {a, b} & set(rows.indices[one].tolist()):
        return False
    return rows.uniform or bool(np.array_equal(rows.weights[one], rows.weights[two]))


def _ranking(
    view: Graph, k: int, order: Ints, scores: Floats, apart: Flags, bound: float, edges: int, certified: bool = True
) -> Ranking:
    """Name the nodes and group neighboring places that are not *apart*; *order* may hold one more than *k*."""
    groups: list[list[int]] = []
    for place in np.flatnonzero(~apart).tolist():
        if groups and groups[-1][-1] == place:
            groups[-1].append(place + 1)
        else:
            groups.append([place, place + 1])
    items = tuple(zip(view.node_names.at(order[:k]), scores[:k].tolist(), strict=True))
    return Ranking(items, bound, certified, tuple(map(tuple, groups)), edges)
