"""What differs between two traces of a question: two versions, two stores, two reasoners; and why."""

from dataclasses import asdict, dataclass, field
from typing import Any

from kgmm.store import Fact
from kgmm.trace.data import Record, key
from kgmm.trace.saying import say

#: what both traces were asked of, compared field by field
SETTINGS = ("question", "choices", "reasoner", "model", "store", "store_version")


@dataclass
class Difference:
    """What changed from one trace to the other; falsy if answer, citations and memory are the same."""

    #: field → its two values, for each setting that differs
    settings: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    answer: tuple[str | None, str | None] = (None, None)
    score: tuple[float, float] = (0.0, 0.0)
    #: facts cited by the first only, by the second only
    cited: tuple[list[Fact], list[Fact]] = field(default_factory=lambda: ([], []))
    #: facts considered by the first only, by the second only
    considered: tuple[list[Fact], list[Fact]] = field(default_factory=lambda: ([], []))
    #: fact → its places in the two memories (0 is best), where they differ
    moved: dict[Fact, tuple[int, int]] = field(default_factory=dict)
    #: links of words and objects to concepts, in the first only, in the second only
    links: tuple[list[str], list[str]] = field(default_factory=lambda: ([], []))
    why: list[str] = field(default_factory=list)  #: sentences that say why the answer or its citations differ
    _said: dict[Fact, str] = field(default_factory=dict, repr=False)

    def __bool__(self) -> bool:
        return self.answer[0] != self.answer[1] or any(map(bool, (*self.cited, *self.considered, self.moved)))

    def to_dict(self) -> dict[str, Any]:
        """Return the difference as JSON-ready data."""
        data = {k: v for k, v in self.__dict__.items() if k not in ("moved", "_said")}
        for name in ("cited", "considered"):
            data[name] = [[asdict(f) for f in side] for side in data[name]]
        data["moved"] = [{"fact": asdict(f), "from": a, "to": b} for f, (a, b) in self.moved.items()]
        return data

    def __str__(self) -> str:
        first, second = (a if a is not None else "I don't know" for a in self.answer)
        same = "the same answer" if first == second else "the answer changes"
        lines = [f"{same}: {first} ({self.score[0]:.2f}) → {second} ({self.score[1]:.2f})"]
        lines += [f"  {name}: {a!r} → {b!r}" for name, (a, b) in self.settings.items()]
        for sign, at in (("-", 0), ("+", 1)):
            lines += [f"  {sign} cites {self._said.get(f, f)}" for f in self.cited[at]]
        lines += [f"  because {reason}" for reason in self.why]
        left, entered = map(len, self.considered)
        lines.append(f"  memory: {left} facts left, {entered} entered, {len(self.moved)} moved")
        return "\n".join(lines)


def diff(first: Record, second: Record) -> Difference:
    """Compare two traces.

    Example:
        >>> print(diff(then, now))                                                     # doctest: +SKIP
        the answer changes: knife (0.98) → lamp (0.91)
          - cites knife is used for cutting
          + cites lamp is used for cutting
          because 'knife is used for cutting' is not in the second's memory
    """
    places = [_places(t) for t in (first, second)]
    names = [{f"{k.text} → {k.concept} ({k.rule})": None for k in t.concepts} for t in (first, second)]
    found = Difference(
        {s: (a, b) for s in SETTINGS if (a := getattr(first, s)) != (b := getattr(second, s))},
        (first.answer, second.answer),
        (first.score, second.score),
        _only([c.fact for c in first.citations], [c.fact for c in second.citations]),
        _only([m.fact for m in first.memory], [m.fact for m in second.memory]),
        {f: (a, b) for k, (f, a) in places[0].items() if k in places[1] and (b := places[1][k][1]) != a},
        ([n for n in names[0] if n not in names[1]], [n for n in names[1] if n not in names[0]]),
    )
    found._said = {f: say(t, f) for t, side in zip((first, second), found.cited, strict=True) for f in side}
    found.why = _why(first, second, found)
    return found


def _places(trace: Record) -> dict[tuple[str, str, str], tuple[Fact, int]]:
    found: dict[tuple[str, str, str], tuple[Fact, int]] = {}
    for m in trace.memory:
        found.setdefault(key(m.fact), (m.fact, len(found)))
    return found


def _only(first: list[Fact], second: list[Fact]) -> tuple[list[Fact], list[Fact]]:
    a, b = ({key(f): f for f in side} for side in (first, second))
    return [f for k, f in a.items() if k not in b], [f for k, f in b.items() if k not in a]


def _why(first: Record, second: Record, found: Difference) -> list[str]:
    """Say of each fact that only one cites what the other did with it (not there at all first), and where steps part."""
    gone, ranked = [], []
    ways = ((first, second, "second"), (second, first, "first"))
    for facts, (trace, other, name) in zip(found.cited, ways, strict=True):
        places = _places(other)
        scene = {(s, p, o) for s, p, o, _ in other.scene.facts()} if other.scene else set()
        for fact in facts:
            said = repr(say(trace, fact))
            if key(fact) in places:
                ranked.append(f"{said} is number {places[key(fact)][1] + 1} of the {name}'s memory")
            elif fact.subject.startswith("/s/"):
                gone += [] if key(fact) in scene else [f"{said} is not in the scene of the {name}"]
            else:
                gone.append(f"{said} is not in the {name}'s memory")
    pairs = zip(first.steps, second.steps, strict=False)
    apart = ((a, b) for a, b in pairs if (a.name, a.text) != (b.name, b.text))
    steps = [f"the steps part at {a.name!r}: {a.text!r} against {b.text!r}" for a, b in apart]
    abstained = [f"the {n} abstains: {t.abstained}" for n, t in (("first", first), ("second", second)) if t.abstained]
    return [*gone, *ranked, *steps[:1], *abstained]
