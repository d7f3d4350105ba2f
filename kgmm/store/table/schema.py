"""The columns of a store's table: what every file has, and what those with assertions have besides."""

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kgmm.store.facts import DEFAULT_GRAPH

COLUMNS = ("graph", "subject", "predicate", "object", "object_kind", "weight", "source", "surface")
SCHEMA = pa.schema([(name, pa.float64() if name == "weight" else pa.string()) for name in COLUMNS])
#: columns only files with assertions have. A row stands for its fact where ``role`` is null; ``assertion`` is a further one
#: of a fact, ``withdrawn`` one that holds no more. Null is: for, always, of nobody.
SAID = pa.schema(
    [
        ("role", pa.string()),
        ("contributor", pa.string()),
        ("polarity", pa.int8()),
        ("confidence", pa.float64()),
        ("valid_from", pa.string()),
        ("valid_to", pa.string()),
        ("method", pa.string()),
        ("licence", pa.string()),
        ("rests_on", pa.string()),
        ("again", pa.int32()),
    ]
)
FACTS, MORE = "part", "more"  #: how files of rows that stand for facts begin, and of the others
Entry = Mapping[str, Any]  #: what the log says of a data file or a commit


def completed(part: pa.RecordBatch | pa.Table, graph: str | None) -> pa.Table:
    """Return a reader's batch with all the table's columns; *graph* goes before the batch's own graphs."""
    rows = part if isinstance(part, pa.Table) else pa.Table.from_batches([part])
    have = set(rows.column_names)
    columns: dict[str, Any] = {
        f.name: rows[f.name].cast(f.type) if f.name in have else pa.nulls(rows.num_rows, f.type) for f in SCHEMA
    }
    if graph is not None:
        columns["graph"] = pa.repeat(pa.scalar(graph), rows.num_rows)
    columns["graph"] = pc.fill_null(columns["graph"], DEFAULT_GRAPH)
    columns["weight"] = pc.fill_null(columns["weight"], 1.0)
    columns["source"] = pc.fill_null(columns["source"], "")
    columns["object_kind"] = pc.if_else(pc.starts_with(columns["object"], '"'), "literal", "node")
    if have.isdisjoint(SAID.names):
        return pa.table([columns[field.name] for field in SCHEMA], schema=SCHEMA)
    columns["surface"] = _worth_saying(columns["surface"])
    for field in SAID:
        column = rows[field.name].cast(field.type) if field.name in have else pa.nulls(rows.num_rows, field.type)
        columns[field.name] = _worth_saying(column)
    nothing = [pc.is_null(columns[name]) for name in _MAKE_ONE if name in have]
    if nothing:
        loaded = pc.if_else(pc.invert(reduce(pc.and_, nothing)), pa.scalar("loaded"), pa.scalar(None, pa.string()))
        columns["method"] = pc.coalesce(columns["method"], loaded)
    schema = pa.schema([*SCHEMA, *SAID])
    return pa.table([columns[field.name] for field in schema], schema=schema)


#: what makes a row an assertion that is not bare, even where nobody says how it was come by
_MAKE_ONE = ("contributor", "polarity", "confidence", "valid_from", "valid_to", "licence", "rests_on")


def _worth_saying(column: Any) -> Any:
    """Return a column with null for what says nothing: an empty text, for and not against, said for the first time."""
    if pa.types.is_string(column.type):
        return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    if pa.types.is_int8(column.type):
        return pc.if_else(pc.less(column, 0), pa.scalar(-1, pa.int8()), pa.scalar(None, pa.int8()))
    if pa.types.is_int32(column.type):
        return pc.if_else(pc.equal(column, 0), pa.scalar(None, pa.int32()), column)
    return column


def says(rows: pa.Table) -> bool:
    """Tell whether rows have the columns of assertions."""
    return not set(rows.column_names).isdisjoint(SAID.names)


def stands(file: Entry) -> bool:
    """Tell by a data file's name whether its rows may stand for facts, and are not further assertions of them."""
    return may_stand(str(file["path"]))


def may_stand(name: str) -> bool:
    """Tell the same of a name."""
    return not name.startswith(f"{MORE}-")


def standing(rows: pa.Table) -> pa.Table:
    """Return those rows that stand for facts."""
    return rows.filter(pc.is_null(rows["role"])) if "role" in rows.column_names else rows


def together(parts: Iterable[pa.Table]) -> pa.Table:
    """Return the rows of all parts, of which some may have the columns of assertions."""
    return pa.concat_tables([SCHEMA.empty_table(), *parts], promote_options="default")
