"""The best statements around some concepts, as a smaller view."""

import heapq
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import BadInput
from kgmm.graph.graph import Graph
from kgmm.graph.scores import best_positions
from kgmm.graph.seeds import SeedNodes, Seeds, resolve
from kgmm.graph.walk.local import push_near, values_of

G = TypeVar("G", bound=Graph)
Scores = Callable[[NDArray[np.integer[Any]]], NDArray[np.float64]]  #: the scores of some nodes
Ints = NDArray[np.int64]

_RESTART = 0.15
#: residual per unit of strength that the local walk leaves: about 1 / (restart * 1e-5) edges are read at most
_THRESHOLD = 1e-5


def neighborhood(view: G, seeds: Seeds, *, hops: int = 2, limit: int = 500) -> G:
    """Return a view of at most *limit* statements within *hops* of *seeds*, the best first.

    An edge is as good as the mass that a random walk from the seeds carries over it; edges are taken best
    first from what is already reached, so every statement is connected to a seed.

    Args:
        view: directed views are followed from subject to object only.
        seeds: as for a walk; they are the first nodes of the result.
        hops: how far from a seed a node may be.
        limit: most statements of the result.

    Returns:
        A view of the same kind whose statements are in the order they were taken.

    Raises:
        UnknownConcept: if no seed is in the view.
        BadInput: if *hops* or *limit* is negative.

    Example:
        >>> from kgmm.graph import GraphView
        >>> view = GraphView.from_edges(["cat", "dog", "bark"], ["animal", "animal", "noise"])
        >>> sorted(view.neighborhood("cat", hops=1).concepts)
        ['animal', 'cat']
    """
    if hops < 0 or limit < 0:
        raise BadInput("neighborhood", f"hops={hops} and limit={limit} must not be negative")
    nodes = resolve(view, seeds)
    rows = view.adjacency
    near = push_near(rows.arrays, rows.unit_strengths, nodes.positions, nodes.masses, _RESTART, _THRESHOLD, 10_000_000)
    scores = partial(values_of, *near)
    statements, kept = _grow(view, nodes, scores, hops, limit)
    return view.part(kept, statements)


def _grow(view: Graph, seeds: SeedNodes, scores: Scores, hops: int, limit: int) -> tuple[Ints, Ints]:
    """Take edges best first; return the rows of their statements and the nodes in the order reached."""
    depth = {int(seed): 0 for seed in seeds.positions}
    waiting: list[tuple[float, int, int]] = []
    seen: set[tuple[int, int]] = set()
    for seed in seeds.positions.tolist() if hops > 0 else ():
        _offer(view, scores, seed, limit, waiting)
    taken: list[int] = []
    while waiting and len(taken) < limit:
        _, source, target = heapq.heappop(waiting)
        pair = (source, target) if view.directed else (min(source, target), max(source, target))
        if pair in seen:
            continue
        seen.add(pair)
        taken += view.statements.between(source, target).tolist()
        if not view.directed and source != target:
            taken += view.statements.between(target, source).tolist()
        if target not in depth:
            depth[target] = depth[source] + 1
            if depth[target] < hops:
                _offer(view, scores, target, limit, waiting)
    rows = np.array(taken[:limit], np.int64)
    ends = set(view.statements.subject[rows].tolist()) | set(view.statements.object[rows].tolist())
    return rows, np.array([node for node, hop in depth.items() if hop == 0 or node in ends], np.int64)


def _offer(view: Graph, scores: Scores, node: int, limit: int, waiting: list[tuple[float, int, int]]) -> None:
    """Put a node's edges on the heap with the mass they carry; of a hub's only the best *limit*."""
    adjacency = view.adjacency
    row = slice(adjacency.indptr[node], adjacency.indptr[node + 1])
    neighbors = adjacency.indices[row]
    weights = np.full(len(neighbors), adjacency.unit) if adjacency.uniform else adjacency.weights[row]
    if not len(neighbors):
        return
    flow = weights * (float(scores(np.array([node]))[0]) / adjacency.strengths[node])
    if not view.directed:
        flow = flow + weights * scores(neighbors) / adjacency.strengths[neighbors]
    for at in best_positions(flow, limit).tolist():
        heapq.heappush(waiting, (-float(flow[at]), node, int(neighbors[at])))
