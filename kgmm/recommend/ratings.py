"""Ratings: who rated what, how, and when, as columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import BadInput

#: what a rating's columns are called in the tables of others, in the order of preference
NAMES = {
    "user": ("user", "user_id", "userid", "user_id:token", "reviewerid", "u"),
    "item": ("item", "item_id", "itemid", "item_id:token", "movieid", "movie_id", "asin", "parent_asin", "i"),
    "value": ("value", "rating", "rating:float", "overall", "score", "stars", "weight"),
    "time": ("time", "timestamp", "timestamp:float", "unixreviewtime", "unix_review_time", "date"),
}

DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, eq=False)
class Ratings:
    """Ratings in the order they were given, at most one of a user and an item.

    Args:
        users: names; a rating's ``user`` is a position in them.
        items: likewise.
        user: (n,) positions of users.
        item: (n,) positions of items.
        value: (n,) finite numbers; 1 where only that something was chosen is known.
        time: (n,) seconds or any numbers that grow with time, or None.
        repeated: how many earlier ratings of the same user and item were left out.

    Example:
        >>> ratings = Ratings.of([("ann", "Alien", 5), ("bob", "Alien", 3), ("ann", "Alien", 4)])
        >>> len(ratings), ratings.repeated, ratings.value.tolist(), ratings.scale
        (2, 1, [3.0, 4.0], (3.0, 4.0))
    """

    users: tuple[str, ...]
    items: tuple[str, ...]
    user: NDArray[np.int32]
    item: NDArray[np.int32]
    value: NDArray[np.float32]
    time: NDArray[np.float64] | None = None
    repeated: int = 0

    def __len__(self) -> int:
        return len(self.user)

    @classmethod
    def of(cls, given: Ratings | Iterable[Any] | Any, source: str = "ratings") -> Ratings:
        """Return ratings from rows (user, item[, value[, time]]), mappings, or a data frame of pandas or Polars.

        A data frame's columns are found by the names MovieLens, Amazon and RecBole give them, else by their order. Of several
        ratings of one user and item the latest stays: by time, else by order.

        Raises:
            BadInput: if there are none, a row has fewer than two fields, or a value or time is no finite number.
        """
        if isinstance(given, Ratings):
            return given
        user, item, value, time = _columns(given, source)
        return cls.from_columns(user, item, value, time, source)

    @classmethod
    def from_columns(
        cls, user: Any, item: Any, value: Any = None, time: Any = None, source: str = "ratings"
    ) -> Ratings:
        """Return ratings from columns of equal length; users and items may be of any type that has a text.

        Raises:
            BadInput: as :meth:`of`.
        """
        who, what = _texts(user, source), _texts(item, source)
        if not len(who):
            raise BadInput(source, "there are no ratings")
        values = np.ones(len(who)) if value is None else _numbers(value, "rating", source)
        times = None if time is None else _numbers(time, "time", source)
        users, u = _numbered(who)
        items, i = _numbered(what)
        keep = _latest(u, i, len(items), times)
        users_left, u = _renumbered(users, u[keep])
        items_left, i = _renumbered(items, i[keep])
        return cls(
            users_left,
            items_left,
            u,
            i,
            values[keep].astype(np.float32),
            None if times is None else times[keep],
            len(who) - len(keep),
        )

    def take(self, rows: NDArray[Any]) -> Ratings:
        """Return the ratings at *rows* (positions or a mask), in that order, with only their users and items."""
        users, u = _renumbered(self.users, self.user[rows])
        items, i = _renumbered(self.items, self.item[rows])
        return Ratings(users, items, u, i, self.value[rows], None if self.time is None else self.time[rows])

    @cached_property
    def user_number(self) -> Mapping[str, int]:
        """The position of a user's name."""
        return {name: number for number, name in enumerate(self.users)}

    @cached_property
    def item_number(self) -> Mapping[str, int]:
        """The position of an item's name."""
        return {name: number for number, name in enumerate(self.items)}

    @property
    def scale(self) -> tuple[float, float]:
        """The lowest and the highest value."""
        return float(self.value.min()), float(self.value.max())

    @cached_property
    def by_user(self) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
        """Where each user's ratings begin (users + 1,), and their items, ascending, with values: compressed rows."""
        return _rows(self.user, self.item, self.value, len(self.users))

    @cached_property
    def by_item(self) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
        """As :attr:`by_user`, from items to users."""
        return _rows(self.item, self.user, self.value, len(self.items))


