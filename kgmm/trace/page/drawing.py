"""The drawn graph of a trace: the cited facts and the strongest facts around them, with places for the nodes."""

from typing import Any

from kgmm.language import names
from kgmm.trace.data import Record
from kgmm.trace.page.contents import ShownFact, objects_of, shown
from kgmm.trace.saying import name

NEIGHBOURS = 36  #: facts of the memory that are drawn beside the cited ones
STEP = 46.0  #: pixels between neighbouring nodes, about
WIDE = 2.3  #: how much wider than high the drawing is


def graph(trace: Record, listed: list[ShownFact]) -> dict[str, Any]:
    """Return nodes with places and edges, as Cytoscape.js reads them."""
    drawn = _chosen(listed)
    about = objects_of(trace)
    asked = {k.concept for k in trace.concepts if not k.object}
    core = {end for f in drawn if f.cited for end in (f.fact.subject, f.fact.object)}
    terms = list(dict.fromkeys(end for f in drawn for end in (f.fact.subject, f.fact.object)))
    ids = {term: f"n{i}" for i, term in enumerate(terms)}
    places = layout([(f.fact.subject, f.fact.object) for f in drawn])
    nodes = [
        {
            "id": ids[term],
            "label": shown(name(trace, term), 40),
            "term": shown(term),
            "kind": "seen" if about.get(term) else "asked" if term in asked else "other",
            "objects": about.get(term, []),
            "core": term in core,
            "x": places[term][0],
            "y": places[term][1],
        }
        for term in terms
    ]
    edges = [
        {
            "id": f"e{f.id}",
            "fact": f.id,
            "source": ids[f.fact.subject],
            "target": ids[f.fact.object],
            "label": shown(names.label(f.fact.predicate), 40),
            "cited": f.cited,
        }
        for f in drawn
    ]
    return {"nodes": nodes, "edges": edges}


def _chosen(listed: list[ShownFact]) -> list[ShownFact]:
    """Return the cited facts and the best of those that share an end with them; the best of all if none is cited."""
    core = {end for f in listed if f.cited for end in (f.fact.subject, f.fact.object)}
    near = [f for f in listed if not f.cited and (not core or {f.fact.subject, f.fact.object} & core)]
    return [f for f in listed if f.cited] + near[:NEIGHBOURS]


def layout(edges: list[tuple[str, str]]) -> dict[str, tuple[float, float]]:
    """Return (x, y) in pixels by node, connected parts beside each other; the same edges always give the same places.

    >>> sorted(layout([("a", "b"), ("b", "c")])) == ["a", "b", "c"]
    True
    """
    import networkx

    plain = networkx.Graph(edges)
    places: dict[str, tuple[float, float]] = {}
    left = 0.0
    for part in sorted(networkx.connected_components(plain), key=lambda nodes: (-len(nodes), min(nodes))):
        size = STEP * max(1.0, len(part) ** 0.5)
        within = networkx.Graph()  # a subgraph lists its nodes in an order that differs from one process to the next
        within.add_nodes_from(node for node in plain if node in part)
        within.add_edges_from(plain.edges(part))
        found = networkx.kamada_kawai_layout(within)
        least = min(float(x) for x, _ in found.values())
        for node, (x, y) in found.items():
            places[node] = (round(left + WIDE * size * (float(x) - least), 1), round(size * float(y), 1))
        left += WIDE * size * (max(float(x) for x, _ in found.values()) - least) + 2 * STEP
    return places
