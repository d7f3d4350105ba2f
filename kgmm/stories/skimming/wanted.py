"""What a query wants to see: concepts of films that it names, or that the store's facts lead to, each with these facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kgmm.encode.text import text_encoder
from kgmm.language.words import content, lemmas
from kgmm.stories.footage.footage import WORDS, Floats, Footage
from kgmm.stories.skimming.leading import leading

if TYPE_CHECKING:
    from kgmm.store import Fact, LocalStore

#: what a concept weighs that is a kind of what is named, and one that another fact joins with it
KIND, JOINED = 0.9, 0.5


@dataclass(frozen=True, eq=False)
class Wanted:
    """A query as weights of a film's c concepts and as a vector of its words."""

    text: str  #: the query
    concepts: tuple[str, ...]  #: names of the c concepts
    weights: NDArray[np.float64]  #: (c,): 1 of what is named, less of what facts lead to, 0 of all else
    words: Floats  #: (384,): the query by MiniLM, of unit length; zero without a query
    linked: tuple[str, ...] = ()  #: the store's concepts that the query's words stand for
    facts: Mapping[str, tuple[Fact, ...]] = field(default_factory=dict)  #: of a concept: what leads to it
    unknown: tuple[str, ...] = ()  #: words of the query that are no concept, and that no fact leads from to one

    @property
    def supported(self) -> bool:
        """Whether anything that can be seen is wanted."""
        return bool(self.weights.any())

    def named(self) -> NDArray[np.float64]:
        """Return 1 for the concepts that the query itself names, shape (c,): the query without the store."""
        return np.asarray(self.weights == 1, np.float64)

    def seen(self, footage: Footage) -> NDArray[np.float64]:
        """Return how surely what is wanted is seen at each moment, in [0, 1], shape (n,)."""
        at = np.flatnonzero(self.weights)
        if not len(at):
            return np.zeros(len(footage))
        return np.asarray(np.clip((footage.scores[:, at] * self.weights[at]).max(axis=1), 0, 1), np.float64)

    def said(self, footage: Footage) -> NDArray[np.float64]:
        """Return how near the words around each moment are to the query's, in [0, 1], shape (n,)."""
        if footage.words.shape[1] != len(self.words):
            return np.zeros(len(footage))
        return np.asarray(np.clip(footage.words @ self.words, 0, 1), np.float64)

    def told(self) -> str:
        """Return in words what of the query can be seen, and what not.

        >>> wanted("a dog in the fog", ("cat", "dog")).told()
        'dog; nothing that can be seen for: fog'
        """
        order = np.argsort(-self.weights, kind="stable")
        shown = ", ".join(self.concepts[i] for i in order[:8] if self.weights[i])
        more = int(np.count_nonzero(self.weights)) - 8
        parts = [shown + (f" and {more} more" if more > 0 else "")] if shown else []
        if self.unknown:
            parts.append(f"nothing that can be seen for: {', '.join(self.unknown)}")
        return "; ".join(parts)


def wanted(query: str, concepts: Sequence[str], kb: LocalStore | None = None) -> Wanted:
    """Return what a query names among *concepts*, and what the store's facts lead to from there.

    Kinds of what is named (a spaniel, of "dog") and what is joined with it by another fact (a stove, of "kitchen") weigh
    less; each has its facts. Without a store, and for words it does not know, only what is named is wanted.

    Example:
        >>> wanted("a dog in the snow", ("cat", "dog")).weights.tolist()
        [0.0, 1.0]
    """
    weights = np.zeros(len(concepts))
    if not query.strip():
        return Wanted(query, tuple(concepts), weights, np.zeros(WORDS, np.float32))
    said = f" {' '.join(lemmas(query))} "
    left = said
    for column, name in enumerate(concepts):
        own = f" {' '.join(lemmas(name))} "
        if own in said:
            weights[column], left = 1, left.replace(own, " ")
    linked: tuple[str, ...] = ()
    facts: dict[str, tuple[Fact, ...]] = {}
    if kb is not None:
        linked, found, used = leading(kb, query, tuple(concepts))
        for column, name in enumerate(concepts):
            if name in found and not weights[column]:
                kind, facts[name] = found[name]
                weights[column] = KIND if kind else JOINED
        left = "".join(f" {word} " for word in left.split() if word not in used)
    known = set(left.split())
    unknown = tuple(dict.fromkeys(word for word in content(query) if word in known))
    vector = text_encoder().encode([query])[0]
    return Wanted(query, tuple(concepts), weights, vector, linked, facts, unknown)
