"""Loading a file: its format's reader parses, one commit takes all of it, what cannot be used is listed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from kgmm.errors import BadInput
from kgmm.progress import Progress
from kgmm.store import formats, opening
from kgmm.store.facts import DEFAULT_GRAPH, LoadReport
from kgmm.store.formats import ReadOptions, Rejects
from kgmm.store.lock import writing
from kgmm.store.table import delta as table

if TYPE_CHECKING:
    from kgmm.store.local import LocalStore


#: from so many statements on, a load takes the compiled way
BULK = 250_000
#: a ConceptNet dump larger than this (in bytes, perhaps compressed) is parsed by compiled code
COMPILED = 20 << 20


def load(
    store: LocalStore,
    source: Path,
    format: str | None,
    graph: str | None,
    lang: str | None,
    strict: bool,
    progress: Progress,
) -> LoadReport:
    """Load a file into a store; see :meth:`LocalStore.load`."""
    store._writable()
    began = time.perf_counter()
    found = formats.detect(source, format)
    rejects = RejectsFile(store.path.parent / f"{source.name}.rejects.tsv")
    about = {"operation": "load", "source": source.name, "format": found.NAME}
    with closing(rejects):
        parts = _parts(found, source, ReadOptions(lang, graph, progress), rejects)
        first = _first(parts)
        if sum(len(part) for part in first) < BULK:
            read = sum(len(part) for part in first)
            rows = pa.concat_tables([_as_table(part, graph) for part in first] or [table.SCHEMA.empty_table()])
            _if_strict(strict, source, rejects)
            from kgmm.store import changes

            with writing(store.path, store.timeout):
                opening.catch_up_locked(store)
                added = changes.append(store, rows, about)
        else:
            from kgmm.store.load import bulk

            with writing(store.path, store.timeout):
                opening.catch_up_locked(store)
                whole = chain(first, parts, _then(lambda: _if_strict(strict, source, rejects)))
                read, added = bulk.commit(store, whole, graph, about)
    return LoadReport(
        found.NAME,
        read + rejects.count,
        added,
        read - added,
        rejects.count,
        str(rejects.path) if rejects.count else None,
        time.perf_counter() - began,
        store.version,
    )


def _parts(found: Any, source: Path, options: ReadOptions, rejects: RejectsFile) -> Iterator[Any]:
    """Yield a file's statements, writing down the lines that cannot be used."""
    if found.NAME == "conceptnet" and source.stat().st_size > COMPILED:
        from kgmm.store.load import dump

        reader: Iterable[Any] = dump.read(source, options.lang, options.progress)
    else:
        reader = found.read(source, options)
    for part in reader:
        if isinstance(part, Rejects):
            rejects.add(part)
        else:
            yield completed(part, options.graph) if isinstance(part, pa.RecordBatch) else part


def _first(parts: Iterator[Any]) -> list[Any]:
    """Take statements until there are enough to tell a large load from a small one."""
    taken: list[Any] = []
    count = 0
    while count < BULK and (part := next(parts, None)) is not None:
        taken.append(part)
        count += len(part)
    return taken


def _as_table(part: Any, graph: str | None) -> pa.Table:
    return part if isinstance(part, pa.Table) else completed(part.to_batch(), graph)


def _then(action: Callable[[], None]) -> Iterator[Any]:
    """Act when everything before has been taken."""
    action()
    yield from ()


def _if_strict(strict: bool, source: Path, rejects: RejectsFile) -> None:
    if strict and rejects.count:
        raise BadInput(source, f"{rejects.count} lines cannot be used, nothing was loaded; see {rejects.path}")


def completed(part: pa.RecordBatch | pa.Table, graph: str | None) -> pa.Table:
    """Return a reader's batch with all the table's columns; *graph* goes before the batch's own graphs."""
    rows = part if isinstance(part, pa.Table) else pa.Table.from_batches([part])
    have = set(rows.column_names)
    columns: dict[str, Any] = {}
    for field in table.SCHEMA:
        columns[field.name] = (
            rows[field.name].cast(field.type) if field.name in have else pa.nulls(rows.num_rows, field.type)
        )
    if graph is not None:
        columns["graph"] = pa.repeat(pa.scalar(graph), rows.num_rows)
    columns["graph"] = pc.fill_null(columns["graph"], DEFAULT_GRAPH)
    columns["weight"] = pc.fill_null(columns["weight"], 1.0)
    columns["source"] = pc.fill_null(columns["source"], "")
    columns["object_kind"] = pc.if_else(pc.starts_with(columns["object"], '"'), "literal", "node")
    return pa.table([columns[field.name] for field in table.SCHEMA], schema=table.SCHEMA)


class RejectsFile:
    """The lines a load could not use, with their number and the reason; the file is made when there is one."""

    def __init__(self, path: Path) -> None:
        self.path, self.count = path, 0
        self._file: Any = None

    def add(self, rejects: Rejects) -> None:
        """Write some rejected lines."""
        if self._file is None:
            self._file = self.path.open("w", encoding="utf-8", errors="replace")
            self._file.write("line\treason\ttext\n")
        for line, reason, raw in zip(*rejects, strict=True):
            self._file.write(f"{line}\t{_one_line(reason)}\t{_one_line(raw)}\n")
        self.count += len(rejects.lines)

    def close(self) -> None:
        """Finish the file."""
        if self._file is not None:
            self._file.close()


def _one_line(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
