"""A question and its memory of facts → the arrays that memory networks read; the same for training and asking."""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from kgmm.language.phrase import Triple
from kgmm.language.relations import cued
from kgmm.language.words import content, lemmas, normal, tokens
from kgmm.nn.kdmn import FactBatch
from kgmm.reason.question.cues import ASKS_UNSEEN

Floats = NDArray[np.float32]
#: what a fact's features are, in order
FEATURES = tuple("cosine cosine_to_best rank question_said subject_said object_said both_seen none_seen".split())
#: what an end's features are, in order; *given* is the fact's other end
END_FEATURES = tuple(
    "seen given_seen only_this_seen is_subject cosine given_cosine said given_said all_said given_all_said words"
    " given_words seen_given_said seen_given_cosine best_given best_fact relation_asked no_relation_asked unseen_asked"
    " unseen_asked_given_seen seen_asked".split()
)

LONGEST = 40  #: words of a question that are read one by one


@dataclass
class MemoryInput:
    """One question with the facts retrieved for it."""

    question: str
    seen: list[str]  #: names of what the picture shows
    triples: list[Triple]  #: the facts, best first
    question_vector: Floats  #: (s,) unit sentence vector
    fact_vectors: Floats  #: (N, s) unit sentence vectors of the facts' phrases
    end_cosines: Floats  #: (N, 2) cosine of each end's words with the question

    @cached_property
    def features(self) -> tuple[Floats, Floats]:
        """The facts' features (N, 8) and their ends' (N, 2, 21)."""
        return _features(self)


class WordTable:
    """Word vectors by word, one row of *vectors* each; a phrase is the mean of its known words', zero if it has none."""

    def __init__(self, words: list[str], vectors: NDArray[np.floating]) -> None:
        self.words = words
        self.vectors: NDArray[np.float32] = np.concatenate(
            [np.asarray(vectors, np.float32), np.zeros((1, vectors.shape[1]), np.float32)]
        )
        self._row = {word: i for i, word in enumerate(words)}
        self._phrase = lru_cache(1 << 17)(self._mean)

    @property
    def dim(self) -> int:
        """Width of a vector."""
        return int(self.vectors.shape[1])

    def phrase(self, text: str) -> Floats:
        """Return the mean vector of a phrase's known words, shape (d,)."""
        return self._phrase(text)

    def each(self, text: str) -> Floats:
        """Return the vectors of a text's words in order, (L, d); zero for unknown ones."""
        rows = [self._row.get(w, -1) for w in tokens(text)]
        return np.asarray(self.vectors[rows], np.float32).reshape(-1, self.dim)

    def _mean(self, text: str) -> Floats:
        words = tokens(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text))  # of a relation, too: UsedFor, faster_than
        rows = [self._row[w] for w in words if w in self._row]
        return np.asarray(self.vectors[rows].mean(0) if rows else self.vectors[-1])


def share_said(words: tuple[str, ...], said: frozenset[str]) -> float:
    """Return which share of some words is said, in [0, 1]."""
    return sum(w in said for w in words) / len(words) if words else 0.0


def _features(m: MemoryInput) -> tuple[Floats, Floats]:
    n = len(m.triples)
    said, asked = frozenset(lemmas(m.question)), content(m.question)
    seen = {normal(name) for name in m.seen}
    ends = [(s, o) for s, _, o in m.triples]
    is_seen = np.array([[normal(e) in seen for e in pair] for pair in ends], np.float32).reshape(n, 2)
    share = np.array([[share_said(content(e), said) for e in pair] for pair in ends], np.float32).reshape(n, 2)
    length = np.array([[len(content(e)) for e in pair] for pair in ends], np.float32).reshape(n, 2)
    of_question = np.array([share_said(asked, frozenset(lemmas(f"{s} {r} {o}"))) for s, r, o in m.triples], np.float32)
    cosine = (m.fact_vectors @ m.question_vector).astype(np.float32)
    best = cosine.max(initial=-1.0)
    order = np.empty(n, np.float32)
    order[np.argsort(-cosine, kind="stable")] = np.arange(n, dtype=np.float32)
    columns = (cosine, cosine - best, 1 / (1 + order), of_question, *share.T, is_seen.prod(1), (1 - is_seen).prod(1))
    return np.stack(columns, 1).astype(np.float32), _end_features(m, is_seen, share, length, cosine - best)


