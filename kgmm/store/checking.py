"""Verify a store and repair what is derivable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kgmm.store import opening, table
from kgmm.store.lock import writing

if TYPE_CHECKING:
    from kgmm.store.local import LocalStore


def check(store: LocalStore) -> list[str]:
    """Verify table, index and ids; return what was found."""
    found: list[str] = []
    names = [file["path"] for file in table.files(store.table_path, store.version)]
    rows = sum(part.num_rows for part in table.read(store.table_path, names))
    if rows != len(store):
        found.append(f"the index has {len(store)} facts, the table {rows}: the index was rebuilt")
        with writing(store.path, store.timeout):
            store._show(opening.rebuild(store, store.index_path, table.latest(store.table_path)))
    return found
