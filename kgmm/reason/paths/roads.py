"""The ways on from a node: its statements read either way, the strongest of each relation in turn, as many as a walk looks at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kgmm.encode.nearness import guessed_vectors
from kgmm.language.names import is_literal, label
from kgmm.language.relations import DENIES, LINKS, NOT_INHERITED, RELATIONS, UPWARD
from kgmm.store import Fact
from kgmm.store.senses import senses

if TYPE_CHECKING:
    from kgmm.retrieve import Key
    from kgmm.store import LocalStore

Ids = NDArray[np.int64]
Floats = NDArray[np.float32]

KINDS = 16  #: kinds or members whose own are looked at
FAN = 48  #: ways looked at from a node
STOP = -1  #: the code of staying where one is, which ends a walk
MOST_KEPT = 400_000  #: vectors of names kept, and ways' nodes


@dataclass(frozen=True)
class Ways:
    """Ways on from a node, in the order in which they are looked at.

    Args:
        code: (k,) relation and direction: twice the term id, and one more where the statement is read from its object.
        target: (k,) where they lead.
        weight: (k,) of the strongest statement.
        subject, object: (k,) the statement's own ends, which may be senses of the node's word.
    """

    code: Ids
    target: Ids
    weight: Floats
    subject: Ids
    object: Ids

    def take(self, at: NDArray[np.int64] | NDArray[np.bool_]) -> Ways:
        """Return some of the ways."""
        return Ways(self.code[at], self.target[at], self.weight[at], self.subject[at], self.object[at])


class Roads:
    """A store as what one walks on; what is looked at is kept, so one is good for the version it was made of.

    Args:
        store: whose statements; of a store as it was at a time (``store.as_of``), those that held then.
        graphs: that statements may come from; the general ones if None.
        exclude: statements (subject, predicate, object) that do not exist.
        fan: ways from a node at most.
    """

    def __init__(
        self, store: LocalStore, graphs: Sequence[str] | None = None, exclude: Collection[Key] = (), fan: int = FAN
    ) -> None:
        self.store, self.fan = store, fan
        named = store.terms.ids(store.knowledge_graphs() if graphs is None else list(graphs))
        self.graphs = named[named >= 0].astype(np.int64)
        given = [store.terms.ids(list(key)).tolist() for key in exclude]
        self.gone = {(s, p, o) for s, p, o in given if min(s, p, o) >= 0}
        self._touched = {end for s, _, o in self.gone for end in (s, o)}
        self._fewer = Counter(end for s, p, o in self.gone for end in ((2 * p, o), (2 * p + 1, s)))
        denying = store.terms.ids([*DENIES, *LINKS])
        self._shut = denying[denying >= 0].astype(np.int64)
        self._ways: dict[int, Ways] = {}
        self._answers: dict[tuple[int, int], frozenset[int]] = {}
        self._held: dict[tuple[int, int], frozenset[int]] = {}
        self._counts: dict[tuple[int, int], int] = {}
        self._kin: Callable[[int], Collection[int]] = senses(store).kin

    def code(self, relation: str, turned: bool = False) -> int | None:
        """Return the code of a relation as stored, either way; None if the store does not know it."""
        term = self.store.terms.id(relation)
        return None if term is None else 2 * term + turned

    def ways(self, node: int) -> Ways:
        """Return the ways from a node and its word's senses, at most ``fan``: the strongest of each relation in turn."""
        if node not in self._ways:
            if len(self._ways) > MOST_KEPT:
                self._ways.clear()
            self._ways[node] = self._bounded(self._all(node))
        return self._ways[node]

    def stated(self, node: int, code: int) -> Ways:
        """Return the ways by one relation, at most ``fan``, also one that denies."""
        return _in_turn(self._by(node, code), self.fan)

    def answers(self, node: int, code: int) -> frozenset[int]:
        """Return all that statements give for a relation of a node."""
        key = (node, code)
        if key not in self._answers:
            self._answers[key] = frozenset(self._by(node, code).target.tolist())
        return self._answers[key]

    def count(self, code: int, target: int) -> int:
        """Return how many statements give a target for a relation, either way."""
        key = (code, target)
        if key not in self._counts:
            near, far = (target, None) if code & 1 else (None, target)
            stated = len(self.store.find_ids(near, code >> 1, far).subject)
            self._counts[key] = max(stated - self._fewer[key], 0)
        return self._counts[key]

    def fact(self, way: tuple[int, int, int]) -> Fact:
        """Return the statement (subject, predicate, object by id) as the store has it, the strongest of several graphs."""
        subject, predicate, target = (self.store.terms.name(term) for term in way)
        graphs = {self.store.terms.name(int(g)) for g in self.graphs}
        found = [f for f in self.store.find(subject, predicate, target) if f.graph in graphs]
        return max(found, key=lambda f: f.weight) if found else Fact(subject, predicate, target)

    def held(self, node: int, code: int) -> frozenset[int]:
        """Return what statements give for a relation of a node, and what they give of its kinds, for relations kinds hand down.

        Read from the object, a relation is also that of the kinds' members: what purrs is a cat, and so a kitten.
        """
        key = (node, code)
        if key not in self._held:
            found = set(self.answers(node, code))
            if self._handed_down(code >> 1):
                if code & 1:
                    found |= {member for one in list(found) for member in self._kinds(one, turned=True)}
                else:
                    found |= {answer for kind in self._kinds(node) for answer in self.answers(kind, code)}
            self._held[key] = frozenset(found - {node})
        return self._held[key]

    def _handed_down(self, relation: int) -> bool:
        name = self.store.terms.name(relation)
        return name in RELATIONS and name not in NOT_INHERITED and name not in UPWARD

    def _kinds(self, node: int, turned: bool = False) -> set[int]:
        """Return the kinds of a node, or its members, up to two steps away."""
        upward = self.code("IsA", turned)
        if upward is None:
            return set()
        near = set(self.answers(node, upward))
        return near | {further for one in sorted(near)[:KINDS] for further in self.answers(one, upward)} - {node}

    def _all(self, node: int) -> Ways:
        parts = [self._read(kin, None) for kin in (node, *self._kin(node))]
        return _joined([w for pair in parts for w in pair])

    def _by(self, node: int, code: int) -> Ways:
        return _joined([self._read(kin, code >> 1)[code & 1] for kin in (node, *self._kin(node))])

    def _read(self, node: int, predicate: int | None) -> tuple[Ways, Ways]:
        """Return a node's statements as ways, read from the subject and from the object."""
        found = []
        for turned in (0, 1):
            c = self.store.find_ids(*((None, predicate, node) if turned else (node, predicate, None)))
            s, p, o = (column.astype(np.int64) for column in (c.subject, c.predicate, c.object))
            keep = np.isin(c.graph.astype(np.int64), self.graphs) & (s != o)
            if predicate is None:
                keep &= ~np.isin(p, self._shut)
            if node in self._touched:
                keep &= np.array(
                    [key not in self.gone for key in zip(*(x.tolist() for x in (s, p, o)), strict=True)], bool
                )
            ways = Ways(2 * p + turned, s if turned else o, c.weight.astype(np.float32), s, o).take(keep)
            found.append(ways if turned else _between(self.store, ways))
        return found[0], found[1]

    def _bounded(self, ways: Ways) -> Ways:
        return _in_turn(ways, self.fan)


