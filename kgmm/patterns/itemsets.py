"""Frequent itemsets: which items are together in many rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from kgmm.errors import KgmmError
from kgmm.graph.threads import count as cores
from kgmm.patterns._search import below, transposed
from kgmm.patterns.transactions import Rows, Transactions, starts_of_sizes
from kgmm.progress import Progress, silent

MOST = 100_000_000  #: items of all sets with one core item together: what would fill the memory is refused


@dataclass(frozen=True)
class Sets:
    """M itemsets as compressed rows, with the numbers of rows they are in."""

    starts: NDArray[np.int64]  #: (M + 1,)
    items: NDArray[np.int32]  #: positions in *names*, ascending in each set
    counts: NDArray[np.int64]  #: (M,)
    names: list[Any]
    rows: int  #: that were mined

    def __len__(self) -> int:
        return len(self.counts)

    def named(self) -> list[list[Any]]:
        """Return the sets by the items' names."""
        flat = [self.names[i] for i in self.items.tolist()]
        return [flat[a:b] for a, b in zip(self.starts[:-1].tolist(), self.starts[1:].tolist(), strict=True)]


def itemsets(
    transactions: Rows,
    min_support: float = 0.1,
    *,
    closed: bool = True,
    max_length: int | None = None,
    column: str | None = None,
    progress: Progress = silent,
) -> pl.DataFrame:
    """Return the sets of items that are together in many rows, the most frequent first.

    A set is closed if no item can be added without losing rows: of sets in the same rows the largest one stands for all.

    Args:
        transactions: rows of items, or a table of yes and no (:data:`~kgmm.patterns.transactions.Rows`).
        min_support: share of the rows in (0, 1] that a set is in at least; an integer from 2 up counts rows.
        closed: closed sets only; all frequent ones otherwise.
        max_length: items of a set at most.
        column: which column of a Parquet file or table has the lists of items.
        progress: told of items done.

    Returns:
        A table with ``support`` (share of rows) and ``itemsets`` (lists, items in the order they first came); the empty set
        is left out. ``.to_pandas()`` gives pandas'.

    Raises:
        KgmmError: if the support or the length is none, or transactions are not.

    Example:
        >>> itemsets([["a", "b"], ["a", "b", "c"], ["c"]], 0.5).rows()
        [(0.6666666666666666, ['c']), (0.6666666666666666, ['a', 'b'])]
    """
    data = Transactions.of(transactions, column=column)
    found = mine(data, least_count(min_support, len(data)), closed=closed, max_length=max_length, progress=progress)
    support = found.counts / max(len(data), 1)
    return pl.DataFrame({"support": support, "itemsets": listed(np.diff(found.starts), found.items, data.names)})


def listed(sizes: NDArray[np.int64], items: NDArray[Any], names: Sequence[Any]) -> pl.Series:
    """Return sets as a column of lists; items that Polars has no type for are said as text."""
    try:
        named = pl.Series(list(names))
    except (TypeError, pl.exceptions.PolarsError):
        named = pl.Series([], dtype=pl.Object)
    if named.dtype in (pl.Object, pl.Null):
        named = pl.Series([str(name) for name in names], dtype=pl.String)
    flat = named.gather(items).to_arrow()
    starts = pa.py_buffer(starts_of_sizes(sizes))  # pa.array would load pandas
    column = pa.Array.from_buffers(pa.large_list(flat.type), len(sizes), [None, starts], children=[flat])
    return pl.Series(pl.from_arrow(column))


def least_count(min_support: float, rows: int) -> int:
    """Return in how many rows a set is at least: of a share the smallest number that is no less.

    >>> least_count(0.5, 3), least_count(2, 3)
    (2, 2)
    """
    if isinstance(min_support, bool) or not isinstance(min_support, (int, float)) or not math.isfinite(min_support):
        raise KgmmError(f"a least support is a share of the rows or a number of rows, not {min_support!r}")
    if isinstance(min_support, int) and min_support > 1:
        return min_support
    if not 0 < min_support <= 1:
        raise KgmmError(f"a least support lies above 0 and is 1 at most, or counts rows; not {min_support!r}")
    count = max(math.ceil(min_support * rows), 1)
    # the product may lie a rounding above a whole number of rows that has this support
    return count - 1 if count > 1 and (count - 1) / rows >= min_support else count


