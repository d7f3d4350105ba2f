"""Facts with assertions in the index: when each holds, worked out of the rows of the table that speak for it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from kgmm.store.index.base import Statements
from kgmm.store.index.encoding import Encoded, encode
from kgmm.store.index.snapshot import Snapshot
from kgmm.store.index.state import Opened
from kgmm.store.index.terms import Terms
from kgmm.store.table import said
from kgmm.store.times import Spans, span

MANY = 20_000  #: facts from which all statements are read to find them
IDS = ("s", "p", "o", "g")  #: a fact's terms by number


class Places(NamedTuple):
    """Where facts lie in a snapshot: the row of the base and of the added ones, -1 where it is in neither."""

    base: NDArray[np.int64]
    added: NDArray[np.int64]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which of the facts are there."""
        return (self.base >= 0) | (self.added >= 0)


class Change(NamedTuple):
    """What a commit does to the index: rows of base and overlay that go, and the rows that come, with their strings."""

    base: NDArray[np.int64]
    added: NDArray[np.int64]
    coded: Encoded


def places(snapshot: Snapshot, rows: Statements) -> Places:
    """Return where facts given by number lie in a snapshot."""
    count = len(rows.subject)
    if count > MANY:
        return _many(snapshot, rows)
    base, added = np.full(count, -1, np.int64), np.full(count, -1, np.int64)
    overlay, gone = snapshot.overlay, snapshot.gone
    for at, ids in enumerate(zip(*(column.tolist() for column in rows[:4]), strict=True)):
        order, low, high = snapshot.base.find(*ids)
        if high > low:
            row = low if order is None else int(order[low])
            if not len(gone) or not gone[row]:
                base[at] = row
        if overlay is not None and len(found := overlay.find(*ids)):
            added[at] = found[0]
    return Places(base, added)


def _many(snapshot: Snapshot, rows: Statements) -> Places:
    wanted = _numbered(rows).with_row_index("at")
    base = snapshot.base.statements(slice(None))
    found = []
    for statements, kept in ((base, ~snapshot.gone), (snapshot.added, None)):
        there = _numbered(statements).with_row_index("row")
        if kept is not None and len(kept):
            there = there.filter(pl.Series(kept))
        row = wanted.join(there, on=list(IDS), how="left", maintain_order="left").unique("at", maintain_order=True)
        found.append(row["row"].cast(pl.Int64).fill_null(-1).to_numpy())
    return Places(*found)


def _numbered(rows: Statements) -> pl.DataFrame:
    return pl.DataFrame(dict(zip(IDS, rows[:4], strict=True)))


def entered(opened: Opened, rows: pl.DataFrame) -> Change:
    """Return what rows that a commit adds do to the index of the version before: new facts, and when known ones hold.

    Args:
        opened: the version before; of facts it does not hold, *rows* have all that speaks for them.
        rows: rows of the table as :func:`kgmm.store.table.said.frame` makes them.
    """
    coded = encode(rows.to_arrow(), opened.terms, opened.sources)
    numbered = pl.concat([rows, _numbered(coded.rows)], how="horizontal").with_row_index("row")
    return _change(opened, numbered, coded, fresh=False)


def spoken(opened: Opened, rows: pa.Table, coded: Encoded) -> Change:
    """Return what rows do to the index of which each alone speaks for a fact it does not hold."""
    names = ("method", "valid_from", "valid_to")
    method, start, end = (rows[n].to_pylist() if n in rows.column_names else [None] * len(rows) for n in names)
    held = (span(bounds) for bounds in zip(start, end, strict=True))
    texts = [Spans.text([(s.first, s.last)]) if how else None for s, how in zip(held, method, strict=True)]
    timed = pl.Series([text for text in texts if text is not None], dtype=pl.String)
    codes = np.zeros(len(texts), np.uint32)
    codes[[text is not None for text in texts]] = _numbers(opened.sources, coded.new_sources, timed)
    none = np.empty(0, np.int64)
    return Change(none, none, coded._replace(rows=coded.rows._replace(when=codes)))


