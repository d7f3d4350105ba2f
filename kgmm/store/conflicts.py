"""Relations that have one value at a time, and what contradicts that, or is said for and against; both sides are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kgmm.errors import BadInput
from kgmm.language import names
from kgmm.store import changes
from kgmm.store.assertion import Assertion
from kgmm.store.assertions.looking import denies, everything
from kgmm.store.facts import Fact
from kgmm.store.handle import Handle
from kgmm.store.index.found import decoded
from kgmm.store.table import said
from kgmm.store.times import FIRST, LAST, Moment, period

LEAST = 20  #: subjects that must have had several values of a relation before it is learned to have one at a time
EXCEPT = 0.01  #: share of them that may have several at a time all the same


@dataclass(frozen=True)
class Conflict:
    """Facts that cannot all hold: values of one functional relation at one time, or a fact said for and against."""

    kind: str  #: ``functional`` or ``polarity``
    facts: tuple[Fact, ...]
    #: a time at which they contradict each other, as seconds from 1970: first and last; None: always
    first: int | None = None
    last: int | None = None


def functional(store: Handle, *relations: str) -> list[str]:
    """Declare that relations have one value at a time, if any are given; return all that are declared to.

    A later value then ends an earlier one that has no end. It is kept as a fact of the graph ``schema``, as OWL writes
    it, so an ontology that is loaded may declare it too, and :meth:`remove` or :meth:`withdraw` take it back.

    Raises:
        BadInput: if one is no relation.

    Example:
        >>> import tempfile, kgmm
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> kb.functional("CapitalOf")
        ['CapitalOf']
        >>> _ = kb.add(("germany", "CapitalOf", "bonn"), valid=("1949", None))
        >>> _ = kb.add(("germany", "CapitalOf", "berlin"), valid=("1990-10-03", None))
        >>> [fact.object for fact in kb.find("germany", at="2000")]
        ['/c/en/berlin']
    """
    from kgmm.store.index import sight

    if relations:
        declared = [declaration(relation) for relation in relations]
        changes.add(store, declared)
    return sorted(sight.functional(store.opened).values())


def declaration(relation: str) -> Fact:
    """Return the fact that declares a relation functional; BadInput if it is no relation."""
    from kgmm.store.index import sight

    if not isinstance(relation, str) or not names.relation(relation).strip() or relation.startswith('"'):
        raise BadInput("relation", f"{relation!r} names no relation")
    return Fact(sight.relation_node(relation), sight.TYPE, sight.FUNCTIONAL, graph=sight.SCHEMA)


def learn_functional(store: Handle, least: int = LEAST, share: float = EXCEPT) -> list[str]:
    """Declare those relations functional whose values follow each other; return the new ones.

    They are those of which enough subjects have several values, and hardly ever two at a time by the ends their own
    assertions give: a value without an end counts as held still. They are declared with the method ``mined``, so that
    they can be told from others and withdrawn.

    Args:
        store: where to look and to declare it.
        least: subjects that must have had several values of the relation.
        share: part of them that may have two values at a time all the same.

    Raises:
        BadInput: if *least* or *share* cannot be.
    """
    if least < 1 or not 0 <= share < 1:
        raise BadInput("functional", f"least must be 1 or more and share from 0 to below 1, they are {least}, {share}")
    store.require_newest()
    rows = store.opened.snapshot.all()
    known = functional(store)
    found = []
    for predicate in np.unique(rows.predicate).tolist():
        name = store.terms.name(predicate)
        if name in known or names.is_literal(name) or "owl#" in name or "rdf-syntax" in name:
            continue
        mine = rows.take(rows.predicate == predicate)
        subjects, counts = np.unique(np.stack([mine.subject, mine.graph]), axis=1, return_counts=True)
        many = subjects[:, counts > 1].T.tolist()
        if len(many) < least:
            continue
        both = sum(1 for s, g in many if _overlapping(store, s, predicate, g, ending=False))
        if both <= share * len(many):
            found.append(name)
    if found:
        changes.add(store, [Assertion(declaration(name), method="mined") for name in found])
    return found


def conflicts(store: Handle, at: Moment = None) -> list[Conflict]:
    """Return what contradicts itself: values of functional relations that hold at one time, facts said for and against.

    Nothing is removed because of it: both sides stay, and are found.

    Args:
        store: where to look.
        at: only what contradicts itself at this time.

    Raises:
        BadInput: if *at* is no time.

    Example:
        >>> import tempfile, kgmm
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> _ = kb.functional("CapitalOf"), kb.add([("x", "CapitalOf", "a"), ("x", "CapitalOf", "b")])
        >>> [(c.kind, [fact.object for fact in c.facts]) for c in kb.conflicts()]
        [('functional', ['/c/en/a', '/c/en/b'])]
    """
    moment = None if at is None else period(at)
    low, high = (FIRST, LAST) if moment is None else (moment.first, moment.last)
    return [*_functional(store, low, high), *_polarity(store, low, high)]


def _functional(store: Handle, low: int, high: int) -> list[Conflict]:
    from kgmm.store.index import sight

    found: list[Conflict] = []
    snapshot = store.opened.snapshot
    for predicate in sight.functional(store.opened):
        if predicate < 0:
            continue
        selection = snapshot.select(None, predicate, None, None)
        rows = snapshot.statements(selection, 0, len(selection))
        subjects, counts = np.unique(np.stack([rows.subject, rows.graph]), axis=1, return_counts=True)
        for s, g in subjects[:, counts > 1].T.tolist():
            for first, last, objects in _overlapping(store, s, predicate, g):
                if first <= high and last >= low:
                    facts = tuple(_facts(store, s, predicate, o, g) for o in objects)
                    facts = tuple(sorted(facts, key=lambda fact: fact.object))
                    found.append(Conflict("functional", facts, *(_open(first), _open(last))))
    return found


def _open(second: int) -> int | None:
    return None if second in (FIRST, LAST) else second


def _facts(store: Handle, s: int, p: int, o: int, g: int) -> Fact:
    snapshot = store.opened.snapshot
    return decoded(store.opened, snapshot.statements(snapshot.select(s, p, o, g), 0, 1))[0]


def _overlapping(store: Handle, s: int, p: int, g: int, ending: bool = True) -> list[tuple[int, int, tuple[int, ...]]]:
    """Return the stretches of time in which a subject has several values of a relation, and which these are.

    With *ending* a later value ends one before it that has a beginning and no end.
    """
    from kgmm.store.index.sight import pairs_of

    snapshot, spans = store.opened.snapshot, pairs_of(store.opened)
    selection = snapshot.select(s, p, None, g)
    rows = snapshot.statements(selection, 0, len(selection))
    held = [(o, b, e) for o, w in zip(rows.object.tolist(), rows.when.tolist(), strict=True) for b, e in spans(w)]
    begun = sorted({b for _, b, _ in held if b != FIRST})
    ended = []
    for o, begin, end in held:
        if ending and begin != FIRST and end == LAST:
            later = [b for other, b, _ in held if other != o and b > begin]
            end = min(later, default=LAST + 1) - 1
        ended.append((o, begin, end))
    edges = sorted({FIRST, *begun, *(end + 1 for _, _, end in ended if end < LAST)})
    found: list[tuple[int, int, tuple[int, ...]]] = []
    for at, first in enumerate(edges):
        last = edges[at + 1] - 1 if at + 1 < len(edges) else LAST
        objects = tuple(sorted({o for o, begin, end in ended if begin <= first and end >= last}))
        if len(objects) > 1:
            if found and found[-1][2] == objects and found[-1][1] == first - 1:
                found[-1] = (found[-1][0], last, objects)
            else:
                found.append((first, last, objects))
    return found


def _polarity(store: Handle, low: int, high: int) -> list[Conflict]:
    """Return the facts for and against which something is said of one time."""
    import polars as pl

    if not store.opened.state.said or not denies(store):
        return []
    rows = everything(store)
    live = rows.filter(pl.col("role").is_null() | (pl.col("role") != said.WITHDRAWN))
    against = live.filter(pl.col("polarity").is_not_null())
    both = live.join(against.select(said.KEY).unique(), on=list(said.KEY), how="semi")
    both = both.join(said.spans_of(both), on=["valid_from", "valid_to"], nulls_equal=True, maintain_order="left")
    found = []
    for key, group in both.group_by(said.KEY, maintain_order=True):
        sides: tuple[list[tuple[int, int]], ...] = ([], [])
        for first, last, polarity in group.select("first", "last", "polarity").iter_rows():
            sides[polarity is not None].append((first, last))
        meet = [(max(a, c, low), min(b, d, high)) for a, b in sides[0] for c, d in sides[1]]
        if meet := sorted(pair for pair in meet if pair[0] <= pair[1]):
            selection = store.opened.select(*_pattern(key))
            if len(selection):
                fact = decoded(store.opened, store.opened.snapshot.statements(selection, 0, 1))[0]
                found.append(Conflict("polarity", (fact,), *map(_open, meet[0])))
    return sorted(found, key=lambda conflict: (conflict.facts[0].subject, conflict.facts[0].object))


def _pattern(key: Any) -> tuple[str, str, str, str]:
    subject, predicate, target, graph = key
    return subject, predicate, target, graph
