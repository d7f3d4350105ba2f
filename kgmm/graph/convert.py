"""Views as other libraries' graphs, and as notebooks show them: a small view is drawn, of a large one some statements listed."""

import re
import zlib
from collections.abc import Mapping, Sequence
from itertools import islice
from math import cos, pi, sin
from pathlib import Path
from typing import Any

import numpy as np

from kgmm.errors import KgmmError
from kgmm.graph.graph import Graph
from kgmm.language import names
from kgmm.templates import templates

#: a text encoder or its name, a fitted hashing method, or a function from names to one row of numbers each
Features = Any
TEMPLATES = Path(__file__).with_name("templates")
_DRAWN, _LISTED = 24, 20  #: nodes that are drawn, statements that are listed
_COLOUR = "#4a7ab5"


def to_networkx(view: Graph) -> Any:
    """Return a networkx ``MultiDiGraph`` (directed) or ``MultiGraph`` with one edge per statement.

    Edges have ``relation`` and ``weight``; in a ``MultiGraph`` the attribute ``subject`` keeps the direction.
    """
    import networkx as nx

    graph = nx.MultiDiGraph() if view.directed else nx.MultiGraph()
    graph.add_nodes_from(view.concepts)
    for edge in view.edges():
        graph.add_edge(edge.subject, edge.object, relation=edge.relation, weight=edge.weight, subject=edge.subject)
    return graph


def to_pyg(view: Graph, features: Features | None = None, *, hetero: bool = False) -> Any:
    """Return the view as PyTorch Geometric data.

    Args:
        view: undirected views get every statement both ways, as message passing expects.
        features: a text encoder or its name, or a fitted hashing method, whose codes become ±1, or an alignment
            of pictures and texts (``kb.view`` knows how to encode its concepts), or a function from a list of names to an array (nodes, dimension); None
            leaves ``x`` out.
        hetero: one edge type per relation instead of one column of relation codes.

    Returns:
        ``Data`` with ``x`` (nodes, dimension) float32, ``edge_index`` (2, edges) int64, ``edge_type`` (edges,)
        codes into ``relation_names``, ``edge_weight`` (edges,) float32, ``concept_names``, ``term_id``; or
        ``HeteroData`` with node type ``"concept"`` and edge types ``("concept", name, "concept")``, reversed
        statements under ``"rev_" + name``: *name* is the relation's :func:`edge_name`, and the relation itself is
        kept as ``relation`` of each edge type.

    Raises:
        KgmmError: if *features* is no function and the view does not come from a store.

    Example:
        >>> from kgmm.graph import GraphView
        >>> view = GraphView.from_edges(["cat", "dog"], ["animal", "animal"], "IsA")
        >>> view.to_pyg(hetero=True).edge_types                                     # doctest: +SKIP
        [('concept', 'IsA', 'concept'), ('concept', 'rev_IsA', 'concept')]
    """
    import torch
    from torch_geometric.data import Data, HeteroData

    table = view.statements
    ends = torch.from_numpy(np.stack((table.subject, table.object)).astype(np.int64))
    kinds = torch.from_numpy(table.relation.astype(np.int64))
    weights = torch.from_numpy(table.weight.astype(np.float32))
    data: Any = HeteroData() if hetero else Data()
    nodes = data["concept"] if hetero else data
    nodes.num_nodes = len(view)
    if features is not None:
        nodes.x = _vectors(view, features)
    if view.ids is not None:
        nodes.term_id = torch.from_numpy(view.ids.astype(np.int64))
    data.concept_names, data.relation_names = list(view.concepts), list(table.relations)
    if hetero:
        for code, relation in enumerate(table.relations):
            rows, name = kinds == code, edge_name(relation)
            led = ends[:, rows]
            ways = {name: led} if view.directed else {name: led, f"rev_{name}": led.flip(0)}
            for way, joined in ways.items() if bool(rows.any()) else ():
                kind = data["concept", way, "concept"]
                kind.edge_index, kind.edge_weight, kind.relation = joined, weights[rows], relation
        return data
    if not view.directed:
        back = ends[0] != ends[1]
        ends = torch.cat((ends, ends.flip(0)[:, back]), dim=1)
        kinds, weights = torch.cat((kinds, kinds[back])), torch.cat((weights, weights[back]))
    data.edge_index, data.edge_type, data.edge_weight = ends, kinds, weights
    return data


def edge_name(relation: str) -> str:
    """Return what the edges of a relation are called in ``HeteroData``: a name PyG can make modules and variables of.

    ConceptNet's relations keep theirs. IRIs and others that are no plain word, and those that look like the way back
    of another (``rev_IsA``), get their label and a checksum, the same in every view.

    >>> edge_name("IsA"), edge_name("http://schema.org/name"), edge_name("rev_IsA")
    ('IsA', 'name_370bc576', 'rev_IsA_21dc6772')
    """
    if re.fullmatch(r"[A-Za-z]\w*", relation, re.ASCII) and not relation.startswith("rev_"):
        return relation
    return f"{re.sub(r'[^A-Za-z0-9]+', '_', names.label(relation)).strip('_')}_{zlib.crc32(relation.encode()):08x}"


def _vectors(view: Graph, features: Features) -> Any:
    import torch

    if callable(features):
        rows = features(list(view.concepts))
    elif view.node_features is None or view.ids is None:
        way_out = "for a view of plain edges pass a function from names to rows"
        raise KgmmError(f"features={features!r} needs a view of a store (kb.view); {way_out}")
    else:
        rows = view.node_features(view.ids, features)
    return torch.as_tensor(np.asarray(rows, dtype=np.float32))


def view_html(view: Graph) -> str:
    """Return a view as one self-contained HTML fragment."""
    caption = repr(view)[1:-1]
    if 0 < len(view) <= _DRAWN:
        at = {concept: i for i, concept in enumerate(view.concepts)}
        said = (names.label(part) for e in view.edges() for part in (e.subject, e.relation, e.object))
        words = zip(said, said, said, strict=True)
        lines = [
            (at[e.subject], at[e.object], f"{' '.join(w)} ({e.weight:g})")
            for e, w in zip(view.edges(), words, strict=True)
        ]
        return drawing(caption, [(names.label(c), _COLOUR) for c in view.concepts], lines)
    edges = islice(view.edges(), _LISTED)
    listed = templates(TEMPLATES).get_template("view.html")
    return listed.render(caption=caption, edges=edges, more=view.edge_count - _LISTED)


def drawing(
    caption: str,
    dots: Sequence[tuple[str, str]],
    lines: Sequence[tuple[int, int, str]],
    legend: Mapping[str, str] | None = None,
) -> str:
    """Return a small graph as HTML, its nodes on a circle: dots (label, colour), lines (dot, dot, words)."""
    angles = [2 * pi * at / max(len(dots), 1) for at in range(len(dots))]
    places = [(round(260 + 170 * cos(a)), round(200 + 160 * sin(a))) for a in angles]
    drawn = templates(TEMPLATES).get_template("drawing.html")
    return drawn.render(caption=caption, dots=dots, lines=lines, places=places, legend=legend or {})


def scores_html(scores: Sequence[tuple[str, float]]) -> str:
    """Return a small table of concepts with bars for their scores."""
    highest = max((score for _, score in scores), default=1.0) or 1.0
    return templates(TEMPLATES).get_template("scores.html").render(scores=scores, highest=highest)
