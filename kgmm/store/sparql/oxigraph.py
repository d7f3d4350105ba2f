"""The SPARQL index of a store: Oxigraph databases derived from the table, one a version, kept in step.

Two kinds: ``plain`` holds one quad a fact; ``annotated`` adds weights and sources as RDF 1.2 annotations. Each is
built when a query first needs it; a later version starts from hard links to an earlier one and takes only what
changed between the two.
"""

import fcntl
import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from kgmm.files import room
from kgmm.store.assertions.telling import telling
from kgmm.store.handle import Handle
from kgmm.store.index.found import find
from kgmm.store.rdf.terms import Statement, quads
from kgmm.store.rdf.text import denials, document, plain, written
from kgmm.store.table import delta as table

_REBUILD = 0.3  #: an index is built anew when more than this share of the facts changed
_KEEP = 2  #: how many versions of one kind stay for readers that still use them


def merged(store: Handle) -> bool:
    """Tell whether the default graph holds copies: of one graph alone, the union needs none."""
    return len(store.opened.counted("graph")) > 1


def index(store: Handle, annotated: bool) -> Path:
    """Return the folder of the database at the store's version, building or updating it if need be."""
    root = store.cache_dir("sparql")
    if store.moment is not None and store.belief is None:
        return _of_moment(store, root, annotated)
    kind = ("annotated" if annotated else "plain") + ("-merged" if merged(store) else "")
    wanted = root / f"{kind}-{store.version}.{table.identity(store.places.table, store.version)}"
    if wanted.is_dir():
        return wanted
    with room(root), _only_one(root):
        if wanted.is_dir():
            return wanted
        for left in root.glob(".draft-*"):  # by a process that was killed: nobody else builds now
            shutil.rmtree(left, ignore_errors=True)
        draft = root / f".draft-{kind}-{os.getpid()}"
        try:
            if not _update(store, draft, _versions(store, root, kind), annotated):
                _build(store, draft, annotated)
            draft.rename(wanted)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        for _, old in _versions(store, root, kind)[:-_KEEP]:
            if old != wanted:
                _delete(old)
    return wanted


def _of_moment(store: Handle, root: Path, annotated: bool) -> Path:
    """Return a database of what held at a time, the newest :data:`_KEEP` of which are kept."""
    assert store.moment is not None
    kind = ("annotated" if annotated else "plain") + ("-merged" if merged(store) else "")
    commit = table.identity(store.places.table, store.version)
    wanted = root / f"at.{store.moment.first}.{store.moment.last}.{kind}.{commit}"
    with room(root), _only_one(root):
        if not wanted.is_dir():
            draft = root / f".draft-at-{os.getpid()}"
            try:
                _build(store, draft, annotated)
                draft.rename(wanted)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
            for old in sorted(root.glob("at.*"), key=lambda path: path.stat().st_mtime)[:-_KEEP]:
                if old != wanted:
                    _delete(old)
    return wanted


@contextmanager
def _only_one(root: Path) -> Iterator[None]:
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _versions(store: Handle, root: Path, kind: str) -> list[tuple[int, Path]]:
    """Return the databases of one kind by version; those of a table that is not here any more are deleted."""
    found = []
    for path in root.glob(f"{kind}-[0-9]*"):
        version, _, commit = path.name.removeprefix(f"{kind}-").partition(".")
        if version.isdecimal() and commit == table.identity(store.places.table, int(version)):
            found.append((int(version), path))
        else:
            _delete(path)
    return sorted(found)


def _delete(database: Path) -> None:
    """Delete a database so that it is gone at once for whoever opens it."""
    gone = database.with_name(f".draft-{database.name}")
    database.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def _build(store: Handle, draft: Path, annotated: bool) -> None:
    copies = merged(store)
    parts = _annotated(store, copies) if annotated else plain(store.opened, copies)
    database = ox.Store(str(draft))
    # as one stream, so that it is sorted into few files
    database.bulk_load(io.BufferedReader(_Stream(parts), 1 << 20), ox.RdfFormat.N_QUADS, lenient=True)
    database.optimize()  # joins are then two to four times as fast
    database.flush()
    del database


