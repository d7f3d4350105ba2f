"""Joint graphs with something taken away, to see what a network makes of it: facts, their relations, whose facts they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kgmm.errors import KgmmError
from kgmm.graph.joint import OTHER, RELATIONS, JointGraph

#: what may be wrong with a graph
TWINS = ("full", "none", "empty", "shuffled", "relation-blind")


def twins(graphs: Sequence[JointGraph], kind: str, seed: int = 0) -> list[JointGraph]:
    """Return what a twin sees in the place of graphs, in their order.

    Args:
        graphs: the questions' own.
        kind: ``full``, or ``none``, the graphs as they are; ``empty``, without facts and concepts between; ``shuffled``,
            another question's concepts and facts (of as many choices) under its own words; ``relation-blind``, all facts of
            one relation.
        seed: of the shuffle.

    Raises:
        KgmmError: if there is no such kind.
    """
    if kind not in TWINS:
        raise KgmmError(f"no graph {kind!r}; there are: {', '.join(TWINS)}")
    if kind == "empty":
        return [empty(graph) for graph in graphs]
    if kind == "relation-blind":
        return [relation_blind(graph) for graph in graphs]
    return shuffled(graphs, seed) if kind == "shuffled" else list(graphs)


def empty(graph: JointGraph) -> JointGraph:
    """Return a graph of what was asked, seen and offered alone."""
    part = graph.part(np.flatnonzero(graph.kinds != OTHER))
    kept = np.flatnonzero(part.fact < 0)
    columns = {name: getattr(part, name)[kept] for name in ("relations", "weights", "fact")}
    return replace(part, edges=part.edges[:, kept], facts=[], **columns)


def relation_blind(graph: JointGraph) -> JointGraph:
    """Return a graph whose facts are all of the relation ``other``, read one way and back."""
    half = graph.edges.shape[1] // 2
    other = RELATIONS.index("other") + len(RELATIONS) * (np.arange(2 * half) >= half)
    return replace(graph, relations=np.where(graph.fact >= 0, other, graph.relations))


def shuffled(graphs: Sequence[JointGraph], seed: int = 0) -> list[JointGraph]:
    """Return, for each question, its words with the concepts and facts of another with as many choices."""
    rng, found = np.random.default_rng(seed), list(graphs)
    counts = np.array([graph.serves.shape[1] for graph in graphs], np.int64)
    for count in np.unique(counts):
        rows = np.flatnonzero(counts == count)
        order = rng.permutation(rows)
        for row, of in zip(order.tolist(), np.roll(order, 1).tolist(), strict=True):
            own, other = graphs[row], graphs[of]
            names = own.names[: 1 + count] + other.names[1 + count :]
            vectors = None
            if own.vectors is not None and other.vectors is not None:
                vectors = np.concatenate([own.vectors[: 1 + count], other.vectors[1 + count :]])
            found[row] = replace(other, names=names, vectors=vectors)
    return found
