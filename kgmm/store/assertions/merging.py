"""Merging stores: assertions are a set, what is withdrawn in one is withdrawn; any order, any number of times, one result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kgmm.errors import BadInput, StoreError
from kgmm.store.assertions import rewriting
from kgmm.store.assertions.looking import everything
from kgmm.store.handle import Handle
from kgmm.store.table import said

if TYPE_CHECKING:
    import polars as pl

    from kgmm.store.conflicts import Conflict


@dataclass(frozen=True)
class Merged:
    """What a merge did: assertions that came, that were withdrawn, facts concerned, the version it made, what arose.

    ``conflicts`` are those of the merged store that it had not before.
    """

    added: int
    withdrawn: int
    facts: int
    version: int
    conflicts: tuple[Conflict, ...] = ()


def merge(store: Handle, other: Handle | str | Path) -> Merged:
    """Take in all that another store holds, in one commit.

    Assertions are a set: what either store holds, the merged one holds, once; what is withdrawn in either is withdrawn.
    A fact's weight and source are those of the assertion that stands for it: where the stores differ in what is said of
    it, the weightiest that speaks for it. So stores can be merged in any order and any number of times to the same.
    Facts that were removed, and not withdrawn, come back if the other store has them.

    Args:
        store: the store that takes in.
        other: an open store, or the folder of one; it stays as it is.

    Raises:
        BadInput: if *other* is no store in a folder.
        StoreError: if it cannot be opened.
        StoreBusy: if another process writes for longer than the store's timeout.

    Example:
        >>> import tempfile, kgmm
        >>> a, b = (kgmm.open(tempfile.mkdtemp() + "/kb") for _ in range(2))
        >>> _ = a.add(("dog", "IsA", "animal"), contributor="ann"), b.add(("dog", "IsA", "animal"), contributor="bob")
        >>> a.merge(b).added, [one.contributor for one in a.assertions(("dog", "IsA", "animal"))], a.merge(b).added
        (1, ['ann', 'bob'], 0)
    """
    store.require_newest()
    if isinstance(other, str | Path):
        if str(other).startswith(("http://", "https://")):
            raise BadInput("other", "an endpoint cannot be merged; export it, or copy a part of it with excerpt()")
        opened = Handle(other, create=False)
        try:
            return merge(store, opened)
        finally:
            opened.close()
    if not isinstance(other, Handle):
        raise BadInput("other", f"{other!r} is no store in a folder")
    if other.moment is not None:
        raise StoreError(f"{other.path}: what held at {other.moment.text} is to look at; merge the store itself")
    theirs = everything(other)
    with store.writing():
        ours = everything(store)
        changed = _joined(ours, theirs)
        if changed is None:
            return Merged(0, 0, 0, store.version)
        before, after, facts, added, withdrawn = changed
        about = {"operation": "merge", "of": str(other.path.name)}
        version = rewriting.commit(store, before, after, facts, about)
        return Merged(added, withdrawn, facts.select(said.KEY).n_unique(), version)


def _joined(
    ours: pl.DataFrame, theirs: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, int, int] | None:
    """Return our rows that go, the rows that come, all rows of the facts concerned; how many come and are withdrawn."""
    import polars as pl

    key = list(said.KEY)
    columns = [name for name in ours.columns if name not in ("file", "at")]
    ours, theirs, fresh = _differing(ours, theirs)
    changed = _shared(ours, theirs, key, columns)
    if changed is None and not len(fresh):
        return None
    come = fresh.select(columns)
    if changed is None:
        return ours.clear().select("file", "at", *columns), come, come, len(come), 0
    going, coming, facts, added, withdrawn = changed
    return going, pl.concat([coming, come]), pl.concat([facts, come]), added + len(come), withdrawn


def _differing(ours: pl.DataFrame, theirs: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return our and their rows of facts of which the two do not say the same, and theirs of facts we know nothing of.

    Facts are compared by checksums of all that is said of them: of 64 bits to tell which fact it is, where a chance
    meeting costs only time, and of twice 64 bits to tell that the same is said of it.
    """
    import polars as pl

    content = pl.struct([*said.CONTENT, "again", "role"])
    ours, theirs = (
        rows.with_columns(
            pl.struct(said.KEY).hash(1).alias("fact"), content.hash(2).alias("one"), content.hash(3).alias("two")
        )
        for rows in (ours, theirs)
    )
    shared = theirs.select("fact").unique().join(ours.select("fact").unique(), on="fact", how="semi")
    fresh = theirs.join(shared, on="fact", how="anti", maintain_order="left")
    ours, theirs = (rows.join(shared, on="fact", how="semi", maintain_order="left") for rows in (ours, theirs))
    sums = [
        rows.group_by("fact").agg(pl.col("one").unique().sum(), pl.col("two").unique().sum()) for rows in (ours, theirs)
    ]
    same = sums[0].join(sums[1], on=["fact", "one", "two"], how="semi").select("fact")
    ours, theirs = (rows.join(same, on="fact", how="anti", maintain_order="left") for rows in (ours, theirs))
    extra = ["fact", "one", "two"]
    return ours.drop(extra), theirs.drop(extra), fresh.drop(extra)


