"""What a query wants to see: concepts of films that it names, or that the store's facts lead to, each with these facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kgmm.encode.text import text_encoder
from kgmm.language.words import lemmas
from kgmm.stories.footage.footage import WORDS, Floats, Footage

if TYPE_CHECKING:
    from kgmm.store import Fact, LocalStore


@dataclass(frozen=True, eq=False)
class Wanted:
    """A query as weights of a film's c concepts and as a vector of its words."""

    text: str  #: the query
    concepts: tuple[str, ...]  #: names of the c concepts
    weights: NDArray[np.float64]  #: (c,): 1 of what is named, less of what facts lead to, 0 of all else
    words: Floats  #: (384,): the query by MiniLM, of unit length; zero without a query
    linked: tuple[str, ...] = ()  #: the store's concepts that the query's words stand for
    facts: Mapping[str, tuple[Fact, ...]] = field(default_factory=dict)  #: of a concept: what leads to it
    unknown: tuple[str, ...] = ()  #: words of the query that neither concepts nor the store know

    @property
    def supported(self) -> bool:
        """Whether anything that can be seen is wanted."""
        return bool(self.weights.any())

    def named(self) -> NDArray[np.float64]:
        """Return 1 for the concepts that the query itself names, shape (c,): the query without the store."""
        return np.asarray(self.weights == 1, np.float64)

    def seen(self, footage: Footage) -> NDArray[np.float64]:
        """Return how surely what is wanted is seen at each moment, in [0, 1], shape (n,)."""
        if not self.supported:
            return np.zeros(len(footage))
        return np.asarray(np.clip((footage.scores * self.weights).max(axis=1), 0, 1), np.float64)

    def said(self, footage: Footage) -> NDArray[np.float64]:
        """Return how near the words around each moment are to the query's, in [0, 1], shape (n,)."""
        if footage.words.shape[1] != len(self.words):
            return np.zeros(len(footage))
        return np.asarray(np.clip(footage.words @ self.words, 0, 1), np.float64)


def wanted(query: str, concepts: Sequence[str], kb: LocalStore | None = None) -> Wanted:
    """Return what a query names among *concepts*, and what the store's facts lead to from there.

    Example:
        >>> wanted("a dog in the snow", ("cat", "dog")).weights.tolist()
        [0.0, 1.0]
    """
    weights = np.zeros(len(concepts))
    if not query.strip():
        return Wanted(query, tuple(concepts), weights, np.zeros(WORDS, np.float32))
    said = f" {' '.join(lemmas(query))} "
    for column, name in enumerate(concepts):
        weights[column] = float(f" {' '.join(lemmas(name))} " in said)
    return Wanted(query, tuple(concepts), weights, text_encoder().encode([query])[0])
