"""Rows of the table in another place or role: files that held them written anew, in one commit, and the index follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kgmm.store import replay
from kgmm.store.assertions.adding import commit_files
from kgmm.store.assertions.looking import files
from kgmm.store.handle import Handle
from kgmm.store.table import delta as table
from kgmm.store.table import said, vocabulary

if TYPE_CHECKING:
    import polars as pl


def best() -> list[pl.Expr]:
    """Return what orders the rows that speak for a fact: the weightiest stands for it, whoever says it first."""
    import polars as pl

    return [pl.col("weight"), pl.col("source"), said.content()]


def led(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows that lie at hand so that one that speaks for its fact stands for it: who does already, else the best.

    Args:
        rows: all rows of some facts; of those that stand for a fact, only ones that may.
    """
    import polars as pl

    speaks, stands = said.supporting(), said.supporting() & pl.col("role").is_null()
    rows = rows.with_row_index("place")
    order = rows.filter(speaks).sort([~stands, *best()], descending=[False, True, False, False])
    lead = order.unique(said.KEY, keep="first", maintain_order=True)["place"]
    here = pl.col("place").is_in(lead.implode())
    role = pl.when(here).then(None).when(pl.col("role").is_null()).then(pl.lit(said.ASSERTION)).otherwise("role")
    return rows.with_columns(role.alias("role")).drop("place")


def commit(store: Handle, before: pl.DataFrame, after: pl.DataFrame, facts: pl.DataFrame, about: dict[str, Any]) -> int:
    """Put rows in the place of others in one commit, for a caller that holds the lock; return the version.

    Facts of *before* that are not among *facts* are gone.

    Args:
        store: the store.
        before: the rows that go, with their ``file`` and place ``at`` in it.
        after: the rows that come.
        facts: all rows that the facts concerned have from now on.
        about: what the commit says of itself.
    """
    from kgmm.store.index.held import regrouped

    opened, places = store.opened, store.places
    bare = before.select(said.KEY).unique().join(facts, on=list(said.KEY), how="anti")
    change = regrouped(opened, facts, bare)
    if change.coded.new_terms:
        vocabulary.write(places.terms, len(opened.terms), change.coded.new_terms, store.drafts)
    known = {file["path"]: file for file in files(store)}
    gone, made = [], []
    for (name,), part in before.group_by("file"):
        rows = table.read(places.table, str(name))
        keep = np.ones(rows.num_rows, bool)
        keep[part["at"].to_numpy()] = False
        gone.append(str(name))
        if keep.any():
            kind = table.FACTS if table.stands(known[str(name)]) else table.MORE
            made.append(table.write_file(places.table, rows.filter(keep), store.drafts, kind))
    made += [file for file, _ in commit_files(store, after)]
    about = {**about, "terms": len(opened.terms) + len(change.coded.new_terms)}
    widened = None if opened.state.said else table.widened(places.table, store.version)
    version = table.commit(places.table, store.version, made, gone, about, widened=widened)
    store.publish(replay.changed(places.index, opened, version, change))
    return version