def _shared(
    ours: pl.DataFrame, theirs: pl.DataFrame, key: list[str], columns: list[str]
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, int, int] | None:
    """Return the same as :func:`_joined` of facts both know."""
    import polars as pl

    ours, theirs = _distinct(ours), _distinct(theirs)
    gone = (pl.col("role") == said.WITHDRAWN).fill_null(False)
    new = theirs.join(ours.select("content"), on="content", how="anti", maintain_order="left")
    falls = theirs.filter(gone).select("content")
    falling = ours.filter(~gone).join(falls, on="content", how="semi", maintain_order="left")
    # where the two differ in what they say of a fact, or in what stands for it, the best stands for it
    differs = [new.select(key), falling.select(key), _lacking(ours, theirs, key), _other_leads(ours, theirs, key)]
    concerned = pl.concat(differs).unique(maintain_order=True)
    if not len(concerned):
        return None
    mine = ours.join(concerned, on=key, how="semi", maintain_order="left").with_columns(pl.lit(True).alias("mine"))
    falls = falls.with_columns(pl.lit(True).alias("falls"))
    mine = mine.join(falls, on="content", how="left", maintain_order="left")
    role = pl.when(pl.col("falls").fill_null(False)).then(pl.lit(said.WITHDRAWN)).otherwise("role")
    both = mine.select(pl.col("role").alias("was"), "file", "at", "mine", *_with(columns, role.alias("role")))
    come = new.select(
        pl.lit(None, pl.String).alias("was"),
        pl.lit(None, pl.String).alias("file"),
        pl.lit(None, pl.UInt32).alias("at"),
        pl.lit(False).alias("mine"),
        *_with(columns, pl.col("role")),
    )
    facts = _standing(pl.concat([both, come]), key)
    moved = pl.col("was").fill_null("") != pl.col("role").fill_null("")
    going = facts.filter(pl.col("mine") & moved)
    coming = facts.filter(~pl.col("mine") | moved)
    if not len(going) and not len(coming):
        return None
    facts = facts.join(coming.select(key).unique(), on=key, how="semi")
    return going.select("file", "at", *columns), coming.select(columns), facts.select(columns), len(new), len(falling)


def _with(columns: list[str], role: pl.Expr) -> list[pl.Expr]:
    import polars as pl

    return [role.alias("role") if name == "role" else pl.col(name) for name in columns]


def _distinct(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with what makes them what they are, each once: withdrawn, if it is that anywhere."""
    import polars as pl

    rows = rows.with_columns(said.content())
    if rows["content"].n_unique() == len(rows):
        return rows
    placed = pl.when(pl.col("role") == said.WITHDRAWN).then(0).when(pl.col("role").is_null()).then(1).otherwise(2)
    return rows.sort(placed, maintain_order=True).unique("content", keep="first", maintain_order=True)


def _lacking(ours: pl.DataFrame, theirs: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Return the facts of both of which we say what they do not."""
    known = ours.join(theirs.select(key).unique(), on=key, how="semi")
    return known.join(theirs.select("content"), on="content", how="anti").select(key)


def _other_leads(ours: pl.DataFrame, theirs: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Return the facts for which another assertion stands with them than with us."""
    import polars as pl

    stands = pl.col("role").is_null()
    with_us = ours.filter(stands).select(*key, pl.col("content").alias("ours"))
    both = theirs.filter(stands).select(*key, "content").join(with_us, on=key, how="inner")
    return both.filter(pl.col("content") != pl.col("ours")).select(key)


def _standing(rows: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Return rows so that of each fact the best that speaks for it stands for it; of a fact that is new, who did."""
    import polars as pl

    fresh = ~pl.col("mine").any().over(key)
    rows = rows.with_columns(fresh.alias("fresh"))
    kept = rows.filter("fresh")
    shared = rows.filter(~pl.col("fresh"))
    under = pl.when(pl.col("role").is_null()).then(pl.lit(said.ASSERTION)).otherwise("role").alias("role")
    shared = rewriting.led(shared.with_columns(under))
    return pl.concat([shared, kept]).drop("fresh")
