"""The statements a pattern is matched with: a snapshot's mapped rows, looked up for many bindings at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kgmm.store.index.base import rows_of
from kgmm.store.index.snapshot import Snapshot
from kgmm.store.sparql.engine.table import Rows, placed
from kgmm.store.sparql.engine.vocabulary import Ids

FIRST, MOST = 4096, 1 << 18  #: rows of the first and the largest part a look-up is answered in
FEW = 64  #: bindings that are looked up one by one
Part = tuple[Any, Any, Any]  #: what subject, predicate and object are bound to, an array or None


class Found(NamedTuple):
    """Matches: for each the row of the bindings it belongs to, and its statement."""

    of: Rows
    s: Ids
    p: Ids
    o: Ids
    g: Ids
    row: Any = None  #: the row it stands in; those added follow the mapped ones


class Source:
    """The union of some graphs of a snapshot, each statement once; or, *named*, each in each graph that states it."""

    def __init__(self, snapshot: Snapshot, graphs: Sequence[int] | None, named: bool) -> None:
        self.base, self.graphs = snapshot.base, graphs
        base, added = snapshot.base, snapshot.added
        self._added_rows: Any = base.rows + np.arange(len(added.subject))
        keep = ~snapshot.gone if len(snapshot.removed) else None
        if graphs is not None:
            codes = [base.graph_code[g] for g in graphs if g in base.graph_code]
            if len(codes) < len(base.graph.values):
                chosen = np.isin(base.graph.codes, codes)
                keep = chosen if keep is None else keep & chosen
            mine = np.isin(added.graph, np.asarray(graphs, np.int64))
            self._added_rows = base.rows + np.flatnonzero(mine)
            added = added.take(mine)
        values = base.predicate.values.astype(np.int64)
        self._code_order = np.argsort(values)
        self._values = values
        if not named and len(base.graph.values) > 1 and (graphs is None or len(graphs) > 1):
            keep = _first(base, keep)
        self.keep = keep
        self.added: list[Ids] = [np.asarray(c, np.int64) for c in added[:4]]
        if len(self.added[0]) and not named:
            self.added = self._unknown(self.added)
        self._sorted: dict[int, tuple[Rows, Ids]] = {}

    def _unknown(self, added: list[Ids]) -> list[Ids]:
        """Return the added statements once each, without those that the mapped rows state."""
        order = np.lexsort((added[2], added[1], added[0]))
        rows = [column[order] for column in added]
        new = np.ones(len(order), bool)
        new[1:] = np.any([rows[i][1:] != rows[i][:-1] for i in range(3)], axis=0)
        rows = [column[new] for column in rows]
        known = np.zeros(len(rows[0]), bool)
        for found in self._in_base(rows[0], rows[1], rows[2], len(rows[0]), MOST, MOST):
            known[found.of] = True
        self._added_rows = self._added_rows[order][new][~known]
        return [column[~known] for column in rows]

    def counts(self, s: Any, p: Any, o: Any, size: int) -> NDArray[np.int64]:
        """Return about how many statements match each binding: exactly, if no graph is left out or doubled."""
        _, low, high, _ = self._ranges(s, p, o, size)
        found: NDArray[np.int64] = high - low
        if len(self.added[0]):
            found = found + self._added_ranges(s, p, o, size)[2]
        return found

    def match(self, s: Any, p: Any, o: Any, size: int, first: int = MOST, most: int = MOST) -> Iterator[Found]:
        """Yield the statements that match bindings, in parts of which the first has *first* rows at most.

        Args:
            s: a subject for each of the bindings, or None for any.
            p: a predicate, likewise.
            o: an object, likewise.
            size: how many bindings there are.
            first: how many rows the first part may have; later ones are larger.
            most: how many these may have.
        """
        yield from self._in_base(s, p, o, size, min(first, most), most)
        if len(self.added[0]):
            yield from self._in_added(s, p, o, size, most)

    def _in_base(self, s: Any, p: Any, o: Any, size: int, first: int, most: int) -> Iterator[Found]:
        base = self.base
        order, low, high, left = self._ranges(s, p, o, size)
        for of, places in _parts(low, high, first, most):
            rows = places if order is None else order[places]
            keep = None if self.keep is None else self.keep[rows]
            if "p" in left:
                fits = base.predicate.at(rows) == p[of]
                keep = fits if keep is None else keep & fits
            if keep is not None:
                rows, of = rows[keep], of[keep]
            values = (base.subject[rows], base.predicate.at(rows), base.object[rows], base.graph.at(rows))
            yield Found._make([of, *(np.asarray(v, np.int64) for v in values), rows])

    def _in_added(self, s: Any, p: Any, o: Any, size: int, most: int) -> Iterator[Found]:
        order, starts, counts = self._added_ranges(s, p, o, size)
        for of, places in _parts(starts, starts + counts, most, most):
            rows = order[places]
            keep = np.ones(len(rows), bool)
            for wanted, column in zip((s, p, o), self.added[:3], strict=True):
                if wanted is not None:
                    keep &= column[rows] == wanted[of]
            rows, of = rows[keep], of[keep]
            yield Found._make([of, *(column[rows] for column in self.added), self._added_rows[rows]])

    def _added_ranges(self, s: Any, p: Any, o: Any, size: int) -> tuple[Rows, Any, Any]:
        which = 0 if s is not None else 2 if o is not None else 1 if p is not None else 3
        if which == 3:
            everything = np.arange(len(self.added[0]))
            return everything, np.zeros(size, np.int64), np.full(size, len(everything), np.int64)
        if which not in self._sorted:
            order = np.argsort(self.added[which], kind="stable")
            self._sorted[which] = order, self.added[which][order]
        order, values = self._sorted[which]
        wanted = (s, p, o)[which]
        starts = np.searchsorted(values, wanted)
        return order, starts, np.searchsorted(values, wanted, "right") - starts

    def _ranges(self, s: Any, p: Any, o: Any, size: int) -> tuple[Any, Any, Any, str]:
        """Return an order of rows, the range in it for each binding, and what of the binding is to compare yet."""
        base = self.base
        low: Any
        high: Any
        if size == 1:
            order, low, high = base.find(_one(s, 0), _one(p, 0), _one(o, 0))
            rows = None if order is None else rows_of(order, low, high) if not isinstance(order, np.ndarray) else order
            if order is not None and not isinstance(order, np.ndarray):
                low, high = 0, high - low
            return rows, np.array([low]), np.array([high]), ""
        if size <= FEW and s is not None and (p is not None or o is None):
            found = [base.find(_one(s, i), _one(p, i), _one(o, i))[1:] for i in range(size)]
            return None, *np.array(found, np.int64).T, ""
        codes = None if p is None else self._codes(p)
        if s is not None:
            low, high = _table(base.subject_starts, s, base.terms)
            if codes is not None:
                low, high = _narrow(lambda at: base.predicate.codes[at], low, high, codes)
            if o is None:
                return None, low, high, ""
            if codes is not None:
                return None, *_narrow(lambda at: base.object[at], low, high, o), ""
            first, last = _table(base.object_starts, o, base.terms)
            key = lambda at: base.by_object[at]  # noqa: E731
            start = _bisect(key, first, last, low, False)
            return base.by_object, start, np.maximum(_bisect(key, start, last, high, False), start), ""
        if o is not None:
            low, high = _table(base.object_starts, o, base.terms)
            if codes is None:
                return base.by_object, low, high, ""
            if int((high - low).sum()) <= 4 * size:
                return base.by_object, low, np.where(codes < 0, low, high), "p"
            first, last = self._of_codes(codes)
            return base.by_predicate, *_narrow(lambda at: base.object[base.by_predicate[at]], first, last, o), ""
        if codes is not None:
            return base.by_predicate, *self._of_codes(codes), ""
        return None, np.zeros(size, np.int64), np.full(size, base.rows, np.int64), ""

    def _of_codes(self, codes: Ids) -> tuple[Ids, Ids]:
        starts = self.base.predicate_starts
        if len(starts) < 2:
            return np.zeros(len(codes), np.int64), np.zeros(len(codes), np.int64)
        there = codes >= 0
        at = np.where(there, codes, 0)
        return starts[at], np.where(there, starts[at + 1], starts[at])

    def _codes(self, predicates: Ids) -> Ids:
        if not len(self._values):
            return np.full(len(predicates), -1, np.int64)
        ascending = self._values[self._code_order]
        at = np.minimum(np.searchsorted(ascending, predicates), len(ascending) - 1)
        return np.where(ascending[at] == predicates, self._code_order[at], -1)

    def holds(self, ids: Ids) -> NDArray[np.bool_]:
        """Tell which terms are a subject or an object of some statement."""
        if self.keep is not None:
            return np.isin(ids, self.nodes())
        size = len(ids)
        return np.asarray(self.counts(ids, None, None, size) + self.counts(None, None, ids, size) > 0)

    def nodes(self) -> Ids:
        """Return every subject and object."""
        rows = slice(None) if self.keep is None else self.keep
        base = self.base
        parts = [base.subject[rows], base.object[rows], self.added[0], self.added[2]]
        return np.unique(np.concatenate([np.asarray(part, np.int64) for part in parts]))


def _one(part: Any, at: int) -> int | None:
    if part is None:
        return None
    value = int(part[at])
    return value if 0 <= value < 1 << 32 else (1 << 32) - 1


def _first(base: Any, keep: Any) -> NDArray[np.bool_]:
    """Return which of the rows that stand say something that no earlier one does."""
    rows = np.arange(base.rows) if keep is None else np.flatnonzero(keep)
    found = np.zeros(base.rows, bool)
    columns = (base.subject, base.predicate.codes, base.object)
    new = np.ones(len(rows), bool)
    if len(rows):
        new[1:] = False
        for column in columns:
            values = column[rows]
            new[1:] |= values[1:] != values[:-1]
    found[rows[new]] = True
    return found


def _table(starts: Any, ids: Ids, terms: int) -> tuple[Ids, Ids]:
    there = (ids >= 0) & (ids < terms)
    at = np.where(there, ids, 0)
    if terms == 0:
        return np.zeros(len(ids), np.int64), np.zeros(len(ids), np.int64)
    low = starts[at].astype(np.int64)
    return low, np.where(there, starts[at + 1].astype(np.int64), low)


def _narrow(key: Callable[[Any], Any], low: Ids, high: Ids, values: Ids) -> tuple[Ids, Ids]:
    start = _bisect(key, low, high, values, False)
    return start, _bisect(key, start, high, values, True)


def _bisect(key: Callable[[Any], Any], low: Ids, high: Ids, values: Ids, right: bool) -> Ids:
    """Return where values belong in ascending ranges, all searched at once."""
    low, high = low.astype(np.int64), high.astype(np.int64)
    active = np.flatnonzero(low < high)
    while len(active):
        mid = (low[active] + high[active]) >> 1
        found, wanted = key(mid).astype(np.int64), values[active]
        after = found <= wanted if right else found < wanted
        low[active] = np.where(after, mid + 1, low[active])
        high[active] = np.where(after, high[active], mid)
        active = active[low[active] < high[active]]
    return low


def _parts(low: Ids, high: Ids, first: int, most: int) -> Iterator[tuple[Rows, NDArray[np.int64]]]:
    """Yield the places in ranges, in parts: the range each lies in, and the place."""
    for of, at in placed((high - low).astype(np.int64), first, most):
        yield of, low[of] + at
