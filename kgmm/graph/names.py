"""The names of a view's nodes: a list of their own, or numbers that are spelled when asked."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.language import names

_SPARSE = 4  #: of numbers that lie further apart than this a table would be mostly empty
Positions = NDArray[np.integer[Any]]


class ListedNames:
    """Names kept as a list of strings."""

    def __init__(self, listed: Sequence[str]) -> None:
        self._listed = listed if isinstance(listed, list) else list(listed)

    def __len__(self) -> int:
        return len(self._listed)

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self._listed)}

    def at(self, positions: Positions) -> list[str]:
        """Return the names of *positions*."""
        return [self._listed[i] for i in positions.tolist()]

    def position(self, name: str) -> int | None:
        """Return the position of a node by its exact name, or None."""
        return self._positions.get(name)

    def all(self) -> list[str]:
        """Return every name in order."""
        return self._listed

    def take(self, positions: Positions) -> ListedNames:
        """Return the names of a subset of nodes, in the order of *positions*."""
        return ListedNames(self.at(positions))


def _spelled(numbers: NDArray[np.int64]) -> list[str]:
    return [str(i) for i in numbers.tolist()]


def _number(name: str) -> int | None:
    return int(name) if name.isdecimal() and len(name) < 11 else None


class NumberedNames:
    """Names made of a number per node when asked; only the numbers are held.

    *numbers* are a store's term ids (uint32), or int32 for graphs made of integers; *names* makes int64 numbers names,
    by default node 7 is called ``"7"``; *number* finds a name's number, or None. *sorter* is
    :attr:`sorter`, if it is known.
    """

    def __init__(
        self,
        numbers: NDArray[Any],
        names: Callable[[NDArray[np.int64]], Sequence[str]] = _spelled,
        number: Callable[[str], int | None] = _number,
        sorter: NDArray[np.int32] | None = None,
    ) -> None:
        self._numbers, self._names, self._number = numbers, names, number
        if sorter is not None:
            self.sorter = sorter

    def __len__(self) -> int:
        return len(self._numbers)

    @cached_property
    def sorter(self) -> NDArray[np.int32]:
        """Positions in the order of their numbers."""
        numbers = self._numbers
        highest = int(numbers.max(initial=0))
        if highest > _SPARSE * len(numbers):
            return np.argsort(numbers).astype(np.int32)
        places = np.full(highest + 1, -1, np.int32)  # numbers come once each: a table orders them without a sort
        places[numbers] = np.arange(len(numbers), dtype=np.int32)
        return places[places >= 0]

    def at(self, positions: Positions | slice) -> list[str]:
        """Return the names of *positions*."""
        return self.of(self._numbers[positions])

    def position(self, name: str) -> int | None:
        """Return the position of a node by its exact name, or None."""
        wanted = self._number(name)
        kind = self._numbers.dtype
        if wanted is None or not 0 <= wanted <= np.iinfo(kind).max:
            return None
        # NumPy's search would copy the sorter as 64-bit numbers
        numbers, sorter = self._numbers, self.sorter
        at = bisect_left(range(len(sorter)), wanted, key=lambda i: int(numbers[sorter[i]]))
        return int(sorter[at]) if at < len(sorter) and int(numbers[sorter[at]]) == wanted else None

    def of(self, numbers: NDArray[Any]) -> list[str]:
        """Return what numbers are called, whether or not they are nodes."""
        return list(self._names(numbers.astype(np.int64)))

    def all(self) -> list[str]:
        """Return every name in order."""
        return self.at(slice(None))

    def take(self, positions: Positions) -> NumberedNames:
        """Return the names of a subset of nodes, in the order of *positions*."""
        return NumberedNames(self._numbers[positions], self._names, self._number)


NodeNames = ListedNames | NumberedNames  #: names by position and positions by name, for the nodes 0 … len - 1 of a view


def near(known: NodeNames, wanted: str) -> list[str]:
    """Return up to five names spelled like *wanted*."""
    wanted = names.concept(wanted) if wanted.strip() else wanted
    stem = wanted.rsplit("/", 1)[0] + "/" if "/" in wanted else ""
    length, first = len(wanted), wanted[: len(stem) + 1]
    alike = [n for n in known.all() if abs(len(n) - length) <= 3 and n.startswith(stem)]
    if len(alike) > 20_000:  # difflib compares about 20,000 names a second
        alike = [n for n in alike if n.startswith(first)][:20_000]
    return get_close_matches(wanted, alike, n=5, cutoff=0.6)
