"""Opening a store: make an empty one, bring a stale index up to the table, rebuild a damaged one, show the past."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from kgmm.errors import StoreBusy, StoreCorrupt, StoreError
from kgmm.store.index import files as index
from kgmm.store.index import terms as dictionary
from kgmm.store.index.files import Opened, State
from kgmm.store.lock import writing
from kgmm.store.table import delta as table
from kgmm.store.table import vocabulary

if TYPE_CHECKING:
    from kgmm.store.local import LocalStore

#: what a store's folder may hold
OURS = {".lock", "table", "terms", "index", "cache"}


def open_store(store: LocalStore, create: bool, version: int | None) -> None:
    """Open *store* at its newest version, or at *version*."""
    newest = table.latest(store.table_path)
    if newest < 0:
        if not create or version is not None:
            raise StoreError(f"{store.path}: no knowledge store here; make one with: kgmm load {store.path} FILE")
        _create(store)
    if version is None:
        catch_up(store)
    else:
        _open_past(store, version, table.latest(store.table_path))


def _create(store: LocalStore) -> None:
    if store.path.exists() and (not store.path.is_dir() or {e.name for e in store.path.iterdir()} - OURS):
        raise StoreError(f"{store.path}: not a knowledge store and not empty; name another folder")
    try:
        store.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{store.path}: the store cannot be made: {error.strerror}") from error
    with writing(store.path, store.timeout):
        if table.latest(store.table_path) < 0:
            if store.table_path.exists():  # a writer died while making it
                shutil.rmtree(store.table_path)
            index.start(store.index_path)
            table.create(store.table_path)


def catch_up(store: LocalStore) -> None:
    """Show the newest version, bringing the index up to it first if need be."""
    opened = _current(store)
    if opened is None:
        try:
            with writing(store.path, store.timeout):
                opened = _current(store) or bring_up(store, store.index_path)
        except StoreBusy:
            raise
        except (StoreError, OSError) as error:
            if isinstance(error, StoreCorrupt):
                raise
            opened = bring_up(store, store._scratch_dir() / "index")
    store._show(opened)


def catch_up_locked(store: LocalStore) -> None:
    """Show the newest version; the caller holds the lock."""
    store._show(_current(store) or bring_up(store, store.index_path))


def _current(store: LocalStore) -> Opened | None:
    """Return the index's newest version if it is the table's, else None."""
    for _ in range(3):  # a compaction may replace files between reading their names and mapping them
        state = index.read_state(store.index_path)
        if state is None or not table.log_path(store.table_path, state.version).exists():
            return None
        if table.latest(store.table_path, state.version) != state.version:
            return None
        shown: Opened | None = getattr(store, "_opened", None)
        if shown is not None and shown.state == state:
            return shown
        try:
            return index.open_state(store.index_path, state)
        except (OSError, ValueError):
            continue
    return None


def bring_up(store: LocalStore, folder: Path) -> Opened:
    """Bring the index in *folder* up to the table's newest version; the caller holds the lock or owns the folder."""
    newest = table.latest(store.table_path)
    state = index.read_state(folder)
    if state is not None and 0 <= state.version <= newest:
        try:
            opened = index.open_state(folder, state)
            for version in range(state.version + 1, newest + 1):
                opened = _replay(store, folder, opened, version)
            return opened
        except (OSError, ValueError, _CannotReplay):
            pass  # the index is derived: build it anew below
    return rebuild(store, folder, newest)


class _CannotReplay(Exception):
    """A commit did what only the whole table tells."""


def _replay(store: LocalStore, folder: Path, opened: Opened, version: int) -> Opened:
    """Apply one commit to the index."""
    from kgmm.store import changes

    did = table.actions(store.table_path, version)
    about = table.info(store.table_path, version)
    files = [action["add"]["path"] for action in did if "add" in action]
    if about.get("operation") == "compact":
        state = index.advanced(opened.state, version=version)
    elif about.get("operation") == "remove":
        state = changes.removed(folder, opened, version, about["pattern"])
    elif any("remove" in action for action in did):
        raise _CannotReplay
    else:
        _read_terms(store, folder, opened.state.terms, int(about.get("terms", 0)))
        known = max(opened.state.terms, int(about.get("terms", 0)))
        opened = index.open_state(folder, index.advanced(opened.state, terms=known))
        state = changes.added_rows(store, folder, opened, version, files)
    index.write_state(folder, state)
    return index.open_state(folder, state)


def _read_terms(store: LocalStore, folder: Path, first: int, stop: int) -> None:
    """Copy terms from their list into the index."""
    if stop > first:
        at = first
        for part in vocabulary.read(store.terms_path, first, stop):
            dictionary.append(folder / "terms", at, part)
            at += len(part)
        if at < stop:
            raise _CannotReplay


def rebuild(store: LocalStore, folder: Path, version: int) -> Opened:
    """Build the index of a version from the table and the list of terms."""
    from kgmm.store import changes

    if (folder / "terms").exists():
        shutil.rmtree(folder / "terms")
    if (folder / "sources").exists():
        shutil.rmtree(folder / "sources")
    index.start(folder)
    state = index.advanced(_terms_of(store, folder), version=version)
    opened = index.open_state(folder, state)
    names = [file["path"] for file in table.files(store.table_path, version)]
    state = changes.added_rows(store, folder, opened, version, names)
    index.write_state(folder, state)
    index.sweep(folder, state)
    return index.open_state(folder, state)


def _terms_of(store: LocalStore, folder: Path) -> State:
    """Fill the empty dictionary of a new index from the list of terms.

    Where the list is damaged, terms from there on get new ids, and what was keyed by the old ones is dropped.
    """
    state = index.read_state(folder)
    assert state is not None
    count = 0
    try:
        for part in vocabulary.read(store.terms_path):
            dictionary.append(folder / "terms", count, part)
            count += len(part)
    except StoreCorrupt:
        shutil.rmtree(store.path / "cache", ignore_errors=True)
    return index.advanced(state, terms=count)


def _open_past(store: LocalStore, version: int, newest: int) -> None:
    if not 0 <= version <= newest:
        raise StoreError(f"{store.path}: no version {version}; there are 0 to {newest}")
    state = index.read_state(store.index_path)
    if state is not None and state.version == version:
        try:
            store._show(index.open_state(store.index_path, state))
            return
        except (OSError, ValueError):
            pass  # damaged or just replaced: build our own below
    store._show(rebuild(store, store._scratch_dir() / f"version-{version}", version))


__all__ = ["bring_up", "catch_up", "catch_up_locked", "open_store", "rebuild"]
