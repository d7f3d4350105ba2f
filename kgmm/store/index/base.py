"""The bulk of a store's statements as mapped arrays, sorted so that every pattern is one range or close to it.

Rows lie in the order subject, predicate, object, graph; two permutations give the order object, subject,
predicate and the order predicate, object, subject, a third one (only where there are several graphs) the
order of graphs. Where each subject's and object's rows begin is a table, so a look-up starts without a search.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh64_hexdigest

from kgmm.store.facts import Columns, single
from kgmm.store.index import stamps
from kgmm.store.index.mapped import SMALL, mapped, view

Array = NDArray[Any]
#: an order rows are looked up in: an array of rows, or None for that of the rows themselves
Order: TypeAlias = "NDArray[np.uint32] | array[int] | None"
_FEW = 24  #: rows of an object that are looked at one by one for a predicate: with more, searching is quicker


class Statements(NamedTuple):
    """Undecoded statements: term ids (uint32), weights (float64), codes into a list of sources.

    ``when`` is 0 for a bare fact, else one more than the code, in the same list, of the spans it holds in.
    """

    subject: NDArray[np.uint32]
    predicate: NDArray[np.uint32]
    object: NDArray[np.uint32]
    graph: NDArray[np.uint32]
    weight: NDArray[np.float64]
    source: NDArray[np.uint32]
    when: NDArray[np.uint32]

    def take(self, rows: Array | slice) -> Statements:
        """Return some of the statements."""
        return Statements._make(column[rows] for column in self)

    def columns(self) -> Columns:
        """Return the ids and weights, as look-ups hand them out."""
        return Columns(self.subject, self.predicate, self.object, self.graph, single(self.weight))

    @staticmethod
    def empty() -> Statements:
        """Return no statements."""
        ids = np.empty(0, np.uint32)
        return Statements(ids, ids, ids, ids, np.empty(0), ids, ids)

    @staticmethod
    def concatenate(parts: Sequence[Statements]) -> Statements:
        """Return the statements of all parts, one after the other."""
        if not parts:
            return Statements.empty()
        return Statements(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


class Coded(NamedTuple):
    """A column of few distinct values: the smallest integers that number them, and the values."""

    codes: Array
    values: Array

    def at(self, rows: Any) -> Array:
        """Return the values in some rows."""
        return np.asarray(self.values[self.codes[rows]])

    def numbers(self) -> dict[int, int]:
        """Return the code of every value."""
        return {value: code for code, value in enumerate(self.values.tolist())}


class Base:
    """The mapped statements of one folder."""

    def __init__(self, folder: Path, sizes: dict[str, Any]) -> None:
        self.folder = folder
        self.rows: int = sizes["rows"]
        n = self.rows
        self.terms: int = sizes["terms"]
        kinds, values = sizes["kinds"], sizes["values"]

        self._files: dict[str, Array] = {}

        def at(name: str, dtype: str, count: int) -> Array:
            self._files[name] = found = mapped(f"{folder}/{name}", dtype, count)
            return found

        def coded(name: str, dtype: str) -> Coded:
            codes = at(f"{name}.codes", kinds[name], n)
            return Coded(codes, at(f"{name}.values", dtype, values[name]))

        self.subject: NDArray[Any] = at("subject", "u4", n)
        self.object: NDArray[Any] = at("object", "u4", n)
        self.predicate: Coded = coded("predicate", "u4")
        self.graph: Coded = coded("graph", "u4")
        self.weight: Coded = coded("weight", "f8")
        self.source: Coded = coded("source", "u4")
        #: where no fact has assertions, no file
        self.when: Coded = coded("when", "u4") if "when" in kinds else _bare(n)
        self.by_object: NDArray[Any] = at("by_object", "u4", n)
        self.by_predicate: NDArray[Any] = at("by_predicate", "u4", n)
        self.by_graph: NDArray[Any] | None = at("by_graph", "u4", n) if values["graph"] > 1 else None
        self.subject_starts: NDArray[Any] = at("subject_starts", "u4", self.terms + 1)
        self.object_starts: NDArray[Any] = at("object_starts", "u4", self.terms + 1)
        self.predicate_starts: NDArray[Any] = at("predicate_starts", "i8", values["predicate"] + 1)
        self.graph_starts: NDArray[Any] = at("graph_starts", "i8", values["graph"] + 1)
        # one item at a time, memory reads faster than an array
        self._subject_at, self._object_at = view(self.subject_starts), view(self.object_starts)
        self._objects = view(self.object)
        self._by_object, self._by_predicate = view(self.by_object), view(self.by_predicate)
        coded_columns = (self.predicate, self.graph, self.weight, self.source)
        #: by row: subject and object, codes of predicate, graph, weight and source
        codes = (view(column.codes) for column in coded_columns)
        self.items: tuple[memoryview[int], ...] = (view(self.subject), self._objects, *codes)
        self._predicates, self._predicate_at = self.items[2], view(self.predicate_starts)
        self.predicate_code: dict[int, int] = self.predicate.numbers()
        self.graph_code: dict[int, int] = self.graph.numbers()

    def verify(self, sums: dict[str, str]) -> None:
        """Check the checksums of small files, and of those written to since found whole; ValueError if one is wrong."""
        now = stamps.taken(self.folder)
        changed = stamps.changed(self.folder, now)
        for name, data in self._files.items():
            if (data.nbytes <= SMALL or name in changed) and xxh64_hexdigest(view(data)) != sums[name]:
                raise ValueError(f"{self.folder / name}: its checksum is wrong")
        if changed:
            stamps.keep(self.folder, now)

    def statements(self, rows: Array | slice) -> Statements:
        """Return some rows, their sources as codes into this base's own list."""
        coded = (self.predicate, self.graph, self.weight, self.source)
        predicate, graph, weight, source = (column.at(rows) for column in coded)
        subject = self.subject[rows]
        when = np.broadcast_to(_BARE, len(subject)) if self.when.values is _BARE else self.when.at(rows)
        return Statements(subject, predicate, self.object[rows], graph, weight, source, when)

    def of_subject(self, term: int) -> tuple[int, int]:
        """Return the range of rows with a subject."""
        return (self._subject_at[term], self._subject_at[term + 1]) if term < self.terms else (0, 0)

    def of_object(self, term: int) -> tuple[int, int]:
        """Return the range in ``by_object`` with an object."""
        return (self._object_at[term], self._object_at[term + 1]) if term < self.terms else (0, 0)

    def find(self, s: int | None, p: int | None, o: int | None, g: int | None = None) -> tuple[Order, int, int]:
        """Return where the rows of a pattern lie: an order (None: the rows' own) and the range in it."""
        if g is not None:
            return self._in_graph(g, s, p, o)
        code = None
        if p is not None and (code := self.predicate_code.get(p)) is None:
            return None, 0, 0
        if s is not None:
            low, high = self.of_subject(s)
            if code is not None:
                low, high = narrow(self._predicates, low, high, code)
            elif o is not None:
                first, last = self.of_object(o)
                start = bisect_left(self._by_object, low, first, last)
                return self.by_object, start, bisect_left(self._by_object, high, start, last)
            return (None, low, high) if o is None else (None, *narrow(self._objects, low, high, o))
        if o is not None:
            first, last = self.of_object(o)
            if code is None:
                return self.by_object, first, last
            if last - first > _FEW:
                return self._search(code, o, last - first)
            codes = self._predicates
            found = array("I", [row for row in self._by_object[first:last].tolist() if codes[row] == code])
            return found, 0, len(found)
        if code is not None:
            return self.by_predicate, self._predicate_at[code], self._predicate_at[code + 1]
        return None, 0, self.rows

    def _search(self, code: int, o: int, most: int) -> tuple[Order, int, int]:
        """Return where the rows of a predicate and an object lie, which are *most* at most."""
        low, high = self._predicate_at[code], self._predicate_at[code + 1]
        start = bisect_left(self._by_predicate, o, low, high, key=self._objects.__getitem__)
        stop = min(start + most, high)
        stop = bisect_right(self._by_predicate, o, start, stop, key=self._objects.__getitem__)
        return self.by_predicate, start, stop

    def _in_graph(self, g: int, s: int | None, p: int | None, o: int | None) -> tuple[Order, int, int]:
        order, low, high = self.find(s, p, o)
        code = self.graph_code.get(g)
        if code is None:
            return None, 0, 0
        if self.by_graph is None or low == high:
            return order, low, high
        first, last = int(self.graph_starts[code]), int(self.graph_starts[code + 1])
        if s is None and p is None and o is None:
            return self.by_graph, first, last
        if last - first < high - low:
            rows = self.by_graph[first:last]
            rows = rows[self._matches(rows, s, p, o)]
        else:
            rows = rows_of(order, low, high)
            rows = rows[self.graph.codes[rows] == code]
        return rows, 0, len(rows)

    def _matches(self, rows: Array, s: int | None, p: int | None, o: int | None) -> Array:
        keep = np.ones(len(rows), bool)
        if s is not None:
            low, high = self.of_subject(s)
            keep &= (rows >= low) & (rows < high)
        if p is not None:
            keep &= self.predicate.codes[rows] == self.predicate_code.get(p, -1)
        if o is not None:
            keep &= self.object[rows] == o
        return keep


_BARE = np.zeros(1, np.uint32)


def _bare(rows: int) -> Coded:
    """Return the column of facts without assertions, which takes no memory."""
    return Coded(np.broadcast_to(np.zeros(1, np.uint8), rows), _BARE)


def rows_of(order: Order, low: int, high: int) -> NDArray[np.uint32]:
    """Return the rows in a range of an order."""
    if order is None:
        return np.arange(low, high, dtype=np.uint32)
    return np.asarray(order[low:high], np.uint32)


def narrow(column: memoryview, low: int, high: int, value: int) -> tuple[int, int]:
    """Return the range of a value inside an ascending range of a column."""
    start = bisect_left(column, value, low, high)
    return start, bisect_right(column, value, start, high)
