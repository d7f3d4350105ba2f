"""The bulk of a store's statements as mapped arrays, sorted so that every pattern is one range or close to it.

Rows lie in the order subject, predicate, object, graph; two permutations give the order object, subject,
predicate and the order predicate, object, subject, a third one (only where there are several graphs) the
order of graphs. Where each subject's and object's rows begin is a table, so a look-up starts without a search.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh64_hexdigest

from kgmm.store.files import mapped, view

Array = NDArray[Any]
#: rows of an object that are looked at one by one for a predicate, and all at once
_FEW, _SOME = 24, 2048


class Statements(NamedTuple):
    """Undecoded statements: term ids (uint32), weights (float64), codes into a list of sources."""

    subject: NDArray[np.uint32]
    predicate: NDArray[np.uint32]
    object: NDArray[np.uint32]
    graph: NDArray[np.uint32]
    weight: NDArray[np.float64]
    source: NDArray[np.uint32]

    def take(self, rows: Array | slice) -> Statements:
        """Return some of the statements."""
        return Statements._make(column[rows] for column in self)

    @staticmethod
    def empty() -> Statements:
        """Return no statements."""
        ids = np.empty(0, np.uint32)
        return Statements(ids, ids, ids, ids, np.empty(0), ids)

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
        n, self.rows = sizes["rows"], sizes["rows"]
        self.terms: int = sizes["terms"]
        kinds, values = sizes["kinds"], sizes["values"]

        def coded(name: str, dtype: str) -> Coded:
            return Coded(
                mapped(folder / f"{name}.codes", kinds[name], n),
                mapped(folder / f"{name}.values", dtype, values[name]),
            )

        self.object = mapped(folder / "object", "u4", n)
        self.predicate, self.graph = coded("predicate", "u4"), coded("graph", "u4")
        self.weight, self.source = coded("weight", "f8"), coded("source", "u4")
        self.by_object = mapped(folder / "by_object", "u4", n)
        self.by_predicate = mapped(folder / "by_predicate", "u4", n)
        self.by_graph = mapped(folder / "by_graph", "u4", n) if values["graph"] > 1 else None
        self.subject_starts = mapped(folder / "subject_starts", "u4", self.terms + 1)
        self.object_starts = mapped(folder / "object_starts", "u4", self.terms + 1)
        self.predicate_starts = mapped(folder / "predicate_starts", "i8", values["predicate"] + 1)
        self.graph_starts = mapped(folder / "graph_starts", "i8", values["graph"] + 1)
        # one item at a time, memory reads faster than an array
        self._subject_at, self._object_at = view(self.subject_starts), view(self.object_starts)
        self._objects, self._by_object = view(self.object), view(self.by_object)
        self._predicates = view(self.predicate.codes)

    @cached_property
    def predicate_code(self) -> dict[int, int]:
        """The code of each predicate, by term id."""
        return self.predicate.numbers()

    @cached_property
    def graph_code(self) -> dict[int, int]:
        """The code of each graph, by term id."""
        return self.graph.numbers()

    @cached_property
    def subject(self) -> NDArray[np.uint32]:
        """The subject of every row, spelled out."""
        return np.repeat(np.arange(self.terms, dtype=np.uint32), np.diff(self.subject_starts))

    def subjects(self, rows: Array) -> NDArray[np.uint32]:
        """Return the subjects of some rows."""
        if len(rows) > self.rows >> 4:
            return self.subject[rows]
        return (np.searchsorted(self.subject_starts, rows, side="right") - 1).astype(np.uint32)

    def statements(self, rows: Array) -> Statements:
        """Return some rows, their sources as codes into this base's own list."""
        return Statements(
            self.subjects(rows),
            self.predicate.at(rows),
            self.object[rows],
            self.graph.at(rows),
            self.weight.at(rows),
            self.source.at(rows),
        )

    # --- look-up: a range of an order, or rows -------------------------------------------------------

    def of_subject(self, term: int) -> tuple[int, int]:
        """Return the range of rows with a subject."""
        return (self._subject_at[term], self._subject_at[term + 1]) if term < self.terms else (0, 0)

    def of_object(self, term: int) -> tuple[int, int]:
        """Return the range in ``by_object`` with an object."""
        return (self._object_at[term], self._object_at[term + 1]) if term < self.terms else (0, 0)

    def find(
        self, s: int | None, p: int | None, o: int | None, g: int | None
    ) -> tuple[Array | None, int, int]:
        """Return where the rows of a pattern lie: an order (None: the rows' own) and the range in it."""
        order, low, high = self._range(s, p, o)
        if g is None or low == high:
            return order, low, high
        code = self.graph_code.get(g)
        if code is None:
            return None, 0, 0
        if self.by_graph is None:
            return order, low, high
        first, last = int(self.graph_starts[code]), int(self.graph_starts[code + 1])
        if s is None and p is None and o is None:
            return self.by_graph, first, last
        if last - first < high - low:
            rows = self.by_graph[first:last]
            rows = rows[self._matches(rows, s, p, o)]
        else:
            rows = np.arange(low, high, dtype=np.uint32) if order is None else order[low:high]
            rows = rows[self.graph.codes[rows] == code]
        return rows, 0, len(rows)

    def _range(self, s: int | None, p: int | None, o: int | None) -> tuple[Array | None, int, int]:
        code = None
        if p is not None and (code := self.predicate_code.get(p)) is None:
            return None, 0, 0
        if s is not None:
            low, high = self.of_subject(s)
            if code is not None:
                low, high = _narrow(self._predicates, low, high, code)
            elif o is not None:
                first, last = self.of_object(o)
                start = bisect_left(self._by_object, low, first, last)
                return self.by_object, start, bisect_left(self._by_object, high, start, last)
            return (None, low, high) if o is None else (None, *_narrow(self._objects, low, high, o))
        if o is not None:
            first, last = self.of_object(o)
            if code is None or first == last:
                return self.by_object, first, last
            return self._of_predicate_and_object(code, o, first, last)
        if code is not None:
            return self.by_predicate, int(self.predicate_starts[code]), int(self.predicate_starts[code + 1])
        return None, 0, self.rows

    def _of_predicate_and_object(
        self, code: int, o: int, first: int, last: int
    ) -> tuple[Array | None, int, int]:
        if last - first <= _FEW:  # below these, looking at every row of the object is as quick
            codes = self._predicates
            found = [row for row in self._by_object[first:last] if codes[row] == code]
            return np.array(found, np.uint32), 0, len(found)
        if last - first <= _SOME:
            rows = self.by_object[first:last]
            rows = rows[self.predicate.codes[rows] == code]
            return rows, 0, len(rows)
        low, high = int(self.predicate_starts[code]), int(self.predicate_starts[code + 1])
        return self.by_predicate, self._bisect(o, low, high), self._bisect(o + 1, low, high)

    def _bisect(self, o: int, low: int, high: int) -> int:
        """Return where objects from *o* on begin in a range of ``by_predicate``."""
        while low < high:
            middle = (low + high) // 2
            if self.object[self.by_predicate[middle]] < o:
                low = middle + 1
            else:
                high = middle
        return low

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


