"""Relations of solutions: a column of term numbers a variable, and how two of them are joined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.store.sparql.engine.vocabulary import UNBOUND, Ids

Rows = NDArray[np.intp]
CELLS = 1 << 21  #: values that a part of a relation has at most, so that what is held at once stays level


def most(columns: int) -> int:
    """Return how many rows a part with some columns may have."""
    return max(min(CELLS // (columns + 1), 1 << 18), 1024)


class Table:
    """Solutions as columns; a variable without a column is unbound in all of them."""

    __slots__ = ("columns", "size")

    def __init__(self, size: int, columns: dict[str, Ids]) -> None:
        self.size = size
        self.columns = columns

    def take(self, rows: Any) -> Table:
        """Return some rows, given by number or by a flag a row."""
        if isinstance(rows, np.ndarray) and rows.dtype == bool:
            rows = np.flatnonzero(rows)
        return Table(len(rows), {name: column[rows] for name, column in self.columns.items()})

    def part(self, start: int, stop: int) -> Table:
        """Return a range of rows without copying them."""
        return Table(min(stop, self.size) - start, {n: c[start:stop] for n, c in self.columns.items()})

    def column(self, name: str) -> Ids:
        """Return a variable's numbers, all unbound where it has none."""
        found = self.columns.get(name)
        return np.full(self.size, UNBOUND, np.int64) if found is None else found

    def with_column(self, name: str, column: Ids) -> Table:
        """Return the solutions with one variable more, or bound anew."""
        return Table(self.size, {**self.columns, name: column})

    def only(self, names: Iterable[str]) -> Table:
        """Return the columns of some variables."""
        return Table(self.size, {n: self.columns[n] for n in names if n in self.columns})

    def without(self, name: str) -> Table:
        """Return the solutions without a variable."""
        return Table(self.size, {n: c for n, c in self.columns.items() if n != name})


UNIT = Table(1, {})  #: the one solution that binds nothing


def concatenated(tables: Sequence[Table]) -> Table:
    """Return the rows of several relations, one after the other."""
    if len(tables) == 1:
        return tables[0]
    names = dict.fromkeys(n for t in tables for n in t.columns)
    return Table(sum(t.size for t in tables), {n: np.concatenate([t.column(n) for t in tables]) for n in names})


def numbered(columns: Sequence[Ids]) -> tuple[NDArray[np.int64], Rows]:
    """Return for each row the number of its combination of values, and a row of each combination."""
    if len(columns) == 1:
        _, first, codes = np.unique(columns[0], return_index=True, return_inverse=True)
        return codes.reshape(-1), first
    codes, first = numbered(columns[:1])
    for column in columns[1:]:
        more = np.unique(column, return_inverse=True)[1].reshape(-1)
        mixed = codes * (int(more.max(initial=0)) + 1) + more
        _, first, codes = np.unique(mixed, return_index=True, return_inverse=True)
        codes = codes.reshape(-1)
    return codes, first


def distinct(table: Table) -> Rows:
    """Return the rows that repeat no earlier one."""
    if not table.columns:
        return np.arange(min(table.size, 1))
    return np.sort(numbered(list(table.columns.values()))[1])


def expanded(counts: NDArray[np.int64]) -> tuple[Rows, NDArray[np.int64]]:
    """Return for each of the places that ranges of some sizes hold its range and its place in it."""
    of = np.repeat(np.arange(len(counts)), counts)
    ends = np.cumsum(counts)
    return of, np.arange(len(of)) - (ends - counts)[of]


def placed(counts: NDArray[np.int64], first: int, most: int) -> Iterator[tuple[Rows, NDArray[np.int64]]]:
    """Yield the places that ranges of some sizes hold, in parts: the range each lies in, and which place of it.

    Args:
        counts: the ranges' sizes.
        first: how many places the first part has at most.
        most: how many the later ones may grow to.
    """
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    if total <= first:
        if total:
            yield expanded(counts)
        return
    done, size = 0, first
    while done < total:
        stop = min(done + size, total)
        low, high = int(np.searchsorted(ends, done, "right")), int(np.searchsorted(ends, stop - 1, "right")) + 1
        held = np.minimum(ends[low:high], stop) - np.maximum(ends[low:high] - counts[low:high], done)
        of = np.repeat(np.arange(low, high), held)
        yield of, np.arange(done, stop) - (ends[low:high] - counts[low:high])[of - low]
        done, size = stop, min(4 * size, most)


def by_boundness(table: Table, names: Sequence[str]) -> list[tuple[frozenset[str], Rows]]:
    """Return the rows that bind the same of some variables together, with what they bind."""
    present = [n for n in names if n in table.columns]
    flags = [table.columns[n] != UNBOUND for n in present]
    if all(f.all() for f in flags):
        return [(frozenset(present), np.arange(table.size))] if table.size else []
    kinds = sum(f.astype(np.int64) << i for i, f in enumerate(flags))
    groups = []
    for kind in np.unique(kinds).tolist():
        which = frozenset(n for i, n in enumerate(present) if kind >> i & 1)
        groups.append((which, np.flatnonzero(kinds == kind)))
    return groups


def pairs(left: Table, right: Table, *, sharing: bool = False) -> Iterable[tuple[Rows, NDArray[np.int64], Rows, Rows]]:
    """Yield which rows are compatible: rows of *left*, how many partners each has, where they begin in rows of *right*.

    Args:
        left: solutions.
        right: solutions.
        sharing: only pairs that bind a variable in common, as MINUS wants them.
    """
    shared = [n for n in left.columns if n in right.columns]
    of_right = by_boundness(right, shared)
    for mine, rows in by_boundness(left, shared):
        for theirs, others in of_right:
            both = sorted(mine & theirs)
            if not both:
                if not sharing:
                    yield rows, np.full(len(rows), len(others)), np.zeros(len(rows), np.intp), others
                continue
            keys = [np.concatenate([left.columns[n][rows], right.columns[n][others]]) for n in both]
            codes = keys[0] if len(keys) == 1 else numbered(keys)[0]
            wanted, offered = codes[: len(rows)], codes[len(rows) :]
            order = np.argsort(offered, kind="stable")
            offered = offered[order]
            starts = np.searchsorted(offered, wanted)
            yield rows, np.searchsorted(offered, wanted, "right") - starts, starts, others[order]


def merged(left: Table, rows: Rows, right: Table, others: Rows) -> Table:
    """Return compatible pairs of rows as solutions."""
    found = left.take(rows).columns
    for name, column in right.columns.items():
        values = column[others]
        mine = found.get(name)
        found[name] = values if mine is None else np.where(mine == UNBOUND, values, mine)
    return Table(len(rows), found)
