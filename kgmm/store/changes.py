"""Adding and removing facts: one durable commit of the table, then the index follows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kgmm.errors import BadInput, StoreError
from kgmm.language import names
from kgmm.store import opening
from kgmm.store.facts import Fact, node
from kgmm.store.index import files as index
from kgmm.store.index import terms as dictionary
from kgmm.store.index.base import Statements, rows_of
from kgmm.store.index.encoding import Encoded, encode
from kgmm.store.index.files import ANY, Opened, State
from kgmm.store.index.snapshot import Snapshot
from kgmm.store.load import loading
from kgmm.store.lock import writing
from kgmm.store.table import delta as table
from kgmm.store.table import vocabulary

if TYPE_CHECKING:
    from kgmm.store.local import LocalStore

#: changes kept beside the base before it is written anew: at least so many, or this share of its rows
OVERLAY_ROWS = 50_000
Pattern = Sequence[str | None]


def add(store: LocalStore, facts: Iterable[Any] | Fact, graph: str | None) -> int:
    """Add facts to a store; return how many were new."""
    store._writable()
    if isinstance(facts, Fact) or (isinstance(facts, tuple) and facts and isinstance(facts[0], str)):
        facts = [facts]  # one fact, perhaps as a tuple
    rows = _table_of(facts, graph)
    with writing(store.path, store.timeout):
        opening.catch_up_locked(store)
        return append(store, rows, {"operation": "add"})


def _table_of(facts: Iterable[Any], graph: str | None) -> pa.Table:
    rows = [fact if isinstance(fact, Fact) else _fact(fact) for fact in facts]
    columns: dict[str, Any] = {
        "graph": [graph or fact.graph for fact in rows],
        "object_kind": ["literal" if names.is_literal(fact.object) else "node" for fact in rows],
        "surface": [None] * len(rows),
    }
    for field in ("subject", "predicate", "object", "weight", "source"):
        columns[field] = [getattr(fact, field) for fact in rows]
    return pa.table([pa.array(columns[f.name], f.type) for f in table.SCHEMA], schema=table.SCHEMA)


def _fact(parts: Any) -> Fact:
    try:
        if isinstance(parts, str):
            raise TypeError
        return Fact(*parts)
    except TypeError:
        raise BadInput("fact", f"{parts!r} is neither a Fact nor (subject, predicate, object[, weight])") from None


def append(store: LocalStore, rows: pa.Table, about: dict[str, Any]) -> int:
    """Commit those rows that are new and let the index follow; the caller holds the lock. Return their number."""
    opened = store._opened
    coded = encode(rows, opened.terms, opened.sources)
    keep = unknown(opened.snapshot, coded.rows, len(opened.terms))
    if not len(keep):
        return 0
    if len(keep) < rows.num_rows:
        rows = rows.take(pa.array(keep))
        coded = encode(rows, opened.terms, opened.sources)
    total = len(opened.terms) + len(coded.new_terms)
    if coded.new_terms:
        vocabulary.write(store.terms_path, len(opened.terms), coded.new_terms)
    files = [
        table.write_file(store.table_path, rows.slice(start, table.FILE_ROWS))
        for start in range(0, rows.num_rows, table.FILE_ROWS)
    ]
    version = table.commit(store.table_path, store.version, files, (), {**about, "terms": total})
    store._publish(_follow(store.index_path, opened, version, coded))
    return len(keep)


def unknown(snapshot: Snapshot, rows: Statements, terms: int) -> NDArray[np.int64]:
    """Return which statements are neither in the snapshot nor said before among themselves, in their order."""
    order = np.lexsort((rows.graph, rows.object, rows.predicate, rows.subject))  # stable: the first one stays
    sorted_rows = rows.take(order)
    same = np.ones(max(len(order) - 1, 0), bool)
    for column in sorted_rows[:4]:
        same &= column[1:] == column[:-1]
    first = np.sort(order[np.concatenate([[True], ~same])]) if len(order) else order
    if not len(snapshot):
        return first
    keep = [
        i
        for i, s, p, o, g in zip(first.tolist(), *(c[first].tolist() for c in rows[:4]), strict=True)
        if max(s, p, o, g) >= terms or not len(snapshot.select(s, p, o, g))
    ]
    return np.array(keep, np.int64)


def _follow(folder: Path, opened: Opened, version: int, coded: Encoded) -> State:
    """Bring the index in *folder* from *opened* to a version with these rows more."""
    state = opened.state
    dictionary.append(folder / "terms", state.terms, coded.new_terms)
    dictionary.append(folder / "sources", state.sources, coded.new_sources)
    state = index.advanced(
        state,
        version=version,
        terms=state.terms + len(coded.new_terms),
        sources=state.sources + len(coded.new_sources),
    )
    snapshot = opened.snapshot
    changed = len(coded.rows.subject) + len(snapshot.removed) + (len(snapshot.overlay) if snapshot.overlay else 0)
    if changed > max(OVERLAY_ROWS, snapshot.base.rows // 10):
        return _with_base(folder, state, Statements.concatenate([snapshot.all(), coded.rows]))
    added = [snapshot.overlay.added, coded.rows] if snapshot.overlay else [coded.rows]
    return _with_overlay(folder, state, Statements.concatenate(added), snapshot.removed)


def _with_base(folder: Path, state: State, rows: Statements) -> State:
    name, sizes = index.new_base(folder, rows, state.terms)
    return index.advanced(state, base=name, sizes=sizes, overlay=None, overlay_sum="")


def _with_overlay(folder: Path, state: State, added: Statements, removed: NDArray[np.uint32]) -> State:
    name, checksum = index.write_overlay(folder, added, removed)
    return index.advanced(state, overlay=name, overlay_sum=checksum)


def added_rows(store: LocalStore, folder: Path, opened: Opened, version: int, names: list[str]) -> State:
    """Bring the index to a version that added the rows of some data files; terms new to us get ids."""
    parts = (loading.completed(part, None) for part in table.read(store.table_path, names))
    rows = pa.concat_tables([table.SCHEMA.empty_table(), *parts])
    if rows.num_rows >= loading.BULK:
        from kgmm.store.load import bulk

        return bulk.indexed(store, folder, opened, version, rows)
    coded = encode(rows, opened.terms, opened.sources)
    keep = unknown(opened.snapshot, coded.rows, len(opened.terms))
    coded = coded._replace(rows=coded.rows.take(keep))
    if coded.new_terms and folder == store.index_path:
        vocabulary.write(store.terms_path, opened.state.terms, coded.new_terms)
    return _follow(folder, opened, version, coded)


def remove(store: LocalStore, s: str | None, p: str | None, o: str | None, graph: str | None) -> int:
    """Remove the facts of a pattern; return how many there were."""
    store._writable()
    pattern = [
        None if s in ANY else node(str(s)),
        None if p in ANY else names.relation(str(p)),
        None if o in ANY else node(str(o)),
        None if graph in ANY else graph,
    ]
    if all(part is None for part in pattern):
        raise StoreError("remove needs a subject, predicate, object or graph; to remove everything delete the folder")
    with writing(store.path, store.timeout):
        opening.catch_up_locked(store)
        count = store.count(*pattern[:3], graph=pattern[3])
        if count == 0:
            return 0
        files, gone = _without(store, pattern)
        about = {"operation": "remove", "pattern": pattern, "terms": store._opened.state.terms}
        version = table.commit(store.table_path, store.version, files, gone, about)
        store._publish(removed(store.index_path, store._opened, version, pattern))
        return count


def _without(store: LocalStore, pattern: Pattern) -> tuple[list[dict[str, Any]], list[str]]:
    """Write the data files that hold facts of a pattern anew without them; return the new and the old ones."""
    new, gone = [], []
    wanted = dict(zip(("subject", "predicate", "object", "graph"), pattern, strict=True))
    for file in table.files(store.table_path, store.version):
        if not table.may_hold(file, wanted):
            continue
        fits: Any = None
        for column, value in wanted.items():
            if value is not None:
                equal = pc.equal(next(table.read(store.table_path, [file["path"]], [column]))[column], value)
                fits = equal if fits is None else pc.and_(fits, equal)
        if not pc.any(fits).as_py():
            continue
        gone.append(file["path"])
        rest = next(table.read(store.table_path, [file["path"]])).filter(pc.invert(fits))
        if rest.num_rows:
            new.append(table.write_file(store.table_path, rest))
    return new, gone


def removed(folder: Path, opened: Opened, version: int, pattern: Pattern) -> State:
    """Bring the index to a version without the facts of a pattern."""
    snapshot, state = opened.snapshot, index.advanced(opened.state, version=version)
    ids = [None if part is None else opened.terms.id(part) for part in pattern]
    if any(i is None and part is not None for i, part in zip(ids, pattern, strict=True)):
        return state
    order, low, high = snapshot.base.find(*ids)
    gone = np.union1d(snapshot.removed, rows_of(order, low, high)).astype(np.uint32)
    added = snapshot.overlay.added if snapshot.overlay else Statements.empty()
    if snapshot.overlay:
        keep = np.ones(len(snapshot.overlay), bool)
        keep[np.asarray(snapshot.overlay.find(*ids), np.int64)] = False
        added = added.take(keep)
    if len(gone) > max(OVERLAY_ROWS, snapshot.base.rows // 10):
        kept = np.ones(snapshot.base.rows, bool)
        kept[gone] = False
        rest = snapshot.base.statements(np.flatnonzero(kept))
        return _with_base(folder, state, Statements.concatenate([rest, added]))
    return _with_overlay(folder, state, added, gone)


def compact(store: LocalStore) -> None:
    """Merge the overlay into the base, and small data files into larger ones."""
    store._writable()
    with writing(store.path, store.timeout):
        opening.catch_up_locked(store)
        opened = store._opened
        small = [f for f in table.files(store.table_path, store.version) if f["num_records"] < table.FILE_ROWS // 2]
        version = store.version
        if len(small) > 1:
            rows = pa.concat_tables(table.read(store.table_path, [f["path"] for f in small]))
            rows = rows.sort_by([("subject", "ascending"), ("predicate", "ascending"), ("object", "ascending")])
            new = [
                table.write_file(store.table_path, rows.slice(start, table.FILE_ROWS))
                for start in range(0, rows.num_rows, table.FILE_ROWS)
            ]
            about = {"operation": "compact", "terms": opened.state.terms}
            gone = [f["path"] for f in small]
            version = table.commit(store.table_path, version, new, gone, about, data_change=False)
        state = index.advanced(opened.state, version=version)
        if opened.snapshot.overlay is not None:
            state = _with_base(store.index_path, state, opened.snapshot.all())
        store._publish(state)
        index.sweep(store.index_path, state)
