"""Which facts of a joint graph join the question to each choice, in few words: what a text encoder reads beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.graph.joint import RELATIONS, JointGraph
from kgmm.language.names import label

Floats = NDArray[np.float64]

MOST = 3  #: facts of a choice that are read
#: what stands between a fact's ends; relations that are not here, in their own words
_BETWEEN = {
    "Antonym": "opposite of",
    "AtLocation": "in",
    "CapableOf": "can",
    "Causes": "causes",
    "CreatedBy": "made by",
    "IsA": "is",
    "Desires": "wants",
    "HasSubevent": "involves",
    "PartOf": "part of",
    "HasContext": "in",
    "HasProperty": "is",
    "MadeOf": "made of",
    "NotCapableOf": "cannot",
    "NotDesires": "hates",
    "RelatedTo": "like",
    "ReceivesAction": "is",
    "UsedFor": "for",
    "denies": "not",
    "other": "and",
    "in_scene": "by",
}


def anchors(graph: JointGraph) -> Floats:
    """Return how surely each node is a concept of question or picture, (N,); 0 for other nodes."""
    return _linked(graph, ("asks", "shows", "is", "attribute"), None)


def offered(graph: JointGraph, choice: int) -> Floats:
    """Return how surely each node is a concept of a choice, (N,); 0 for other nodes."""
    return _linked(graph, ("says",), 1 + choice)


def _linked(graph: JointGraph, names: tuple[str, ...], source: int | None) -> Floats:
    links = np.isin(graph.relations, [RELATIONS.index(name) for name in names])
    if source is not None:
        links &= graph.edges[0] == source
    found = np.zeros(len(graph))
    np.maximum.at(found, graph.edges[1, links], graph.weights[links])
    return found


def evidence(graph: JointGraph, most: int = MOST) -> list[list[int]]:
    """Return, for each choice, the edges of its best facts: those that join it to what is asked or seen.

    A fact between both counts by how surely its ends are meant, and by how few facts of the graph tell of them; after
    those come pairs of facts over a concept between. A choice that nothing joins has none.

    Args:
        graph: the joint graph.
        most: edges a choice, at most.
    """
    half = graph.edges.shape[1] // 2
    facts = np.flatnonzero(graph.fact[:half] >= 0)
    both = np.concatenate([facts, facts + half])
    source, target = graph.edges[:, both]
    rare = 1 / np.log2(2 + np.bincount(source, minlength=len(graph)))
    given = anchors(graph) * rare
    into = np.zeros(len(graph))  # the best fact from a concept of the question into each node
    np.maximum.at(into, target, given[source])
    came = _best(source, target, given[source], len(graph))
    found = []
    for choice in range(graph.serves.shape[1]):
        said = offered(graph, choice) * rare
        direct = given[source] * said[target] * (source != target)
        bridge = into[source] * said[target] * rare[source] * (given[source] == 0) * 0.25
        ranked: list[tuple[float, tuple[int, ...]]]
        ranked = [(worth, (int(both[at]),)) for worth, at in _positive(direct)]
        for worth, at in _positive(bridge):
            ranked.append((worth, (int(both[came[source[at]]]), int(both[at]))))
        edges: dict[int, None] = {}
        for _, some in sorted(ranked, key=lambda pair: (-pair[0], pair[1])):
            if len(edges) + len(some) <= most:
                edges.update(dict.fromkeys(e % half for e in some))
        found.append(list(edges))
    return found


def _positive(worth: Floats) -> list[tuple[float, int]]:
    order = np.argsort(-worth, kind="stable")[:8]
    return [(float(worth[at]), int(at)) for at in order if worth[at] > 0]


def _best(source: Any, target: Any, worth: Floats, size: int) -> NDArray[np.int64]:
    """Return the row of each node's best entry, 0 where it has none."""
    order = np.argsort(worth, kind="stable")
    best = np.zeros(size, np.int64)
    best[target[order]] = order
    return best


def short(graph: JointGraph, edge: int) -> str:
    """Return an edge in as few words as tell it: texts that a network reads cost time by the word.

    >>> from kgmm.graph.joint import with_ways_back
    >>> links = with_ways_back([(1, 0)], [RELATIONS.index("AtLocation")], [1.0], [0])
    >>> nodes = {"names": ["/c/en/sea", "/c/en/fish"], "kinds": np.zeros(2, np.int8), "relevance": np.zeros(2, np.float32)}
    >>> nodes |= {"terms": np.arange(2), "boxes": np.zeros((2, 4), np.float32), "serves": np.ones((2, 0), bool)}
    >>> short(JointGraph(**nodes, **links, facts=[("/c/en/fish", "AtLocation", "/c/en/sea")]), 0)
    'fish in sea'
    """
    source, target = (label(graph.names[i]) for i in graph.edges[:, edge].tolist())
    code = int(graph.relations[edge])
    if code >= len(RELATIONS):
        code, source, target = code - len(RELATIONS), target, source
    name = RELATIONS[code]
    return f"{source} {_BETWEEN.get(name, name.replace('_', ' '))} {target}"


def choice_texts(graph: JointGraph, most: int = MOST) -> list[str]:
    """Return what a network reads of each choice: its words and those of its evidence.

    Args:
        graph: the joint graph.
        most: facts a choice; 0 gives the choices alone.
    """
    count = graph.serves.shape[1]
    edges = evidence(graph, most) if most else [[] for _ in range(count)]
    said = [[short(graph, e) for e in some] for some in edges]
    return [" ; ".join([graph.names[1 + c], *some]) for c, some in enumerate(said)]
