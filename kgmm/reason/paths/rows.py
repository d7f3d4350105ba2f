"""Ways of many nodes as rows of one growing table, so that a step of a thousand walks is a few look-ups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kgmm.reason.paths.roads import MOST_KEPT, STOP, Ids, Roads, Ways

Floats = NDArray[np.float32]
COLUMNS = ("code", "target", "weight", "subject", "object", "relation", "node")


@dataclass(frozen=True)
class Laid:
    """Ways from n nodes, (n, k) each with staying first, padded: as :class:`~kgmm.reason.paths.roads.Ways`.

    Args:
        relation, node: numbers of the ways' relations and targets, for :attr:`Rows.codes` and :attr:`Rows.nodes`.
        there: which are ways, not padding; staying is none.
    """

    code: Ids
    target: Ids
    weight: Floats
    subject: Ids
    object: Ids
    relation: Ids
    node: Ids
    there: NDArray[np.bool_]


class Rows:
    """Ways of nodes, each read from the store once; relations and nodes numbered as they are met.

    Args:
        roads: where ways are read.
    """

    def __init__(self, roads: Roads) -> None:
        self.roads = roads
        self._clear()

    def _clear(self) -> None:
        self._row: dict[tuple[int, int], int] = {}
        self._start, self._length = np.empty(256, np.int64), np.empty(256, np.int64)
        self._held = {name: np.empty(4096, np.float32 if name == "weight" else np.int64) for name in COLUMNS}
        self._used = 0
        self._told: dict[tuple[int, int], Floats] = {}
        self.codes: list[int] = [STOP]  #: codes of the relations' numbers
        self._code: dict[int, int] = {STOP: 0}
        self.nodes: list[int] = []  #: term ids of the nodes' numbers
        self._node: dict[int, int] = {}

    def begin(self) -> None:
        """Forget everything if it has become much; numbers do not outlive this."""
        if self._used > 32 * MOST_KEPT or len(self._node) > MOST_KEPT or len(self._told) > 2 * MOST_KEPT:
            self._clear()

    def number(self, node: int) -> int:
        """Return a node's number."""
        if node not in self._node:
            self._node[node] = len(self.nodes)
            self.nodes.append(node)
        return self._node[node]

    def relation(self, code: int) -> int:
        """Return a relation's number."""
        if code not in self._code:
            self._code[code] = len(self.codes)
            self.codes.append(code)
        return self._code[code]

    def rows(self, node: Ids, code: Ids, direct: NDArray[np.bool_]) -> Ids:
        """Return rows of nodes, (n,); where *direct*, with all that is stated by the relation asked, and that first."""
        keys = zip(node.tolist(), np.where(direct, code, STOP).tolist(), strict=True)
        return np.array([self._row[key] if key in self._row else self._read(key) for key in keys], np.int64)

    def laid(self, rows: Ids, node: Ids) -> Laid:
        """Return the ways of rows, each from its node."""
        unique, at = np.unique(rows, return_inverse=True)
        length = self._length[unique]
        k = int(length.max(initial=0))
        there = np.arange(k) < length[:, None]
        place = np.where(there, self._start[unique][:, None] + np.arange(k), 0)
        found = {}
        for name, column in self._held.items():
            part = column[place]
            part[~there] = STOP if name in ("code", "target", "subject", "object") else 0
            found[name] = np.concatenate([np.zeros((len(unique), 1), part.dtype), part], 1)[at]
        numbers = np.array([self.number(n) for n in node.tolist()], np.int64)
        for name, first in (("code", STOP), ("target", node), ("subject", STOP), ("object", STOP), ("node", numbers)):
            found[name][:, 0] = first
        return Laid(**found, there=np.concatenate([np.zeros((len(unique), 1), bool), there], 1)[at])

    def counts(self, rows: Ids, node: Ids, code: Ids, k: int) -> Floats:
        """Return how often the targets of rows answer a relation, (n, k) with the node itself first."""
        pairs, at = np.unique(np.stack([rows, code, node], 1), axis=0, return_inverse=True)
        found = np.zeros((len(pairs), k), np.float32)
        for i, (row, asked, here) in enumerate(pairs.tolist()):
            key = (row, asked)
            if key not in self._told:
                low = self._start[row]
                ends = self._held["target"][low : low + self._length[row]].tolist()
                self._told[key] = np.array([self.roads.count(asked, one) for one in (here, *ends)], np.float32)
            found[i, : len(self._told[key])] = self._told[key]
        return found[at.ravel()]

    def _read(self, key: tuple[int, int]) -> int:
        node, code = key
        ways = self.roads.ways(node)
        if code != STOP:
            first, rest = self.roads.stated(node, code), ways.take(ways.code != code)
            columns = ("code", "target", "weight", "subject", "object")
            ways = Ways(*(np.concatenate([getattr(first, name), getattr(rest, name)]) for name in columns))
        row, n = len(self._row), len(ways.code)
        if row == len(self._start):
            self._start, self._length = (np.concatenate([part, part]) for part in (self._start, self._length))
        if self._used + n > len(self._held["code"]):
            for name, column in self._held.items():
                grown = np.empty(max(2 * len(column), self._used + n), column.dtype)
                grown[: self._used] = column[: self._used]
                self._held[name] = grown
        numbers = {
            "relation": np.array([self.relation(c) for c in ways.code.tolist()], np.int64),
            "node": np.array([self.number(t) for t in ways.target.tolist()], np.int64),
        }
        for name, column in self._held.items():
            column[self._used : self._used + n] = numbers[name] if name in numbers else getattr(ways, name)
        self._start[row], self._length[row] = self._used, n
        self._used += n
        self._row[key] = row
        return row
