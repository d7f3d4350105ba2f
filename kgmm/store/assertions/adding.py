"""Adding assertions: one commit of the table says what is new under which fact, and the index follows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from kgmm.store import replay
from kgmm.store.assertions.looking import files, kept, rows_of
from kgmm.store.handle import Handle
from kgmm.store.index.encoding import encode
from kgmm.store.table import delta as table
from kgmm.store.table import said, vocabulary

if TYPE_CHECKING:
    import polars as pl

    from kgmm.store.index.held import Change

FEW = 1000  #: rows that are looked at one by one


def append(store: Handle, rows: pa.Table, about: dict[str, Any]) -> int:
    """Commit those rows that say something new; the caller holds the lock. Return how many facts they are about."""
    from kgmm.store.index.held import entered

    if len(rows) <= FEW and (change := _new_facts(store, rows)) is not None:
        written = [(table.write_file(store.places.table, rows, store.drafts), rows)]
        _commit(store, change, written, about)
        return len(rows)
    placed = _placed(store, said.frame(rows))
    if not len(placed):
        return 0
    change = entered(store.opened, placed)
    _commit(store, change, commit_files(store, placed), about)
    return placed.select(said.KEY).n_unique()


def _commit(store: Handle, change: Change, written: list[tuple[dict[str, Any], Any]], about: dict[str, Any]) -> None:
    """Make one commit of files with rows, and let the index follow."""
    opened, places, known = store.opened, store.places, files(store)
    new = change.coded.new_terms
    if new:
        vocabulary.write(places.terms, len(opened.terms), new, store.drafts)
    about = {**about, "terms": len(opened.terms) + len(new)}
    widened = None if opened.state.said else table.widened(places.table, store.version)
    version = table.commit(places.table, store.version, [file for file, _ in written], (), about, widened=widened)
    store.publish(replay.changed(places.index, opened, version, change))
    store.opened.derived["files"] = known + [_listed(file, part) for file, part in written]


def _new_facts(store: Handle, rows: pa.Table) -> Change | None:
    """Return what few rows do to the index where each speaks for a fact nobody spoke of; None where one does not."""
    from kgmm.store.index.held import places, spoken

    if "role" in rows.column_names and rows["role"].null_count < len(rows):
        return None
    if "polarity" in rows.column_names and rows["polarity"].null_count < len(rows):
        return None
    coded = encode(rows, store.opened.terms, store.opened.sources)
    distinct = set(zip(*(column.tolist() for column in coded.rows[:4]), strict=True))
    if len(distinct) < len(rows) or places(store.opened.snapshot, coded.rows).known.any() or _loose(store):
        return None
    return spoken(store.opened, rows, coded)


def _loose(store: Handle) -> bool:
    """Tell whether the table may hold assertions of facts that no row stands for."""
    return bool(store.opened.state.said) and any(not table.stands(file) for file in files(store))


def commit_files(store: Handle, rows: pl.DataFrame) -> list[tuple[dict[str, Any], pl.DataFrame]]:
    """Write rows that stand for their facts and others to files of their own; return those with their rows."""
    import polars as pl

    made, folder = [], store.places.table
    stands = pl.col("role").is_null()
    for kind, part in ((table.FACTS, rows.filter(stands)), (table.MORE, rows.filter(~stands))):
        part = part.sort("subject", "predicate", "object", maintain_order=True) if len(part) > table.FILE_ROWS else part
        for start in range(0, len(part), table.FILE_ROWS):
            piece = part.slice(start, table.FILE_ROWS)
            file = table.write_file(folder, arrow(piece), store.drafts, kind)
            kept(folder, file["path"], piece.to_arrow)
            made.append((file, piece))
    return made


def arrow(rows: pl.DataFrame) -> pa.Table:
    """Return a data frame as rows of the table."""
    columns = {field.name: rows[field.name].to_arrow().cast(field.type) for field in [*table.SCHEMA, *table.SAID]}
    columns["again"] = pa.array([n or None for n in rows["again"].to_list()], pa.int32())
    return pa.table(columns)


def _listed(file: dict[str, Any], rows: pl.DataFrame | pa.Table) -> dict[str, Any]:
    """Return what the log will say of a file just written, as :func:`kgmm.store.table.delta.files` does."""
    stats = json.loads(file["stats"])
    ends = {"min": stats["minValues"], "max": stats["maxValues"]}
    return {"path": file["path"], "num_records": len(rows), "size_bytes": file["size"], **ends}


def _placed(store: Handle, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that say something new, each with its place: standing for its fact, or under it."""
    import polars as pl

    from kgmm.store.index.held import IDS, places

    opened, columns = store.opened, rows.columns
    coded = encode(rows.to_arrow(), opened.terms, opened.sources)
    ids = pl.DataFrame(dict(zip(IDS, coded.rows[:4], strict=True)))
    rows = pl.concat([rows, ids], how="horizontal").with_row_index("row")
    rows = rows.with_columns(pl.col("row").min().over(list(IDS)).alias("fact"), said.content(again=False))
    # of a fact's bare rows the first stays, as it always was
    first_bare = pl.col("row") == pl.col("row").filter(said.bare()).min().over("fact")
    rows = rows.filter(~said.bare() | first_bare).unique("content", keep="first", maintain_order=True)
    where = places(opened.snapshot, coded.rows.take(rows["row"].to_numpy()))
    when = np.zeros(len(rows), np.uint32)
    for column, found in ((opened.snapshot.base.when, where.base), (None, where.added)):
        mine = found >= 0
        when[mine] = column.at(found[mine]) if column is not None else opened.snapshot.added.when[found[mine]]
    rows = rows.with_columns(pl.Series("known", where.known), pl.Series("timed", when > 0))
    # a fact known without assertions is a bare one: nothing else is said of it, and to say it again says nothing
    rows = rows.filter(~(pl.col("known") & ~pl.col("timed") & said.bare()))
    asked = rows.filter(pl.col("timed") | _loose(store))
    if len(asked):
        rows = _new(rows, rows_of(store, asked))
    if not len(rows):
        return rows.select(columns)
    stands = pl.col("row") == pl.col("row").filter(pl.col("polarity").is_null()).min().over("fact")
    under = pl.when(~pl.col("known") & stands.fill_null(False)).then(None).otherwise(pl.lit(said.ASSERTION))
    return rows.with_columns(under.alias("role")).select(columns)


def _new(rows: pl.DataFrame, there: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that the table does not hold; of what was withdrawn, a further generation."""
    import polars as pl

    there = there.with_columns(said.content(again=False))
    live = there.filter(pl.col("role").is_null() | (pl.col("role") != said.WITHDRAWN))
    rows = rows.join(live, on="content", how="anti")
    # a bare row is new where none is there that holds
    bare = live.filter(said.bare()).select(said.KEY).unique().with_columns(pl.lit(True).alias("is_bare"))
    rows = rows.join(bare, on=list(said.KEY), how="left", maintain_order="left")
    rows = rows.filter(~(said.bare() & pl.col("is_bare").fill_null(False))).drop("is_bare")
    gone = there.group_by("content").agg((pl.col("again").max() + 1).alias("next"))
    rows = rows.join(gone, on="content", how="left", maintain_order="left")
    return rows.with_columns(pl.max_horizontal("again", pl.col("next").fill_null(0)).alias("again")).drop("next")
