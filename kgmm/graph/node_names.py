"""The names of a view's nodes: a list of their own, or ids that the store decodes when asked."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from kgmm import names

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


class NumberedNames:
    """Nodes named by their own number, for graphs made of integers: node 7 is ``"7"``."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def at(self, positions: Positions) -> list[str]:
        """Return the names of *positions*."""
        return [str(i) for i in positions.tolist()]

    def position(self, name: str) -> int | None:
        """Return the number that *name* spells, or None."""
        return int(name) if name.isdecimal() and int(name) < self._count else None

    def all(self) -> list[str]:
        """Return every name in order."""
        return [str(i) for i in range(self._count)]

    def take(self, positions: Positions) -> ListedNames:
        """Return the names of a subset of nodes."""
        return ListedNames(self.at(positions))


class StoredNames:
    """Names decoded by a store's term dictionary; holds only the ids (ascending)."""

    def __init__(self, terms: Any, ids: NDArray[np.uint32]) -> None:
        self.terms, self.ids = terms, ids

    def __len__(self) -> int:
        return len(self.ids)

    def at(self, positions: Positions) -> list[str]:
        """Return the names of *positions*."""
        return list(self.terms.names(self.ids[positions].astype(np.int64)))

    def position(self, name: str) -> int | None:
        """Return the position of a node by its exact name, or None."""
        term = self.terms.id(name)
        if term is None:
            return None
        at = int(np.searchsorted(self.ids, term))
        return at if at < len(self.ids) and int(self.ids[at]) == term else None

    def all(self) -> list[str]:
        """Return every name in order."""
        return self.at(np.arange(len(self.ids)))

    def take(self, positions: Positions) -> NodeNames:
        """Return the names of a subset of nodes; sorted subsets stay undecoded."""
        if np.all(positions[1:] > positions[:-1]):
            return StoredNames(self.terms, self.ids[positions])
        return ListedNames(self.at(positions))


def near(known: NodeNames, wanted: str, count: int = 5) -> list[str]:
    """Return up to *count* names spelled like *wanted*."""
    wanted = names.concept(wanted) if wanted.strip() else wanted
    stem = wanted.rsplit("/", 1)[0] + "/" if "/" in wanted else ""
    length = len(wanted)
    everything = known.all()
    alike = [n for n in everything if abs(len(n) - length) <= 3 and n.startswith(stem)]
    if len(alike) > 20_000:  # difflib compares about 20,000 names a second
        first = wanted[: len(stem) + 1]
        alike = [n for n in alike if n.startswith(first)][:20_000]
    return get_close_matches(wanted, alike, n=count, cutoff=0.6)
