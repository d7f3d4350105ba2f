"""The rows of the table that are about some facts, found by the files' statistics; files never change, so they are kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from kgmm.store.assertion import Assertion, key_of, stated
from kgmm.store.handle import Handle
from kgmm.store.table import delta as table
from kgmm.store.table import said

if TYPE_CHECKING:
    import polars as pl

KEPT_ROWS = 1 << 18  #: rows of data files that are kept decoded
FEW = 32  #: facts of which each is compared with a file's statistics
_KEPT: OrderedDict[Path, pl.DataFrame] = OrderedDict()
_ONE = threading.Lock()


def files(store: Handle) -> list[dict[str, Any]]:
    """Return the data files of the version shown."""
    return store.derived("files", lambda: table.files(store.places.table, store.version))


def kept(folder: Path, name: str, make: Callable[[], pa.Table]) -> pl.DataFrame:
    """Return a data file's rows, decoded when they are first asked for."""
    path = folder / name
    with _ONE:
        if (known := _KEPT.get(path)) is not None:
            _KEPT.move_to_end(path)
            return known
    found = said.frame(make())
    with _ONE:
        _KEPT[path] = found
        rows = sum(map(len, _KEPT.values()))
        while len(_KEPT) > 1 and rows > KEPT_ROWS:
            rows -= len(_KEPT.popitem(last=False)[1])
    return found


def rows_of(store: Handle, facts: pl.DataFrame) -> pl.DataFrame:
    """Return all rows about some facts, those that stand for a fact and the others.

    Args:
        store: where to look.
        facts: columns subject, predicate, object and graph.
    """
    import polars as pl

    folder, found = store.places.table, [said.frame(table.SCHEMA.empty_table())]
    keys = facts.select(said.KEY).unique()
    few = list(keys.iter_rows(named=True)) if len(keys) <= FEW else []
    ends = {"min": keys["subject"].min(), "max": keys["subject"].max()}
    for file in files(store) if len(keys) else ():
        if few:
            if not any(table.may_hold(file, key) for key in few):
                continue
        elif not table.may_overlap(file, "subject", str(ends["min"]), str(ends["max"])):
            continue
        part = _KEPT.get(folder / file["path"])
        if part is None and file["num_records"] > KEPT_ROWS // 16 and few:
            subjects = table.read(folder, file["path"], ["subject"])["subject"]
            if not pc.any(pc.is_in(subjects, pa.array(keys["subject"].to_list()))).as_py():
                continue
        name = file["path"]
        part = kept(folder, name, lambda name=name: table.read(folder, name))  # type: ignore[misc]
        part = part.filter(pl.col("subject").is_in(keys["subject"].implode()))
        if len(part):
            found.append(part.join(keys, on=list(said.KEY), how="semi").select(found[0].columns))
    return pl.concat(found)


def everything(store: Handle, version: int | None = None) -> pl.DataFrame:
    """Return all rows of the version shown, or of another, with their ``file`` and place ``at`` in it."""
    import polars as pl

    listed = files(store) if version is None else table.files(store.places.table, version)
    empty = said.frame(table.SCHEMA.empty_table())
    none = pl.lit("", pl.String).alias("file"), pl.lit(0, pl.UInt32).alias("at")
    parts = [empty.with_columns(*none).clear()]
    for file in listed:
        part = said.frame(table.completed(table.read(store.places.table, file["path"]), None))
        part = part.select(empty.columns).with_row_index("at")
        parts.append(part.with_columns(pl.lit(file["path"]).alias("file")).select(parts[0].columns))
    return pl.concat(parts)


def denies(store: Handle) -> bool:
    """Tell whether any row speaks against a fact, looking at that column alone."""
    for file in files(store):
        part = table.read(store.places.table, file["path"], ["polarity"])
        if "polarity" in part.column_names and part["polarity"].null_count < len(part):
            return True
    return False


def assertions(store: Handle, fact: Any, *, withdrawn: bool = False) -> list[Assertion]:
    """Return the assertions of a fact: what stands for it first, those against it too.

    Args:
        store: where to look.
        fact: a Fact, or (subject, predicate, object[, graph]).
        withdrawn: return also those that were withdrawn.

    Raises:
        BadInput: if it is no fact.

    Example:
        >>> import tempfile, kgmm
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> _ = kb.add(("bonn", "CapitalOf", "germany"), valid=("1949", "1990"), contributor="me")
        >>> [(said.contributor, said.valid) for said in kb.assertions(("bonn", "CapitalOf", "germany"))]
        [('me', ('1949', '1990'))]
    """
    import polars as pl

    key = key_of(stated(fact))
    rows = rows_of(store, pl.DataFrame(dict(zip(said.KEY, ([part] for part in key), strict=True))))
    if not withdrawn:
        rows = rows.filter(pl.col("role").is_null() | (pl.col("role") != said.WITHDRAWN))
    return said.assertions(rows)
