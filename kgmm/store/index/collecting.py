"""Many statements into the index at once: whole columns numbered and sorted by compiled loops."""

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kgmm.files import publish
from kgmm.store.facts import DEFAULT_GRAPH
from kgmm.store.index import kernels, ordering, stamps
from kgmm.store.index import terms as dictionary
from kgmm.store.index.base import Array, Statements
from kgmm.store.index.mapped import mapped, view
from kgmm.store.index.snapshot import Snapshot
from kgmm.store.index.spans import Spans
from kgmm.store.index.state import Opened, State
from kgmm.store.index.terms import FILL, Terms


class Encoder:
    """A dictionary in memory that numbers the strings of whole columns."""

    def __init__(self, known: Terms) -> None:
        self.first: int = len(known)
        self.count: int = self.first
        self.starts: NDArray[np.uint64] = np.zeros(max(2 * self.count, 1 << 16) + 1, np.uint64)
        blob, self.starts[: self.count + 1] = known.arrays
        used = int(self.starts[self.count])
        self.blob: NDArray[np.uint8] = np.empty(max(2 * used, 1 << 20), np.uint8)
        self.blob[:used] = blob[:used]
        self.hashes: NDArray[np.uint64] = np.empty(len(self.starts), np.uint64)
        kernels.hashes_of(self.blob, self.starts, 0, self.count, self.hashes)
        self._resize_slots(1 << 17)

    def encode(self, data: Array, begins: Array, ends: Array, hashes: Array | None = None) -> NDArray[np.uint32]:
        """Return the ids of the strings ``data[begins[i]:ends[i]]``; unknown ones get the next."""
        rows = len(begins)
        if hashes is None:
            hashes = np.empty(rows, np.uint64)
            kernels.hash_spans(data, begins, ends, hashes)
        used = int(self.starts[self.count])
        if used + len(data) > len(self.blob):
            self.blob = _grown(self.blob, 2 * (used + len(data)))
        if self.count + rows + 1 > len(self.starts):
            self.starts = _grown(self.starts, 2 * (self.count + rows) + 1)
            self.hashes = _grown(self.hashes, len(self.starts))
        if self.count + rows > FILL * len(self.slots):
            self._resize_slots(self.count + rows)
        ids = np.empty(rows, np.uint32)
        known = (self.slots, self.hashes, self.starts, self.blob, self.count)
        self.count = int(kernels.encode(data, begins, ends, hashes, ids, *known))
        return ids

    def encode_column(self, column: pa.ChunkedArray) -> NDArray[np.uint32]:
        """Return the ids of an Arrow column of strings."""
        parts = []
        for chunk in column.cast(pa.large_string()).chunks:
            offsets = np.frombuffer(chunk.buffers()[1], np.int64)[chunk.offset : chunk.offset + len(chunk) + 1]
            data = chunk.buffers()[2]
            text = np.frombuffer(data, np.uint8) if data is not None and data.size else np.empty(0, np.uint8)
            text = text[int(offsets[0]) : int(offsets[-1])] if len(chunk) else text
            offsets = offsets - offsets[0] if len(chunk) else offsets
            parts.append(self.encode(text, offsets[:-1], offsets[1:]))
        return np.concatenate(parts) if parts else np.empty(0, np.uint32)

    def encode_one(self, text: str) -> int:
        """Return the id of one string."""
        data = np.frombuffer(text.encode(), np.uint8)
        return int(self.encode(data, np.zeros(1, np.int64), np.array([len(data)]))[0])

    def _resize_slots(self, count: int) -> None:
        size = dictionary.slots_for(2 * max(count, self.count))
        self.slots = np.zeros(size, np.uint64)
        kernels.fill_slots(self.hashes, self.count, self.slots)

    def strings(self) -> pa.Array:
        """Return all strings in the order of their ids."""
        starts = self.starts[: self.count + 1].astype(np.int64)
        buffers = [None, pa.py_buffer(starts), pa.py_buffer(self.blob[: int(starts[-1])])]
        return pa.Array.from_buffers(pa.large_string(), self.count, buffers)

    def sort_new(self) -> NDArray[np.uint32]:
        """Number the new strings in their order; return the table from the ids handed out to the final ones.

        Terms in order make a table whose files hold ranges of subjects, and that compresses better.
        """
        import polars as pl

        new = self.strings().slice(self.first)
        order = pl.Series(pl.from_arrow(new)).arg_sort().to_numpy().astype(np.int64)
        final = np.arange(self.count, dtype=np.uint32)
        final[self.first + order] = np.arange(self.first, self.count, dtype=np.uint32)
        ordered = new.take(pa.array(order))
        lengths = np.diff(np.frombuffer(ordered.buffers()[1], np.int64)[: len(order) + 1])
        begin = int(self.starts[self.first])
        self.starts[self.first + 1 : self.count + 1] = begin + np.cumsum(lengths)
        data = ordered.buffers()[2]
        if data is not None:
            text = np.frombuffer(data, np.uint8)[: int(lengths.sum())]
            self.blob[begin : begin + len(text)] = text
        self.hashes[self.first : self.count] = self.hashes[self.first : self.count][order]
        return final

    def write(self, folder: Path) -> None:
        """Bring the mapped dictionary in *folder* up to this one."""
        begin = int(mapped(folder / "offsets", np.uint64, self.first + 1)[self.first])
        new = self.blob[begin : int(self.starts[self.count])]
        ends = np.ascontiguousarray(self.starts[self.first + 1 : self.count + 1])
        slots = np.zeros(dictionary.slots_for(self.count), np.uint32)
        kernels.fill_slots(self.hashes, self.count, slots)
        with stamps.growing(folder, self.first, self.count):
            dictionary.write_at(folder / "blob", begin, view(new))
            dictionary.write_at(folder / "offsets", 8 * (self.first + 1), view(ends).cast("B"))
            publish(folder / "slots", slots.tobytes())


