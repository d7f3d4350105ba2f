"""networkx's functions on a view's arrays: the back end ``kgmm``, which networkx finds by its entry point.

A view goes into networkx's functions as it is. networkx sees a simple graph: statements between the same two nodes
are one edge, whose ``weight`` is their sum. What is not computed here runs in networkx on a converted copy of a
view; a graph of networkx's own is left to networkx (``can_run``) wherever the answer here would not be networkx's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import networkx as nx
import numpy as np
from networkx.utils.backends import _registered_algorithms as algorithms
from numpy.typing import NDArray

from kgmm.graph.graph import Graph
from kgmm.graph.graph_view import GraphView
from kgmm.graph.names import ListedNames
from kgmm.graph.seeds import SeedNodes
from kgmm.graph.statements import LEAST, MOST, Statements

Nodes = NDArray[np.int64]


def convert_from_nx(graph: Any, *, edge_attrs: Mapping[str, Any] | None = None, **_: Any) -> Graph:
    """Return a networkx graph as arrays: parallel edges are added up, of attributes only a weight is kept."""
    if isinstance(graph, Graph):
        return graph
    nodes = list(graph)
    at = {node: i for i, node in enumerate(nodes)}
    attribute, default = next(iter(edge_attrs.items())) if edge_attrs else (None, 1)
    ends = np.array([(at[u], at[v]) for u, v in graph.edges()], np.int32).reshape(-1, 2).T
    weights = (w for *_, w in graph.edges(data=attribute, default=default)) if attribute else iter(())
    weight = np.fromiter(weights, np.float64) if attribute else np.ones(ends.shape[1], np.float32)
    codes = np.zeros(ends.shape[1], np.uint8)
    statements = Statements(ends[0], ends[1], codes, weight, ("edge",))
    return Graph(ListedNames(nodes), statements, directed=graph.is_directed())


def convert_to_nx(made: Any, **_: Any) -> Any:
    """Return a view as ``networkx.Graph`` or ``DiGraph``, one edge a pair of nodes; other results as they are."""
    if not isinstance(made, Graph):
        return made
    graph = nx.DiGraph() if made.directed else nx.Graph()
    names = list(made.concepts)
    graph.add_nodes_from(names)
    rows = made.adjacency.to_scipy().tocoo()
    keep = slice(None) if made.directed else rows.row <= rows.col
    triples = (column[keep].tolist() for column in (rows.row, rows.col, rows.data))
    graph.add_weighted_edges_from((names[u], names[v], w) for u, v, w in zip(*triples, strict=True))
    return graph


def can_run(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool | str:
    """Tell networkx whether a call is answered here: all of a view's are; of a networkx graph's those in scope."""
    given = (*args, *kwargs.values())
    if any(isinstance(value, Graph) for value in given):
        changes = name in algorithms and algorithms[name].mutates_input
        return "a view does not change: hand over view.to_networkx()" if changes else True
    if name not in COMPUTED:
        return f"{name} is not computed here"
    fits = FITS.get(name)
    return True if fits is None else fits(*args, **kwargs)


def _pagerank_fits(
    G: Any,
    alpha: float = 0.85,
    personalization: Any = None,
    max_iter: int = 100,
    tol: float = 1e-6,
    nstart: Any = None,
    weight: str | None = "weight",
    dangling: Any = None,
) -> bool | str:
    if nstart is not None or dangling is not None or max_iter < 100 or not 0 <= alpha <= 1 - 1e-6 or not tol > 0:
        return "only for alpha in [0, 1), without nstart and dangling, and 100 steps or more"
    if personalization is not None:
        if not isinstance(personalization, Mapping):
            return "personalization is no mapping"
        masses = [mass for node, mass in personalization.items() if _known(G, node)]
        if not masses or not all(_between(mass, 0, 1e300) for mass in masses) or not sum(masses) > 0:
            return "personalization must be finite, not negative and not all 0"
    if isinstance(G, Graph) or weight is None:
        return True
    weights = (w for *_, w in G.edges(data=weight, default=1))
    return all(_between(w, float(LEAST), float(MOST)) for w in weights) or "weights must be from 1e-15 to 1e15"


def _between(number: Any, least: float, most: float) -> bool:
    return isinstance(number, int | float | np.integer | np.floating) and bool(least <= number <= most)


def _simple(G: Any) -> bool | str:
    return not G.is_multigraph() or "parallel edges count one by one"


def _undirected(G: Any, *_: Any) -> bool | str:
    return not G.is_directed() or "the graph is directed"


def _directed(G: Any, *_: Any) -> bool | str:
    return G.is_directed() or "the graph is undirected"


def _known(G: Any, node: Any) -> bool:
    return _position(G, node) is not None if isinstance(G, Graph) else node in G


def _position(G: Graph, node: Any) -> int | None:
    return G.node_names.position(node) if isinstance(node, str) or not isinstance(G, GraphView) else None


def pagerank(G: Graph, alpha: float = 0.85, personalization: Any = None, *args: Any, **kwargs: Any) -> dict[Any, float]:
    """Return every node's score: a walk that restarts at *personalization*, or anywhere, solved to 1e-8 or closer."""
    from kgmm.graph.walk import directed, symmetric

    options = dict(zip(("max_iter", "tol", "nstart", "weight", "dangling"), args, strict=False)) | kwargs
    fits = _pagerank_fits(G, alpha, personalization, **options)
    if fits is not True or (isinstance(G, GraphView) and options.get("weight", "weight") != "weight"):
        scores: dict[Any, float] = _by_networkx("pagerank")(G, alpha, personalization, **options)
        return scores
    if len(G) == 0:
        return {}
    masses = np.full(len(G), 1.0 if personalization is None else 0.0)
    for node, mass in (personalization or {}).items():
        if (at := _position(G, node)) is not None:
            masses[at] = mass
    positions = np.flatnonzero(masses)
    masses = masses[positions] / masses[positions].max()
    seeds = SeedNodes(positions, masses / masses.sum())
    solve = directed.solve if G.directed else symmetric.solve
    found = solve(G, seeds, 1 - alpha, min(max(options.get("tol", 1e-6), 1e-13), 1e-8), None)
    return dict(zip(G.concepts, found.array.tolist(), strict=True))


