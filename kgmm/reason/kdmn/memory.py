"""KDMN's memory for a question: which facts of the seen concepts it keeps, spread over all of them."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from kgmm.encode.nearness import fact_cosines
from kgmm.encode.vectors import fact_vectors, query_vector, term_vectors
from kgmm.language import names
from kgmm.language.phrase import sense
from kgmm.language.relations import cued, most_telling
from kgmm.language.words import content, lemmas, normal
from kgmm.reason.kdmn.tensors import Floats, MemoryInput, share_said
from kgmm.reason.task import Task
from kgmm.retrieve.gather import Candidates, gather, rows
from kgmm.trace import Link

#: facts that every seen concept may keep, and what the share said counts beside the cosine
EACH, SHARE = 2, 0.2
#: facts of seen concepts that are looked at
POOL = 400
#: where a memory reaches two steps: the share of first facts, the facts a bridge may have (of a hub nearly all is true),
#: and what a relation that is asked by counts beside the cosine
FIRST, HUB, CUED = 0.4, 60, 0.2
#: what an inherited fact loses a step in the choice
STEP_COST = 0.05


def remembered(task: Task, limit: int, hops: int = 1) -> tuple[Candidates, MemoryInput]:
    """Choose the facts of seen concepts that bear on the question; inherited ones fill what is left.

    With two *hops*, :data:`FIRST` of the memory are facts of seen concepts, and the rest facts of what these lead to. Of
    facts that state the same in other words the first counts. (Memories like the training's: of FVQA's held-out questions
    0.79 are answered so, 0.74 where inherited facts compete with the things' own.)
    """
    c, cosine = _first(task, limit if hops == 1 else round(FIRST * limit))
    if hops == 2 and len(c):
        c = _joined(c, _second(task, c, cosine, limit - len(c)))
    return c, _input(task, c)


def _first(task: Task, limit: int) -> tuple[Candidates, Floats]:
    """Return the chosen facts of seen concepts, and their cosines with the question."""
    store, c = task.store, task.candidates
    seen = {store.terms.id(k.concept) for k in task.links if k.object is not None}
    mine = np.array([root in seen for root in c.roots], bool)
    if len(c) and mine.any():
        c = c.take(np.flatnonzero(mine[c.root]))
    c = _once(task, c)
    facts, depth = (c.subject, c.predicate, c.object), c.depth.astype(np.float64)
    cosine = fact_cosines(store, facts, task.question, task.encoder, -depth, 2 * POOL) if len(c) else np.zeros(0)
    rank = (cosine - STEP_COST * c.depth).astype(np.float32)
    order = np.argsort(-rank, kind="stable")
    own, inherited = order[c.depth[order] == 0][:POOL], order[c.depth[order] > 0]
    near_end = [names.label(store.terms.name(c.roots[int(r)])) for r in c.root[own]]
    far_end = _far_ends(task, c.take(own))
    said = frozenset(lemmas(task.question))
    best = spread(rank[own], given_share(far_end, said), [normal(n) for n in near_end], limit)
    kept = np.concatenate([own[best], inherited[: limit - len(best)]])
    return c.take(kept), cosine[kept].astype(np.float32)


def _second(task: Task, first: Candidates, cosine: Floats, limit: int) -> Candidates:
    """Return the chosen facts of what the first facts lead to, none of a seen concept."""
    store = task.store
    seen = set(task.ids(k.concept for k in task.links if k.object is not None))
    way: dict[int, float] = {}
    for bridge, near in zip(np.where(first.end == 0, first.object, first.subject).tolist(), cosine, strict=True):
        if bridge not in seen and sum(len(rows(store, bridge, end)[0]) for end in (0, 1)) <= HUB:
            way[bridge] = max(way.get(bridge, -1.0), float(near))
    links = [Link("", store.terms.name(bridge), "bridge", 1.0) for bridge in way]
    c = gather(store, links, exclude=task.exclude, graphs=task.graphs)
    c = _once(task, c.take(np.flatnonzero((c.depth == 0) & ~np.isin(c.subject, [*seen]) & ~np.isin(c.object, [*seen]))))
    if not len(c):
        return c
    asked = task.ids(most_telling(cued(task.question)))
    roots = [c.roots[int(r)] for r in c.root]
    ways = np.array([way[root] for root in roots], np.float32)
    facts, by = (c.subject, c.predicate, c.object), np.isin(c.predicate, asked).astype(np.float32)
    near = fact_cosines(store, facts, task.question, task.encoder, (ways + CUED * by).astype(np.float64), 2 * POOL)
    return c.take(spread_further(near.astype(np.float32), by, ways, [str(root) for root in roots], limit))


def _joined(first: Candidates, second: Candidates) -> Candidates:
    """Return both, one after the other."""
    root = np.concatenate([first.root, second.root + len(first.roots)])
    columns = ("subject", "predicate", "object", "weight", "graph", "depth", "end")
    both = {name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in columns}
    closures = {**second.closures, **first.closures}
    return Candidates(**both, root=root, roots=[*first.roots, *second.roots], closures=closures)


def _once(task: Task, c: Candidates) -> Candidates:
    """Leave out facts that state what another one has stated, a thing's own before inherited ones."""
    names_of = task.store.terms.names
    first: dict[tuple[str, str, str], int] = {}
    triples = list(zip(names_of(c.subject), names_of(c.predicate), names_of(c.object), strict=True))
    for row in np.argsort(c.depth, kind="stable").tolist():
        first.setdefault(sense(triples[row]), row)
    return c.take(np.array(sorted(first.values()), np.int64))


def _far_ends(task: Task, c: Candidates) -> list[str]:
    return [names.label(t) for t in task.store.terms.names(np.where(c.end == 0, c.object, c.subject))]


def _input(task: Task, c: Candidates) -> MemoryInput:
    store, encoder = task.store, task.encoder
    near = [names.label(store.terms.name(c.roots[int(r)])) for r in c.root]
    far = _far_ends(task, c)
    relations = store.terms.names(c.predicate)
    ends_of = zip(near, map(names.label, relations), far, c.end, strict=True)
    triples = [(n, r, f) if end == 0 else (f, r, n) for n, r, f, end in ends_of]
    query = query_vector(encoder, task.question)
    facts = fact_vectors(store, (c.subject, c.predicate, c.object), encoder)
    ends = np.zeros((len(c), 2), np.float32)
    if len(c):
        ends = np.stack([term_vectors(store, ids, encoder) @ query for ids in (c.subject, c.object)], 1)
    return MemoryInput(task.question, [o.name for o in task.scene.objects], triples, query, facts, ends)


def given_share(ends: list[str], said: frozenset[str]) -> Floats:
    """Return how much of each end's content a question's lemmas say, (N,) in [0, 1]."""
    return np.array([share_said(content(e), said) for e in ends], np.float32)


def spread_further(cosine: Floats, asked: Floats, way: Floats, bridges: list[str], limit: int) -> NDArray[np.int64]:
    """Choose second facts for a memory that reaches two steps: the best of every bridge first, then the best of all.

    Args:
        cosine: (N,) of fact and question.
        asked: (N,) 1 where the question's words ask by the fact's relation.
        way: (N,) the largest cosine of a first fact that leads to the fact's bridge.
        bridges: what each fact was reached by.
        limit: facts kept.
    """
    return spread(cosine + way + CUED * asked, np.zeros(len(cosine), np.float32), bridges, limit, each=1)


def spread(cosine: Floats, share: Floats, roots: list[str], limit: int, each: int = EACH) -> NDArray[np.int64]:
    """Choose facts for a memory: the best *each* of every seen concept first, then the best of all.

    Args:
        cosine: (N,) of fact and question.
        share: (N,) of the far end said by the question.
        roots: the seen concept each fact was reached from.
        limit: facts kept.

    Returns:
        Rows kept, at most *limit*.
    """
    taken: Counter[str] = Counter()
    first, rest = list[int](), list[int]()
    for row in np.argsort(-(cosine + SHARE * share), kind="stable").tolist():
        taken[roots[row]] += 1
        (first if taken[roots[row]] <= each else rest).append(row)
    return np.array((first + rest)[:limit], np.int64)
