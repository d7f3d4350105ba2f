"""Large loads: dictionary encoding, sorting and index building by compiled loops, table and index written at once."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kgmm.store.facts import DEFAULT_GRAPH
from kgmm.store.files import mapped, view
from kgmm.store.index import files as index
from kgmm.store.index import kernels, ordering
from kgmm.store.index import terms as dictionary
from kgmm.store.index.base import Statements
from kgmm.store.index.files import Opened, State
from kgmm.store.index.snapshot import Snapshot
from kgmm.store.index.terms import FILL, Terms
from kgmm.store.load.dump import Spans
from kgmm.store.table import delta as table
from kgmm.store.table import vocabulary

if TYPE_CHECKING:
    from kgmm.store.local import LocalStore


class Encoder:
    """A dictionary in memory that numbers the strings of whole columns."""

    def __init__(self, known: Terms) -> None:
        self.first = self.count = len(known)
        self.starts = np.zeros(max(2 * self.count, 1 << 16) + 1, np.uint64)
        self.starts[: self.count + 1] = known._offsets
        used = int(self.starts[self.count])
        self.blob = np.empty(max(2 * used, 1 << 20), np.uint8)
        self.blob[:used] = known._blob[:used]
        self.hashes = np.empty(len(self.starts), np.uint64)
        kernels.hashes_of(self.blob, self.starts, 0, self.count, self.hashes)
        self._resize_slots(1 << 17)

    def encode(
        self,
        data: NDArray[np.uint8],
        begins: NDArray[Any],
        ends: NDArray[Any],
        hashes: NDArray[np.uint64] | None = None,
    ) -> NDArray[np.uint32]:
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
        self.count = int(
            kernels.encode(data, begins, ends, hashes, ids, self.slots, self.hashes, self.starts, self.blob, self.count)
        )
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
        kernels.fill_tagged(self.hashes, self.count, self.slots)

    def strings(self) -> pa.Array:
        """Return all strings in the order of their ids."""
        starts = self.starts[: self.count + 1].astype(np.int64)
        return pa.Array.from_buffers(
            pa.large_string(),
            self.count,
            [None, pa.py_buffer(starts), pa.py_buffer(self.blob[: int(starts[-1])])],
        )

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
        dictionary.write_at(folder / "blob", begin, view(new))
        ends = np.ascontiguousarray(self.starts[self.first + 1 : self.count + 1])
        dictionary.write_at(folder / "offsets", 8 * (self.first + 1), view(ends).cast("B"))
        slots = np.zeros(dictionary.slots_for(self.count), np.uint32)
        kernels.fill_slots(self.hashes, self.count, slots)
        dictionary.publish_slots(folder, slots)


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

    def __init__(self, terms: Terms, sources: Terms, graph: str | None) -> None:
        self.terms, self.sources, self.graph = Encoder(terms), Encoder(sources), graph
        self._columns: list[list[NDArray[Any]]] = [[] for _ in Statements._fields]
        self.surfaces: list[pa.Array] = []

    def add(self, part: Spans | pa.Table) -> None:
        """Take some statements."""
        rows = self._spans(part) if isinstance(part, Spans) else self._table(part)
        for column, more in zip(self._columns, rows, strict=True):
            column.append(np.asarray(more))

    def _spans(self, part: Spans) -> Statements:
        encode, data = self.terms.encode, part.data
        graph = self.terms.encode_one(self.graph or DEFAULT_GRAPH)
        self.surfaces.append(part.surface)
        subject, target = (
            encode(data, part.begins[field], part.ends[field], part.hashes[field - 1]) for field in (1, 2)
        )
        predicate = _few(self.terms, part, 0)
        source = _few(self.sources, part, 3)
        return Statements(subject, predicate, target, np.full(len(part), graph, np.uint32), part.weight, source)

    def _table(self, part: pa.Table) -> Statements:
        self.surfaces.extend(part["surface"].cast(pa.large_string()).chunks)
        subject, predicate, target, graph = (
            self.terms.encode_column(part[name]) for name in ("subject", "predicate", "object", "graph")
        )
        weight = np.asarray(part["weight"].to_numpy(zero_copy_only=False), np.float64)
        return Statements(subject, predicate, target, graph, weight, self.sources.encode_column(part["source"]))

    def finish(self) -> Statements:
        """Return all statements with the terms' final ids."""
        final = self.terms.sort_new()
        columns = []
        for place, name in enumerate(Statements._fields):
            parts = self._columns[place]
            column = np.concatenate(parts) if parts else getattr(Statements.empty(), name)
            parts.clear()
            columns.append(final[column] if name in ("subject", "predicate", "object", "graph") else column)
        return Statements(*columns)


class Sorted(NamedTuple):
    """Old and new statements in the order of the index, which of them are new, and where those came in."""

    rows: Statements
    new: NDArray[np.bool_] | slice
    places: NDArray[np.uint32]
    came: int
    added: int


