"""Readable features of (fact, answering end) pairs, which every scorer reads.

They are the reasoner's rules made comparable: what the question's grammar asks for, which relation it names, how much
of the fact's given end it says, and how near fact and question are in meaning.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kgmm.encode.nearness import term_cosines
from kgmm.language import names
from kgmm.language.relations import CUES, UPWARD
from kgmm.language.words import content, lemmas
from kgmm.reason.question.cues import COMPARES
from kgmm.reason.question.data import Question
from kgmm.reason.task import Task
from kgmm.retrieve.gather import Candidates
from kgmm.retrieve.score import POOL, best_facts, rarity, score
from kgmm.trace import MemoryFact

FEATURES = tuple(
    "similarity given_similarity answer_similarity given_said answer_said question_said only_answer_seen"
    " only_given_seen both_seen relation_asked unseen_asked unseen_asked_given_seen seen_asked answer_all_said"
    " given_all_said given_said_answer_seen related is_a answer_length given_length given_similarity_answer_seen"
    " similarity_answer_seen answer_is_subject no_cue inherited".split()
)


@dataclass
class Evidence:
    """Candidates of a question with the features and scores of both answering ends of each."""

    candidates: Candidates
    #: (2 × candidates, features); row 2 r answers candidate r with its subject, 2 r + 1 with its object
    features: NDArray[np.float32]
    parts: dict[str, NDArray[np.float64]]
    seen: NDArray[np.bool_]


def evidence(task: Task, pool: int = POOL) -> Evidence:
    """Return the features of both ends, as answers to a question, of the *pool* candidates that score best."""
    c, _, parts = score(task.store, task.candidates, task.links, task.question, task.encoder, pool)
    seen_terms = {task.store.terms.id(k.concept) for k in task.links if k.object is not None}
    root_seen = np.array([r in seen_terms for r in c.roots], bool)
    far_seen = np.isin(np.where(c.end == 0, c.object, c.subject), [t for t in seen_terms if t is not None])
    seen = np.stack([root_seen[c.root], far_seen], axis=1)
    seen[c.end == 1] = seen[c.end == 1, ::-1]  # the near end is the object there
    return Evidence(c, _features(task, c, parts, seen), parts, seen.reshape(-1))


def _features(
    task: Task, c: Candidates, parts: dict[str, NDArray[np.float64]], seen: NDArray[np.bool_]
) -> NDArray[np.float32]:
    n = len(c)
    if n == 0:
        return np.empty((0, len(FEATURES)), np.float32)
    terms, question = task.store.terms, task.parsed
    said, asked = set(lemmas(task.question)), set(content(task.question))
    asked_weight = sum(rarity(w) for w in asked) or 1.0
    ids, first, at = np.unique(np.stack([c.subject, c.object], 1), return_index=True, return_inverse=True)
    at = at.reshape(n, 2).T.reshape(-1)
    labels = [content(names.label(t)) for t in terms.names(ids)]
    best_first = -first.astype(np.float64)  # the ends of the best facts are read
    similar = term_cosines(task.store, ids, task.question, task.encoder, best_first)[at]
    coverage = np.array(
        [sum(rarity(w) for w in words if w in said) / (sum(map(rarity, words)) or 1.0) for words in labels]
    )[at]
    reverse = np.array([sum(rarity(w) for w in words if w in asked) / asked_weight for words in labels])[at]
    length = np.array([len(words) for words in labels], float)[at]
    predicates, which = np.unique(c.predicate, return_inverse=True)
    relation = terms.names(predicates)
    cue = np.array([_cued(r, question) for r in relation])[which]
    kind = (np.array([r == "RelatedTo" for r in relation])[which], np.array([r in UPWARD for r in relation])[which])
    unseen, near = float(question.wants_unseen), parts["similarity"]
    out = np.empty((n, 2, len(FEATURES)), np.float32)
    for end in (0, 1):
        answer, given = slice(end * n, end * n + n), slice((1 - end) * n, (1 - end) * n + n)
        a_seen, g_seen = seen[:, end].astype(float), seen[:, 1 - end].astype(float)
        alike = (near, similar[given], similar[answer])
        said_of = (coverage[given], coverage[answer], reverse[given])
        shown = (a_seen * (1 - g_seen), g_seen * (1 - a_seen), a_seen * g_seen)
        wanted = (cue, unseen * (1 - a_seen), unseen * g_seen, (1 - unseen) * a_seen)
        whole = (coverage[answer] > 0.99, coverage[given] > 0.99, coverage[given] * a_seen)
        size = (length[answer], length[given], similar[given] * a_seen, near * a_seen)
        rest = (float(end == 0), float(not question.cues), c.depth)
        for i, column in enumerate((*alike, *said_of, *shown, *wanted, *whole, *kind, *size, *rest)):
            out[:, end, i] = column
    return out.reshape(2 * n, len(FEATURES))


def _cued(relation: str, question: Question) -> float:
    if relation in CUES:
        return float(relation in question.cues)
    words = names.label(relation).replace("_", " ").lower()
    return float(question.compares if COMPARES.search(words) else words in question.asked.lower())


def memory(task: Task, found: Evidence, scores: NDArray[np.float64], limit: int) -> list[MemoryFact]:
    """Return the best facts of the evidence for the trace, each with the parts of its score."""
    per_fact = scores.reshape(-1, 2).max(axis=1)
    return best_facts(task.store, found.candidates, per_fact, found.parts | {"evidence": per_fact}, limit)
