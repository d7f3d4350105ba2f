"""Horn rules over facts: relations, pairs of them and paths of two, that imply a relation (AMIE's kind)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import KgmmError
from kgmm.patterns._horn import paths
from kgmm.patterns.transactions import starts_of
from kgmm.progress import Progress

if TYPE_CHECKING:
    from kgmm.store import LocalStore

MOST_STEPS = 20_000_000_000  #: steps that all paths take together; beyond it no rule of paths is looked for
Ints = NDArray[np.int64]
Rows = tuple[Ints, Ints]  #: starts (nodes + 1,) and the other ends
Way = tuple[int, bool]  #: a relation, and whether it is turned round
Atom = tuple[int, bool, str]  #: a way and the two variables it joins


@dataclass(frozen=True)
class Atoms:
    """Distinct facts by their ends and relations: what rules are counted on."""

    terms: NDArray[np.uint32]  #: (N,) the store's ids of the nodes
    relations: list[str]
    subject: Ints  #: (F,) nodes, in ascending order of (relation, subject, object)
    relation: Ints
    object: Ints
    graph: NDArray[np.uint32]  #: (F,) the store's ids of the graphs they are in, of several the first one found

    @classmethod
    def of(cls, store: LocalStore, graphs: Sequence[str] | None, relations: Sequence[str] | None) -> Atoms:
        """Return the facts of some graphs (all but scenes and stories by default) and relations, each once."""
        columns = store.columns(graphs if graphs is not None else store.knowledge_graphs(), relations)
        terms, at = np.unique(np.stack([columns.subject, columns.object]), return_inverse=True)
        used, code = np.unique(columns.predicate, return_inverse=True)
        subject, obj = at.reshape(2, -1).astype(np.int64)
        key, first = np.unique((code.astype(np.int64) * len(terms) + subject) * len(terms) + obj, return_index=True)
        pair, obj = np.divmod(key, max(len(terms), 1))
        code, subject = np.divmod(pair, max(len(terms), 1))
        return cls(terms.astype(np.uint32), store.terms.names(used), subject, code, obj, columns.graph[first])

    @property
    def size(self) -> int:
        """Number of nodes."""
        return len(self.terms)

    @cached_property
    def loops(self) -> Rows:
        """Who is joined to themselves alone: a path's second half that leads nowhere else."""
        return np.arange(self.size + 1), np.arange(self.size)

    @cached_property
    def keys(self) -> Ints:
        """The facts as numbers, ascending."""
        return self.key(self.relation, self.subject, self.object)

    def key(self, relation: Ints | int, subject: Ints, obj: Ints) -> Ints:
        """Return facts as numbers."""
        n = max(self.size, 1)
        found: Ints = (relation * n + subject) * n + obj
        return found

    def rows(self, way: Way) -> Rows:
        """Return who is joined to whom by a relation, or by it turned round."""
        low, high = np.searchsorted(self.relation, [way[0], way[0] + 1])
        a, b = self.subject[low:high], self.object[low:high]
        if way[1]:
            order = np.lexsort((a, b))
            a, b = b[order], a[order]
        return starts_of(a, self.size), b

    def pairs(self) -> tuple[Ints, Ints, Ints]:
        """Return, of each node, the nodes it is joined to, ascending, and by which relation."""
        order = np.lexsort((self.relation, self.object, self.subject))
        return starts_of(self.subject, self.size), self.object[order], self.relation[order]

    def said(self, atom: Atom) -> str:
        """Return an atom as text."""
        name, a, b = self.relations[atom[0]], atom[2][0], atom[2][1]
        return f"{name}({b}, {a})" if atom[1] else f"{name}({a}, {b})"


@dataclass(frozen=True)
class Body:
    """A body and what it joins, over distinct pairs (x, y)."""

    atoms: tuple[Atom, ...]
    pairs: int  #: that it joins
    support: Ints  #: (relations,) of these, those that each relation joins too
    known: Ints  #: (relations,) of these, those whose x is a subject of each relation
    against: Ints  #: (relations, 2) one of these that it does not join all the same, -1 where there is none


def bodies(known: Atoms, max_atoms: int, progress: Progress) -> Iterator[Body]:
    """Yield every body: single atoms, pairs of atoms over x and y, paths over z.

    Raises:
        KgmmError: if the paths would take too many steps; it names the relations that take the most.
    """
    count = len(known.relations)
    ways = [(r, turned) for r in range(count) for turned in (False, True)]
    rows = {way: known.rows(way) for way in ways}
    pairs = known.pairs()
    has = np.zeros((count, known.size), np.bool_)
    has[known.relation, known.subject] = True
    several = ways if max_atoms == 3 else []
    _few_enough(known, rows, several)
    done, whole = 0, len(ways) + len(several) ** 2
    for way in ways:
        yield Body(((*way, "xy"),), *paths(*rows[way], *known.loops, *pairs, count, has))
        progress(done := done + 1, whole, "bodies")
    for first in several:
        for second in several:
            if second > first and len((both := shared_pairs(rows[first], rows[second], known.size))[1]):
                yield Body(((*first, "xy"), (*second, "xy")), *paths(*both, *known.loops, *pairs, count, has))
            found = paths(*rows[first], *rows[second], *pairs, count, has)
            if found[0]:
                yield Body(((*first, "xz"), (*second, "zy")), *found)
            progress(done := done + 1, whole, "bodies")


def _few_enough(known: Atoms, rows: dict[Way, Rows], ways: Sequence[Way]) -> None:
    """Refuse paths of too many steps: of each node the ways in times the ways out."""
    degree = np.sum([np.diff(rows[way][0]) for way in ways], axis=0, dtype=np.float64) if ways else np.zeros(1)
    steps = int((degree * degree).sum())
    if steps > MOST_STEPS:
        largest = np.argsort(-np.bincount(known.relation, minlength=len(known.relations)), kind="stable")[:3]
        named = ", ".join(known.relations[r] for r in largest.tolist())
        raise KgmmError(
            f"paths of these facts take {steps:,} steps: ask for max_atoms=2, or for relations without {named}"
        )


def shared_pairs(first: Rows, second: Rows, nodes: int) -> Rows:
    """Return the pairs that two relations both join."""
    one, two = (np.repeat(np.arange(nodes), np.diff(starts)) * nodes + other for starts, other in (first, second))
    x, y = np.divmod(np.intersect1d(one, two, assume_unique=True), max(nodes, 1))
    return starts_of(x, nodes), y
