"""A store as one believes it: the weight of what is disputed or attested is the probability that it is true."""

from __future__ import annotations

import copy
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from kgmm.store.assertions.looking import everything
from kgmm.store.assertions.seeing import as_of
from kgmm.store.facts import Fact
from kgmm.store.handle import Handle
from kgmm.store.index.base import Base, Coded, Statements
from kgmm.store.index.found import Found
from kgmm.store.index.mapped import view
from kgmm.store.index.snapshot import Overlay, Snapshot
from kgmm.store.index.state import Opened
from kgmm.store.table import said
from kgmm.store.times import Moment, period

if TYPE_CHECKING:
    import polars as pl

    from kgmm.trust import Belief

H = TypeVar("H", bound=Handle)
LEAST = 1e-9  #: a probability that a view can still walk
NOBODY = ""  #: who says what nobody in particular says


def believe(store: H, policy: str | None = None, *, at: Moment = None, **options: Any) -> H:
    """Return the store with the probability of truth as the weight of each fact that somebody says something of.

    What is said for and against, by whom and how surely, is weighed by a policy of :mod:`kgmm.trust`. Values of a
    functional relation exclude each other, where no time is said of them or *at* says which time is meant; of all other
    facts it is asked one by one whether they hold. Facts that were only added keep their weight. Nothing is stored: the
    view is made anew of what is said, and says in ``belief`` what it found, with a report of each contributor.

    Args:
        store: the store.
        policy: one of :func:`kgmm.trust.policies`; the default of :mod:`kgmm.trust` if none is named.
        at: believe what is said of this time only.
        **options: the policy's own.

    Raises:
        BadInput: if *at* is no time, or there is no such policy or option.

    Example:
        >>> import tempfile, kgmm
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> for who in ("ann", "bob", "cem"):
        ...     _ = kb.add(("dog", "IsA", "animal"), contributor=who, polarity=-1 if who == "cem" else 1)
        >>> seen = kb.believe("majority")
        >>> round(seen.find("dog")[0].weight, 2), seen.belief.report()["contributor"].to_list()
        (0.67, ['ann', 'bob', 'cem'])
    """
    from kgmm import trust

    seen = as_of(store, at)
    made = copy.copy(seen)
    made._ending, made.past, made.belief = ExitStack(), True, None
    claims, rows = _claims(store, at)
    if not len(claims):
        trust.POLICIES.module(policy.replace("-", "_") if policy else trust.DEFAULT.replace("-", "_"))
        return made
    belief = trust.infer(
        claims["item"].to_numpy(),
        claims["contributor"].to_numpy(),
        claims["value"].to_numpy(),
        confidence=claims["confidence"].to_numpy(),
        against=claims["against"].to_numpy(),
        policy=policy or trust.DEFAULT,
        open=True,
        **options,
    )
    made.belief = belief
    made.opened = _weighed(seen.opened, _probabilities(belief, claims), rows)
    made.opened.derived["attested"] = rows
    return made


def believed(store: Handle) -> list[Fact]:
    """Return the facts of a store made by :func:`believe` that somebody says something of, with their probabilities."""
    rows = store.opened.derived.get("attested")
    if rows is None:
        return []
    opened = store.opened
    found = (opened.select(*key) for key in rows.select(said.KEY).iter_rows())
    return [fact for selection in found for fact in Found(opened, selection, 1)]


def _claims(store: Handle, at: Moment) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return what is claimed of the facts somebody says something of, and these facts by number."""
    import polars as pl

    from kgmm.store.index.sight import functional

    rows = everything(store)
    rows = rows.filter(pl.col("role").is_null() | (pl.col("role") != said.WITHDRAWN))
    rows = rows.filter((pl.col("method").is_not_null() | pl.col("polarity").is_not_null()).any().over(said.KEY))
    if at is not None:
        moment = period(at)
        bounds = ["valid_from", "valid_to"]
        rows = rows.join(said.spans_of(rows), on=bounds, nulls_equal=True, maintain_order="left")
        rows = rows.filter((pl.col("first") <= moment.last) & (pl.col("last") >= moment.first))
    rows = rows.filter(pl.col("confidence").is_null() | (pl.col("confidence") > 0))
    one = pl.col("predicate").is_in(sorted(functional(store.opened).values()))
    group = ["subject", "predicate", "graph"]
    if at is None:
        one = one & (pl.col("valid_from").is_null() & pl.col("valid_to").is_null()).all().over(group)
    rows = rows.with_row_index("row").with_columns(
        pl.col("row").min().over(said.KEY).alias("fact"),
        pl.col("row").min().over(group).alias("group"),
        one.alias("one"),
    )
    who = pl.coalesce("contributor", pl.when(pl.col("source") != "").then("source"), pl.lit(NOBODY))
    claims = rows.select(
        "fact",
        pl.when("one").then("group").otherwise("fact").cast(pl.Int64).alias("item"),
        pl.when("one").then("fact").otherwise(0).cast(pl.Int64).alias("value"),
        who.alias("contributor"),
        pl.col("confidence").fill_null(1.0),
        pl.col("polarity").is_not_null().alias("against"),
    )
    return claims, rows.filter(pl.col("row") == pl.col("fact")).select("fact", *said.KEY)


def _probabilities(belief: Belief, claims: pl.DataFrame) -> pl.DataFrame:
    """Return the probability of each fact, by number."""
    import polars as pl

    found = belief.to_polars().select(pl.col("item", "value").cast(pl.Int64), "probability")
    facts = claims.select("fact", "item", "value").unique()
    return facts.join(found, on=["item", "value"]).select("fact", "probability")


def _weighed(opened: Opened, probabilities: pl.DataFrame, facts: pl.DataFrame) -> Opened:
    """Return a version with other weights for some facts."""
    from kgmm.store.index.held import places

    facts = facts.join(probabilities, on="fact", maintain_order="left")
    terms, snapshot = opened.terms, opened.snapshot
    ids = [terms.ids(facts[name]) for name in said.KEY]
    inside = np.logical_and.reduce([column >= 0 for column in ids])
    weight = np.maximum(facts["probability"].to_numpy()[inside], LEAST)
    none = np.zeros(len(weight), np.uint32)
    there = Statements._make((*(column[inside].astype(np.uint32) for column in ids), weight, none, none))
    where = places(snapshot, there)
    weights = np.asarray(snapshot.base.weight.at(slice(None)), np.float64).copy()
    weights[where.base[where.base >= 0]] = weight[where.base >= 0]
    added = snapshot.added.weight.astype(np.float64)
    added[where.added[where.added >= 0]] = weight[where.added >= 0]
    overlay = snapshot.overlay
    if overlay is not None:
        overlay = Overlay(snapshot.added._replace(weight=added), snapshot.removed)
    return Opened(opened.state, terms, opened.sources, Snapshot(_reweighed(snapshot.base, weights), overlay))


def _reweighed(base: Base, weights: NDArray[np.float64]) -> Base:
    made = copy.copy(base)
    made.weight = Coded(np.arange(len(weights), dtype=np.uint32), weights)
    made.items = (*base.items[:4], view(made.weight.codes), base.items[5])
    return made
