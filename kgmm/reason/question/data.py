"""A question as the engine reads it: what is asked for, of which objects, by which relation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kgmm.language.words import lemma
from kgmm.reason.question.demands import Demand
from kgmm.reason.question.vocabulary import GENERIC
from kgmm.scene import SceneObject


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

    @property
    def generic(self) -> bool:
        """Tell whether the head names no kind (``object``, ``thing``)."""
        return not self.head or all(lemma(w) in GENERIC for w in self.head.split())

    def summary(self) -> dict[str, Any]:
        """Return what is described as JSON-ready data."""
        parts = {
            "head": self.head,
            "attributes": self.attributes,
            "position": self.position,
            "known": [[list(c.relations), c.phrase, c.negated] for c in self.known],
            "scene": [[predicate, other.summary()] for predicate, other in self.scene],
        }
        return {k: v for k, v in parts.items() if v}


@dataclass(frozen=True)
class Due:
    """A measure or identity that is asked for, the relations that could state it, and whether it is a quantity."""

    word: str
    relations: tuple[str, ...]
    measure: bool


@dataclass
class Question:
    """What is asked: ``kind`` and its arguments by the grammar, then what single words ask (:mod:`~kgmm.reason.question.cues`)."""

    #: select, other_end, count, exists, only, test, attribute, where, between, related, compare, describe, read or open
    kind: str
    noun: Noun | None = None
    other: Noun | None = None
    relations: tuple[str, ...] = ()
    constraint: Constraint | None = None
    attribute: str = ""
    predicate: str = ""
    negated: bool = False
    #: whether the answer is expected to be something seen (True), not seen (False) or either (None)
    asks_seen: bool | None = None
    text: str = ""  #: the words, the name of the picture's main object in place of "it"
    asked: str = ""  #: the words as they were asked
    main: SceneObject | None = None  #: the picture's main object, if the question is what it is
    cues: frozenset[str] = frozenset()  #: relations that the words or the grammar ask by
    compares: bool = False  #: whether the words compare
    denies: bool = False  #: whether the words deny something, so that a fact which denies may answer
    wants_place: bool = False  #: whether it begins with "where"
    wants_kind: bool = False  #: whether "which kind of ..." may be answered with something not seen
    wants_unseen: bool = False  #: whether what is known of a seen thing is wanted rather than the thing
    either_or: bool = False  #: whether it offers one thing or another
    offered: tuple[str, ...] = ()  #: the two words offered: "slower or faster"
    #: names that it gives and that are therefore no answer: "the eyes" of "the eyes of a cat"
    given: frozenset[str] = frozenset()
    due: Due | None = None  #: what a fact has to state to answer
    demand: Demand | None = None  #: what the question word wants: a reason, a time, a person

    def summary(self) -> dict[str, Any]:
        """Return the parse as JSON-ready data for the trace."""
        data = {
            "kind": self.kind,
            "noun": self.noun and self.noun.summary(),
            "other": self.other and self.other.summary(),
            "relations": list(self.relations),
            "constraint": self.constraint and [list(self.constraint.relations), self.constraint.phrase],
            "attribute": self.attribute,
            "predicate": self.predicate,
            "negated": self.negated,
        }
        return {k: v for k, v in data.items() if v}
