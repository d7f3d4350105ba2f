"""Rows of the table as assertions, and back; how two rows are told to say the same."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from kgmm.errors import BadInput, StoreCorrupt
from kgmm.store.assertion import AGAINST, FOR, Assertion
from kgmm.store.facts import stored_fact
from kgmm.store.table import delta as table
from kgmm.store.times import Spans, span

if TYPE_CHECKING:
    import polars as pl

ASSERTION, WITHDRAWN = "assertion", "withdrawn"  #: what ``role`` says of a row that does not stand for its fact
KEY = ("subject", "predicate", "object", "graph")
#: what makes an assertion that assertion, but for how often it was said anew
CONTENT = (
    *KEY,
    *("weight", "source", "contributor", "polarity", "confidence"),
    *("valid_from", "valid_to", "method", "licence", "rests_on", "surface"),
)
_TEXTS = ("contributor", "valid_from", "valid_to", "method", "licence", "rests_on", "surface")


def table_of(assertions: Iterable[Assertion]) -> pa.Table:
    """Return assertions as rows of the table, none of them placed yet."""
    said = list(assertions)
    bounds = [a.valid if isinstance(a.valid, tuple) else (None, None) for a in said]
    columns: dict[str, list[Any]] = {name: [getattr(a.fact, name) for a in said] for name in (*KEY, "weight", "source")}
    columns |= {name: [getattr(a, name) or None for a in said] for name in ("contributor", "method", "licence")}
    columns |= {"surface": [a.text or None for a in said], "confidence": [a.confidence for a in said]}
    columns |= {"polarity": [AGAINST if a.polarity == AGAINST else None for a in said]}
    columns |= {"valid_from": [start for start, _ in bounds], "valid_to": [end for _, end in bounds]}
    columns |= {"rests_on": [json.dumps(a.rests_on, ensure_ascii=False) if a.rests_on else None for a in said]}
    columns |= {"object_kind": ["literal" if a.fact.object.startswith('"') else "node" for a in said]}
    columns |= {"role": [None] * len(said), "again": [a.again or None for a in said]}
    schema = pa.schema([*table.SCHEMA, *table.SAID])
    return pa.table([pa.array(columns[field.name], field.type) for field in schema], schema=schema)


def frame(rows: pa.Table) -> pl.DataFrame:
    """Return rows of the table as a data frame with all columns of assertions, empty texts as null."""
    import polars as pl

    found = pl.DataFrame(pl.from_arrow(rows))
    for field in table.SAID:
        if field.name not in found.columns:
            kind = {pa.int8(): pl.Int8, pa.int32(): pl.Int32, pa.float64(): pl.Float64}.get(field.type, pl.String)
            found = found.with_columns(pl.lit(None, kind).alias(field.name))
    plain = [pl.when(pl.col(name).str.len_bytes() > 0).then(pl.col(name)).alias(name) for name in _TEXTS]
    against = pl.when(pl.col("polarity") < 0).then(pl.lit(AGAINST, pl.Int8)).alias("polarity")
    return found.with_columns(*plain, against, pl.col("source").fill_null(""), pl.col("again").fill_null(0))


def content(again: bool = True) -> pl.Expr:
    """Return what makes a row's assertion that assertion as one text, with how often it was said anew if *again*."""
    import polars as pl

    names = (*CONTENT, "again") if again else CONTENT
    return pl.concat_str([pl.col(n).cast(pl.String).fill_null("") for n in names], separator="\x1f").alias("content")


def supporting() -> pl.Expr:
    """Tell which rows speak for their fact and are not withdrawn."""
    import polars as pl

    return pl.col("polarity").is_null() & (pl.col("role").is_null() | (pl.col("role") != WITHDRAWN))


def bare() -> pl.Expr:
    """Tell which rows say nothing but the fact."""
    import polars as pl

    return pl.col("method").is_null()


def explicit() -> pl.Expr:
    """Tell which rows speak for their fact and say more than that it is one."""
    import polars as pl

    return supporting() & (pl.col("method").is_not_null() | pl.col("role").is_not_null())


def spans_of(rows: pl.DataFrame) -> pl.DataFrame:
    """Return each pair of bounds that comes in some rows with its ``first`` and ``last`` second and its ``text``.

    Raises:
        StoreCorrupt: if another program wrote bounds that are no time.
    """
    import polars as pl

    found = rows.select("valid_from", "valid_to").unique()
    try:
        held = [span(bounds) for bounds in found.iter_rows()]
    except BadInput as error:
        raise StoreCorrupt(f"the table holds a valid time that is none: {error}") from None
    return found.with_columns(
        pl.Series("first", [s.first for s in held], pl.Int64),
        pl.Series("last", [s.last for s in held], pl.Int64),
        pl.Series("text", [Spans.text([(s.first, s.last)]) for s in held], pl.String),
    )


def entries(rows: pl.DataFrame, by: str, before: dict[int, str]) -> pl.DataFrame:
    """Return when each fact holds, as :class:`kgmm.store.times.Spans` write it, in the columns *by* and ``text``.

    Args:
        rows: rows that speak for their facts.
        by: the column that tells facts apart.
        before: what is known of some facts already, by fact.
    """
    import polars as pl

    bounds = ["valid_from", "valid_to"]
    listed = rows.select(by, *bounds).unique().join(spans_of(rows), on=bounds, nulls_equal=True)
    listed = listed.select(by, "first", "last", "text").unique().sort("first", "last")
    found = listed.group_by(by, maintain_order=True).agg(pl.col("text").str.join(";"))
    if not before:
        return found
    more = dict(found.filter(pl.col(by).is_in(list(before))).iter_rows())
    pairs = {
        fact: Spans.pairs(text) + (Spans.pairs(more[fact]) if fact in more else []) for fact, text in before.items()
    }
    known = pl.DataFrame({by: list(pairs), "text": [Spans.text(held) for held in pairs.values()]}, found.schema)
    return pl.concat([found.join(known, on=by, how="anti"), known])


def assertions(rows: pl.DataFrame) -> list[Assertion]:
    """Return rows as assertions, those that stand for their fact first, those against it last."""
    import polars as pl

    placed = pl.when(pl.col("role").is_null()).then(0).when(pl.col("role") == ASSERTION).then(1).otherwise(2)
    rows = rows.with_columns(placed.alias("place"), content()).unique("content", keep="first", maintain_order=True)
    found = []
    against = pl.col("polarity").is_not_null()
    for r in rows.sort("place", against, "contributor", "valid_from", "valid_to", "content").iter_rows(named=True):
        fact = stored_fact(r["subject"], r["predicate"], r["object"], r["weight"], r["graph"], r["source"] or "")
        valid = None if r["valid_from"] is r["valid_to"] is None else (r["valid_from"], r["valid_to"])
        rests = tuple(map(tuple, json.loads(r["rests_on"]))) if r["rests_on"] else ()
        polarity = FOR if r["polarity"] is None else AGAINST
        said = (r["contributor"] or "", polarity, r["confidence"], valid, r["method"] or "", r["licence"] or "")
        found.append(Assertion(fact, *said, r["surface"] or "", rests, r["role"] == WITHDRAWN, r["again"]))
    return found
