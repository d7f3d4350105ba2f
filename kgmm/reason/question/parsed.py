"""A question as the engine reads it: what is asked for, of which objects, by which relation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kgmm.language.words import lemma
from kgmm.reason.question.vocabulary import GENERIC


@dataclass(frozen=True)
class Constraint:
    """A condition by knowledge: the relation that should hold (any, if empty) and its other end in words."""

    relations: tuple[str, ...]
    phrase: str
    negated: bool = False


@dataclass
class Noun:
    """A description of objects: kind, attributes, place among others, what is known of them."""

    head: str = ""
    attributes: list[str] = field(default_factory=list)
    scene: list[tuple[str, Noun]] = field(default_factory=list)
    known: list[Constraint] = field(default_factory=list)
    position: str = ""
    text: str = ""
    negated: bool = False

    @property
    def generic(self) -> bool:
        """Tell whether the head names no kind (``object``, ``thing``)."""
        return not self.head or all(lemma(w) in GENERIC for w in self.head.split())


@dataclass
class Question:
    """What is asked: ``kind`` and its arguments."""

    #: select, other_end, count, exists, test, attribute, where, between, related, compare, describe or open
    kind: str
    text: str
    noun: Noun | None = None
    other: Noun | None = None
    relations: tuple[str, ...] = ()
    constraint: Constraint | None = None
    attribute: str = ""
    predicate: str = ""
    negated: bool = False
    #: whether the answer is expected to be something seen (True), not seen (False) or either (None)
    asks_seen: bool | None = None

    def summary(self) -> dict[str, Any]:
        """Return the parse as JSON-ready data for the trace."""

        def noun(n: Noun | None) -> Any:
            if n is None:
                return None
            known = [[list(c.relations), c.phrase, c.negated] for c in n.known]
            parts = {
                "head": n.head,
                "attributes": n.attributes,
                "position": n.position,
                "known": known,
                "scene": [[p, noun(o)] for p, o in n.scene],
            }
            return {k: v for k, v in parts.items() if v}

        data = {
            "kind": self.kind,
            "noun": noun(self.noun),
            "other": noun(self.other),
            "relations": list(self.relations),
            "constraint": self.constraint and [list(self.constraint.relations), self.constraint.phrase],
            "attribute": self.attribute,
            "predicate": self.predicate,
            "negated": self.negated,
        }
        return {k: v for k, v in data.items() if v}