def _end_features(m: MemoryInput, seen: Floats, share: Floats, length: Floats, behind: Floats) -> Floats:
    """Return (N, 2, 21); column 0 of the second axis answers with the subject, 1 with the object."""
    cos = m.end_cosines.astype(np.float32)
    g_seen, g_cos, g_share, g_length = (a[:, ::-1] for a in (seen, cos, share, length))
    # only ends whose own end is seen compete: the usual question asks for a seen thing
    rival = np.where(seen > 0, g_cos, -1.0)
    asked = cued(m.question)
    by_cue = np.array([[t[1] in asked] for t in m.triples], np.float32).reshape(-1, 1)
    unseen = np.float32(bool(ASKS_UNSEEN.search(m.question)))
    shown = (seen, g_seen, seen * (1 - g_seen), np.array([1.0, 0.0]), cos, g_cos)
    said = (share, g_share, share > 0.99, g_share > 0.99, np.log1p(length), np.log1p(g_length))
    both = (seen * g_share, seen * g_cos, g_cos - rival.max(initial=-1.0), behind[:, None])
    wanted = (by_cue, float(not asked), unseen * (1 - seen), unseen * g_seen, (1 - unseen) * seen)
    columns = (*shown, *said, *both, *wanted)
    return np.stack([np.broadcast_to(np.asarray(c, np.float32), seen.shape) for c in columns], -1)


def pack(memories: list[MemoryInput], words: WordTable) -> FactBatch:
    """Pad memories to one batch of tensors; a memory may be empty.

    Example:
        >>> table = WordTable(["knife", "cut"], np.eye(2))
        >>> m = MemoryInput("What cuts?", ["knife"], [("knife", "UsedFor", "cut")], np.ones(4), np.ones((1, 4)), np.ones((1, 2)))
        >>> pack([m], table).steps.shape
        torch.Size([1, 1, 3, 2])
    """
    b, n = len(memories), max(1, *(len(m.triples) for m in memories))
    s, k = len(memories[0].question_vector), max(1, *(len(m.seen) for m in memories))
    seen, seen_mask = np.zeros((b, k, words.dim), np.float32), np.zeros((b, k), bool)
    steps, sentences = np.zeros((b, n, 3, words.dim), np.float32), np.zeros((b, n, s), np.float32)
    facts, ends = (np.zeros((b, n, len(FEATURES)), np.float32), np.zeros((b, n, 2, len(END_FEATURES)), np.float32))
    mask = np.zeros((b, n), bool)
    length = min(LONGEST, max(1, *(len(words.each(m.question)) for m in memories)))
    asked, asked_mask = np.zeros((b, length, words.dim), np.float32), np.zeros((b, length), bool)
    for i, m in enumerate(memories):
        size = len(m.triples)
        for j, name in enumerate(m.seen):
            seen[i, j], seen_mask[i, j] = words.phrase(name), True
        if size:
            steps[i, :size] = [[words.phrase(part) for part in t] for t in m.triples]
            sentences[i, :size] = m.fact_vectors
            facts[i, :size], ends[i, :size] = m.features
            mask[i, :size] = True
        said = words.each(m.question)[:length]
        asked[i, : len(said)], asked_mask[i, : len(said)] = said, True
    question = np.stack([m.question_vector for m in memories]).astype(np.float32)
    arrays = (question, seen, seen_mask, steps, sentences, facts, ends, mask, asked, asked_mask)
    return FactBatch(*(torch.from_numpy(a) for a in arrays))
