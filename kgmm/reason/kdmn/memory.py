"""KDMN's memory for a question: which facts of the seen concepts it keeps, spread over all of them."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from kgmm.encode.cache import fact_keys
from kgmm.encode.vectors import query_vector, term_vectors, vector_cache
from kgmm.language import names
from kgmm.language.phrase import sense
from kgmm.language.words import content, lemmas, normal
from kgmm.reason.kdmn.tensors import Floats, MemoryInput, share_said
from kgmm.reason.task import Task
from kgmm.retrieve.gather import Candidates
from kgmm.retrieve.score import similarities

#: facts that every seen concept may keep, and what the share said counts beside the cosine
EACH, SHARE = 2, 0.2
#: facts of seen concepts that are looked at
POOL = 400
#: what an inherited fact loses a step in the choice
STEP_COST = 0.05


def remembered(task: Task, limit: int) -> tuple[Candidates, MemoryInput]:
    """Choose the facts of seen concepts that bear on the question; inherited ones fill what is left.

    Of facts that state the same in other words the first counts. (Memories like the training's: of FVQA's held-out
    questions 0.79 are answered so, 0.74 where inherited facts compete with the things' own.)
    """
    store, c = task.store, task.candidates
    seen = {store.terms.id(k.concept) for k in task.links if k.object is not None}
    mine = np.array([root in seen for root in c.roots], bool)
    if len(c) and mine.any():
        c = c.take(np.flatnonzero(mine[c.root]))
    c = _once(task, c)
    cosine = similarities(store, c, task.question, task.encoder, -c.depth.astype(np.float64)) if len(c) else np.zeros(0)
    rank = (cosine - STEP_COST * c.depth).astype(np.float32)
    order = np.argsort(-rank, kind="stable")
    own, inherited = order[c.depth[order] == 0][:POOL], order[c.depth[order] > 0]
    near_end = [names.label(store.terms.name(c.roots[int(r)])) for r in c.root[own]]
    far_end = _far_ends(task, c.take(own))
    said = frozenset(lemmas(task.question))
    best = spread(rank[own], given_share(far_end, said), [normal(n) for n in near_end], limit)
    c = c.take(np.concatenate([own[best], inherited[: limit - len(best)]]))
    return c, _input(task, c)


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
    _, facts = vector_cache(store, encoder).get(fact_keys(c.subject, c.predicate, c.object))
    ends = np.zeros((len(c), 2), np.float32)
    if len(c):
        ends = np.stack([term_vectors(store, ids, encoder) @ query for ids in (c.subject, c.object)], 1)
    return MemoryInput(task.question, [o.name for o in task.scene.objects], triples, query, facts, ends)


def given_share(ends: list[str], said: frozenset[str]) -> Floats:
    """Return how much of each end's content a question's lemmas say, (N,) in [0, 1]."""
    return np.array([share_said(content(e), said) for e in ends], np.float32)


def spread(cosine: Floats, share: Floats, roots: list[str], limit: int) -> NDArray[np.int64]:
    """Choose facts for a memory: the best :data:`EACH` of every seen concept first, then the best of all.

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
        (first if taken[roots[row]] <= EACH else rest).append(row)
    return np.array((first + rest)[:limit], np.int64)
