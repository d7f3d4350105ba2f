"""The names of a view's nodes: a list of their own, or ids that the store decodes when asked."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from kgmm.language import names

Positions = NDArray[np.integer[Any]]


class NodeNames(Protocol):
    """Names by position and positions by name, for the nodes 0 … len - 1 of a view."""

    def __len__(self) -> int: ...

    def at(self, positions: Positions) -> list[str]:
        """Return the names of *positions*."""

    def position(self, name: str) -> int | None:
        """Return the position of a node by its exact name, or None."""

    def all(self) -> list[str]:
        """Return every name in order."""

    def take(self, positions: Positions) -> NodeNames:
        """Return the names of a subset of nodes, in the order of *positions*."""


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
        """Return the names of a subset of nodes."""
        return ListedNames(self.at(positions))


class _Numbers:
    """Nodes known by a number of their own, in any order."""

    def __init__(self, numbers: NDArray[Any]) -> None:
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    @cached_property
    def _sorter(self) -> NDArray[np.int32]:
        return np.argsort(self.numbers).astype(np.int32)

    def find(self, wanted: int) -> int | None:
        """Return where a number is, or None."""
        at = int(np.searchsorted(self.numbers, wanted, sorter=self._sorter))
        return int(self._sorter[at]) if at < len(self) and int(self.numbers[self._sorter[at]]) == wanted else None


class NumberedNames(_Numbers):
    """Nodes named by their number, int32, for graphs made of integers: ``"7"``."""

    def at(self, positions: Positions) -> list[str]:
        """Return the names of *positions*."""
        return [str(i) for i in self.numbers[positions].tolist()]

    def position(self, name: str) -> int | None:
        """Return where the number that *name* spells is, or None."""
        return self.find(int(name)) if name.isdecimal() and len(name) < 11 else None

    def all(self) -> list[str]:
        """Return every name in order."""
        return [str(i) for i in self.numbers.tolist()]

    def take(self, positions: Positions) -> NumberedNames:
        """Return the names of a subset of nodes."""
        return NumberedNames(self.numbers[positions])


class StoredNames(_Numbers):
    """Names decoded by a store's term dictionary when asked; holds only the term ids, uint32."""

    def __init__(self, terms: Any, ids: NDArray[np.uint32]) -> None:
        super().__init__(ids)
        self.terms = terms

    def at(self, positions: Positions) -> list[str]:
        """Return the names of *positions*."""
        return list(self.terms.names(self.numbers[positions].astype(np.int64)))

    def position(self, name: str) -> int | None:
        """Return the position of a node by its exact name, or None."""
        term = self.terms.id(name)
        return None if term is None else self.find(term)

    def all(self) -> list[str]:
        """Return every name in order."""
        return self.at(np.arange(len(self)))

    def take(self, positions: Positions) -> StoredNames:
        """Return the names of a subset of nodes."""
        return StoredNames(self.terms, self.numbers[positions])


def near(known: NodeNames, wanted: str) -> list[str]:
    """Return up to five names spelled like *wanted*."""
    wanted = names.concept(wanted) if wanted.strip() else wanted
    stem = wanted.rsplit("/", 1)[0] + "/" if "/" in wanted else ""
    length = len(wanted)
    everything = known.all()
    alike = [n for n in everything if abs(len(n) - length) <= 3 and n.startswith(stem)]
    if len(alike) > 20_000:  # difflib compares about 20,000 names a second
        first = wanted[: len(stem) + 1]
        alike = [n for n in alike if n.startswith(first)][:20_000]
    return get_close_matches(wanted, alike, n=5, cutoff=0.6)
