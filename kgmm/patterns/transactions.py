"""Transactions: rows of items as compressed rows, from whatever people have them in."""

from __future__ import annotations

import json
from array import array
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from kgmm.errors import BadInput, KgmmError
from kgmm.files import all_lines, read_lines
from kgmm.patterns._search import starts_kept, transposed

#: rows of items (an iterable of iterables); or a table of yes and no, a column an item: Polars, pandas or SciPy's sparse matrix (items are its columns'
#: numbers); or the name of a file: Parquet with a column of lists, JSON Lines of lists, or text, a row a line
Rows = Any


@dataclass(frozen=True)
class Transactions:
    """N rows of items, each item at most once a row.

    Example:
        >>> baskets = Transactions.of([["bread", "milk"], ["milk"], []])
        >>> len(baskets), baskets.names, baskets.items.tolist()
        (3, ['bread', 'milk'], [0, 1, 1])
    """

    starts: NDArray[np.int64]  #: (N + 1,)
    items: NDArray[np.int32]  #: positions in *names*, ascending in each row
    names: list[Any]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @classmethod
    def of(cls, rows: Rows, *, column: str | None = None) -> Transactions:
        """Read rows.

        Args:
            rows: see :data:`Rows`; items are whatever can be a dictionary's key.
            column: of a Parquet file or a Polars table with lists: which column has them; the only list column by default.

        Raises:
            KgmmError: if a table has cells that are neither true nor false, or a row is text (a list of items was meant).
            BadInput: if a file cannot be read or has no such column.
        """
        if isinstance(rows, Transactions):
            return rows
        if isinstance(rows, (str, Path)):
            return _file(Path(rows), column)
        if isinstance(rows, pl.DataFrame):
            return _lists(rows, column) if column or any(isinstance(t, pl.List) for t in rows.dtypes) else _table(rows)
        if hasattr(rows, "tocsr"):
            return _sparse(rows.tocsr())
        if hasattr(rows, "columns") and hasattr(rows, "to_numpy"):  # pandas
            if hasattr(rows, "sparse") and all(str(kind).startswith("Sparse") for kind in rows.dtypes):
                return _sparse(rows.sparse.to_coo().tocsr(), list(rows.columns))
            return _marked(np.asarray(rows.to_numpy()), list(rows.columns))
        if isinstance(rows, np.ndarray) and rows.ndim == 2:
            return _marked(rows, list(range(rows.shape[1])))
        return _rows(rows)

    def ordered(self, least: int) -> tuple[Transactions, NDArray[np.int64]]:
        """Return the rows with the items that are in at least *least* of them, the rarest first, and their counts."""
        first, rows = transposed(self.starts, self.items, len(self.names))
        counts = np.diff(first)
        order = np.argsort(counts, kind="stable")
        order = order[counts[order] >= least]
        rows = np.concatenate([rows[:0], *(rows[first[i] : first[i + 1]] for i in order.tolist())])
        starts, items = transposed(starts_of_sizes(counts[order]), rows, len(self))
        return Transactions(starts, items, [self.names[i] for i in order.tolist()]), counts[order]

    def only(self, kept: NDArray[np.bool_]) -> Transactions:
        """Return the rows with some of their entries, given by which of *items* stay."""
        return Transactions(starts_kept(self.starts, kept), self.items[kept], self.names)

    def part(self, rows: NDArray[np.bool_]) -> Transactions:
        """Return some of the rows, items numbered as they are."""
        sizes = np.diff(self.starts)
        return Transactions(starts_of_sizes(sizes[rows]), self.items[np.repeat(rows, sizes)], self.names)

    def holding(self, item: Any) -> NDArray[np.bool_]:
        """Return which rows have an item; none, if it is unknown."""
        found = np.zeros(len(self), bool)
        if item in self.names:
            at = np.flatnonzero(self.items == self.names.index(item))
            found[np.searchsorted(self.starts, at, "right") - 1] = True
        return found


def starts_of_sizes(sizes: NDArray[Any]) -> NDArray[np.int64]:
    """Return where each compressed row begins, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def starts_of(row: NDArray[Any], rows: int) -> NDArray[np.int64]:
    """Return the same of entries that each say of which row they are."""
    return starts_of_sizes(np.bincount(row, minlength=rows))


def _sorted(starts: NDArray[np.int64], items: NDArray[np.int32], count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return compressed rows with the items, of *count*, ascending in each: there and back."""
    found: tuple[NDArray[Any], NDArray[Any]] = transposed(*transposed(starts, items, count), len(starts) - 1)
    return found


