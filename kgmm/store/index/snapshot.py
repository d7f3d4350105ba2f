"""One version of a store's statements: the mapped base, less what was removed, plus what was added since."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kgmm.store.index.base import Array, Base, Order, Statements, narrow, rows_of
from kgmm.store.index.mapped import view

_FEW = 24  #: rows that are looked at one by one


class Overlay:
    """What changed since the base: added statements, kept sorted both ways, and the base rows removed."""

    def __init__(self, added: Statements, removed: NDArray[np.uint32]) -> None:
        order = np.lexsort((added.graph, added.object, added.predicate, added.subject))
        self.added: Statements = added.take(order)
        self.removed: NDArray[np.uint32] = removed
        self.by_object: NDArray[np.intp] = np.argsort(self.added.object, kind="stable")
        self._objects = view(self.added.object[self.by_object])
        self._by_object = view(self.by_object)
        #: by row: subject, predicate, object, graph, weight, code of the source
        self.items: tuple[memoryview[int], ...] = tuple(view(column) for column in self.added)

    def __len__(self) -> int:
        return len(self.added.subject)

    def find(self, s: int | None, p: int | None, o: int | None, g: int | None) -> Sequence[int]:
        """Return the added rows of a pattern."""
        subjects, predicates, objects, graphs = self.items[:4]
        if s is not None:
            rows: Sequence[int] = range(*narrow(subjects, 0, len(self), s))
        elif o is not None:
            rows = self._by_object[slice(*narrow(self._objects, 0, len(self), o))]
        else:
            rows = range(len(self))
        for column, wanted in ((predicates, p), (objects, o), (graphs, g)):
            if wanted is not None and rows:
                if len(rows) <= _FEW:
                    rows = [row for row in rows if column[row] == wanted]
                else:
                    found = np.asarray(rows)
                    rows = found[np.asarray(column)[found] == wanted].tolist()
        return rows


@dataclass(slots=True, eq=False)
class Selection:
    """The rows of one look-up: a range of an order of the base, then rows of the overlay."""

    order: Order
    low: int
    high: int
    added: Sequence[int]

    def __len__(self) -> int:
        return self.high - self.low + len(self.added)


class Snapshot:
    """All statements of one version, by number."""

    def __init__(self, base: Base, overlay: Overlay | None) -> None:
        self.base: Base = base
        self.overlay: Overlay | None = overlay
        self.added: Statements = overlay.added if overlay is not None else Statements.empty()
        self.removed: NDArray[np.uint32] = overlay.removed if overlay is not None else np.empty(0, np.uint32)
        self._removed = view(self.removed)

    def __len__(self) -> int:
        return int(self.base.rows) - len(self.removed) + len(self.added.subject)

    def select(self, s: int | None, p: int | None, o: int | None, g: int | None) -> Selection:
        """Return the rows of a pattern; None is any."""
        order, low, high = self.base.find(s, p, o, g)
        if self.overlay is None:
            return Selection(order, low, high, ())
        if len(self.removed) and high > low and self._may_be_removed(order, low, high):
            rows = rows_of(order, low, high)
            keep = ~self._is_removed(rows)
            if not keep.all():
                order, low = rows[keep], 0
                high = len(order)
        return Selection(order, low, high, self.overlay.find(s, p, o, g))

    def statements(self, selection: Selection, start: int, stop: int) -> Statements:
        """Return the selection's rows *start* … *stop*."""
        size, at = selection.high - selection.low, selection.low
        low, high = min(start, size), min(stop, size)
        rows = self.base.statements(rows_of(selection.order, at + low, at + high))
        more = selection.added[max(start - size, 0) : max(stop - size, 0)]
        return Statements.concatenate([rows, self.added.take(np.asarray(more))]) if len(more) else rows

    def counts(self, column: str) -> dict[int, int]:
        """Return how many statements each predicate or graph (by term id) has."""
        coded, starts = getattr(self.base, column), getattr(self.base, f"{column}_starts")
        found = dict(zip(coded.values.tolist(), np.diff(starts).tolist(), strict=True))
        for sign, ids in ((-1, coded.at(self.removed)), (1, getattr(self.added, column))):
            values, numbers = np.unique(np.asarray(ids, np.uint32), return_counts=True)
            for value, number in zip(values.tolist(), numbers.tolist(), strict=True):
                found[value] = found.get(value, 0) + sign * number
        return {value: number for value, number in found.items() if number}

    def all(self) -> Statements:
        """Return every statement, sorted but for those added since the base was written."""
        kept = self.base.statements(~self.gone if len(self.removed) else slice(None))
        return Statements.concatenate([kept, self.added]) if len(self.added.subject) else kept

    @cached_property
    def gone(self) -> NDArray[np.bool_]:
        """A flag a base row: whether it was removed; empty if none was."""
        flags = np.zeros(self.base.rows if len(self.removed) else 0, bool)
        flags[self.removed] = True
        return flags

    def _may_be_removed(self, order: Order, low: int, high: int) -> bool:
        """Tell by a quick look whether some rows of a range may be among those removed."""
        removed = self._removed
        if order is None:
            at = bisect_left(removed, low)
            return at < len(removed) and removed[at] < high
        if high - low > _FEW:
            return True
        places = ((bisect_left(removed, row), row) for row in order[low:high].tolist())
        return any(at < len(removed) and removed[at] == row for at, row in places)

    def _is_removed(self, rows: Array) -> NDArray[np.bool_]:
        if len(rows) > len(self.removed):
            return self.gone[rows]
        at = np.minimum(np.searchsorted(self.removed, rows), len(self.removed) - 1)
        return np.asarray(self.removed[at] == rows)