def _sorted(snapshot: Snapshot, collector: Collector) -> Sorted:
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


def commit(
    store: LocalStore, parts: Iterable[Spans | pa.Table], graph: str | None, about: dict[str, Any]
) -> tuple[int, int]:
    """Add statements in one commit; the caller holds the lock. Return how many came and how many were new.

    Rows are sorted once; then one thread writes the table's files while another builds the index.
    """
    opened = store._opened
    collector = Collector(opened.terms, opened.sources, graph)
    for part in parts:
        collector.add(part)
    terms, merged = collector.terms, _sorted(opened.snapshot, collector)
    if not merged.added:
        return merged.came, 0
    with ThreadPoolExecutor(2, thread_name_prefix="kgmm-write") as pool:
        base = pool.submit(index.new_base, store.index_path, merged.rows, terms.count, in_order=True)
        files = write_table(store, pool, merged.rows.take(merged.new), merged.places, collector)
        vocabulary.write(store.terms_path, terms.first, terms.strings().slice(terms.first))
        written = [file.result() for file in files]
        name, sizes = base.result()
    version = table.commit(store.table_path, store.version, written, (), {**about, "terms": terms.count})
    state = _state(store.index_path, opened, collector, version, name, sizes)
    store._publish(state)
    index.sweep(store.index_path, state)
    return merged.came, merged.added


def indexed(store: LocalStore, folder: Path, opened: Opened, version: int, rows: pa.Table) -> State:
    """Bring the index in *folder* to a version that has these rows of the table more."""
    collector = Collector(opened.terms, opened.sources, None)
    for part in rows.to_batches(1 << 20):
        collector.add(pa.Table.from_batches([part]))
    terms, merged = collector.terms, _sorted(opened.snapshot, collector)
    if terms.count > terms.first and folder == store.index_path:
        vocabulary.write(store.terms_path, terms.first, terms.strings().slice(terms.first))
    name, sizes = index.new_base(folder, merged.rows, terms.count, in_order=True)
    return _state(folder, opened, collector, version, name, sizes)


def _state(folder: Path, opened: Opened, collector: Collector, version: int, name: str, sizes: dict[str, Any]) -> State:
    """Bring the dictionaries up to what was collected; return the state with the new base."""
    collector.terms.write(folder / "terms")
    collector.sources.write(folder / "sources")
    return index.advanced(
        opened.state,
        version=version,
        terms=collector.terms.count,
        sources=collector.sources.count,
        base=name,
        sizes=sizes,
        overlay=None,
        overlay_sum="",
    )


def write_table(
    store: LocalStore,
    pool: ThreadPoolExecutor,
    rows: Statements,
    places: NDArray[np.uint32],
    collector: Collector,
) -> list[Any]:
    """Write statements, in the order given, as data files of the table; return what will tell of them."""
    names, sources = collector.terms.strings(), collector.sources.strings()
    surfaces = pa.chunked_array(collector.surfaces, pa.large_string())
    surfaces = None if surfaces.null_count == len(surfaces) else surfaces.combine_chunks()
    if isinstance(surfaces, pa.ChunkedArray):
        surfaces = surfaces.chunk(0)

    def file(start: int, stop: int) -> dict[str, Any]:
        part = rows.take(slice(start, stop))
        literal = _begins_with_quote(collector.terms, part.object)
        surface = (
            pa.nulls(stop - start, pa.string())
            if surfaces is None
            else surfaces.take(pa.array(places[start:stop])).cast(pa.string())
        )
        columns = [
            _strings(names, part.graph),
            _strings(names, part.subject),
            _strings(names, part.predicate),
            _strings(names, part.object),
            pa.DictionaryArray.from_arrays(pa.array(literal.view(np.int8)), ["node", "literal"]),
            pa.array(part.weight),
            _strings(sources, part.source),
            surface,
        ]
        return table.write_file(store.table_path, pa.table(columns, names=table.SCHEMA.names))

    count = len(rows.subject)
    bounds = range(0, count, table.FILE_ROWS)
    return [pool.submit(file, start, min(start + table.FILE_ROWS, count)) for start in bounds]


def _strings(names: pa.Array, ids: NDArray[np.uint32]) -> pa.Array:
    """Return the strings of ids; where many come again as a dictionary column, which Parquet writes as it is."""
    values = np.sort(ids)
    values = values[np.flatnonzero(np.diff(values, prepend=values[0] + np.uint32(1)))]
    if 2 * len(values) > len(ids):
        return names.take(pa.array(ids)).cast(pa.string())
    place = np.empty(len(names), np.int32)  # filled only where it is read
    place[values] = np.arange(len(values), dtype=np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(place[ids]), names.take(pa.array(values)).cast(pa.string()))


def _begins_with_quote(terms: Encoder, ids: NDArray[np.uint32]) -> NDArray[np.bool_]:
    return np.asarray(terms.blob[terms.starts[ids].astype(np.int64)] == ord('"'))