def _rows(
    row: NDArray[np.int32], column: NDArray[np.int32], value: NDArray[np.float32], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    order = np.lexsort((column, row))
    starts = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(row, minlength=count), out=starts[1:])
    return starts, column[order], value[order]


def _columns(given: Any, source: str) -> list[Any]:
    names = getattr(given, "columns", None)
    if names is not None:
        plain = {str(name).strip().lower(): name for name in names}
        found = {kind: next((plain[n] for n in known if n in plain), None) for kind, known in NAMES.items()}
        if found["user"] is None or found["item"] is None:
            if len(names) < 2:
                raise BadInput(
                    source, f"expected columns user and item; there is {', '.join(map(str, names)) or 'none'}"
                )
            found = dict(zip(NAMES, [*names[:4], None, None], strict=False))
        return [None if found[kind] is None else given[found[kind]] for kind in NAMES]
    rows = [tuple(row.get(kind) for kind in NAMES) if isinstance(row, Mapping) else tuple(row) for row in given]
    if not rows:
        raise BadInput(source, "there are no ratings")
    wide = len(rows[0])
    for number, row in enumerate(rows, 1):
        if len(row) != wide or not 2 <= wide <= 4 or row[0] is None or row[1] is None:
            raise BadInput(
                source, f"expected user, item and at most value and time, as in the first row; found {row!r}", number
            )
    columns: list[Any] = [list(column) for column in zip(*rows, strict=True)]
    columns = [None if all(value is None for value in column) else column for column in columns]
    return columns + [None] * (4 - len(columns))


def _texts(column: Any, source: str) -> NDArray[Any]:
    array = np.asarray(column)
    if array.dtype.kind in "fO":
        for number, value in enumerate(array.tolist(), 1):
            if value is None or (isinstance(value, float) and not np.isfinite(value)):
                raise BadInput(source, "a user or an item has no name", number)
        if array.dtype.kind == "f" and (array == np.floor(array)).all():
            array = array.astype(np.int64)  # data frames make whole numbers with gaps fractions
    return array if array.dtype.kind in "iu" else array.astype(np.str_)


def _numbers(column: Any, kind: str, source: str) -> NDArray[np.float64]:
    if kind == "time":
        column = _seconds(column)
    try:
        array = np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError):
        for number, value in enumerate(column, 1):
            try:
                float(value)
            except (TypeError, ValueError):
                raise BadInput(source, f"the {kind} {value!r} is no number", number) from None
        raise
    if len(bad := np.flatnonzero(~np.isfinite(array))):
        value = next(islice(column, int(bad[0]), None))
        told = f"there is no {kind}" if value is None else f"the {kind} {value} is no finite number"
        raise BadInput(source, told, int(bad[0]) + 1)
    return array


def _seconds(column: Any) -> Any:
    """Dates (2020-01-31, 2020-01-31T12:00) as seconds since 1970; anything else as it is."""
    array = np.asarray(column)
    text = array.dtype.kind in "UO" and len(array) and isinstance(array[0], str) and DATE.match(array[0])
    if array.dtype.kind != "M" and not text:
        return column
    try:
        when = array.astype("datetime64[ms]")
    except ValueError:
        return column
    return np.where(np.isnat(when), np.nan, when.astype(np.int64) / 1000)


def _numbered(column: NDArray[Any]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Names in the order of their first appearance, and each row's."""
    values, first, where = np.unique(column, return_index=True, return_inverse=True)
    rank = np.empty(len(values), np.int32)
    order = np.argsort(first, kind="stable")
    rank[order] = np.arange(len(values), dtype=np.int32)
    return tuple(str(name) for name in values[order].tolist()), rank[where]


def _renumbered(names: tuple[str, ...], numbers: NDArray[np.int32]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    left, plain = _numbered(numbers)
    return tuple(names[int(number)] for number in left), plain


def _latest(
    user: NDArray[np.int32], item: NDArray[np.int32], items: int, time: NDArray[np.float64] | None
) -> NDArray[np.int64]:
    key = user.astype(np.int64) * items + item
    order = np.argsort(key, kind="stable") if time is None else np.lexsort((time, key))
    last = np.append(key[order][1:] != key[order][:-1], True)
    return np.sort(order[last])
