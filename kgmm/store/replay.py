"""The index follows the table: a commit applied to it, commits it missed replayed, or all of it built anew."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kgmm.errors import StoreCorrupt
from kgmm.store.index import encoding
from kgmm.store.index import state as index
from kgmm.store.index import terms as dictionary
from kgmm.store.index.base import Statements, rows_of
from kgmm.store.index.encoding import Encoded, encode, unknown
from kgmm.store.index.state import Opened, State
from kgmm.store.places import Places
from kgmm.store.table import delta as table
from kgmm.store.table import said, vocabulary

if TYPE_CHECKING:
    from kgmm.store.index.held import Change

#: changes kept beside the base before it is written anew: at least so many, or a tenth of its rows
OVERLAY_ROWS = 1 << 13
Pattern = Sequence[str | None]


def with_added(folder: Path, opened: Opened, version: int, coded: Encoded) -> State:
    """Bring the index in *folder* from *opened* to a version with these rows more."""
    state, snapshot = opened.state, opened.snapshot
    dictionary.append(folder / "terms", state.terms, coded.new_terms)
    dictionary.append(folder / "sources", state.sources, coded.new_sources)
    terms, sources = state.terms + len(coded.new_terms), state.sources + len(coded.new_sources)
    state = replace(state, version=version, terms=terms, sources=sources)
    changed = len(coded.rows.subject) + len(snapshot.removed) + len(snapshot.added.subject)
    if _many(changed, snapshot.base.rows):
        return with_base(folder, state, Statements.concatenate([snapshot.all(), coded.rows]))
    return _with_overlay(folder, state, Statements.concatenate([snapshot.added, coded.rows]), snapshot.removed)


def changed(folder: Path, opened: Opened, version: int, change: Change) -> State:
    """Bring the index to a version with assertions more or fewer."""
    state, snapshot, coded = opened.state, opened.snapshot, change.coded
    dictionary.append(folder / "terms", state.terms, coded.new_terms)
    dictionary.append(folder / "sources", state.sources, coded.new_sources)
    terms, sources = state.terms + len(coded.new_terms), state.sources + len(coded.new_sources)
    state = replace(state, version=version, terms=terms, sources=sources, said=True)
    kept = np.ones(len(snapshot.added.subject), bool)
    kept[change.added] = False
    added = Statements.concatenate([snapshot.added.take(kept), coded.rows])
    removed = np.union1d(snapshot.removed, change.base).astype(np.uint32)
    if _many(len(added.subject) + len(removed), snapshot.base.rows):
        flags = np.ones(snapshot.base.rows, bool)
        flags[removed] = False
        rest = snapshot.base.statements(np.flatnonzero(flags))
        return with_base(folder, state, Statements.concatenate([rest, added]))
    return _with_overlay(folder, state, added, removed)


def without(folder: Path, opened: Opened, version: int, pattern: Pattern) -> State:
    """Bring the index to a version without the facts of a pattern."""
    snapshot, state = opened.snapshot, replace(opened.state, version=version)
    ids = [None if part is None else opened.terms.id(part) for part in pattern]
    if any(i is None and part is not None for i, part in zip(ids, pattern, strict=True)):
        return state
    order, low, high = snapshot.base.find(*ids)
    gone = np.union1d(snapshot.removed, rows_of(order, low, high)).astype(np.uint32)
    added = snapshot.added
    if snapshot.overlay:
        keep = np.ones(len(snapshot.overlay), bool)
        keep[np.asarray(snapshot.overlay.find(*ids), np.int64)] = False
        added = added.take(keep)
    if _many(len(gone), snapshot.base.rows):
        kept = np.ones(snapshot.base.rows, bool)
        kept[gone] = False
        rest = snapshot.base.statements(np.flatnonzero(kept))
        return with_base(folder, state, Statements.concatenate([rest, added]))
    return _with_overlay(folder, state, added, gone)


def _many(changed: int, rows: int) -> bool:
    return changed > max(OVERLAY_ROWS, rows // 10)


def with_base(folder: Path, state: State, rows: Statements) -> State:
    """Write all statements anew as the index's base."""
    return state.on(*index.new_base(folder, rows, state.terms))


def _with_overlay(folder: Path, state: State, added: Statements, removed: NDArray[np.uint32]) -> State:
    name, checksum = index.write_overlay(folder, added, removed)
    return replace(state, overlay=name, overlay_sum=checksum)


class _CannotReplay(Exception):
    """A commit did what only the whole table tells."""


def follows(places: Places, state: State) -> bool:
    """Tell whether an index was made of the table that is here now, of all of it, and not of one that was restored since."""
    commit = table.identity(places.table, state.version)
    if state.said is None and commit:  # made by an older program, which knows of no assertions
        with suppress(StoreCorrupt):
            if table.widened(places.table, state.version) is None:
                return False
    if commit == "" or state.commit in ("", commit):
        return commit != ""
    try:
        table.actions(places.table, state.version)
    except StoreCorrupt:
        return True  # it is the entry that is damaged: the index still answers, and check names the entry
    return False


