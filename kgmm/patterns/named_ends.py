"""Rules with named ends, ``IsA(x, dog) ⇒ CapableOf(x, bark)`` (AnyBURL's kind): itemsets of what subjects have facts of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kgmm.patterns.association import rules
from kgmm.patterns.horn import Atoms, Ints
from kgmm.patterns.transactions import Transactions, starts_of

if TYPE_CHECKING:
    from kgmm.store import LocalStore


@dataclass(frozen=True)
class NamedRule:
    """A rule over one variable."""

    head: str
    body: list[str]
    relation: int  #: of the head
    support: int
    body_size: int
    known: int  #: subjects of the body that are subjects of the head's relation
    exception: str  #: one of these that the head is not true of, "" if there is none


def named_rules(store: LocalStore, known: Atoms, max_atoms: int, min_support: int) -> Iterator[NamedRule]:
    """Yield the rules with one head of this kind, in the order of their confidence."""
    items, at = np.unique(known.relation * known.size + known.object, return_inverse=True)
    order = np.lexsort((at, known.subject))
    subject, item = known.subject[order], at.reshape(-1)[order]
    data = Transactions(starts_of(subject, known.size), item.astype(np.int32), list(range(len(items))))
    relation, end = np.divmod(items, max(known.size, 1))
    names = store.terms.names(known.terms[end])
    said = [f"{known.relations[r]}(x, {name})" for r, name in zip(relation.tolist(), names, strict=True)]
    subjects = _subjects(item, subject, len(items))
    mined = rules(data, max(min_support, 2), 0.0, max_length=max_atoms)
    columns = mined.filter(mined["consequents"].list.len() == 1).select("antecedents", "consequents").rows()
    whose = [np.unique(known.subject[known.relation == r]) for r in range(len(known.relations))]
    for ante, (cons,) in columns:
        body = subjects(ante[0])
        for more in ante[1:]:
            body = np.intersect1d(body, subjects(more), assume_unique=True)
        told = np.intersect1d(body, whose[relation[cons]], assume_unique=True)
        against = np.setdiff1d(told, subjects(cons), assume_unique=True)
        exception = store.terms.names(known.terms[against[:1]])[0] if len(against) else ""
        support = len(told) - len(against)
        body_said = [said[i] for i in ante]
        yield NamedRule(said[cons], body_said, int(relation[cons]), support, len(body), len(told), exception)


def _subjects(item: Ints, subject: Ints, items: int) -> Callable[[int], Ints]:
    """Return who gives the subjects of an item, ascending."""
    order = np.lexsort((subject, item))
    starts, of = starts_of(item, items), subject[order]
    return lambda i: of[starts[i] : starts[i + 1]]
