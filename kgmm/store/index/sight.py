"""What of a version held at a time: rows picked by when they hold, and by what later values of their relation ended."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from kgmm.language import names
from kgmm.store.index.base import Order, Statements, rows_of
from kgmm.store.index.mapped import view
from kgmm.store.index.snapshot import Overlay, Selection, Snapshot
from kgmm.store.index.state import Opened, Remembered
from kgmm.store.times import FIRST, LAST, Spans

FEW = 64  #: rows that are looked at one by one
KEPT = 64  #: times of which a version remembers what held
SCHEMA = "schema"  #: the graph in which it is said what relations are
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
FUNCTIONAL = "http://www.w3.org/2002/07/owl#FunctionalProperty"
Pairs = list[tuple[int, int]]


def relation_node(relation: str) -> str:
    """Return the node that stands for a relation where something is said of it.

    >>> relation_node("CapitalOf"), relation_node("http://example.org/p")
    ('urn:kgmm:r/CapitalOf', 'http://example.org/p')
    """
    stored = names.relation(relation)
    return stored if names.is_iri(stored) else names.iri(f"r/{stored}")


def functional(opened: Opened) -> dict[int, str]:
    """Return the relations that are said to have one value at a time, by number; whoever says it, in any graph."""
    if "functional" not in opened.derived:
        terms = opened.terms
        kind, group = terms.id(TYPE), terms.id(FUNCTIONAL)
        found: dict[int, str] = {}
        if kind is not None and group is not None:
            for subject in np.unique(opened.find_ids(None, kind, group, None).subject).tolist():
                stored = names.relation(names.from_iri(terms.name(subject)).removeprefix("r/"))
                number = terms.id(stored)
                found[-len(found) - 1 if number is None else number] = stored
        opened.derived["functional"] = found
    return dict(opened.derived["functional"])


def pairs_of(opened: Opened) -> Callable[[int], Pairs]:
    """Return what tells the spans of a code of ``when``."""
    if "spans" not in opened.derived:
        sources = opened.sources
        opened.derived["spans"] = Remembered(
            lambda when: Spans.pairs(sources.name(when - 1)) if when else [(FIRST, LAST)]
        )
    known: Remembered = opened.derived["spans"]
    return known.__getitem__


def sight(opened: Opened, first: int, last: int) -> Sight:
    """Return what of a version held at some time from *first* to *last*, in seconds."""
    known: dict[tuple[int, int], Sight] = opened.derived.setdefault("sights", {})
    found = known.get((first, last))
    if found is None:
        if len(known) >= KEPT:
            known.clear()
        found = known[first, last] = Sight(opened, first, last)
    return found


class Sight:
    """Which facts of a version held at some time from *first* to *last*.

    A span of a functional relation that has a beginning and no end is ended by a later beginning of another value of the
    same subject in the same graph. Nothing else ends a span but its own end.
    """

    def __init__(self, opened: Opened, first: int, last: int) -> None:
        self._opened, self._first, self._last = opened, first, last
        base = opened.snapshot.base
        self._spans = pairs_of(opened)
        self._relations = frozenset(functional(opened))
        self._codes = frozenset(base.predicate_code[p] for p in self._relations if p in base.predicate_code)
        values = base.when.values.tolist()
        self._timed = values not in ([], [0])
        self._when = view(base.when.codes) if self._timed else None
        self._holds = Remembered(self._held)
        self._base_holds = Remembered(lambda code: self._held(values[code]))
        self._each: NDArray[np.bool_] | None = None

    def _held(self, when: int) -> bool:
        first, last = self._first, self._last
        return any(begin <= last and end >= first for begin, end in self._spans(when))

    def _all(self) -> NDArray[np.bool_]:
        """Tell of each code of the base whether it holds."""
        if self._each is None:
            codes = range(len(self._opened.snapshot.base.when.values))
            self._each = np.fromiter((self._base_holds[code] for code in codes), bool, len(codes))
        return self._each

    def picked(self, selection: Selection) -> Selection:
        """Return those rows of a look-up that held."""
        order, low, high = selection.order, selection.low, selection.high
        snapshot, when, count = self._opened.snapshot, self._when, selection.high - selection.low
        if count and when is not None:
            if count <= FEW:
                holds = self._base_holds
                rows: Sequence[int] = range(low, high) if order is None else order[low:high].tolist()
                kept = [row for row in rows if holds[when[row]]]
                if len(kept) < count:
                    order, low, high = array("I", kept), 0, len(kept)
            else:
                found = rows_of(order, low, high)
                held = self._all()[snapshot.base.when.codes[found]]
                if not held.all():
                    order, low = found[held], 0
                    high = len(order)
        added = selection.added
        if len(added):
            column, holding = snapshot.added.when, self._holds
            added = [row for row in added if holding[int(column[row])]]
        if self._relations:
            order, low, high, added = self._unended(order, low, high, added)
        return Selection(order, low, high, added)

    def _unended(
        self, order: Order, low: int, high: int, added: Sequence[int]
    ) -> tuple[Order, int, int, Sequence[int]]:
        """Return the rows whose span no later value of their functional relation ended."""
        snapshot = self._opened.snapshot
        known: dict[tuple[int, int, int], list[tuple[int, int]]] = {}
        if high > low and self._codes:
            found = rows_of(order, low, high)
            doubtful = np.isin(snapshot.base.predicate.codes[found], list(self._codes))
            if doubtful.any():
                keep = np.ones(len(found), bool)
                keep[doubtful] = self._stand(snapshot.base.statements(found[doubtful]), known)
                if not keep.all():
                    order, low = found[keep], 0
                    high = len(order)
        if len(added):
            rows = np.asarray(added, np.int64)
            doubtful = np.isin(snapshot.added.predicate[rows], list(self._relations))
            if doubtful.any():
                keep = np.ones(len(rows), bool)
                keep[doubtful] = self._stand(snapshot.added.take(rows[doubtful]), known)
                added = rows[keep].tolist()
        return order, low, high, added

    def _stand(self, rows: Statements, known: dict[tuple[int, int, int], list[tuple[int, int]]]) -> NDArray[np.bool_]:
        found = np.ones(len(rows.subject), bool)
        ids = zip(*(column.tolist() for column in (*rows[:4], rows.when)), strict=True)
        first, last = self._first, self._last
        for at, (s, p, o, g, when) in enumerate(ids):
            held = [(begin, end) for begin, end in self._spans(when) if begin <= last and end >= first]
            if any(begin == FIRST or end != LAST for begin, end in held):
                continue
            if (s, p, g) not in known:
                known[s, p, g] = begins(self._opened, s, p, g)
            later = [begin for other, begin in known[s, p, g] if other != o and begin <= first]
            found[at] = any(all(begin >= other for other in later) for begin, _ in held)
        return found

    def snapshot(self) -> Snapshot:
        """Return what held as a snapshot of its own."""
        whole = self._opened.snapshot
        base, added = whole.base, whole.added
        keep = np.ones(base.rows, bool)
        if self._when is not None:
            keep = self._all()[base.when.codes]
        also = np.fromiter((self._holds[when] for when in added.when.tolist()), bool, len(added.when))
        if self._relations:
            known: dict[tuple[int, int, int], list[tuple[int, int]]] = {}
            keep &= ~whole.gone if len(whole.removed) else True
            rows = np.flatnonzero(keep & np.isin(base.predicate.codes, list(self._codes)))
            keep[rows] = self._stand(base.statements(rows), known)
            rows = np.flatnonzero(also & np.isin(added.predicate, list(self._relations)))
            also[rows] = self._stand(added.take(rows), known)
        removed = np.union1d(whole.removed, np.flatnonzero(~keep)).astype(np.uint32)
        return Snapshot(base, Overlay(added.take(also), removed))


def begins(opened: Opened, s: int, p: int, g: int) -> list[tuple[int, int]]:
    """Return the values of a subject's relation in a graph with each known second they begin to hold at."""
    snapshot, spans = opened.snapshot, pairs_of(opened)
    selection = snapshot.select(s, p, None, g)
    rows = snapshot.statements(selection, 0, len(selection))
    ids = zip(rows.object.tolist(), rows.when.tolist(), strict=True)
    return [(o, begin) for o, when in ids for begin, _ in spans(when) if begin != FIRST]


def visible(opened: Opened, first: int, last: int) -> Opened:
    """Return a version of which only what held at some time from *first* to *last* is seen."""
    return Opened(opened.state, opened.terms, opened.sources, sight(opened, first, last).snapshot())
