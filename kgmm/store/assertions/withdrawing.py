"""Withdrawing what a contributor or a document said, with all that rested on it, and undoing that."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from kgmm.errors import BadInput, StoreError
from kgmm.store.assertions import adding, rewriting
from kgmm.store.assertions.looking import everything, files
from kgmm.store.handle import Handle
from kgmm.store.table import delta as table
from kgmm.store.table import said

if TYPE_CHECKING:
    import polars as pl

Names = str | Sequence[str] | None


def withdraw(store: Handle, *, contributor: Names = None, source: Names = None) -> int:
    """Withdraw what contributors said or documents hold, in one commit; return how many assertions went.

    A fact goes when nothing that speaks for it is left, and then also what rested on it. What was withdrawn stays in the
    table as such: an earlier version shows it, :meth:`undo` brings it back, and a merge withdraws it elsewhere too.

    Args:
        store: the store.
        contributor: who is withdrawn; several do.
        source: the documents that are withdrawn; with a contributor too, only what they said from these.

    Raises:
        BadInput: if neither is given, or one is empty.
        StoreBusy: if another process writes for longer than the store's timeout.

    Example:
        >>> import tempfile, kgmm
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> _ = kb.add([("dog", "IsA", "animal"), ("cat", "IsA", "plant")], contributor="ann")
        >>> _ = kb.add(("dog", "IsA", "animal"), contributor="bob")
        >>> kb.withdraw(contributor="ann"), [fact.subject for fact in kb.find()]
        (2, ['/c/en/dog'])
    """
    store.require_newest()
    wanted = {"contributor": _listed("contributor", contributor), "source": _listed("source", source)}
    chosen = {name: values for name, values in wanted.items() if values}
    if not chosen:
        raise BadInput("withdraw", "say whose assertions: contributor=, source= or both")
    with store.writing():
        if not _comes(store, chosen):
            return 0
        rows = everything(store)
        going = _going(rows, chosen)
        if not len(going):
            return 0
        gone = rows.filter(going)
        keys = gone.select(said.KEY).unique()
        import polars as pl

        now = rows.with_columns(pl.when(going).then(pl.lit(said.WITHDRAWN)).otherwise("role").alias("role"))
        facts = rewriting.led(now.join(keys, on=list(said.KEY), how="semi"))
        moved = _moved(rows, facts)
        rewriting.commit(store, moved, facts.join(moved, on=["file", "at"], how="semi"), facts, _about(chosen))
        return len(gone)


def _about(chosen: dict[str, list[str]]) -> dict[str, Any]:
    return {"operation": "withdraw", **chosen}


def _listed(name: str, values: Names) -> list[str]:
    if values is None:
        return []
    found = [values] if isinstance(values, str) else list(values) if isinstance(values, list | tuple | set) else []
    if not all(isinstance(value, str) and value for value in found) or not found:
        raise BadInput(name, f"{values!r} names nobody; facts that nobody said are removed with remove()")
    return found


def _comes(store: Handle, chosen: dict[str, list[str]]) -> bool:
    """Tell whether any row is one of those chosen, looking at these columns alone."""
    for file in files(store):
        part = table.read(store.places.table, file["path"], list(chosen))
        found = [pc.is_in(part[c], pa.array(v)) for c, v in chosen.items() if c in part.column_names]
        if len(found) == len(chosen) and any(pc.any(hits).as_py() for hits in found):
            return True
    return False


def _going(rows: pl.DataFrame, chosen: dict[str, list[str]]) -> pl.Series:
    """Return which rows are withdrawn: those chosen, and, while there are any, those that rest on facts that go."""
    import polars as pl

    live = rows.select(pl.col("role").is_null() | (pl.col("role") != said.WITHDRAWN)).to_series()
    hit = rows.select(pl.all_horizontal(pl.col(c).is_in(v).fill_null(False) for c, v in chosen.items())).to_series()
    going = live & hit
    resting = rows.with_row_index("row").filter(live & pl.col("rests_on").is_not_null())
    needs = [(r["row"], set(map(tuple, json.loads(r["rests_on"])))) for r in resting.iter_rows(named=True)]
    speaks = rows.select(said.supporting()).to_series()
    dead: set[tuple[Any, ...]] = set()
    while needs:
        concerned = rows.filter(going).select(said.KEY).unique()
        kept = rows.filter(speaks & ~going).select(said.KEY).unique()
        held = rows.filter(speaks & going).select(said.KEY).unique()
        now = set(concerned.join(held, on=list(said.KEY), how="semi").join(kept, on=list(said.KEY), how="anti").rows())
        if not now - dead:
            break
        dead |= now
        fall = [row for row, needed in needs if needed & dead]
        needs = [(row, needed) for row, needed in needs if not needed & dead]
        going = going | pl.Series(range(len(rows))).is_in(fall)
    return going


def _moved(rows: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Return the rows as they are whose role is another afterwards."""
    import polars as pl

    then = after.select("file", "at", pl.col("role").fill_null("").alias("then"))
    both = rows.join(then, on=["file", "at"], how="inner", maintain_order="left")
    return both.filter(pl.col("role").fill_null("") != pl.col("then")).drop("then")


def undo(store: Handle, version: int) -> int:
    """Say anew what a version withdrew and is withdrawn still, in one commit; return how many facts it is about.

    Args:
        store: the store.
        version: the version that :meth:`withdraw` made.

    Raises:
        StoreError: if that version withdrew nothing, or what was before it was vacuumed.

    Example:
        >>> import tempfile, kgmm
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> _ = kb.add(("dog", "IsA", "animal"), contributor="ann")
        >>> _ = kb.withdraw(contributor="ann")
        >>> kb.undo(kb.version), len(kb)
        (1, 1)
    """
    import polars as pl

    store.require_newest()
    with store.writing():
        oldest, newest = table.oldest(store.places.table), store.version
        if not oldest < version <= newest or table.info(store.places.table, version).get("operation") != "withdraw":
            raise StoreError(f"{store.path}: version {version} withdrew nothing that is known still")
        before, after = (
            everything(store, version=v).with_columns(said.content()).select("content", "role", *_kept())
            for v in (version - 1, version)
        )
        gone = pl.col("role") == said.WITHDRAWN
        fell = after.filter(gone).join(before.filter(gone.fill_null(False)), on="content", how="anti")
        now = everything(store).with_columns(said.content(again=False))
        live = now.filter(~gone.fill_null(False))
        back = fell.with_columns(pl.lit(None, pl.String).alias("role")).with_columns(said.content(again=False))
        back = back.join(live, on="content", how="anti").drop("content")
        if not len(back):
            return 0
        return adding.append(store, adding.arrow(back), {"operation": "undo", "of": version})


def _kept() -> list[str]:
    return [field.name for field in [*table.SCHEMA, *table.SAID] if field.name != "role"]
