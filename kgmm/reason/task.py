"""What a reasoner gets and gives: one question about one scene, and its outcome."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from kgmm.encode.text import Encoder, text_encoder
from kgmm.reason.question.data import Constraint, Question
from kgmm.reason.question.reference import read
from kgmm.retrieve import Candidates, Key, gather, link
from kgmm.retrieve.gather import known_ids
from kgmm.retrieve.ground import ground_name
from kgmm.scene import SceneGraph
from kgmm.store import Fact
from kgmm.trace import Citation, Link, MemoryFact, Step

if TYPE_CHECKING:
    from kgmm.store import LocalStore


@dataclass(frozen=True)
class Support:
    """The best fact for a condition: how well it fits, its chain and itself, and whether it denies."""

    score: float
    facts: tuple[Fact, ...] = ()
    denies: bool = False


@dataclass
class Task:
    """One question about one scene, over one store; what several stages need is found once and kept here.

    A copy by ``dataclasses.replace``, such as without a fact, keeps nothing of what was found.
    """

    store: LocalStore
    scene: SceneGraph
    question: str
    choices: list[str] | None = None
    top: int = 3
    #: statements that do not exist for this question
    exclude: frozenset[Key] = frozenset()
    #: facts kept in the trace's memory
    limit: int = 60
    #: named graphs facts may come from; None for all but scenes and stories
    graphs: list[str] | None = None
    #: answers less sure are withheld; None for the reasoner's own bound
    threshold: float | None = None
    #: whether parts that facts say a seen thing has may answer
    implied: bool = True
    #: seconds per stage, filled as stages run
    timings: dict[str, float] = field(default_factory=dict, init=False)
    #: what :func:`kgmm.reason.explicit.objects.support` has found, by object and condition
    supports: dict[tuple[str, str, Constraint], Support] = field(default_factory=dict, init=False, repr=False)
    _named: dict[str, str | None] = field(default_factory=dict, init=False, repr=False)

    @property
    def drawn(self) -> bool:
        """Whether the scene says where things are, rather than being a list of names."""
        return bool(self.scene.relations) or any(o.box is not None for o in self.scene.objects)

    @cached_property
    def parsed(self) -> Question:
        """The question as the grammar reads it, about this scene."""
        return read(self.question, self.scene)

    @cached_property
    def encoder(self) -> Encoder:
        """The text encoder questions and facts are compared with."""
        return text_encoder("minilm")

    @cached_property
    def links(self) -> list[Link]:
        """Concepts of the seen objects, then of the question's words."""
        links = link(self.store, self.scene, self.question, encoder=self.encoder)
        named = [ground_name(self.store, choice) for choice in self.choices or ()]
        return links + [k for k in named if k is not None and k.rule != "head"]

    @cached_property
    def candidates(self) -> Candidates:
        """All facts around the linked concepts, and what those inherit."""
        start = time.perf_counter()
        gathered = gather(self.store, self.links, exclude=self.exclude, graphs=self.graphs)
        self.timings["retrieve"] = round(time.perf_counter() - start, 4)
        return gathered

    def concept(self, phrase: str) -> str | None:
        """Return the concept that a phrase names in full rather than by its last words; None if there is none."""
        if phrase not in self._named:
            named = ground_name(self.store, phrase)
            self._named[phrase] = named.concept if named is not None and named.rule != "head" else None
        return self._named[phrase]

    def ids(self, names: Iterable[str]) -> list[int]:
        """Return the store's ids of those terms that it knows."""
        return known_ids(self.store, names)

    def objects_of(self, concept: str) -> list[str]:
        """Return the ids of the scene objects linked to a concept."""
        return list(dict.fromkeys(k.object for k in self.links if k.concept == concept and k.object))


@dataclass
class Outcome:
    """What a reasoner found: an answer or the reason for none, and everything that led there."""

    text: str | None
    score: float = 0.0
    alternatives: list[tuple[str, float]] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    memory: list[MemoryFact] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    abstained: str = ""
    model: str = ""  #: checksum of the model's weights, if it has any


def answered(
    text: str,
    score: float,
    citations: Sequence[Citation],
    step: Step,
    *,
    alternatives: Sequence[tuple[str, float]] = (),
    memory: Sequence[MemoryFact] = (),
) -> Outcome:
    """Return an answer that one step gives, the facts that carry it, and the next best answers."""
    return Outcome(text, score, list(alternatives), list(citations), list(memory), [step])


def unanswered(reason: str, *, memory: Sequence[MemoryFact] = (), steps: Sequence[Step] = ()) -> Outcome:
    """Return that there is no answer, and why."""
    return Outcome(None, abstained=reason, memory=list(memory), steps=list(steps))
