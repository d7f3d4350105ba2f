"""What a graph network's answer rests on: the graph, attention of each layer, the path from question to answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from kgmm.graph.evidence import evidence
from kgmm.graph.joint import OBJECT, OFFERED, RELATIONS, JointGraph
from kgmm.language.names import label
from kgmm.language.phrase import phrase
from kgmm.reason.task import Task
from kgmm.retrieve import Key
from kgmm.store import Fact, LocalStore
from kgmm.trace import MemoryFact, Step

Floats = NDArray[np.float32]

_SHOWN = 5  #: facts a layer's step names


def stated(store: LocalStore, key: Key) -> Fact:
    """Return a fact as the store states it."""
    found = store.find(*key, limit=1)
    return found[0] if len(found) else Fact(*key)


def known(graph: JointGraph) -> NDArray[np.int64]:
    """Return the edges, each one way, that are facts of the store rather than of a picture."""
    half = graph.edges.shape[1] // 2
    return np.array([e for e in range(half) if graph.fact[e] >= 0 and of_store(graph.facts[graph.fact[e]])], np.int64)


def described(graph: JointGraph) -> Step:
    """Return the step that says what is read."""
    facts, choices = len(known(graph)), graph.serves.shape[1]
    objects = int((graph.kinds == OBJECT).sum())
    parts = [
        "the question",
        *([f"{choices} choices"] if choices else []),
        *([f"{objects} seen things"] if objects else []),
    ]
    said = f"{', '.join(parts)} and {facts} facts around them are read as one graph of {len(graph)} nodes"
    return Step("joint graph", said, {"nodes": len(graph), "facts": facts, "choices": choices, "objects": objects})


def attended(graph: JointGraph, attention: Floats) -> list[Step]:
    """Return one step a layer: the facts that it attends to most, each way of a fact counted as one."""
    edges, steps = known(graph), []
    for layer, by_fact in enumerate(_by_fact(graph, attention, edges), 1):
        top = np.argsort(-by_fact, kind="stable")[:_SHOWN].tolist()
        facts = [[graph.words(int(edges[i])), round(float(by_fact[i]), 4)] for i in top]
        said = f"layer {layer} attends most to {facts[0][0]!r}" if facts else f"layer {layer} has no fact to attend to"
        steps.append(Step(f"layer {layer}", said, {"attention": facts}))
    return steps


def _by_fact(graph: JointGraph, attention: Floats, edges: NDArray[np.int64]) -> Floats:
    """Return each layer's attention (L, E + N) to the facts (L, F): the larger of a fact's two ways."""
    half = graph.edges.shape[1] // 2
    return np.maximum(attention[:, edges], attention[:, edges + half])


def remembered(task: Task, graph: JointGraph, attention: Floats | None) -> list[MemoryFact]:
    """Return the graph's facts for the trace, best first: by attention, or by how relevant their ends are."""
    edges, parts = known(graph), {"relevance": graph.relevance}
    if not len(edges):
        return []
    score = graph.relevance[graph.edges[:, edges]].mean(0)
    parts = {"relevance": score}
    if attention is not None and len(attention):
        layers = _by_fact(graph, attention, edges)
        score = layers.mean(0)
        parts = {f"attention {at}": layer for at, layer in enumerate(layers, 1)} | parts
    found: dict[Key, MemoryFact] = {}
    for i in np.argsort(-score, kind="stable").tolist():
        key = graph.facts[graph.fact[edges[i]]]
        if key not in found and len(found) < task.limit:
            rounded = {name: round(float(values[i]), 4) for name, values in parts.items()}
            found[key] = MemoryFact(stated(task.store, key), round(float(score[i]), 4), rounded)
    return list(found.values())


def joining(graph: JointGraph, choice: int) -> list[Key]:
    """Return the fact, or the two over a concept between, that join a choice best to what is asked or seen."""
    return facts_of(graph, evidence(graph, 1)[choice] or evidence(graph, 2)[choice])


def facts_of(graph: JointGraph, edges: Iterable[int]) -> list[Key]:
    """Return the facts of the store that edges are."""
    keys = [graph.facts[graph.fact[edge]] for edge in edges]
    return [key for key in keys if of_store(key)]


def of_store(fact: Key) -> bool:
    """Tell whether a fact is the store's rather than a picture's."""
    return not fact[0].startswith("/s/")


def path(graph: JointGraph, choice: int, facts: Sequence[Key]) -> Step:
    """Return the step that leads from the question to a choice over the cited facts."""
    said = [label(graph.names[i]) for i in np.flatnonzero(graph.kinds == OFFERED) if _says(graph, choice, int(i))]
    words = [phrase(*key) for key in facts]
    text = f"from the question to {graph.names[1 + choice]!r}: {'; '.join(words)}"
    return Step("path", text, {"facts": words, "concepts of the choice": said})


def _says(graph: JointGraph, choice: int, node: int) -> bool:
    links = (graph.edges[0] == 1 + choice) & (graph.edges[1] == node) & (graph.relations == RELATIONS.index("says"))
    return bool(links.any())
