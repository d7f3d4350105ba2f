"""What a trace holds: the question, what was seen and linked, every fact considered, the steps, the citations."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgmm.errors import KgmmError
from kgmm.scene import SceneGraph
from kgmm.store import Fact

if TYPE_CHECKING:
    import networkx
    import rdflib

    from kgmm.store import LocalStore
    from kgmm.trace.diff import Difference

SCHEMA = "kgmm-trace/1"

#: Answers the same question with some facts taken away.
Replay = Callable[[frozenset[tuple[str, str, str]]], "Answer"]


@dataclass(frozen=True, slots=True)
class Link:
    """A word of the question or a seen object, linked to a concept by a rule with a score in [0, 1]."""

    text: str
    concept: str
    rule: str
    score: float
    #: id of the scene object the text names, or None for a word of the question
    object: str | None = None


@dataclass(frozen=True, slots=True)
class MemoryFact:
    """A fact considered, its score, the parts of that score, and how a seen concept inherits it."""

    fact: Fact
    score: float
    parts: dict[str, float] = field(default_factory=dict)
    #: the IsA facts that lead from the seen or asked concept to the fact's subject, nearest first
    chain: tuple[Fact, ...] = ()
    #: the seen or asked concept the fact was reached from
    concept: str = ""


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
class Trace:
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
    #: why there is no answer, and what was missing
    abstained: str = ""
    reasoner: str = ""
    #: checksum of the model's weights; empty for a reasoner without any
    model: str = ""
    store: str = ""
    store_version: int = -1
    #: seconds per stage
    timings: dict[str, float] = field(default_factory=dict)
    #: answers without some facts, computed ahead by :meth:`precompute` for pages and files
    counterfactuals: list[Counterfactual] = field(default_factory=list)
    #: named graphs that facts could come from; None for all but scenes and stories
    graphs: list[str] | None = None
    #: answers less sure were withheld; None for the reasoner's own bound
    threshold: float | None = None
    _replay: Replay | None = field(default=None, repr=False, compare=False)
    _kb: LocalStore | None = field(default=None, repr=False, compare=False)

    def without(self, *facts: Fact | Citation | MemoryFact) -> Answer:
        """Return the answer if *facts* did not exist: computed again, not guessed.

        Raises:
            KgmmError: if the trace was read from a file and not attached to a store (``kb.attach(trace)``).
        """
        if self._replay is None:
            raise KgmmError("this trace is not attached to a store; call kb.attach(trace) first")
        return self._replay(frozenset(key(f if isinstance(f, Fact) else f.fact) for f in facts))

    @property
    def attached(self) -> bool:
        """Whether the question can be asked again, so that :meth:`without` works."""
        return self._replay is not None

    def precompute(self, seconds: float = 2.0) -> Trace:
        """Fill ``counterfactuals`` so that pages and files know the answers without each fact; return the trace.

        Raises:
            KgmmError: if the trace is not attached to a store.
        """
        from kgmm.trace.counterfactuals import compute

        self.counterfactuals = compute(self, seconds)
        return self

    def verify(self, kb: LocalStore) -> list[Check]:
        """Look every citation up again; see :func:`kgmm.trace.checks.verify`."""
        from kgmm.trace.checks import verify

        return verify(self, kb)

    def diff(self, other: Trace) -> Difference:
        """Return what differs between this trace and *other*, and why; see :func:`kgmm.trace.diff.diff`."""
        from kgmm.trace.diff import diff

        return diff(self, other)

    def checked(self) -> list[Check]:
        """Return the checks against the store the trace is attached to; none if it is attached to no store."""
        return self.verify(self._kb) if self._kb is not None else []

    def to_dict(self) -> dict[str, Any]:
        """Return the trace as JSON-ready data."""
        data = {k: v for k, v in self.__dict__.items() if not k.startswith("_") and k != "scene"}
        for name in ("concepts", "memory", "steps", "citations", "counterfactuals"):
            data[name] = [asdict(item) for item in data[name]]
        return {"schema": SCHEMA, **data, "scene": self.scene.to_dict() if self.scene else None}

    def to_json(self, path: str | Path | None = None) -> str:
        """Return the trace as a JSON document, and write it to *path* if given."""
        text = json.dumps(self.to_dict(), ensure_ascii=False, indent=1)
        if path is not None:
            Path(path).write_text(text + "\n", encoding="utf-8")
        return text

    @classmethod
    def from_json(cls, source: str | Path) -> Trace:
        """Read a trace from a JSON document or file; see :func:`kgmm.trace.reading.read`.

        Raises:
            BadInput: if it is not a trace of this schema.
        """
        from kgmm.trace.reading import read

        return read(source)

    def to_html(self, path: str | Path) -> Path:
        """Write one self-contained HTML page that needs no network; return its path."""
        from kgmm.trace.page.render import write_page

        return write_page(self, Path(path))

    def to_networkx(self) -> networkx.MultiDiGraph:
        """Return the cited facts, their chains and the answer as a networkx graph."""
        from kgmm.trace.graphs import to_networkx

        return to_networkx(self)

    def to_rdf(self) -> rdflib.Graph:
        """Return the trace in PROV-O: the answer was derived from its facts, generated by the reasoner."""
        from kgmm.trace.graphs import to_rdf

        return to_rdf(self)

    def _repr_html_(self) -> str:
        from kgmm.trace.page.render import fragment

        return fragment(self)


@dataclass(frozen=True)
class Answer:
    """An answer with its score in [0, 1], the next best ones, and the trace that carries it.

    Falsy, with ``text`` None, when the engine abstains.

    Example:
        >>> bool(Answer(None, 0.0, [], Trace("Why?"))), str(Answer("cat", 0.9, [], Trace("What?")))
        (False, 'cat')
    """

    text: str | None
    score: float
    alternatives: list[tuple[str, float]]
    trace: Trace

    def __bool__(self) -> bool:
        return self.text is not None

    def __str__(self) -> str:
        return self.text if self.text is not None else "I don't know"

    def _repr_html_(self) -> str:
        return self.trace._repr_html_()


def key(fact: Fact) -> tuple[str, str, str]:
    """Return what identifies a statement, whatever its weight, graph and source."""
    return fact.subject, fact.predicate, fact.object


def cited(facts: Iterable[Fact], kind: str = "knowledge", role: str = "support") -> list[Citation]:
    """Return citations of *facts*, each once."""
    return [Citation(f, kind, role) for f in dict.fromkeys(facts)]