def _place(G: Graph, node: Any, what: str = "Node") -> int:
    at = _position(G, node)
    if at is None:
        raise nx.NodeNotFound(f"{what} {node} is not in G")
    return at


def _layers(G: Graph, start: Iterable[int], *, backwards: bool = False) -> Iterator[Nodes]:
    """Yield the nodes at distance 0, 1, … of *start*: only rows of nodes that are reached are read."""
    rows = G.reversed_adjacency if backwards else G.adjacency
    layer = np.unique(np.fromiter(start, np.int64))
    seen = np.zeros(len(G), bool)
    while len(layer):
        yield layer
        seen[layer] = True
        first, lengths = rows.indptr[layer].astype(np.int64), np.diff(rows.indptr)[layer].astype(np.int64)
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        reached = rows.indices[np.repeat(first, lengths) + within]
        layer = np.unique(reached[~seen[reached]]).astype(np.int64)


def _holds(layer: Nodes, node: int) -> bool:
    return bool(layer[min(int(np.searchsorted(layer, node)), len(layer) - 1)] == node)


def _distances(G: Graph, node: Any, cutoff: float | None, backwards: bool) -> dict[Any, int]:
    found: dict[Any, int] = {}
    for distance, layer in enumerate(
        _layers(G, [_place(G, node, "Target" if backwards else "Source")], backwards=backwards)
    ):
        if cutoff is not None and 0 < distance >= cutoff + 1:
            break
        found.update(dict.fromkeys(G.node_names.at(layer), distance))
    return found


def single_source_shortest_path_length(G: Graph, source: Any, cutoff: float | None = None) -> dict[Any, int]:
    """Return how many steps each node that can be reached is away."""
    return _distances(G, source, cutoff, False)


def single_target_shortest_path_length(G: Graph, target: Any, cutoff: float | None = None) -> dict[Any, int]:
    """Return how many steps away each node is from which *target* can be reached."""
    return _distances(G, target, cutoff, True)


def bidirectional_shortest_path(G: Graph, source: Any, target: Any) -> list[Any]:
    """Return the nodes of one shortest path: of several, the one by nodes that come first in the graph."""
    start, end = _place(G, source, "Source"), _place(G, target, "Target")
    layers: list[Nodes] = []
    for layer in _layers(G, [end], backwards=True):
        layers.append(layer)
        if _holds(layer, start):
            break
    else:
        raise nx.NetworkXNoPath(f"No path between {source} and {target}.")
    path, rows = [start], G.adjacency
    for layer in reversed(layers[:-1]):
        row = rows.indices[rows.indptr[path[-1]] : rows.indptr[path[-1] + 1]]
        path.append(int(row[np.isin(row, layer)].min()))
    return G.node_names.at(np.array(path))


