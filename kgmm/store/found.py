"""What a look-up in a local store returns: rows of one version, decoded a few at a time from mapped memory."""

from __future__ import annotations

import numpy as np

from kgmm.store.facts import Columns, Fact, Facts, Rows, _stored
from kgmm.store.index import Opened
from kgmm.store.snapshot import Selection

#: rows that are decoded one by one; above, reading whole columns is quicker
FEW = 64


class Found(Facts):
    """Facts of a local store."""

    __slots__ = ("_opened", "_selection")

    def __init__(self, opened: Opened, selection: Selection, limit: int | None) -> None:
        self._opened, self._selection = opened, selection
        length = len(selection)
        self._length = length if limit is None or limit >= length else max(limit, 0)

    def _name(self, term: int) -> str:
        return str(self._opened.names[term])

    def _rows(self, start: int, stop: int) -> Rows:
        opened = self._opened
        found = opened.snapshot.statements(self._selection, start, stop)
        columns = Columns(*found[:4], found.weight.astype(np.float32))
        return Rows(columns, found.weight, lambda at: opened.sources.name(int(found.source[at])))

    def _decode(self, start: int, stop: int) -> list[Fact]:
        selection = self._selection
        if stop - start > FEW or selection.added is not None:
            return Facts._decode(self, start, stop)
        order, at = selection.order, selection.low
        (
            subject, target, predicate, graph, weight, source,
            terms, predicates, graphs, weights, sources,
        ) = self._opened.columns  # fmt: skip
        rows = range(at + start, at + stop) if order is None else order[at + start : at + stop].tolist()
        return [
            _stored(
                terms[subject[row]],
                predicates[predicate[row]],
                terms[target[row]],
                weights[weight[row]],
                graphs[graph[row]],
                sources[source[row]],
            )
            for row in rows
        ]
