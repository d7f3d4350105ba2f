"""Large loads: statements collected and sorted by compiled loops, table and index written at once."""

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kgmm.store.handle import Handle
from kgmm.store.index import state as index
from kgmm.store.index.base import Statements
from kgmm.store.index.collecting import Collector, merged
from kgmm.store.index.spans import Spans
from kgmm.store.table import delta as table
from kgmm.store.table import vocabulary


def commit(
    store: Handle, parts: Iterable[Spans | pa.Table], graph: str | None, about: dict[str, Any]
) -> tuple[int, int]:
    """Add statements in one commit, for a caller that holds the lock; return how many came and how many were new."""
    opened, places = store.opened, store.places
    collector = Collector(opened, graph)
    for part in parts:
        collector.add(part)
    terms, found = collector.terms, merged(opened.snapshot, collector)
    if not found.added:
        return found.came, 0
    with ThreadPoolExecutor(2, thread_name_prefix="kgmm-write") as pool:
        base = pool.submit(index.new_base, places.index, found.rows, terms.count, in_order=True)
        files = _write_table(store, pool, found.rows.take(found.new), found.places, collector)
        vocabulary.write(places.terms, terms.first, collector.new_terms, store.drafts)
        written = [file.result() for file in files]
        made = base.result()
    version = table.commit(places.table, store.version, written, (), {**about, "terms": terms.count})
    state = collector.write(places.index, version, made)
    store.publish(state)
    index.sweep(places.index, state)
    return found.came, found.added


def _write_table(
    store: Handle, pool: ThreadPoolExecutor, rows: Statements, places: NDArray[np.uint32], collector: Collector
) -> list[Future[dict[str, Any]]]:
    """Write statements, in the order given, as data files of the table; return what will tell of them."""
    terms, sources = collector.terms, collector.sources.strings()
    names = terms.strings()
    surfaces = pa.chunked_array(collector.surfaces, pa.large_string())
    surfaces = None if surfaces.null_count == len(surfaces) else pa.concat_arrays(surfaces.chunks)

    def file(start: int, stop: int) -> dict[str, Any]:
        part = rows.take(slice(start, stop))
        literal = terms.blob[terms.starts[part.object].astype(np.int64)] == ord('"')
        surface = pa.nulls(stop - start, pa.string())
        if surfaces is not None:
            surface = surfaces.take(pa.array(places[start:stop])).cast(pa.string())
        columns = [
            *(_strings(names, ids) for ids in (part.graph, part.subject, part.predicate, part.object)),
            pa.DictionaryArray.from_arrays(pa.array(literal.view(np.int8)), ["node", "literal"]),
            pa.array(part.weight),
            _strings(sources, part.source),
            surface,
        ]
        return table.write_file(store.places.table, pa.table(columns, names=table.SCHEMA.names), store.drafts)

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