def _narrow(column: memoryview, low: int, high: int, value: int) -> tuple[int, int]:
    """Return the range of a value inside an ascending range of a column."""
    start = bisect_left(column, value, low, high)
    return start, bisect_right(column, value, start, high)


def write(folder: Path, rows: Statements, terms: int, in_order: bool = False) -> dict[str, Any]:
    """Write statements as a base in a new folder; return the sizes :class:`Base` opens it with.

    *in_order* says that the rows are sorted by subject, predicate, object, graph already.
    """
    from kgmm.store import ordering

    folder.mkdir(parents=True)
    if not in_order:
        rows = rows.take(ordering.by_subject(rows, terms))
    n = len(rows.subject)
    arrays: dict[str, Array] = {"object": rows.object}
    codes: dict[str, Array] = {}
    for name in ("predicate", "graph"):
        codes[name], arrays[f"{name}.values"] = ordering.coded(getattr(rows, name), terms)
    for name in ("weight", "source"):
        codes[name], arrays[f"{name}.values"] = _distinct(getattr(rows, name))
    sizes: dict[str, Any] = {"rows": n, "terms": terms, "kinds": {}, "values": {}}
    for name, code in codes.items():
        arrays[f"{name}.codes"] = code
        sizes["kinds"][name], sizes["values"][name] = code.dtype.str[1:], len(arrays[f"{name}.values"])
    arrays["by_object"] = ordering.by_key(rows.object, terms)
    arrays["by_predicate"] = ordering.by_key(
        codes["predicate"], sizes["values"]["predicate"], arrays["by_object"]
    )
    if sizes["values"]["graph"] > 1:
        arrays["by_graph"] = ordering.by_key(codes["graph"], sizes["values"]["graph"])
    for name, column in (("subject_starts", rows.subject), ("object_starts", rows.object)):
        arrays[name] = _starts(column, terms).astype(np.uint32)
    for name in ("predicate", "graph"):
        arrays[f"{name}_starts"] = _starts(codes[name], sizes["values"][name])
    sizes["sums"] = {}
    for name, array in arrays.items():
        data = view(np.ascontiguousarray(array)).cast("B") if array.size else memoryview(b"")
        with (folder / name).open("wb") as file:
            file.write(data)
        sizes["sums"][name] = xxh64_hexdigest(data)
    return sizes


def _distinct(column: Array) -> tuple[Array, Array]:
    """Number the distinct values of a column by the smallest integers; return codes and values."""
    import pyarrow as pa

    found = pa.array(column).dictionary_encode()
    values = found.dictionary.to_numpy(zero_copy_only=False).astype(column.dtype)
    codes = found.indices.to_numpy(zero_copy_only=False)
    return codes.astype(np.min_scalar_type(max(len(values) - 1, 0))), values


def _starts(column: Array, count: int) -> NDArray[np.int64]:
    """Return where each of *count* numbers begins in the sorted column."""
    starts = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(column, minlength=count), out=starts[1:])
    return starts