def shortest_path(
    G: Graph, source: Any = None, target: Any = None, weight: Any = None, method: str = "dijkstra"
) -> Any:
    """Return a path of the fewest steps between two nodes; what else networkx's function does is left to it."""
    if source is None or target is None or weight is not None:
        return _by_networkx("shortest_path")(G, source, target, weight, method)
    return bidirectional_shortest_path(G, source, target)


def shortest_path_length(
    G: Graph, source: Any = None, target: Any = None, weight: Any = None, method: str = "dijkstra"
) -> Any:
    """Return how many steps apart two nodes are, or every node from one; the rest is left to networkx."""
    if (source is None and target is None) or weight is not None:
        return _by_networkx("shortest_path_length")(G, source, target, weight, method)
    if target is None:
        return _distances(G, source, None, False)
    if source is None:
        return _distances(G, target, None, True)
    return len(bidirectional_shortest_path(G, source, target)) - 1


def has_path(G: Graph, source: Any, target: Any) -> bool:
    """Tell whether *target* can be reached."""
    start, end = _place(G, source), _place(G, target)
    return any(_holds(layer, end) for layer in _layers(G, [start]))


def bfs_layers(G: Graph, sources: Any) -> Iterator[list[Any]]:
    """Yield the nodes at distance 0, 1, … of *sources*, one node or several."""
    # a node may be a tuple, which is several sources only if it is none itself
    one = isinstance(sources, str) or (sources.__hash__ is not None and _known(G, sources))
    given = [sources] if one else list(sources)
    start = [_place(G, node) for node in given]
    return (G.node_names.at(layer) for layer in _layers(G, start))


def descendants_at_distance(G: Graph, source: Any, distance: int) -> set[Any]:
    """Return the nodes that are exactly *distance* steps away."""
    if not _known(G, source):
        raise nx.NetworkXError(f"The node {source} is not in the graph.")
    layers = enumerate(_layers(G, [_place(G, source)]))
    return next((set(G.node_names.at(layer)) for steps, layer in layers if steps == distance), set())


def ego_graph(G: GraphView, n: Any, radius: float = 1, center: bool = True, *args: Any, **kwargs: Any) -> Any:
    """Return the view of all nodes within *radius* steps of *n* and the statements between them."""
    if any(args) or any(kwargs.values()):
        return _by_networkx("ego_graph")(G, n, radius, center, *args, **kwargs)
    at = _place(G, n)
    layers = [layer for steps, layer in zip(range(math.floor(max(radius, 0)) + 1), _layers(G, [at]), strict=False)]
    nodes = np.sort(np.concatenate(layers))
    nodes = nodes if center else nodes[nodes != at]
    inside = np.zeros(len(G), bool)
    inside[nodes] = True
    table = G.statements
    return G.part(nodes, np.flatnonzero(inside[table.subject] & inside[table.object]))


def _labels(G: Graph) -> tuple[int, NDArray[np.int32]]:
    from scipy.sparse.csgraph import connected_components as components

    if len(G) == 0:
        return 0, np.empty(0, np.int32)
    count, labels = components(G.adjacency.to_scipy(), directed=G.directed, connection="weak")
    return int(count), labels


def _components(name: str, directed: bool) -> Callable[[Graph], Iterator[set[Any]]]:
    def components(G: Graph) -> Iterator[set[Any]]:
        _require(G, directed)
        count, labels = _labels(G)
        parts = np.split(np.argsort(labels, kind="stable"), np.cumsum(np.bincount(labels, minlength=count))[:-1])
        return (set(G.node_names.at(part)) for part in parts if len(part))

    components.__name__ = name
    return components


def _require(G: Graph, directed: bool) -> None:
    if G.directed != directed:
        raise nx.NetworkXNotImplemented(f"not implemented for {'directed' if G.directed else 'undirected'} type")


def _number(directed: bool) -> Callable[[Graph], int]:
    def number(G: Graph) -> int:
        _require(G, directed)
        return _labels(G)[0]

    return number