def _few(encoder: Encoder, part: Spans, field: int) -> NDArray[np.uint32]:
    """Return the ids of a column of which the parser numbered the distinct values, if they are few."""
    begins, ends, few = part.begins[field], part.ends[field], part.few[field]
    if few is None:
        return encoder.encode(part.data, begins, ends)
    return encoder.encode(part.data, begins[few.firsts], ends[few.firsts])[few.codes]


def _grown(array: NDArray[Any], size: int) -> NDArray[Any]:
    larger = np.empty(size, array.dtype)
    larger[: len(array)] = array
    return larger


class Collector:
    """Statements of a load as they come in, by number, and their surface texts."""

    def __init__(self, opened: Opened, graph: str | None) -> None:
        self._opened, self._graph = opened, graph
        self.terms: Encoder = Encoder(opened.terms)
        self.sources: Encoder = Encoder(opened.sources)
        self._columns: list[list[NDArray[Any]]] = [[column] for column in Statements.empty()]
        self.surfaces: list[pa.Array] = []

    def add(self, part: Spans | pa.Table) -> None:
        """Take some statements."""
        rows = self._spans(part) if isinstance(part, Spans) else self._table(part)
        for column, more in zip(self._columns, rows, strict=True):
            column.append(np.asarray(more))

    def _spans(self, part: Spans) -> Statements:
        encode, data = self.terms.encode, part.packed
        graph = self.terms.encode_one(self._graph or DEFAULT_GRAPH)
        self.surfaces.append(part.surface)
        spans = zip(part.begins[1:3], part.ends[1:3], part.hashes, strict=True)
        subject, target = (encode(data, *span) for span in spans)
        predicate = _few(self.terms, part, 0)
        source = _few(self.sources, part, 3)
        graphs, bare = np.full(len(part), graph, np.uint32), np.zeros(len(part), np.uint32)
        return Statements(subject, predicate, target, graphs, part.weight, source, bare)

    def _table(self, part: pa.Table) -> Statements:
        self.surfaces.extend(part["surface"].cast(pa.large_string()).chunks)
        ends = (self.terms.encode_column(part[name]) for name in Statements._fields[:4])
        weight = np.asarray(part["weight"].to_numpy(zero_copy_only=False), np.float64)
        bare = np.zeros(len(part), np.uint32)
        return Statements._make((*ends, weight, self.sources.encode_column(part["source"]), bare))

    def finish(self) -> Statements:
        """Return all statements with the terms' final ids."""
        final = self.terms.sort_new()
        columns = []
        for parts in self._columns:
            columns.append(np.concatenate(parts))
            parts.clear()
        return Statements(*(final[column] for column in columns[:4]), *columns[4:])

    @property
    def new_terms(self) -> pa.Array:
        """The terms the index did not have, in the order of their ids."""
        return self.terms.strings().slice(self.terms.first)

    def write(self, folder: Path, version: int, base: tuple[str, dict[str, Any]]) -> State:
        """Bring the dictionaries in *folder* up to what was collected; return the state with a new base."""
        self.terms.write(folder / "terms")
        self.sources.write(folder / "sources")
        state = self._opened.state.on(*base)
        return replace(state, version=version, terms=self.terms.count, sources=self.sources.count)


class Sorted(NamedTuple):
    """Old and new statements in the order of the index, which of them are new, and where those came in."""

    rows: Statements
    new: NDArray[np.bool_] | slice
    places: NDArray[np.uint32]
    came: int
    added: int


def merged(snapshot: Snapshot, collector: Collector) -> Sorted:
    """Merge what was collected into what is there, each statement once."""
    fresh = collector.finish()
    came, known = len(fresh.subject), len(snapshot)
    rows = Statements.concatenate([snapshot.all(), fresh]) if known else fresh
    del fresh
    order = ordering.by_subject(rows, collector.terms.count)
    keep = np.empty(len(order), bool)
    added = int(kernels.first_of_each(order, rows.subject, rows.predicate, rows.object, rows.graph, known, keep))
    order = order[keep] if not keep.all() else order
    new = order >= known if known else slice(None)
    return Sorted(rows.take(order), new, order[new] - np.uint32(known), came, added)