def _made(starts: NDArray[Any], items: NDArray[Any], names: list[Any]) -> Transactions:
    """Return transactions of compressed rows with items in any order, doubled ones once."""
    starts, items = _sorted(starts.astype(np.int64), items.astype(np.int32), len(names))
    fresh = np.ones(len(items), bool)
    np.not_equal(items[1:], items[:-1], out=fresh[1:])
    fresh[starts[:-1][np.diff(starts) > 0]] = True
    return Transactions(starts, items, names).only(fresh)


def _rows(rows: Iterable[Iterable[Hashable]]) -> Transactions:
    number: dict[Hashable, int] = {}
    items, sizes = array("i"), array("q")
    for at, row in enumerate(rows):
        if isinstance(row, (str, bytes, Mapping)):
            raise KgmmError(f"row {at} of the transactions is {type(row).__name__}, not a collection of items")
        try:
            one = [number.setdefault(item, len(number)) for item in row]
        except TypeError as error:
            raise KgmmError(f"row {at} of the transactions: {error}") from error
        items.extend(one)
        sizes.append(len(one))
    starts = starts_of_sizes(np.array(sizes, np.int64))
    return _made(starts, np.frombuffer(items, np.int32) if items else np.empty(0, np.int32), list(number))


def _marked(table: NDArray[Any], names: Sequence[Any]) -> Transactions:
    if table.dtype == object or not np.isin(table, (0, 1)).all():
        raise KgmmError("a table of transactions has true or false (1 or 0) in every cell, a column an item")
    row, item = np.nonzero(table)
    return _made(starts_of(row, len(table)), item, list(names))


def _sparse(table: Any, names: Sequence[Any] | None = None) -> Transactions:
    if not np.isin(table.data, (0, 1)).all():
        raise KgmmError("a table of transactions has true or false (1 or 0) in every cell, a column an item")
    table.eliminate_zeros()
    return _made(table.indptr, table.indices, list(range(table.shape[1]) if names is None else names))


def _table(frame: pl.DataFrame) -> Transactions:
    return _marked(frame.fill_null(False).to_numpy(), frame.columns) if frame.width else _rows([[]] * frame.height)


def _lists(frame: pl.DataFrame, column: str | None, where: str = "the table") -> Transactions:
    lists = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List)]
    if column is None and len(lists) != 1:
        raise KgmmError(f"{where}: which of its columns of lists? {', '.join(lists)}")
    name = column or lists[0]
    if name not in lists:
        raise KgmmError(f"{where}: no column of lists {name!r}; there are: {', '.join(lists) or 'none'}")
    sizes = frame[name].list.len().fill_null(0).to_numpy().astype(np.int64)
    flat = frame[name].list.explode(keep_nulls=False, empty_as_null=False) if frame.height else frame[name].explode()
    kept = flat.is_not_null().to_numpy()
    starts = starts_kept(starts_of_sizes(sizes), kept)
    flat = flat.drop_nulls()
    names = flat.unique(maintain_order=True)
    number = pl.DataFrame({"item": names, "at": np.arange(len(names), dtype=np.int64)})
    at = flat.to_frame("item").join(number, on="item", how="left", maintain_order="left")["at"].to_numpy()
    return _made(starts, at, names.to_list())


def _file(path: Path, column: str | None) -> Transactions:
    if path.suffix.lower() in (".parquet", ".pq"):
        return _parquet(path, column)
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return _rows(_json_row(path, number, line) for number, line in read_lines(path))
    mark = next((mark for mark in "\t," if any(mark in line for _, line in all_lines(path))), None)
    return _rows([item.strip() for item in line.split(mark) if item.strip()] for _, line in all_lines(path))


def _json_row(path: Path, number: int, line: str) -> list[Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadInput(path, f"not JSON: {error}", line=number) from error
    if not isinstance(row, list) or any(isinstance(item, (list, dict)) for item in row):
        raise BadInput(path, "a row is a list of texts or numbers", line=number)
    return row


def _parquet(path: Path, column: str | None) -> Transactions:
    try:
        frame = pl.scan_parquet(path)
        schema = frame.collect_schema()
        lists = [name for name, kind in schema.items() if isinstance(kind, pl.List)]
        wanted = column if column is not None else (lists[0] if len(lists) == 1 else None)
        if wanted not in lists:
            raise BadInput(path, f"which column has lists of items? It has {', '.join(lists) or 'none'}")
        return _lists(frame.select(wanted).collect(), wanted, str(path))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise BadInput(path, f"not a Parquet file with a column of lists: {str(error).splitlines()[0]}") from error
