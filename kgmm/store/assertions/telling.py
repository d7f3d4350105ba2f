"""What is said of the facts that a store shows, for those that write it: exports and SPARQL's index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from kgmm.store.assertion import Assertion, Key, key_of
from kgmm.store.assertions.looking import everything
from kgmm.store.facts import Fact
from kgmm.store.handle import Handle
from kgmm.store.table import said

if TYPE_CHECKING:
    import polars as pl

PART = 1 << 14  #: facts only spoken against that are handed on at once


class Telling:
    """The assertions of a store that are not withdrawn, of facts of which more is said than that they are facts.

    Of a store as it was at a time, those that held then.
    """

    def __init__(self, store: Handle) -> None:
        """Take all rows of a store."""
        import polars as pl

        rows = everything(store)
        rows = rows.filter(pl.col("role").is_null() | (pl.col("role") != said.WITHDRAWN))
        more = pl.any_horizontal(pl.col(name).is_not_null() for name in ("method", "role", "polarity", "surface"))
        rows = rows.filter(more.any().over(said.KEY))
        if store.moment is not None:
            rows = rows.join(
                said.spans_of(rows), on=["valid_from", "valid_to"], nulls_equal=True, maintain_order="left"
            )
            moment = store.moment
            rows = rows.filter((pl.col("first") <= moment.last) & (pl.col("last") >= moment.first))
        self._rows = rows

    def of(self, facts: Iterable[Fact]) -> dict[Key, list[Assertion]]:
        """Return the assertions of some facts, the one that stands for a fact first; facts of which none says more lack."""
        import polars as pl

        keys = [key_of(fact) for fact in facts]
        wanted = pl.DataFrame(keys, dict.fromkeys(said.KEY, pl.String), orient="row")
        return _by_fact(self._rows.join(wanted, on=list(said.KEY), how="semi", maintain_order="left"))

    def spoken(self) -> Iterator[list[Assertion]]:
        """Yield what is said of facts for which somebody speaks, the one that stands for a fact first."""
        import polars as pl

        yield from _parts(self._rows.filter(pl.col("polarity").is_null().any().over(said.KEY)))

    def denied(self, graph: str | None = None) -> Iterator[list[Assertion]]:
        """Yield what is said of facts for which nobody speaks: no fact of the store stands for it."""
        import polars as pl

        rows = self._rows.filter(~pl.col("polarity").is_null().any().over(said.KEY))
        yield from _parts(rows if graph is None else rows.filter(pl.col("graph") == graph))


def _parts(rows: pl.DataFrame) -> Iterator[list[Assertion]]:
    keys = rows.select(said.KEY).unique(maintain_order=True)
    for start in range(0, len(keys), PART):
        part = rows.join(keys.slice(start, PART), on=list(said.KEY), how="semi", maintain_order="left")
        yield from _by_fact(part).values()


def _by_fact(rows: pl.DataFrame) -> dict[Key, list[Assertion]]:
    found: dict[Key, list[Assertion]] = {}
    for one in said.assertions(rows):
        found.setdefault(one.key, []).append(one)
    return found


def telling(store: Handle) -> Telling | None:
    """Return what is said of a store's facts; None if nothing is, or its weights are what is believed of it."""
    if not store.opened.state.said or store.belief is not None:
        return None
    return Telling(store)
