"""What is known of events: a store's event facts and the bundled ones, found by the words of their subjects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

from kgmm import bundled
from kgmm.complete.expect_text import DETERMINERS, PARTICLES, PREPOSITIONS, PRONOUNS
from kgmm.language.names import concept, label
from kgmm.language.words import lemma, tokens
from kgmm.store import Fact, LocalStore, is_general

#: relation -> (kind of what its object is to its subject, how much a fact of it counts)
FORWARD = {
    "Causes": ("effect", 1.0),
    "HasSubevent": ("subevent", 0.8),
    "HasFirstSubevent": ("subevent", 0.9),
    "HasLastSubevent": ("subevent", 0.8),
    "HasPrerequisite": ("precondition", 0.95),
    "MotivatedByGoal": ("motive", 0.95),
    "CausesDesire": ("effect", 0.75),
}
#: relation -> (kind of what its subject is to its object, how much a fact of it counts)
BACKWARD = {
    "CausesDesire": ("precondition", 0.55),
    "HasPrerequisite": ("motive", 0.5),
    "Causes": ("precondition", 0.2),
    "HasSubevent": ("motive", 0.4),
}
#: relation -> what stands between its subject and object when a step is taken away by it
EXCEPTIONS = ("NotCapableOf", "NotHasProperty", "NotDesires", "NotHasA")
GRAPH = "events"  #: the graph that bundled facts are said to be of
SEVERAL = 4  #: so many facts and more are known of an event that others are compared with by meaning
_UNSAID = DETERMINERS | PRONOUNS
_EMPTY = DETERMINERS | PRONOUNS | (PREPOSITIONS - PARTICLES) | frozenset("be have do get become able very".split())


@lru_cache(1 << 16)
def key(text: str) -> frozenset[str]:
    """Return what two phrases have in common that say the same of an event: lemmas of their content, particles included.

    >>> key("the glass breaks") == key("glass break"), sorted(key("go out of the house"))
    (True, ['go', 'house', 'out'])
    """
    words = [lemma(w) for w in tokens(text)]
    return frozenset(w for w in words if w not in _EMPTY) or frozenset(words)


@dataclass(frozen=True, slots=True)
class Event:
    """An event that something is known of: its node and its words in base form."""

    node: str
    words: tuple[str, ...]


class Known:
    """The event facts of a store, with those that ship with kgmm unless the store holds them in its graph ``events``."""

    def __init__(self, store: LocalStore, own: bool = True) -> None:
        self.store = store
        self.graphs = frozenset(graph for graph in store.graphs() if is_general(graph))
        self.extra: dict[tuple[str, str], list[Fact]] = defaultdict(list)
        self.of: dict[str, list[Fact]] = defaultdict(list)  #: node -> facts whose subject it is
        self.to: dict[str, list[Fact]] = defaultdict(list)  #: node -> facts whose object it is
        self.by_word: dict[str, list[Event]] = defaultdict(list)
        self._kinds: dict[str, dict[str, tuple[Fact, ...]]] = {}
        facts = [f for relation in {*FORWARD, "MannerOf"} for f in store.find(None, relation) if f.graph in self.graphs]
        if own and GRAPH not in self.graphs:
            facts += [f for f in bundled_events() if f.predicate in FORWARD or f.predicate == "MannerOf"]
            for fact in bundled_events():
                if fact.predicate not in FORWARD:
                    self.extra[fact.subject, fact.predicate].append(fact)
        for fact in facts:
            self.of[fact.subject].append(fact)
            self.to[fact.object].append(fact)
        for node in dict.fromkeys(node for fact in facts for node in (fact.subject, fact.object)):
            if node not in self.of and "_" not in node:
                continue  # a step of one word is no event that a clause is told by
            words = tuple(w for w in tokens(label(node)) if w not in _UNSAID)
            if 0 < len(words) <= 6 and node.startswith("/c/"):
                event = Event(node, tuple(map(lemma, words)))
                for word in set(event.words) | set(words):
                    self.by_word[word].append(event)

    @cached_property
    def telling(self) -> list[Event]:
        """The events of which several facts are known, by their names."""
        every = {e.node: e for events in self.by_word.values() for e in events}
        several = {node for node in every if sum(f.predicate in FORWARD for f in self.of.get(node, ())) >= SEVERAL}
        return [every[node] for node in sorted(several)]

    def meant(self, node: str) -> bool:
        """Tell whether an event is one that somebody does for something."""
        return any(f.predicate == "MotivatedByGoal" for f in self.of.get(node, ()))

    def about(self, subject: str, relation: str) -> Iterator[Fact]:
        """Yield the facts of a node and relation, the store's first."""
        yield from (f for f in self.store.find(subject, relation) if f.graph in self.graphs)
        yield from self.extra.get((subject, relation), ())

    def kinds(self, node: str, most: int = 5) -> dict[str, tuple[Fact, ...]]:
        """Return what a thing is, itself first: node -> the IsA facts that lead there, the shortest chain.

        A phrase is what its last word says too: a broken lamp is a lamp, without a fact that says so.
        """
        if node not in self._kinds:
            self._kinds[node] = self._above(node, most)
        return self._kinds[node]

    def _above(self, node: str, most: int) -> dict[str, tuple[Fact, ...]]:
        found: dict[str, tuple[Fact, ...]] = {node: ()}
        level = [node]
        for _ in range(most):
            upper: list[str] = []
            for lower in level:
                for relation in ("IsA", "Synonym"):
                    for fact in self.about(lower, relation):
                        if fact.object not in found and len(found) < 200:
                            found[fact.object] = (*found[lower], fact)
                            upper.append(fact.object)
                words = label(lower).split()
                if len(words) > 1 and (head := concept(words[-1])) not in found and lower == node:
                    found[head] = found[lower]
                    upper.append(head)
            level = upper
        return found

    def is_known(self, node: str) -> bool:
        """Tell whether a node is a thing that some fact is about."""
        return self.store.terms.id(node) is not None or any(
            (node, relation) in self.extra for relation in ("IsA", *EXCEPTIONS)
        )


@cache
def bundled_events() -> tuple[Fact, ...]:
    """Return the bundled event facts; the source of each is its line in ``knowledge/events.tsv``.

    >>> bundled_events()[0].source
    'knowledge/events.tsv:1'
    """
    lines = (bundled.folder("knowledge") / "events.tsv").read_text(encoding="utf-8").splitlines()
    return tuple(_facts(lines))


def _facts(lines: Iterable[str]) -> Iterator[Fact]:
    named = cache(concept)  # the same events stand in many lines
    for number, line in enumerate(lines, 1):
        subject, predicate, object, *weight = line.split("\t")
        counts, source = float(weight[0]) if weight else 1.0, f"knowledge/events.tsv:{number}"
        yield Fact(named(subject), predicate, named(object), counts, GRAPH, source)
