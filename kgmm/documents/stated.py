"""Facts of a store around a question and the passages it speaks of: nodes by which the walk goes from name to name.

A name leads to the concept that is written like it, this to the store's facts of it, and these to what they are about, as far as
passages name that: from the question's names over at most two facts, from those of the passages that score best over one. What
a store knows besides is not looked at, so the size of the store does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kgmm.documents import spans
from kgmm.documents.analysis import LINKED, name_key, word_key
from kgmm.documents.facts.keeping import GRAPH
from kgmm.documents.mentions import mentions
from kgmm.documents.roots import relation
from kgmm.language import names
from kgmm.store.assertion import Key
from kgmm.store.facts import is_general

if TYPE_CHECKING:
    from kgmm.documents.index import Index
    from kgmm.store import LocalStore

MOST = 48  #: concepts whose facts are looked at
FACTS = 64  #: of a concept, the weightiest
#: what a fact weighs that was extracted from documents: a passage that states it joins its names already
EXTRACTED = 0.1
_HUMP = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


@dataclass
class Stated:
    """Facts between names; those that no passage has are counted on from the index's entities."""

    facts: list[Key] = field(default_factory=list)
    ends: list[tuple[int, int]] = field(default_factory=list)  #: of each: the numbers of its two names
    fits: list[bool] = field(default_factory=list)  #: of each: whether the question asks for its relation
    outside: list[str] = field(default_factory=list)  #: names that only facts have, as they are written
    asked: list[tuple[int, str]] = field(default_factory=list)  #: of these the question's, and how it writes them

    def arrays(
        self,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], *tuple[NDArray[np.float64], ...]]:
        """Return names that have facts, ascending, where each one's begin, the facts' nodes, which of these fit, what they weigh.

        A fact has two nodes, one for each way: from its subject to its object, and back.
        """
        ways = [(end, 2 * at + way) for at, ends in enumerate(self.ends) for way, end in enumerate(ends)]
        rows = sorted(ways)
        which, first = np.unique(np.array([e for e, _ in rows], np.int64), return_index=True)
        node = np.array([n for _, n in rows], np.int64)
        fits = np.array([float(self.fits[n // 2]) for _, n in rows])
        sure = np.array([EXTRACTED if self.facts[n // 2][3] == GRAPH else 1.0 for _, n in rows])
        return which, np.append(first, len(rows)).astype(np.int64), node, fits, sure

    def targets(self) -> NDArray[np.int64]:
        """Return to which name each fact's node leads, (2 F,)."""
        return np.array([end for a, b in self.ends for end in (b, a)], np.int64)


def stated(
    store: LocalStore,
    index: Index,
    text: str,
    asked: Iterable[tuple[int, str]],
    near: Iterable[tuple[int, str]],
    cues: frozenset[int],
) -> Stated:
    """Return the facts around a question.

    Args:
        store: whose facts; those of scenes, stories and candidates are left out.
        index: of the passages.
        text: the question.
        asked: the entities that it names, and how it writes them.
        near: those of passages that score best.
        cues: what it asks for, as :func:`kgmm.documents.question.asked` tells.
    """
    if not len(store):
        return Stated()
    return _Gathering(store, index, cues).made(text, asked, near)


class _Gathering:
    def __init__(self, store: LocalStore, index: Index, cues: frozenset[int]) -> None:
        self.store = store
        self.index = index
        self.cues = cues
        general = [graph for graph in store.graphs() if is_general(graph)]
        self.graphs = store.terms.ids(general)
        self.entity_of: dict[int, int] = {}  #: a concept's number -> its name's, -1 where no passage names it
        self.rows: dict[tuple[int, int, int, int], None] = {}

    def made(self, text: str, asked: Iterable[tuple[int, str]], near: Iterable[tuple[int, str]]) -> Stated:
        first = list(asked)
        known = {entity for entity, _ in first}
        first += [(-1, m.text) for m in mentions(text) if m.kind in LINKED]
        spoken = self._concepts(first)
        others = self._concepts(pair for pair in near if pair[0] not in known)
        reached = self._facts(list(spoken)[:MOST])
        self._facts([c for c in reached if self._entity(c) < 0 and c not in spoken][: MOST // 2])
        self._facts([c for c in others if c not in spoken][: MOST - len(spoken)])
        return self._told(spoken)

    def _concepts(self, named: Iterable[tuple[int, str]]) -> dict[int, str]:
        """Return the numbers of concepts that are written like names, and how these are written."""
        ways: dict[str, tuple[int, str]] = {}
        for entity, said in named:
            for form in (said, spans.bare(said)):
                try:
                    ways.setdefault(names.concept(form), (entity, said))
                except ValueError:  # of which nothing is left as a concept
                    continue
        found: dict[int, str] = {}
        for number, (entity, said) in zip(self.store.terms.ids(list(ways)).tolist(), ways.values(), strict=True):
            if number >= 0:
                found.setdefault(number, said)
                if entity >= 0:
                    self.entity_of.setdefault(number, entity)
        return found

    def _facts(self, concepts: Iterable[int]) -> list[int]:
        """Take the facts of concepts; return what they lead to, each once."""
        led: dict[int, None] = {}
        for concept in concepts:
            for mine in ("subject", "object"):
                found = self.store.find_ids(**{mine: concept})
                here = np.flatnonzero(np.isin(found.graph, self.graphs) & (found.weight > 0))
                here = here[np.argsort(-found.weight[here], kind="stable")][:FACTS]
                columns = (found.subject, found.predicate, found.object, found.graph)
                for row in zip(*(column[here].tolist() for column in columns), strict=True):
                    other = row[2] if mine == "subject" else row[0]
                    if other != concept and self.store.terms.name(other).startswith("/c/"):
                        self.rows[row] = None
                        led[other] = None
        return list(led)

    def _entity(self, concept: int) -> int:
        """Return the name in the index that is written like a concept, -1 if there is none."""
        if concept not in self.entity_of:
            entities = self.index.texts.entity
            key = np.uint64(name_key(spans.key(names.label(self.store.terms.name(concept)))))
            at = int(np.searchsorted(entities, key))
            self.entity_of[concept] = at if at < len(entities) and entities[at] == key else -1
        return self.entity_of[concept]

    def _told(self, spoken: dict[int, str]) -> Stated:
        """Keep the facts that lead to a name some passage has, over one more at most."""
        named = {c: self._entity(c) for row in self.rows for c in (row[0], row[2])}
        beside = {c for s, _, o, _ in self.rows for c, other in ((s, o), (o, s)) if named[c] < 0 <= named[other]}
        made = Stated()
        number: dict[int, int] = {}
        for s, p, o, g in self.rows:
            ends = []
            for c in (s, o):
                if named[c] < 0 and c not in beside:
                    break
                if named[c] < 0 and c not in number:
                    number[c] = len(self.index.texts.entity) + len(made.outside)
                    made.outside.append(spoken.get(c) or names.label(self.store.terms.name(c)))
                    if c in spoken:
                        made.asked.append((number[c], spoken[c]))
                ends.append(named[c] if named[c] >= 0 else number[c])
            if len(ends) == 2 and ends[0] != ends[1]:
                subject, predicate, target, graph = map(self.store.terms.name, (s, p, o, g))
                made.facts.append((subject, predicate, target, graph))
                made.ends.append((ends[0], ends[1]))
                made.fits.append(bool(self.cues & {word_key(relation(w.lower())) for w in _HUMP.findall(predicate)}))
        return made
