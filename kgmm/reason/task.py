"""What a reasoner gets and gives: one question about one scene, and its outcome."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from kgmm.retrieve import Candidates, Key, gather, link
from kgmm.retrieve.ground import ground_name
from kgmm.scene import SceneGraph
from kgmm.trace import Citation, Link, MemoryFact, Step

if TYPE_CHECKING:
    from kgmm.encode.text import Encoder
    from kgmm.reason.explicit.objects import Support
    from kgmm.reason.question.parsed import Constraint
    from kgmm.store import LocalStore


@dataclass
class Task:
    """One question about one scene, over one store."""

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
    #: seconds per stage, filled as stages run
    timings: dict[str, float] = field(default_factory=dict)
    #: what :func:`kgmm.reason.explicit.objects.support` has found, by object and condition
    supports: dict[tuple[str, str, Constraint], Support] = field(default_factory=dict, repr=False)

    @property
    def drawn(self) -> bool:
        """Whether the scene says where things are, rather than being a list of names."""
        return bool(self.scene.relations) or any(o.box is not None for o in self.scene.objects)

    @cached_property
    def encoder(self) -> Encoder:
        """The text encoder questions and facts are compared with."""
        from kgmm.encode import text_encoder

        return text_encoder("minilm")

    @cached_property
    def links(self) -> list[Link]:
        """Concepts of the seen objects, then of the question's words."""
        found = link(self.store, self.scene, self.question, encoder=self.encoder)
        for choice in self.choices or ():
            linked = ground_name(self.store, choice)
            if linked is not None and linked.rule != "head":
                found.append(linked)
        return found

    @cached_property
    def candidates(self) -> Candidates:
        """All facts around the linked concepts, and what those inherit."""
        start = time.perf_counter()
        found = gather(self.store, self.links, exclude=self.exclude, graphs=self.graphs)
        self.timings["retrieve"] = round(time.perf_counter() - start, 4)
        return found

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
    #: checksum of the model's weights, if it has any
    model: str = ""
