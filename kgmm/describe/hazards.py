"""What knowledge says is dangerous about a thing, each with the facts that say so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from kgmm.language.names import label
from kgmm.store.facts import Fact

#: properties to warn of, the plainest first and the vaguest last, and what things do that is to be warned of, with the word that says it
PROPERTIES = "hot sharp poisonous venomous toxic explosive flammable slippery dangerous".split()
DOES = {
    "attack people": "may attack", "sting": "may sting", "explode": "may explode", "burn": "may burn", "charge": "may charge",
}  # fmt: skip
#: kinds that are warned of where nothing else is known, with the words
KINDS = {"weapon": "a weapon", "wild animal": "a wild animal"}
MOVES = "vehicle"  #: of this kind is what comes fast, said of what moves only
MOST = 2  #: words said of one thing


class Knowledge(Protocol):
    """What facts are looked up in: a store's ``find``."""

    def find(
        self, subject: str | None = None, predicate: str | None = None, object: str | None = None
    ) -> Iterable[Fact]:
        """Return the facts of a pattern."""


Hazards = tuple[tuple[str, tuple[Fact, ...]], ...]


def hazards(kb: Knowledge, names: Iterable[str], attributes: Iterable[str] = ()) -> Hazards:
    """Return what is dangerous about a thing, as words with the facts that say so, the plainest first.

    Looks at the things' names in turn until one is known: at its own properties, doings and kinds, at the properties of its kinds,
    and at the kinds of its kinds; no further, since WordNet's kinds lose the sense on the way. An attribute that is a property to
    warn of was seen, and needs no fact.

    Example:
        >>> class Small:
        ...     def find(self, subject=None, predicate=None, object=None):
        ...         facts = [Fact("knife", "HasProperty", "sharp"), Fact("bread knife", "IsA", "knife")]
        ...         return [f for f in facts if f.subject == subject and f.predicate == predicate]
        >>> [(word, [(f.subject, f.object) for f in why]) for word, why in hazards(Small(), ["bread knife"])]
        [('sharp', [('/c/en/bread_knife', '/c/en/knife'), ('/c/en/knife', '/c/en/sharp')])]
    """
    seen = [a.lower() for a in attributes]
    found: dict[str, tuple[Fact, ...]] = {word: () for word in PROPERTIES if word in seen}
    for name in names:
        known = list(_of(kb, Fact(name, "IsA", name).subject))
        for word, why in known:
            found.setdefault(word, why)
        if known:
            break
    order = [*PROPERTIES[:-1], *DOES.values(), PROPERTIES[-1], *KINDS.values()]
    words = sorted((word for word in found if word != MOVES), key=order.index)
    words = [word for word in words if word not in KINDS.values()] or words
    words = words[:MOST] + [MOVES] * (MOVES in found)
    return tuple((word, found[word]) for word in words)


def _of(kb: Knowledge, term: str) -> Iterator[tuple[str, tuple[Fact, ...]]]:
    yield from _said(kb, term, ())
    for kind in _facts(kb, term, "IsA"):
        yield from _kind(kind, ())
        yield from ((word, why) for word, why in _said(kb, kind.object, (kind,)) if word in PROPERTIES)
        for higher in _facts(kb, kind.object, "IsA"):
            yield from _kind(higher, (kind,))


def _said(kb: Knowledge, term: str, way: tuple[Fact, ...]) -> Iterator[tuple[str, tuple[Fact, ...]]]:
    for fact in _facts(kb, term, "HasProperty"):
        if (word := label(fact.object)) in PROPERTIES:
            yield word, (*way, fact)
    for fact in _facts(kb, term, "CapableOf"):
        if (doing := label(fact.object)) in DOES:
            yield DOES[doing], (*way, fact)


def _kind(fact: Fact, way: tuple[Fact, ...]) -> Iterator[tuple[str, tuple[Fact, ...]]]:
    if (kind := label(fact.object)) in KINDS or kind == MOVES:
        yield KINDS.get(kind, kind), (*way, fact)


def _facts(kb: Knowledge, subject: str, predicate: str) -> list[Fact]:
    """Return what holds, in an order that does not hang on the store's."""
    return sorted((f for f in kb.find(subject, predicate) if f.weight > 0), key=lambda f: (f.object, f.graph))
