"""Rows on their way into the table: what a reader gives, with all the columns the table has."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kgmm.store.facts import DEFAULT_GRAPH
from kgmm.store.table.delta import SCHEMA


def completed(part: pa.RecordBatch | pa.Table, graph: str | None) -> pa.Table:
    """Return a reader's batch with all the table's columns; *graph* goes before the batch's own graphs."""
    rows = part if isinstance(part, pa.Table) else pa.Table.from_batches([part])
    have = set(rows.column_names)
    columns: dict[str, Any] = {}
    for field in SCHEMA:
        columns[field.name] = (
            rows[field.name].cast(field.type) if field.name in have else pa.nulls(rows.num_rows, field.type)
        )
    if graph is not None:
        columns["graph"] = pa.repeat(pa.scalar(graph), rows.num_rows)
    columns["graph"] = pc.fill_null(columns["graph"], DEFAULT_GRAPH)
    columns["weight"] = pc.fill_null(columns["weight"], 1.0)
    columns["source"] = pc.fill_null(columns["source"], "")
    columns["object_kind"] = pc.if_else(pc.starts_with(columns["object"], '"'), "literal", "node")
    return pa.table([columns[field.name] for field in SCHEMA], schema=SCHEMA)
