"""What a trace holds, as plain data: the question, what was seen and linked, every fact considered, steps, citations."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgmm.errors import KgmmError
from kgmm.files import kept
from kgmm.scene import SceneGraph
from kgmm.store import Fact, LocalStore

if TYPE_CHECKING:
    from kgmm.trace.trace import Answer

SCHEMA = "kgmm-trace/1"

Key = tuple[str, str, str]  #: subject, predicate and object of a statement
Replay = Callable[[frozenset[Key]], "Answer"]  #: answers the same question with some facts taken away


@dataclass(frozen=True, slots=True)
class Link:
    """A word of the question or a seen object, linked to a concept by a rule with a score in [0, 1]."""

    text: str
    concept: str
    rule: str
    score: float
    object: str | None = None  #: id of the scene object the text names, or None for a word of the question


@dataclass(frozen=True, slots=True)
class MemoryFact:
    """A fact considered, its score, the parts of that score, and how a seen concept inherits it."""

    fact: Fact
    score: float
    parts: dict[str, float] = field(default_factory=dict)
    #: the IsA facts that lead from the seen or asked concept to the fact's subject, nearest first
    chain: tuple[Fact, ...] = ()
    concept: str = ""  #: the seen or asked concept the fact was reached from


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a reasoner: what it did in a sentence, and its data (JSON-ready)."""

    name: str
    text: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Citation:
    """A fact that carries the answer; ``kind`` is ``knowledge`` or ``scene``."""

    fact: Fact
    kind: str = "knowledge"
    role: str = "support"


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """The answer, computed again, if some facts did not exist; ``answer`` None where the engine then abstains."""

    removed: tuple[Fact, ...]
    answer: str | None
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of one check of a trace."""

    name: str
    passed: bool
    text: str


@dataclass
class Record:
    """The full record of how an answer came about; see ``docs/traces.md`` for its JSON schema."""

    question: str
    scene: SceneGraph | None = None
    choices: list[str] | None = None
    concepts: list[Link] = field(default_factory=list)
    memory: list[MemoryFact] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    answer: str | None = None
    score: float = 0.0
    alternatives: list[tuple[str, float]] = field(default_factory=list)
    abstained: str = ""  #: why there is no answer, and what was missing
    reasoner: str = ""
    folder: str = ""  #: folder of a model of one's own; empty for a shipped one
    model: str = ""  #: checksum of the model's weights; empty for a reasoner without any
    store: str = ""
    store_version: int = -1
    timings: dict[str, float] = field(default_factory=dict)  #: seconds per stage
    #: answers without some facts, computed ahead for pages and files
    counterfactuals: list[Counterfactual] = field(default_factory=list)
    graphs: list[str] | None = None  #: named graphs that facts could come from; None for all but scenes and stories
    threshold: float | None = None  #: answers less sure were withheld; None for the reasoner's own bound
    implied: bool = True  #: whether parts that only facts say a seen thing has could answer
    top: int = 3  #: the answer and at most ``top - 1`` alternatives were asked for
    #: answers the same question without some facts, over ``asked_of``; None for a trace read from a file
    replay: Replay | None = field(default=None, repr=False, compare=False)
    asked_of: LocalStore | None = field(default=None, repr=False, compare=False)  #: the store that answers again

    def without(self, *facts: Fact | Citation | MemoryFact) -> Answer:
        """Return the answer if *facts* did not exist: computed again, not guessed.

        Raises:
            KgmmError: if the trace was read from a file and not attached to a store (``kb.attach(trace)``).
        """
        if self.replay is None:
            raise KgmmError("this trace is not attached to a store; call kb.attach(trace) first")
        return self.replay(frozenset(key(f if isinstance(f, Fact) else f.fact) for f in facts))

    def to_dict(self) -> dict[str, Any]:
        """Return the trace as JSON-ready data."""
        data = {k: v for k, v in self.__dict__.items() if k not in ("scene", "replay", "asked_of")}
        for name in ("concepts", "memory", "steps", "citations", "counterfactuals"):
            data[name] = [asdict(item) for item in data[name]]
        return {"schema": SCHEMA, **data, "scene": self.scene.to_dict() if self.scene else None}

    def to_json(self, path: str | Path | None = None) -> str:
        """Return the trace as a JSON document, and write it to *path* if given."""
        return kept(json.dumps(self.to_dict(), ensure_ascii=False, indent=1), path)


def key(fact: Fact) -> Key:
    """Return what identifies a statement, whatever its weight, graph and source."""
    return fact.subject, fact.predicate, fact.object


def cited(facts: Iterable[Fact], kind: str = "knowledge", role: str = "support") -> list[Citation]:
    """Return citations of *facts*, each once."""
    return [Citation(f, kind, role) for f in dict.fromkeys(facts)]
