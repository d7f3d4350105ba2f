"""From the words of a query to concepts that can be seen, by a store's facts: kinds of what is named, and what is joined with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kgmm.language.relations import DENIES, LINKS, UPWARD
from kgmm.language.words import lemmas
from kgmm.retrieve.ground import ground_name, ground_text
from kgmm.store import Fact, is_general
from kgmm.store.senses import senses

if TYPE_CHECKING:
    from kgmm.store import LocalStore
    from kgmm.trace import Link

DEPTH = 6  #: steps down from what is named to its kinds at most
#: relations that join two things which are not seen together for that
NOT_JOINING = frozenset(("RelatedTo", "Antonym", "DistinctFrom", "SimilarTo", "DerivedFrom", "EtymologicallyRelatedTo"))
MOST = 2_000  #: facts about one named concept that are looked at
Found = dict[str, tuple[bool, tuple[Fact, ...]]]


def leading(kb: LocalStore, query: str, names: tuple[str, ...]) -> tuple[tuple[str, ...], Found, frozenset[str]]:
    """Return the store's concepts that a query names, what of *names* they lead to, and the query's words that led there.

    Args:
        kb: the knowledge; of scenes and stories nothing is used.
        query: words of a person.
        names: of concepts that can be seen.

    Returns:
        The concepts; each name that is reached with whether it is a kind of what is named, and the facts on the way from
        it, in order; lemmas of words that reached something.
    """
    links = list(ground_text(kb, query))
    targets = _targets(kb, names)
    found: Found = {}
    used: set[str] = set()
    for link in links:
        start = kb.terms.id(link.concept)
        if start is None:
            continue
        for name, facts in _kinds(kb, start, targets):
            found.setdefault(name, (True, facts))
            used.update(lemmas(link.text))
    for link in links:
        for name, fact in _joined(kb, link, targets):
            found.setdefault(name, (False, (fact,)))
            used.update(lemmas(link.text))
    return tuple(dict.fromkeys(link.concept for link in links)), found, frozenset(used)


def _targets(kb: LocalStore, names: tuple[str, ...]) -> dict[int, str]:
    """Return the node of each name that the store knows as it is, kept while the store's version stays."""

    def make() -> dict[int, str]:
        found: dict[int, str] = {}
        for name in names:
            link = ground_name(kb, name)
            node = kb.terms.id(link.concept) if link is not None and link.rule != "head" else None
            if node is not None:
                found.setdefault(node, name)
        return found

    return kb.derived(("seen concepts", names), make)


def _kinds(kb: LocalStore, start: int, targets: dict[int, str]) -> Iterable[tuple[str, tuple[Fact, ...]]]:
    """Yield the targets below a node, each with the facts that lead up to it, nearest first."""
    below, above, by = _upward(kb)
    family = senses(kb)
    child_of: dict[int, tuple[int, int]] = {}  # node -> the kind above it from which it was reached, and the row
    front = [start, *family.kin(start)]
    seen = set(front)
    for _ in range(DEPTH):
        low, high = np.searchsorted(above, front, "left"), np.searchsorted(above, front, "right")
        following: list[int] = []
        for a, b in zip(low.tolist(), high.tolist(), strict=True):
            for row in range(a, b):
                node = int(below[row])
                if node in seen:
                    continue
                child_of[node] = int(above[row]), row
                kin = [k for k in family.kin(node) if k not in seen]
                child_of.update((k, (node, -1)) for k in kin)
                seen.update((node, *kin))
                following += (node, *kin)
        if not following:
            break
        front = sorted(following)
    name = kb.terms.name
    for node, told in targets.items():
        if node not in child_of:
            continue
        facts, at = [], node
        while at in child_of:
            up, row = child_of[at]
            if row >= 0:
                facts.append(_stated(kb, name(at), name(int(by[row])), name(up)))
            at = up
        yield told, tuple(facts)


def _upward(kb: LocalStore) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return (below, above, relation) of all statements that lead to a kind, in order of above; kept with the version."""

    def make() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        graphs = [graph for graph in kb.graphs() if is_general(graph)]
        rows = kb.columns(graphs, UPWARD)
        below, above, by = (np.asarray(getattr(rows, c), np.int64) for c in ("subject", "object", "predicate"))
        order = np.lexsort((below, above))
        return below[order], above[order], by[order]

    return kb.derived("kinds below", make)


def _joined(kb: LocalStore, link: Link, targets: dict[int, str]) -> Iterable[tuple[str, Fact]]:
    """Yield the targets that stand in one fact with a linked concept, in order of the facts' weight."""
    around = [*kb.find(link.concept, limit=MOST), *kb.find(None, None, link.concept, limit=MOST)]
    around.sort(key=lambda fact: -fact.weight)
    for fact in around:
        kept = is_general(fact.graph) and fact.predicate not in UPWARD and fact.predicate not in LINKS
        if not kept or fact.predicate in NOT_JOINING or fact.predicate in DENIES:
            continue
        other = kb.terms.id(fact.object if fact.subject == link.concept else fact.subject)
        if other in targets:
            yield targets[other], fact


def _stated(kb: LocalStore, subject: str, predicate: str, object: str) -> Fact:
    found = kb.find(subject, predicate, object, limit=1)
    return found[0] if len(found) else Fact(subject, predicate, object)