def _is_one(directed: bool) -> Callable[[Graph], bool]:
    def is_one(G: Graph) -> bool:
        _require(G, directed)
        if len(G) == 0:
            raise nx.NetworkXPointlessConcept("Connectivity is undefined for the null graph.")
        return _labels(G)[0] == 1

    return is_one


def node_connected_component(G: Graph, n: Any) -> set[Any]:
    """Return the nodes that are connected to *n*."""
    _require(G, False)
    return {node for layer in _layers(G, [_place(G, n)]) for node in G.node_names.at(layer)}


def _centrality(ways: str) -> Callable[[Graph], dict[Any, float]]:
    """Return degrees divided by the most a simple graph can have; in an undirected one a self-loop counts twice."""

    def centrality(G: Graph) -> dict[Any, float]:
        if ways != "both":
            _require(G, True)
        if len(G) <= 1:
            return dict.fromkeys(G.concepts, 1)
        out = np.diff(G.adjacency.indptr)
        into = (
            np.bincount(G.adjacency.indices, minlength=len(G)) if G.directed else G.adjacency.to_scipy().diagonal() > 0
        )
        degrees = {"out": out, "in": into, "both": out + into}[ways]
        return dict(zip(G.concepts, (degrees * (1.0 / (len(G) - 1))).tolist(), strict=True))

    return centrality


def _by_networkx(name: str) -> Callable[..., Any]:
    """Return networkx's own function for views, which are converted."""
    function = algorithms[name].orig_func

    def converted(*args: Any, **kwargs: Any) -> Any:
        return function(*map(convert_to_nx, args), **{key: convert_to_nx(value) for key, value in kwargs.items()})

    return converted


COMPUTED: dict[str, Callable[..., Any]] = {
    "pagerank": pagerank,
    "single_source_shortest_path_length": single_source_shortest_path_length,
    "single_target_shortest_path_length": single_target_shortest_path_length,
    "bidirectional_shortest_path": bidirectional_shortest_path,
    "shortest_path": shortest_path,
    "shortest_path_length": shortest_path_length,
    "has_path": has_path,
    "bfs_layers": bfs_layers,
    "descendants_at_distance": descendants_at_distance,
    "ego_graph": ego_graph,
    "connected_components": _components("connected_components", False),
    "weakly_connected_components": _components("weakly_connected_components", True),
    "number_connected_components": _number(False),
    "number_weakly_connected_components": _number(True),
    "is_connected": _is_one(False),
    "is_weakly_connected": _is_one(True),
    "node_connected_component": node_connected_component,
    "degree_centrality": _centrality("both"),
    "in_degree_centrality": _centrality("in"),
    "out_degree_centrality": _centrality("out"),
}
#: what a networkx graph must be for the answer to be networkx's
FITS: dict[str, Callable[..., bool | str]] = {
    "pagerank": _pagerank_fits,
    "ego_graph": lambda *_, **__: "networkx keeps the attributes",
    "bidirectional_shortest_path": lambda *_, **__: "of several shortest paths networkx may have another",
    "shortest_path": lambda *_, **__: "of several shortest paths networkx may have another",
    "shortest_path_length": lambda G, source=None, target=None, weight=None, method="dijkstra": (
        (source is not None and weight is None and method == "dijkstra") or "only from a node, without weights"
    ),
    "bfs_layers": lambda *_, **__: "networkx has another order",
    "connected_components": _undirected,
    "number_connected_components": _undirected,
    "is_connected": _undirected,
    "node_connected_component": _undirected,
    "weakly_connected_components": _directed,
    "number_weakly_connected_components": _directed,
    "is_weakly_connected": _directed,
    "degree_centrality": _simple,
    "in_degree_centrality": lambda G: _simple(G) is True and _directed(G),
    "out_degree_centrality": lambda G: _simple(G) is True and _directed(G),
}


class Backend:
    """What networkx asks: conversion, what can run, and a function for every name it dispatches."""

    convert_from_nx = staticmethod(convert_from_nx)
    convert_to_nx = staticmethod(convert_to_nx)
    can_run = staticmethod(can_run)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name in COMPUTED:
            return COMPUTED[name]
        if name in algorithms:
            return _by_networkx(name)
        raise AttributeError(name)


backend = Backend()
