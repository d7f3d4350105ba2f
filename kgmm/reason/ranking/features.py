"""Rank (fact, answering end) pairs for a question by readable features under a linear score.

The features and the weights are the reasoner's rules made comparable: what the question's grammar asks for, which
relation it names, how much of the fact's given end it says, and how near fact and question are in meaning. The
weights come from ``python benchmarks/fit_explicit.py`` on a development split of FVQA's training file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kgmm.language import names
from kgmm.language.words import content, lemmas
from kgmm.reason.question.parsed import Question
from kgmm.retrieve.memory import CUES, POOL, Candidates, query_vector, rarity, score, term_vectors
from kgmm.trace import MemoryFact

if TYPE_CHECKING:
    from kgmm.reason.task import Task

COMPARE = re.compile(r"\b\w+er than\b|\bmore\b|\bless\b|\b\w+er\b")
#: the question wants what is known of a seen thing rather than the thing
ASKS_UNSEEN = re.compile(
    r"^(?:where|why|who|when)\b|what (?:is|are) .*(?:used for|for\?*$|made of)|used for\W*$|(?:found|find|seen?) (?:in|at|on)"
    r" (?:this|the|such)|(?:this|the) (?:place|room|venue|location|scene|action|sport|activity|object|animal|food|vehicle"
    r"|instrument|tool|stuff|thing)\b.*(?:image|here|picture|middle|left|right|photo)|what propert|what can the|does the"
    r"|what (?:is|are) (?:the|this)\b",
    re.IGNORECASE,
)
FEATURES = (
    "similarity",
    "given_similarity",
    "answer_similarity",
    "given_said",
    "answer_said",
    "question_said",
    "only_answer_seen",
    "only_given_seen",
    "both_seen",
    "relation_asked",
    "unseen_asked",
    "unseen_asked_given_seen",
    "seen_asked",
    "answer_all_said",
    "given_all_said",
    "given_said_answer_seen",
    "related",
    "is_a",
    "answer_length",
    "given_length",
    "given_similarity_answer_seen",
    "similarity_answer_seen",
    "answer_is_subject",
    "no_cue",
    "inherited",
)


@dataclass(frozen=True)
class Hypothesis:
    """One answer with the fact it is an end of."""

    answer: str
    term: str
    score: float
    row: int
    seen: bool


@dataclass
class Evidence:
    """Candidates of a question with the features and scores of both answering ends of each."""

    candidates: Candidates
    #: (2 × candidates, features); row 2 r answers candidate r with its subject, 2 r + 1 with its object
    features: NDArray[np.float32]
    parts: dict[str, NDArray[np.float64]]
    seen: NDArray[np.bool_]


def evidence(task: Task, question: Question, pool: int = POOL) -> Evidence:
    """Return the features of both ends, as answers to a question, of the *pool* candidates that score best."""
    c, _, parts = score(task.store, task.candidates, task.links, task.question, task.encoder, pool)
    seen_terms = {task.store.terms.id(k.concept) for k in task.links if k.object is not None}
    root_seen = np.array([r in seen_terms for r in c.roots], bool)
    near_seen = root_seen[c.root] if len(c) else np.empty(0, bool)
    far = np.where(c.end == 0, c.object, c.subject)
    far_seen = np.isin(far, [t for t in seen_terms if t is not None])
    subject_seen = np.where(c.end == 0, near_seen, far_seen)
    object_seen = np.where(c.end == 0, far_seen, near_seen)
    features = _features(task, question, c, parts, subject_seen, object_seen)
    seen = np.stack([subject_seen, object_seen], axis=1).reshape(-1) if len(c) else np.empty(0, bool)
    return Evidence(c, features, parts, seen)


def _features(
    task: Task,
    question: Question,
    c: Candidates,
    parts: dict[str, NDArray[np.float64]],
    subject_seen: NDArray[np.bool_],
    object_seen: NDArray[np.bool_],
) -> NDArray[np.float32]:
    n = len(c)
    if n == 0:
        return np.empty((0, len(FEATURES)), np.float32)
    terms = task.store.terms
    said, asked = set(lemmas(task.question)), set(content(task.question))
    asked_weight = sum(rarity(w) for w in asked) or 1.0
    ids, at = np.unique(np.concatenate([c.subject, c.object]), return_inverse=True)
    labels = [content(names.label(t)) for t in terms.names(ids)]
    query = query_vector(task.encoder, task.question)
    similar = (term_vectors(task.store, ids, task.encoder) @ query)[at]
    coverage = np.array(
        [sum(rarity(w) for w in words if w in said) / (sum(map(rarity, words)) or 1.0) for words in labels]
    )[at]
    reverse = np.array([sum(rarity(w) for w in words if w in asked) / asked_weight for words in labels])[at]
    length = np.array([len(words) for words in labels], float)[at]
    cues = asked_relations(task.question, question)
    predicates, which = np.unique(c.predicate, return_inverse=True)
    relation = terms.names(predicates)
    cue = np.array([_cued(r, cues, task.question) for r in relation])[which]
    related = np.array([r == "RelatedTo" for r in relation])[which]
    is_a = np.array([r in ("IsA", "InstanceOf") for r in relation])[which]
    unseen = float(
        question.asks_seen is False or (question.asks_seen is None and bool(ASKS_UNSEEN.search(task.question)))
    )
    out = np.empty((n, 2, len(FEATURES)), np.float32)
    for end in (0, 1):
        answer, given = slice(end * n, end * n + n), slice((1 - end) * n, (1 - end) * n + n)
        a_seen = (subject_seen if end == 0 else object_seen).astype(float)
        g_seen = (object_seen if end == 0 else subject_seen).astype(float)
        columns = (
            parts["similarity"],
            similar[given],
            similar[answer],
            coverage[given],
            coverage[answer],
            reverse[given],
            a_seen * (1 - g_seen),
            g_seen * (1 - a_seen),
            a_seen * g_seen,
            cue,
            unseen * (1 - a_seen),
            unseen * g_seen,
            (1 - unseen) * a_seen,
            coverage[answer] > 0.99,
            coverage[given] > 0.99,
            coverage[given] * a_seen,
            related,
            is_a,
            length[answer],
            length[given],
            similar[given] * a_seen,
            parts["similarity"] * a_seen,
            float(end == 0),
            float(not cues),
            c.depth,
        )
        for i, column in enumerate(columns):
            out[:, end, i] = column
    return out.reshape(2 * n, len(FEATURES))


def asked_relations(text: str, question: Question) -> set[str]:
    """Return the relations that a question's words and grammar name."""
    lower = text.lower()
    cued = {relation for relation, pattern in CUES.items() if pattern.search(lower)}
    known = question.noun.known if question.noun else []
    return cued | set(question.relations) | {r for k in known for r in k.relations}


def _cued(relation: str, cues: set[str], text: str) -> float:
    if relation in CUES:
        return float(relation in cues)
    words = names.label(relation).replace("_", " ").lower()
    return float(bool(COMPARE.search(text.lower())) if COMPARE.search(words) else words in text.lower())


def memory(task: Task, found: Evidence, scores: NDArray[np.float64], limit: int) -> list[MemoryFact]:
    """Return the best facts of the evidence for the trace, each with the parts of its score."""
    from kgmm.retrieve.memory import decode

    if not len(found.candidates):
        return []
    per_fact = scores.reshape(-1, 2).max(axis=1)
    order = np.argsort(-per_fact, kind="stable")
    parts = {name: values[order] for name, values in found.parts.items()}
    parts["evidence"] = per_fact[order]
    return decode(task.store, found.candidates.take(order), per_fact[order], parts, limit)
