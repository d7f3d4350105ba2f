"""Loading a file: its format's reader parses, one commit takes all of it, what cannot be used is listed."""

from __future__ import annotations

import filecmp
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import chain, count
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from kgmm.errors import BadInput
from kgmm.files import room
from kgmm.progress import Progress, silent
from kgmm.store import changes, formats
from kgmm.store.facts import LoadReport, no_name
from kgmm.store.formats import ReadOptions, Rejects
from kgmm.store.handle import Handle
from kgmm.store.index import encoding
from kgmm.store.rdf.foreign import Bounds
from kgmm.store.table import delta as table


def load(
    store: Handle,
    source: str | Path,
    *,
    format: str | None = None,
    graph: str | None = None,
    lang: str | None = None,
    strict: bool = False,
    references: bool = False,
    progress: Progress | None = None,
    timeout: float = Bounds.timeout,
    memory: int = Bounds.memory,
) -> LoadReport:
    """Load a file in one commit: all of it that can be used, or nothing.

    Args:
        store: where it goes.
        source: a file of any format in :mod:`kgmm.store.formats`, perhaps compressed.
        format: its format, if looking at the file does not tell.
        graph: the graph its facts go to, instead of its own.
        lang: keep only concepts of this language.
        strict: load nothing if a single line cannot be used.
        references: keep who says each fact, where the format tells, as assertions: ConceptNet's ``sources`` (a load then
            takes several times as long); others' named graphs, each as the source of what it states. What RDF says of
            a statement, qualifiers of time and ranks (KGTK, Wikidata) and nanopublications are kept always.
        progress: told the bytes read.
        timeout: seconds that parsing RDF (Turtle, TriG, RDF/XML, JSON-LD) may take, and one more for each megabyte.
        memory: bytes of memory it may take; it has a process of its own.

    Raises:
        BadInput: if the file cannot be read, *graph* is no name, or *strict* and a line cannot be used.
        StoreBusy: if another process writes for longer than the store's timeout.
    """
    store.require_newest()
    graph = graph or None
    if reason := no_name(graph or ""):
        raise BadInput("graph", reason)
    source, began = Path(source), time.perf_counter()
    found = formats.detect(source, format)
    rejects = RejectsFile(store.path.parent / f"{source.name}.rejects.tsv")
    about = {"operation": "load", "source": source.name, "format": found.NAME}
    with closing(rejects):
        options = ReadOptions(lang, graph, progress or silent, references, Bounds(timeout, memory))
        parts = _parts(found, source, options, rejects)
        first = _first(parts)
        read = sum(map(len, first))
        if read < encoding.BULK:
            if not (read or rejects.count or lang):
                raise BadInput(source, f"no statement is in it, read as {found.NAME}")
            rows = table.together(_as_table(part, graph) for part in first)
            _if_strict(strict, source, rejects)
            with store.writing():
                added = changes.append(store, rows, about)
        else:
            from kgmm.store.load import bulk

            ending = _then(lambda: _if_strict(strict, source, rejects))
            with store.writing():
                bare = not store.opened.state.said
                if bare:
                    try:
                        read, added = bulk.commit(store, _bare(chain(first, parts, ending)), graph, about)
                    except _Says:  # the file is read once more, its bare part too: what is said may be about any of it
                        bare = False
                        rejects.begin()
                        first, parts = [], _parts(found, source, options, rejects)
                        ending = _then(lambda: _if_strict(strict, source, rejects))
                if not bare:
                    rows = table.together(_as_table(part, graph) for part in chain(first, parts, ending))
                    read, added = rows.num_rows, changes.append(store, rows, about)
    listed, seconds = str(rejects.path) if rejects.count else None, time.perf_counter() - began
    lines = read + rejects.count
    return LoadReport(found.NAME, lines, added, read - added, rejects.count, listed, seconds, store.version)


def _parts(found: Any, source: Path, options: ReadOptions, rejects: RejectsFile) -> Iterator[Any]:
    """Yield a file's statements, writing down the lines that cannot be used."""
    for part in found.read(source, options):
        if isinstance(part, Rejects):
            rejects.add(part)
        else:
            yield table.completed(part, options.graph) if isinstance(part, pa.RecordBatch) else part


class _Says(Exception):
    """Something is said of the facts of a file, for which the compiled way has no room."""


def _bare(parts: Iterator[Any]) -> Iterator[Any]:
    """Hand statements on while nothing is said of them."""
    for part in parts:
        if isinstance(part, pa.Table) and table.says(part):
            raise _Says
        yield part


def _first(parts: Iterator[Any]) -> list[Any]:
    """Take statements until there are enough to tell a large load from a small one."""
    taken: list[Any] = []
    count = 0
    while count < encoding.BULK and (part := next(parts, None)) is not None:
        taken.append(part)
        count += len(part)
    return taken


def _as_table(part: Any, graph: str | None) -> pa.Table:
    return part if isinstance(part, pa.Table) else table.completed(part.to_batch(), graph)


def _then(action: Callable[[], None]) -> Iterator[Any]:
    """Act when everything before has been taken."""
    action()
    yield from ()


def _if_strict(strict: bool, source: Path, rejects: RejectsFile) -> None:
    if strict and rejects.count:
        rejects.close()
        raise BadInput(source, f"{rejects.count} lines cannot be used, nothing was loaded; see {rejects.path}")


class RejectsFile:
    """The lines a load could not use, with their number and the reason; the file is made when there is one.

    A file of its name is left as it is, whoever made it, and ``-2``, ``-3`` … comes into the new one's name, unless
    both say the same.
    """

    def __init__(self, path: Path) -> None:
        self.path: Path = path
        self.count: int = 0
        self._file: IO[str] | None = None
        self._before: list[Path] = []

    def add(self, rejects: Rejects) -> None:
        """Write some rejected lines."""
        with room(self.path):
            if self._file is None:
                self._file = self._opened()
                self._file.write("line\treason\ttext\n")
            for line, reason, raw in zip(*rejects, strict=True):
                self._file.write(f"{line}\t{_one_line(reason)}\t{_one_line(raw)}\n")
        self.count += len(rejects.lines)

    def begin(self) -> None:
        """Forget what was written: the file is read once more."""
        if self._file is not None:
            self._file.close()
            self.path.unlink()
            self.path = self._before[0] if self._before else self.path
        self.count, self._file, self._before = 0, None, []

    def _opened(self) -> IO[str]:
        """Make the file under the first name that is free; a link there is a name taken."""
        wanted = self.path
        for number in count(2):
            try:
                return self.path.open("x", encoding="utf-8", errors="replace")
            except FileExistsError:
                self._before.append(self.path)
                self.path = wanted.with_name(f"{wanted.name.removesuffix('.tsv')}-{number}.tsv")
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Finish the file; if one from before says the same, that one is it."""
        if self._file is None or self._file.closed:
            return
        with room(self.path):
            self._file.close()
        for before in self._before:
            if before.is_file() and not before.is_symlink() and filecmp.cmp(before, self.path, shallow=False):
                self.path.unlink()
                self.path = before
                return


def _one_line(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
