"""What a joint graph says for each concept as an open question's answer: facts from what is asked or seen, and being seen itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kgmm.graph.joint import RELATIONS, JointGraph
from kgmm.language.names import label

#: kinds of evidence: a fact's relation and way, from what is asked, then from what is seen; being seen; being asked about
FACTS = 2 * len(RELATIONS)
SEEN_ITSELF, ASKED_ITSELF = 2 * FACTS, 2 * FACTS + 1
KINDS = 2 * FACTS + 2


@dataclass(frozen=True)
class Pointed:
    """Evidence for answers, n pieces of it."""

    answers: list[str]  #: (A,) the concepts' words, each once
    answer: NDArray[np.int64]  #: (n,) which answer it speaks for
    kind: NDArray[np.int64]  #: (n,) below :data:`KINDS`
    weight: NDArray[np.float32]  #: (n,) how surely its other end is meant, and how few facts tell of that
    edge: NDArray[np.int64]  #: (n,) the edge of the graph that it is, -1 for being seen or asked about


def pointed(graph: JointGraph) -> Pointed:
    """Return what speaks for each concept of a graph that a fact joins to what is asked or seen."""
    asked, seen = _linked(graph, ("asks",)), _linked(graph, ("shows", "is", "attribute"))
    facts = np.flatnonzero((graph.fact >= 0) & (graph.terms[graph.edges] >= 0).all(0))
    source, target = graph.edges[:, facts]
    rare = 1 / np.log2(2 + np.bincount(source, minlength=len(graph)))
    rows: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]] = []
    for side, given in enumerate((asked, seen)):
        worth = given[source] * rare[source]
        at = np.flatnonzero(worth > 0)
        rows.append((target[at], side * FACTS + graph.relations[facts[at]], worth[at], facts[at]))
    for itself, given in ((SEEN_ITSELF, seen), (ASKED_ITSELF, asked)):
        at = np.flatnonzero(given)
        rows.append((at, np.full(len(at), itself), given[at], np.full(len(at), -1)))
    node, kind, weight, edge = (np.concatenate(column) for column in zip(*rows, strict=True))
    nodes, of = np.unique(node, return_inverse=True)
    words = [label(graph.names[i]) for i in nodes.tolist()]
    answers = list(dict.fromkeys(words))
    number = {word: i for i, word in enumerate(answers)}
    place = np.array([number[word] for word in words], np.int64)
    return Pointed(answers, place[of], kind.astype(np.int64), weight.astype(np.float32), edge.astype(np.int64))


def _linked(graph: JointGraph, names: tuple[str, ...]) -> NDArray[np.float64]:
    links = np.isin(graph.relations, [RELATIONS.index(name) for name in names])
    found = np.zeros(len(graph))
    np.maximum.at(found, graph.edges[1, links], graph.weights[links])
    return found