def regrouped(opened: Opened, rows: pl.DataFrame, gone: pl.DataFrame) -> Change:
    """Return what it does to the index that some facts now have just these rows, and others none.

    Args:
        opened: the version before.
        rows: all the rows of facts that have some.
        gone: the facts that have none, in the columns subject, predicate, object and graph.
    """
    coded = encode(rows.to_arrow(), opened.terms, opened.sources)
    numbered = pl.concat([rows, _numbered(coded.rows)], how="horizontal").with_row_index("row")
    change = _change(opened, numbered, coded, fresh=True)
    known = len(opened.terms)
    ids = pl.DataFrame({i: opened.terms.ids(gone[name]) for i, name in zip(IDS, said.KEY, strict=True)})
    facts = pl.concat([numbered.select(pl.col(IDS).cast(pl.Int64)).unique(), ids])
    facts = facts.filter(pl.all_horizontal((pl.col(i) >= 0) & (pl.col(i) < known) for i in IDS))
    empty = np.zeros(len(facts), np.uint32)
    columns = (facts[i].to_numpy().astype(np.uint32) for i in IDS)
    there = places(opened.snapshot, Statements._make((*columns, empty.astype(np.float64), empty, empty)))
    return Change(there.base[there.base >= 0], there.added[there.added >= 0], change.coded)


def of_table(opened: Opened, rows: pa.Table) -> Statements:
    """Return the statements that the index should hold of all of a table's rows."""
    found = said.frame(rows)
    coded = encode(found.to_arrow(), opened.terms, opened.sources)
    numbered = pl.concat([found, _numbered(coded.rows)], how="horizontal").with_row_index("row")
    return _change(opened, numbered, coded, fresh=True).coded.rows


def _change(opened: Opened, rows: pl.DataFrame, coded: Encoded, fresh: bool) -> Change:
    """Return the change rows make; *fresh* if what the index says of their facts goes."""
    snapshot, terms = opened.snapshot, len(opened.terms)
    rows = rows.with_columns(pl.col("row").min().over(list(IDS)).alias("fact"), said.explicit().alias("explicit"))
    standing = pl.col("row").filter(said.supporting() & pl.col("role").is_null()).first()
    # where another program deleted the row that stands for a fact, the first that speaks for it
    lead = standing.fill_null(pl.col("row").filter(said.supporting()).first()).alias("lead")
    facts = rows.group_by("fact", maintain_order=True).agg(pl.col("explicit").any(), lead)
    keys = coded.rows.take(facts["fact"].to_numpy())
    unknown = np.full(len(facts), -1, np.int64)
    where = Places(unknown, unknown) if fresh or not len(snapshot) else places(snapshot, keys)
    explicit, new = facts["explicit"].to_numpy(), ~where.known & facts["lead"].is_not_null().to_numpy()
    again = where.known & explicit
    old = _there(snapshot, where, again)
    before = {}
    for fact, when in zip(facts["fact"].to_numpy()[again].tolist(), old.when.tolist(), strict=True):
        before[fact] = opened.sources.name(when - 1) if when else "/"
    timed = facts.filter(pl.Series((new & explicit) | again)).select("fact")
    held = said.entries(rows.filter(said.supporting()).join(timed, on="fact", how="semi"), "fact", before)
    numbers = _numbers(opened.sources, coded.new_sources, held["text"])
    when = facts.join(
        held.select("fact", pl.Series("when", numbers, pl.UInt32)), on="fact", how="left", maintain_order="left"
    )
    codes = when["when"].fill_null(0).to_numpy()
    come = coded.rows.take(facts["lead"].to_numpy()[new].astype(np.int64))._replace(when=codes[new])
    same = codes[again] == old.when
    kept = old._replace(when=codes[again]).take(~same)
    base, added = where.base[again][~same], where.added[again][~same]
    statements = Statements.concatenate([come, kept])
    assert not len(statements.subject) or terms + len(coded.new_terms) > int(statements.subject.max())
    return Change(base[base >= 0], added[added >= 0], coded._replace(rows=statements))


def _there(snapshot: Snapshot, where: Places, chosen: NDArray[np.bool_]) -> Statements:
    """Return the statements of facts whose places are known, in their order."""
    base, added = where.base[chosen], where.added[chosen]
    late = base < 0
    columns = [np.empty(len(base), column.dtype) for column in Statements.empty()]
    parts = ((~late, snapshot.base.statements(base[~late])), (late, snapshot.added.take(added[late])))
    for mine, part in parts:
        for column, values in zip(columns, part, strict=True):
            column[mine] = values
    return Statements(*columns)


def _numbers(known: Terms, new: list[str], texts: pl.Series) -> NDArray[np.uint32]:
    """Return the codes of spans, one more than their numbers among the sources; unknown ones are put into *new*."""
    if not len(texts):
        return np.empty(0, np.uint32)
    several = texts.unique(maintain_order=True)
    distinct = several.to_list()
    ids = known.ids(distinct)
    fresh = {name: at for at, name in enumerate(new)}
    for at in np.flatnonzero(ids < 0).tolist():
        ids[at] = len(known) + fresh.setdefault(distinct[at], len(fresh))
    new[:] = list(fresh)
    return texts.replace_strict(several, (ids + 1).astype(np.uint32), return_dtype=pl.UInt32).to_numpy()