def bring_up(places: Places, folder: Path) -> Opened:
    """Bring the index in *folder* up to the table's newest version; the caller holds the lock or owns the folder."""
    newest = table.latest(places.table)
    state = index.read_state(folder)
    oldest = table.oldest(places.table)
    if state is not None and oldest <= state.version <= newest and follows(places, state):
        try:
            opened = index.open_state(folder, state)
            for version in range(state.version + 1, newest + 1):
                opened = _replay(places, folder, opened, version)
            if state.version < newest:
                index.sweep(folder, opened.state)  # the overlays in between
            return opened
        except (OSError, ValueError, _CannotReplay):
            pass  # the index is derived: build it anew below
    return rebuild(places, folder, newest)


def _replay(places: Places, folder: Path, opened: Opened, version: int) -> Opened:
    """Apply one commit to the index."""
    did = table.actions(places.table, version)
    about = table.info(places.table, version)
    files = [action["add"]["path"] for action in did if "add" in action]
    if about.get("operation") == "compact":
        state = replace(opened.state, version=version)
    elif about.get("operation") == "remove":
        state = without(folder, opened, version, about["pattern"])
    elif any("remove" in action for action in did):
        raise _CannotReplay
    else:
        known = max(opened.state.terms, int(about.get("terms", 0)))
        _copy_terms(places, folder, opened.state.terms, known)
        opened = index.open_state(folder, replace(opened.state, terms=known, sums=""))
        state = _with_files(places, folder, opened, version, files)
    return index.publish_state(folder, state, table.identity(places.table, version))


def rebuild(places: Places, folder: Path, version: int) -> Opened:
    """Build the index of a version from the table and the list of terms.

    Where the list is damaged, terms from there on get new ids. What was keyed by other terms' ids is dropped: where the
    list is damaged, or is another one than the index was made of (a backup brought back).
    """
    table.verify_log(places.table, version)
    before = _dictionary(folder)  # its files stay mapped while they are replaced
    for name in ("terms", "sources"):
        if (folder / name).exists():
            shutil.rmtree(folder / name)
    state, count = index.start(folder).state, 0
    try:
        for part in vocabulary.read(places.terms):
            dictionary.append(folder / "terms", count, part)
            count += len(part)
    except StoreCorrupt:
        shutil.rmtree(places.cache, ignore_errors=True)
    opened = index.open_state(folder, replace(state, terms=count, version=version, sums=""))
    if folder == places.index and not (before and _goes_on(opened.terms, before)):
        shutil.rmtree(places.cache, ignore_errors=True)
    names = [file["path"] for file in table.files(places.table, version)]
    state = _with_files(places, folder, opened, version, names)
    opened = index.publish_state(folder, state, table.identity(places.table, version))
    index.sweep(folder, state)
    return opened


def _dictionary(folder: Path) -> dictionary.Terms | None:
    """Return the terms the index in *folder* was made of, or None if it cannot be read."""
    state = index.read_state(folder)
    try:
        return None if state is None else dictionary.Terms(folder / "terms", state.terms)
    except (OSError, ValueError):
        return None


def _goes_on(terms: dictionary.Terms, before: dictionary.Terms) -> bool:
    """Tell whether a dictionary begins with all terms of one before it, so that their ids mean the same."""
    (blob, starts), (old_blob, old_starts) = terms.arrays, before.arrays
    size = int(old_starts[-1])
    same = len(terms) >= len(before) and np.array_equal(starts[: len(old_starts)], old_starts)
    return same and np.array_equal(blob[:size], old_blob[:size])


def _copy_terms(places: Places, folder: Path, first: int, stop: int) -> None:
    """Copy the terms *first* … *stop* from their list into the index."""
    at = first
    for part in vocabulary.read(places.terms, first, stop):
        dictionary.append(folder / "terms", at, part)
        at += len(part)
    if at < stop:
        raise _CannotReplay


def _with_files(places: Places, folder: Path, opened: Opened, version: int, names: list[str]) -> State:
    """Bring the index to a version that added the rows of some data files; terms new to us get ids."""
    parts = (table.completed(table.read(places.table, name), None) for name in names)
    rows = table.together(parts)
    ours = folder == places.index
    if opened.state.said or table.says(rows):
        from kgmm.store.index.held import entered

        change = entered(opened, said.frame(rows))
        if ours and change.coded.new_terms:
            vocabulary.write(places.terms, opened.state.terms, change.coded.new_terms, [])
        return changed(folder, opened, version, change)
    if rows.num_rows >= encoding.BULK:
        from kgmm.store.index.collecting import Collector, merged

        collector = Collector(opened, None)
        for part in rows.to_batches(1 << 20):
            collector.add(pa.Table.from_batches([part]))
        many = merged(opened.snapshot, collector)
        if ours and collector.new_terms:
            vocabulary.write(places.terms, len(opened.terms), collector.new_terms, [])
        base = index.new_base(folder, many.rows, collector.terms.count, in_order=True)
        return collector.write(folder, version, base)
    coded = encode(rows, opened.terms, opened.sources)
    keep = unknown(opened.snapshot, coded.rows, len(opened.terms))
    coded = coded._replace(rows=coded.rows.take(keep))
    if ours and coded.new_terms:
        vocabulary.write(places.terms, opened.state.terms, coded.new_terms, [])
    return with_added(folder, opened, version, coded)


def undo(places: Places, drafts: list[Path]) -> None:
    """Delete what a writer that failed has itself made, so that it takes no room."""
    table.drop(places.table, drafts)
    if (state := index.read_state(places.index)) is not None:
        index.sweep(places.index, state)
