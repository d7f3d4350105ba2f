"""What happened to a store: its versions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kgmm.store.table import delta as table

if TYPE_CHECKING:
    from kgmm.store.local import LocalStore


def versions(store: LocalStore) -> list[dict[str, Any]]:
    """Return the versions of a store, oldest first."""
    found = []
    newest = table.latest(store.table_path)
    for version in range(newest + 1):
        if not table.log_path(store.table_path, version).exists():
            continue
        about = table.info(store.table_path, version)
        stamp = next(
            (a["commitInfo"].get("timestamp") for a in table.actions(store.table_path, version) if "commitInfo" in a),
            0,
        )
        time = datetime.fromtimestamp((stamp or 0) / 1000, UTC).isoformat(timespec="milliseconds")
        found.append({"version": version, "time": time, "operation": about.get("operation", "foreign")})
    return found