def mine(
    data: Transactions,
    least: int,
    *,
    closed: bool = True,
    max_length: int | None = None,
    threads: int | None = None,
    most: int = MOST,
    progress: Progress = silent,
) -> Sets:
    """Return frequent sets by their items' numbers, the most frequent first, equals by their items; the same for any *threads*.

    Raises:
        KgmmError: if *max_length* is less than 1, or the sets with one core item have more than *most* items.
    """
    if max_length is not None and (isinstance(max_length, bool) or max_length < 1):
        raise KgmmError(f"a set has at least one item; a greatest length of {max_length!r} leaves none")
    longest = len(data.names) if max_length is None else max_length
    ordered, counts = data.ordered(least)
    number = {name: i for i, name in enumerate(data.names)}
    back = np.array([number[name] for name in ordered.names], np.int32)
    everywhere = int((counts == len(data)).sum()) if closed and len(data) else 0
    count = len(counts) - everywhere  # items of all rows are in every closed set; they come last
    parts: list[tuple[Any, Any, Any]] = []
    if everywhere and everywhere <= longest:
        parts.append((np.arange(everywhere, dtype=np.int32) + count, np.array([everywhere]), np.array([len(data)])))
    if count and everywhere < longest:
        inner = ordered.only(ordered.items < count) if everywhere else ordered
        first, rows = transposed(inner.starts, inner.items, count)
        given = inner.starts, inner.items, first, rows, least, longest - everywhere, closed, most
        done = iter(range(1, count + 1))

        def of(item: int) -> tuple[Any, Any, Any]:
            found: tuple[Any, Any, Any] = below(item, *given)
            if len(found[2]) and found[2][0] < 0:
                raise KgmmError(
                    f"more than {most:,} items in frequent sets: give a higher support or a greatest length, or ask for closed sets"
                )
            progress(next(done), count, "items")
            return found

        with ThreadPoolExecutor(threads or cores()) as pool:
            parts += [_with_last(part, count, everywhere) for part in pool.map(of, range(count))]
    return _joined(parts, back, data)


def _with_last(part: tuple[Any, Any, Any], count: int, more: int) -> tuple[Any, Any, Any]:
    """Add the items of all rows, numbers *count* to *count* + *more*, to every set."""
    items, ends, supports = part
    if not more or not len(ends):
        return part
    sizes = np.diff(ends, prepend=0)
    last = np.arange(more, dtype=np.int32) + count
    spread = np.empty(len(items) + more * len(ends), np.int32)
    starts = starts_of_sizes(sizes + more)
    own = np.arange(len(items)) + np.repeat(starts[:-1] - np.concatenate([[0], ends[:-1]]), sizes)
    spread[own] = items
    spread[(starts[1:, None] - more + np.arange(more)).ravel()] = np.tile(last, len(ends))
    return spread, starts[1:], supports


def _joined(parts: Sequence[tuple[Any, Any, Any]], back: NDArray[np.int32], data: Transactions) -> Sets:
    """Return what the cores' parts found, by the items' own numbers, sorted."""
    items = np.concatenate([p[0] for p in parts]) if parts else np.empty(0, np.int32)
    sizes = np.concatenate([np.diff(p[1], prepend=0) for p in parts]) if parts else np.empty(0, np.int64)
    counts = np.concatenate([p[2] for p in parts]).astype(np.int64) if parts else np.empty(0, np.int64)
    items = back[items] if len(items) else items
    of = np.repeat(np.arange(len(sizes)), sizes)
    items = _ascending(items, of)
    starts = starts_of_sizes(sizes)
    first = items[starts[:-1]] if len(sizes) else np.empty(0, np.int32)
    rank = np.lexsort((first, sizes, -counts))
    ranked = starts_of_sizes(sizes[rank])
    gathered = np.arange(len(items)) + np.repeat(starts[:-1][rank] - ranked[:-1], sizes[rank])
    return Sets(ranked, items[gathered].astype(np.int32), counts[rank], data.names, len(data))


def _ascending(items: NDArray[np.int32], of: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the items of each set in ascending order."""
    wide = 1 + int(items.max(initial=0))
    return (np.sort(of * wide + items) % wide).astype(np.int32)