def _between(store: LocalStore, ways: Ways) -> Ways:
    """Return the ways that lead to nodes rather than to literals."""
    nodes = [not is_literal(name) for name in store.terms.names(ways.target)]
    return ways.take(np.array(nodes, bool))


def _joined(parts: list[Ways]) -> Ways:
    columns = ("code", "target", "weight", "subject", "object")
    return Ways(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))


def _in_turn(ways: Ways, fan: int) -> Ways:
    """Return at most *fan* ways, each relation's strongest first, the relations taking turns; of equal ones the strongest.

    >>> code, target, weight = np.array([0, 0, 0, 2]), np.array([7, 8, 9, 7]), np.array([1, 3, 2, 1], np.float32)
    >>> _in_turn(Ways(code, target, weight, target, target), 3).target.tolist()
    [8, 7, 9]
    """
    order = np.lexsort((-ways.weight, ways.target, ways.code))
    ways = ways.take(order)
    if not len(order):
        return ways
    first = np.ones(len(order), bool)
    first[1:] = (np.diff(ways.code) != 0) | (np.diff(ways.target) != 0)
    ways = ways.take(first)
    ways = ways.take(np.lexsort((ways.target, -ways.weight, ways.code)))
    begins = np.flatnonzero(np.r_[True, np.diff(ways.code) != 0])
    turn = np.arange(len(ways.code)) - np.repeat(begins, np.diff(np.r_[begins, len(ways.code)]))
    return ways.take(np.lexsort((ways.target, ways.code, -ways.weight, turn))[:fan])


class Names:
    """Vectors of terms' names, each made once; rows of one growing table."""

    def __init__(self, store: LocalStore) -> None:
        self.store = store
        self.row: dict[int, int] = {}
        self.table = np.empty((256, 384), np.float16)

    def rows(self, ids: Ids) -> Ids:
        """Return the table's rows of term ids, (n,)."""
        new = [i for i in np.unique(ids).tolist() if i not in self.row]
        if new:
            if len(self.row) + len(new) > MOST_KEPT:
                self.row.clear()
                new = np.unique(ids).tolist()
            start, end = len(self.row), len(self.row) + len(new)
            if end > len(self.table):
                grown = np.empty((max(end, 2 * len(self.table)), self.table.shape[1]), np.float16)
                grown[:start] = self.table[:start]
                self.table = grown
            said = [label(name) for name in self.store.terms.names(np.array(new, np.int64))]
            self.table[start:end] = guessed_vectors(said)
            self.row.update(zip(new, range(start, end), strict=True))
        return np.array([self.row[i] for i in ids.tolist()], np.int64)

    def vectors(self, ids: Ids) -> Floats:
        """Return the vectors of term ids, (n, 384) of unit length."""
        rows = self.rows(ids)  # before the table is looked at, which it may grow
        return self.table[rows].astype(np.float32)
