"""What a look-up at an endpoint returns: facts held in memory, their terms numbered as they come."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kgmm.store.facts import Columns, Fact, Facts, Rows, single

if TYPE_CHECKING:
    import polars as pl


class RemoteTerms:
    """Numbers for the terms seen so far, given as they come: the counterpart of a local store's dictionary."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._ids: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._names)

    def known(self, name: str) -> int:
        """Return a term's number, a new one if need be."""
        if name not in self._ids:
            self._ids[name] = len(self._names)
            self._names.append(name)
        return self._ids[name]

    def id(self, name: str) -> int | None:
        """Return a term's number, or None if it was not seen."""
        return self._ids.get(name)

    def ids(self, terms: Iterable[str]) -> NDArray[np.int64]:
        """Return the numbers of terms, -1 where not seen."""
        return np.fromiter((self._ids.get(t, -1) for t in terms), np.int64)

    def name(self, term: int) -> str:
        """Return the term of a number."""
        return self._names[term]

    def names(self, ids: ArrayLike) -> list[str]:
        """Return the terms of an array of numbers."""
        return [self._names[i] for i in np.asarray(ids).tolist()]

    def texts(self) -> pl.Series:
        """Return all terms in the order of their numbers as a column of strings."""
        import polars as pl

        return pl.Series(self._names, dtype=pl.String)

    def is_literal(self, ids: ArrayLike) -> NDArray[np.bool_]:
        """Tell which numbers are literals."""
        return np.fromiter((self._names[i].startswith('"') for i in np.asarray(ids).tolist()), bool)


class Fetched(Facts):
    """Facts that came from a server."""

    __slots__ = ("_facts", "_terms")

    def __init__(self, facts: list[Fact], terms: RemoteTerms) -> None:
        super().__init__(len(facts))
        self._facts, self._terms = facts, terms
        for fact in facts:
            for term in (fact.subject, fact.predicate, fact.object, fact.graph):
                terms.known(term)

    def name(self, term: int) -> str:
        """Return the term of an id."""
        return self._terms.name(term)

    def _decode(self, start: int, stop: int) -> list[Fact]:
        return self._facts[start:stop]

    def rows(self, start: int, stop: int) -> Rows:
        """Return the statements *start* … *stop*, undecoded."""
        facts, known = self._facts[start:stop], self._terms.known
        ids = ([known(getattr(fact, part)) for fact in facts] for part in Columns._fields[:4])
        weight = np.array([fact.weight for fact in facts], np.float64)
        columns = Columns._make((*(np.array(column, np.uint32) for column in ids), single(weight)))
        return Rows(columns, weight, lambda at: facts[at].source)