def _annotated(store: Handle, copies: bool) -> Iterator[bytes]:
    """Yield the facts with what is said of them, and what is said against facts that are none."""
    said = telling(store)
    yield from document(find(store.opened), True, copies, said=said, bounds=True)
    if said is not None:
        for line in denials(said.denied(), False, written, bounds=True):
            yield line.encode()
            if copies:
                yield f"{line.rpartition(' <')[0]} .\n".encode()


class _Stream(io.RawIOBase):
    """Parts of a file that are made as they are read."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts, self._left = parts, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._left = memoryview(part)
        size = min(len(buffer), len(self._left))
        buffer[:size], self._left = self._left[:size], self._left[size:]
        return size


def _update(store: Handle, draft: Path, versions: list[tuple[int, Path]], annotated: bool) -> bool:
    """Start from the nearest earlier version; return whether that was worth it."""
    earlier = [(v, p) for v, p in versions if table.oldest(store.places.table) <= v < store.version]
    if not earlier:
        return False
    version, old = earlier[-1]
    if annotated and store.opened.state.said:
        return False  # what is said of one fact may be said in many files: told anew, nothing of it is missed
    changed = changes(store, version, int(_REBUILD * len(store.opened.snapshot)) + 1000)
    if changed is None:
        return False
    removed, added = changed
    _link(old, draft)
    database = ox.Store(str(draft))
    copies = merged(store)
    for fact in removed:
        for quad in quads(fact, annotated):
            database.remove(quad)
            if copies and not _elsewhere(database, quad):
                database.remove(_copy(quad))
    new = [quad for fact in added for quad in quads(fact, annotated)]
    database.extend(new + [_copy(quad) for quad in new] if copies else new)
    database.flush()
    del database
    return True


def _copy(quad: ox.Quad) -> ox.Quad:
    return ox.Quad(quad.subject, quad.predicate, quad.object)


def _elsewhere(database: ox.Store, quad: ox.Quad) -> bool:
    """Tell whether a named graph still states what a quad does."""
    found = database.quads_for_pattern(quad.subject, quad.predicate, quad.object, None)
    return any(not isinstance(q.graph_name, ox.DefaultGraph) for q in found)


def changes(store: Handle, since: int, most: int) -> tuple[list[Statement], list[Statement]] | None:
    """Return the facts removed and added since a version, or None if the files of more than *most* changed."""
    folder = store.places.table
    before = {f["path"]: f["num_records"] for f in table.files(folder, since)}
    now = {f["path"]: f["num_records"] for f in table.files(folder, store.version)}
    gone, new = before.keys() - now.keys(), now.keys() - before.keys()
    if sum(before[p] for p in gone) + sum(now[p] for p in new) > most + 2 * table.FILE_ROWS:
        return None
    old_rows, new_rows = _rows(folder, sorted(gone)), _rows(folder, sorted(new))
    return [row for row in old_rows if row not in new_rows], [row for row in new_rows if row not in old_rows]


def _rows(folder: Path, names: list[str]) -> dict[Statement, None]:
    columns = ["graph", "subject", "predicate", "object", "weight", "source"]
    found: dict[Statement, None] = {}
    for name in filter(table.may_stand, names):
        part = table.standing(table.read(folder, name, [*columns, "role"]))
        lists = [part[c].to_pylist() for c in columns]
        lists[5] = [s or "" for s in lists[5]]
        found.update(dict.fromkeys(zip(*lists, strict=True)))
    return found


def _link(old: Path, draft: Path) -> None:
    """Copy a database: its sorted tables never change once written, so links to them do."""
    draft.mkdir()
    for file in old.iterdir():
        if file.name != "LOCK":
            (os.link if file.suffix == ".sst" else shutil.copy2)(file, draft / file.name)
