"""What a look-up in a local store returns: rows of one version, decoded a few at a time from mapped memory."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from kgmm.store.facts import Fact, Facts, Rows, stored_fact
from kgmm.store.index.base import Statements
from kgmm.store.index.snapshot import Selection
from kgmm.store.index.state import Opened

if TYPE_CHECKING:
    import polars as pl

FEW = 64  #: rows that are decoded one by one; above, reading whole columns is quicker
MANY = 10_000  #: rows from which looking at every term once costs less than making facts


def find(opened: Opened, graph: str | None = None) -> Found:
    """Return all facts of a version, or those of one graph."""
    return Found(opened, opened.select(None, None, None, graph), None)


def decoded(opened: Opened, found: Statements) -> list[Fact]:
    """Return statements of a version as facts; each term is read once."""
    columns = found[:6]
    used, said = np.unique(np.concatenate(columns[:4])), np.unique(found.source)
    name = dict(zip(used.tolist(), opened.terms.names(used), strict=True))
    source = dict(zip(said.tolist(), opened.sources.names(said), strict=True))
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [stored_fact(name[s], name[p], name[o], weight, name[g], source[c]) for s, p, o, g, weight, c in rows]


class Stored(Facts):
    """Facts of one version of a local store."""

    __slots__ = ("_opened",)

    def __init__(self, opened: Opened, length: int) -> None:
        self._opened, self._length = opened, length

    @abstractmethod
    def _statements(self, start: int, stop: int) -> Statements:
        """Return the statements *start* … *stop*, by number."""

    def name(self, term: int) -> str:
        """Return the term of an id."""
        return str(self._opened.names[term])

    def rows(self, start: int, stop: int) -> Rows:
        """Return the statements *start* … *stop*, undecoded."""
        found, sources = self._statements(start, stop), self._opened.sources
        return Rows(found.columns(), found.weight, lambda at: sources.name(int(found.source[at])))

    def _decode(self, start: int, stop: int) -> list[Fact]:
        return decoded(self._opened, self._statements(start, stop))

    def to_polars(self) -> pl.DataFrame:
        """Return a data frame with a row a fact; many rows are decoded by columns."""
        if self._length < MANY:
            return super().to_polars()
        import polars as pl

        opened, found = self._opened, self._statements(0, self._length)
        texts = opened.terms.texts()
        columns = {name: texts.gather(getattr(found, name)) for name in ("subject", "predicate", "object")}
        columns |= {"weight": pl.Series(found.weight), "graph": texts.gather(found.graph)}
        return pl.DataFrame(columns | {"source": opened.sources.texts().gather(found.source)})


class Found(Stored):
    """Facts that fit a pattern, a few of them decoded straight from mapped memory."""

    __slots__ = ("_selection",)

    def __init__(self, opened: Opened, selection: Selection, limit: int | None) -> None:
        self._opened, self._selection = opened, selection
        length = len(selection)
        self._length = length if limit is None or limit >= length else max(limit, 0)

    def _statements(self, start: int, stop: int) -> Statements:
        return self._opened.snapshot.statements(self._selection, start, stop)

    def _decode(self, start: int, stop: int) -> list[Fact]:
        if stop - start > FEW:
            return super()._decode(start, stop)
        selection = self._selection
        order, at, size = selection.order, selection.low, selection.high - selection.low
        if stop > size:
            before = self._decode(start, size) if start < size else []
            return before + self._decode_added(max(start - size, 0), stop - size)
        s, o, p, g, w, c, term, kind, graph, weight, source = self._opened.columns
        rows = range(at + start, at + stop) if order is None else order[at + start : at + stop].tolist()
        return [stored_fact(term[s[i]], kind[p[i]], term[o[i]], weight[w[i]], graph[g[i]], source[c[i]]) for i in rows]

    def _decode_added(self, start: int, stop: int) -> list[Fact]:
        overlay, term, source = self._opened.snapshot.overlay, self._opened.names, self._opened.source_names
        assert overlay is not None
        s, p, o, g, weight, c, _ = overlay.items
        rows = self._selection.added[start:stop]
        return [stored_fact(term[s[i]], term[p[i]], term[o[i]], weight[i], term[g[i]], source[c[i]]) for i in rows]
