"""Candidates in order: nearness to what is asked, shared words, the walk's mass, weight, link and steps of inheritance."""

from __future__ import annotations

from functools import lru_cache
from math import log
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kgmm.encode.nearness import READ, fact_cosines
from kgmm.language import names
from kgmm.language.phrase import phrase
from kgmm.language.relations import cued, most_telling
from kgmm.language.words import content, lemmas
from kgmm.retrieve.gather import Candidates, chain_at, fact_at
from kgmm.trace import Link, MemoryFact

if TYPE_CHECKING:
    from kgmm.encode.text import Encoder
    from kgmm.store import LocalStore
    from kgmm.store.facts import Columns

Floats = NDArray[np.float64]

DECAY = 0.85  #: how much each step of inheritance costs
POOL = 500  #: candidates that reach the scoring of the walk
CUED = 0.5  #: what a sentence that names a relation adds to the facts of that relation
#: weights of a fact's score; tuned on no data set, they only order the memory before a reasoner reads it
PARTS = {"similarity": 1.0, "overlap": 0.35, "walk": 0.25, "weight": 0.1, "link": 0.25, "depth": 0.25}
#: probability of jumping back to the linked concepts at each step of the walk, and steps: 0.85^20 = 0.04 is left
RESTART, STEPS = 0.15, 20


def score(
    store: LocalStore,
    c: Candidates,
    links: list[Link],
    question: str,
    encoder: Encoder,
    pool: int = POOL,
    read: int = READ,
) -> tuple[Candidates, Floats, dict[str, Floats]]:
    """Order candidates by score; return the best *pool* of them, their scores and the parts of each score.

    Of the phrases the encoder reads *read*, those that seem best before (:mod:`kgmm.encode.nearness`).
    """
    if not len(c):
        return c, np.empty(0), {}
    link_score: dict[int | None, float] = {}
    for k in links:
        i = store.terms.id(k.concept)
        link_score[i] = max(link_score.get(i, 0.0), k.score)
    linked = np.array([link_score.get(root, 0.0) for root in c.roots])[c.root]
    depth = 1.0 - DECAY ** c.depth.astype(np.float64)
    known = {"overlap": overlaps(store, c, question), "link": linked, "depth": -depth}
    known["weight"] = np.log1p(c.weight.astype(np.float64)) / log(1 + 10)
    known["similarity"] = np.zeros(len(c))
    if question:
        prior = _weighed(known) + CUED * named_relation(store, c, question)
        known["similarity"] = fact_cosines(store, (c.subject, c.predicate, c.object), question, encoder, prior, read)
    best = np.argsort(-_weighed(known), kind="stable")[:pool]
    c = c.take(best)
    parts = {name: known[name][best] if name in known else walk_mass(c) for name in PARTS}
    total = _weighed(parts)
    order = np.argsort(-total, kind="stable")
    return c.take(order), total[order], {name: values[order] for name, values in parts.items()}


def _weighed(parts: dict[str, Floats]) -> Floats:
    return sum((PARTS[name] * parts[name] for name in PARTS if name in parts), start=np.zeros(len(parts["link"])))


def named_relation(store: LocalStore, c: Candidates, text: str) -> Floats:
    """Return 1 for the facts whose relation a sentence's words ask by ("used for", "where", "made of"), else 0."""
    telling = most_telling(cued(text))
    kinds, at = np.unique(c.predicate, return_inverse=True)
    return np.array([float(name in telling) for name in store.terms.names(kinds)])[at]


def phrases(store: LocalStore, c: Candidates | Columns) -> list[str]:
    """Return the facts as English phrases."""
    ends = (store.terms.names(column) for column in (c.subject, c.predicate, c.object))
    return [phrase(*said) for said in zip(*ends, strict=True)]


def overlaps(store: LocalStore, c: Candidates, question: str) -> Floats:
    """Return how much of the fact's far end the question's words say, in [0, 1], rare words counting more."""
    asked = set(lemmas(question))
    far = np.where(c.end == 0, c.object, c.subject)
    kinds, at = np.unique(far, return_inverse=True)
    values = np.array([_coverage(t, asked) for t in store.terms.names(kinds)])
    return values[at] if len(values) else np.zeros(len(c))


def _coverage(term: str, asked: set[str]) -> float:
    words, total = _telling(term)
    return sum(rarity(w) for w in words if w in asked) / total if total else 0.0


@lru_cache(1 << 17)
def _telling(term: str) -> tuple[tuple[str, ...], float]:
    """Return the content words of a term's label and the sum of their rarity."""
    words = content(names.label(term))
    return words, sum(map(rarity, words))


@lru_cache(1 << 16)
def rarity(word: str) -> float:
    """Return how telling a word is: longer and derived words are rarer (no corpus counts are shipped)."""
    return 1.0 + min(len(word), 10) / 5


def walk_mass(c: Candidates) -> Floats:
    """Return each fact's share of a random walk with restart from its roots over the candidates, in [0, 1]."""
    from scipy.sparse import csr_array

    nodes, inverse = np.unique(np.concatenate([c.subject, c.object]), return_inverse=True)
    seeds = np.isin(nodes, c.roots).astype(np.float64)
    if not seeds.any():
        return np.zeros(len(c))
    s, o = inverse[: len(c)], inverse[len(c) :]
    w = np.concatenate([c.weight, c.weight]).astype(np.float64)
    adjacency = csr_array((w, (np.concatenate([s, o]), np.concatenate([o, s]))), shape=(len(nodes), len(nodes)))
    degree = np.asarray(adjacency.sum(axis=0)).ravel()
    seeds /= seeds.sum()
    x = seeds.copy()
    for _ in range(STEPS):
        x = (1 - RESTART) * (adjacency @ (x / np.maximum(degree, 1e-12))) + RESTART * seeds
    mass = np.minimum(x[s], x[o])
    return mass / mass.max() if mass.max() > 0 else mass


def best_facts(
    store: LocalStore, c: Candidates, scores: Floats, parts: dict[str, Floats], limit: int
) -> list[MemoryFact]:
    """Return the *limit* candidates with the largest scores as facts, with the parts of their scores."""
    order = np.argsort(-scores, kind="stable")
    return decode(store, c.take(order), scores[order], {name: v[order] for name, v in parts.items()}, limit)


def decode(store: LocalStore, c: Candidates, scores: Floats, parts: dict[str, Floats], limit: int) -> list[MemoryFact]:
    """Return the first *limit* candidates as facts with the parts of their scores and their chains."""
    return [
        MemoryFact(
            fact_at(store, c, r),
            round(float(scores[r]), 4),
            {name: round(float(values[r]), 4) for name, values in parts.items()},
            chain_at(store, c, r),
            store.terms.name(c.roots[int(c.root[r])]),
        )
        for r in range(min(limit, len(c)))
    ]
