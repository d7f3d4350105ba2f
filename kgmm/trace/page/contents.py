"""What a trace's page shows, as plain data: facts said in English, what lights up with what, and the drawn graph."""

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kgmm.language import names
from kgmm.scene.show import percent
from kgmm.store import Fact
from kgmm.trace.counterfactuals import others
from kgmm.trace.data import Counterfactual, Key, Record, key
from kgmm.trace.saying import say

SHOWN = 160  #: characters of a text that are shown; the JSON document has all of it
_UNSHOWABLE = re.compile(r"[\ud800-\udfff\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def shown(text: str, limit: int = SHOWN) -> str:
    r"""Return a text as a page can show it: cut, and without characters no document may hold.

    >>> shown("a\x00b"), shown("word" * 100, 10)
    ('a�b', 'wordwordwo…')
    """
    return _UNSHOWABLE.sub("\ufffd", text if len(text) <= limit else text[:limit] + "…")


@dataclass
class ShownFact:
    """One fact of the page: cited, considered, or a link of a chain."""

    id: int
    fact: Fact
    said: str
    statement: str
    kind: str = "known"  #: ``known`` or ``seen``
    role: str = ""  #: role of a citation, '' for a fact that is only considered
    score: float | None = None
    parts: dict[str, float] = field(default_factory=dict)
    origin: list[str] = field(default_factory=list)  #: words of the concepts it was reached from
    objects: list[str] = field(default_factory=list)  #: places in the scene of the objects that it is about
    chain: list[str] = field(default_factory=list)  #: how a concept inherits it: labels, nearest first
    without: str | None = None  #: the answer if it did not exist; None if that was not computed
    same: bool = False  #: whether that is the answer all the same

    @property
    def cited(self) -> bool:
        """Whether the answer rests on it."""
        return bool(self.role)


def facts(trace: Record) -> list[ShownFact]:
    """Return every fact of the trace once: the cited ones in their order, then the memory's, best first."""
    found: dict[Key, ShownFact] = {}

    def entry(fact: Fact) -> ShownFact:
        if key(fact) not in found:
            statement = shown(f"{fact.subject} {fact.predicate} {fact.object}")
            found[key(fact)] = ShownFact(len(found), fact, shown(say(trace, fact)), statement)
        return found[key(fact)]

    about = objects_of(trace)
    for c in trace.citations:
        cited = entry(c.fact)
        cited.kind, cited.role = ("seen" if c.kind == "scene" else "known"), shown(c.role or "support")
        _add(cited.objects, [o for end in (c.fact.subject, c.fact.object) for o in about.get(end, ())])
    for m in trace.memory:
        considered = entry(m.fact)
        _add(considered.origin, [shown(names.label(m.concept))] if m.concept else [])
        _add(considered.objects, about.get(m.concept, ()))
        if considered.score is None:
            considered.score, considered.parts, considered.chain = m.score, m.parts, kinds(m.chain)
    for other in trace.counterfactuals:
        if len(other.removed) == 1 and key(other.removed[0]) in found:
            alone = found[key(other.removed[0])]
            alone.without, alone.same = answer_text(other.answer), other.answer == trace.answer
    return list(found.values())


def _add(to: list[str], more: Any) -> None:
    to.extend(x for x in more if x not in to)


def kinds(chain: Sequence[Fact]) -> list[str]:
    """Return the labels of the kinds that a chain of IsA facts leads through, nearest first."""
    return [shown(names.label(term)) for term in (*(f.subject for f in chain[:1]), *(f.object for f in chain))]


def objects_of(trace: Record) -> dict[str, list[str]]:
    """Return the seen objects, as their places in the scene, by the concepts and nodes that stand for them."""
    found: dict[str, list[str]] = defaultdict(list)
    if trace.scene is None:
        return found
    at = {o.id: str(i) for i, o in enumerate(trace.scene.objects)}
    for k in trace.concepts:
        if k.object in at and at[k.object] not in found[k.concept]:
            found[k.concept].append(at[k.object])
    for object_id, place in at.items():
        found[trace.scene.node(object_id)].append(place)
    return found


def answer_text(text: str | None) -> str:
    """Return an answer as a page shows it; an abstention says so."""
    return "I don't know" if text is None else shown(text)


def outcomes(trace: Record, listed: list[ShownFact]) -> dict[str, dict[str, Any]]:
    """Return answers by what is switched off: fact ids in ascending order joined with commas, '' for nothing."""
    ids = {key(f.fact): f.id for f in listed}
    found = {"": {"answer": answer_text(trace.answer), "score": trace.score, "same": True}}
    for c in trace.counterfactuals:
        off = [ids.get(key(f), -1) for f in c.removed]
        if -1 not in off and len(off) < 10:
            name = ",".join(map(str, sorted(off)))
            found[name] = {"answer": answer_text(c.answer), "score": c.score, "same": c.answer == trace.answer}
    return found


def support(trace: Record) -> list[tuple[bool, str]]:
    """Return whether the citations are necessary and sufficient, with a sentence on each, where that was computed."""
    if trace.answer is None:
        return []
    knowledge, scene = ({key(c.fact) for c in trace.citations if c.kind == kind} for kind in ("knowledge", "scene"))
    rest = {key(f) for f in others(trace)}
    said: list[tuple[bool, str]] = []
    rounds = []
    for c in trace.counterfactuals:
        removed = {key(f) for f in c.removed}
        if removed == rest:
            end = "is the same" if c.answer == trace.answer else f"becomes {answer_text(c.answer)!r}"
            said.append((c.answer == trace.answer, f"sufficient? by the cited facts alone the answer {end}"))
        elif knowledge and knowledge <= removed and not removed & scene:
            rounds.append(c)
    return [*_necessity(trace, knowledge, rounds), *said]


def _necessity(trace: Record, knowledge: set[Key], rounds: list[Counterfactual]) -> list[tuple[bool, str]]:
    """Say whether the answer falls with the cited knowledge, or with which further facts that say the same."""
    if not rounds:
        return []
    rounds = sorted(rounds, key=lambda c: len(c.removed))
    first, last = rounds[0], rounds[-1]
    asked = "necessary? without the cited knowledge the answer"
    if first.answer != trace.answer:
        return [(True, f"{asked} becomes {answer_text(first.answer)!r}")]
    further = [shown(say(trace, f)) for f in last.removed if key(f) not in knowledge]
    stays = f"{asked} stays: {'; '.join(further[:4]) or 'the scene'} {'say' if len(further) > 1 else 'says'} it too"
    if last.answer != trace.answer:
        stays += f"; without these as well it becomes {answer_text(last.answer)!r}"
    return [(False, stays)]


def episodes(trace: Record) -> list[dict[str, Any]]:
    """Return the episodes of a memory network: name, sentence and [(fact, weight, share of the largest)]."""
    found = []
    for step in trace.steps:
        rows = [r for r in _list(step.data.get("attention")) if len(_list(r)) == 2 and _numbers(r[1:], 1)]
        highest = max((float(w) for _, w in rows), default=0.0)
        bars = [(shown(str(fact)), float(w), 100 * float(w) / (highest or 1.0)) for fact, w in rows]
        if bars:
            found.append({"name": shown(step.name), "text": shown(step.text), "bars": bars})
    return found


def program(trace: Record) -> list[dict[str, Any]]:
    """Return the steps of a module program: name, sentence, and the boxes it looks at with their weights."""
    found = []
    for step in trace.steps:
        values = [v for v in _list(step.data.get("value")) if _numbers([v], 1)]
        if "value" not in step.data or "boxes" not in step.data:
            continue
        boxes, size = _boxes(step.data["boxes"]), _size(trace)
        looked = []
        if size and len(values) == len(boxes):
            looked = [{"style": percent(b, *size), "weight": float(v)} for b, v in zip(boxes, values, strict=True)]
        found.append({"name": shown(step.name), "text": shown(step.text), "looked": looked, "values": values[:20]})
    return found


def learned(trace: Record) -> list[dict[str, Any]]:
    """Return a graph learner's edges, a row an object: its number, words ``object 2 (0.43), …``, lines in percent."""
    data = {k: step.data[k] for step in trace.steps for k in ("neighbours", "weights", "boxes") if k in step.data}
    size, boxes = _size(trace), _boxes(data.get("boxes"))
    if len(data) < 3 or not size:
        return []
    middle = [(100 * (x + w / 2) / size[0], 100 * (y + h / 2) / size[1]) for x, y, w, h in boxes]
    rows = []
    for at, (ends, weights) in enumerate(zip(_list(data["neighbours"]), _list(data["weights"]), strict=False)):
        if at >= len(middle) or not _numbers(ends) or not _numbers(weights):
            continue
        pairs = sorted(zip(ends, weights, strict=False), key=lambda pair: -pair[1])
        edges = [(int(end), float(w)) for end, w in pairs if end != at and 0 <= end < len(middle)]
        said = ", ".join(f"object {end + 1} ({w:.2f})" for end, w in edges[:8])
        lines = [{"from": middle[at], "to": middle[end], "weight": w} for end, w in edges]
        rows.append({"number": at + 1, "said": said, "lines": lines})
    return rows


def _list(value: Any) -> list[Any]:
    """Return a list as it is, and anything else as an empty one: step data can come from any file."""
    return list(value) if isinstance(value, list | tuple) else []


def _numbers(values: Any, length: int | None = None) -> bool:
    """Tell whether *values* is a list of finite numbers, of *length* if given."""
    fits = isinstance(values, list | tuple) and length in (None, len(values))
    return fits and all(isinstance(v, int | float) and math.isfinite(v) for v in values)


def _boxes(values: Any) -> list[list[float]]:
    return [list(map(float, b)) for b in _list(values) if _numbers(b, 4)]


def _size(trace: Record) -> tuple[int, int] | None:
    scene = trace.scene
    return (scene.width, scene.height) if scene is not None and scene.width and scene.height else None
