"""The reasoner ``paths``: where the relation asked for leads from what is seen or named, by at most three statements.

A policy learned by REINFORCE (Das et al., MINERVA, ICLR 2018) walks from the thing by the store's statements; the answer's trace is the
chain of statements and, where the question begins at something seen, its region of the picture. Questions whose relation the grammar
does not find are left unanswered, as is what is less sure than the threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from kgmm.language.names import label
from kgmm.language.phrase import phrase
from kgmm.language.relations import DENIES, RELATIONS
from kgmm.language.words import normal
from kgmm.reason.explicit.objects import matches, seen_as
from kgmm.reason.necessary import also_cited
from kgmm.reason.paths.search import SHIPPED, Followed, Model, followed, load_model
from kgmm.reason.task import Outcome, Task, unanswered
from kgmm.scene import SceneObject
from kgmm.store import Fact
from kgmm.trace import MemoryFact, Step, cited, key

NAMES = ("paths",)
THRESHOLD = 0.5  #: an answer is given if it is more likely right than not
NEXT = 0.8  #: how much less the second relation that a question may mean counts, and so on
CONSIDERED = 20  #: answers of one walk looked at


class Start(NamedTuple):
    """Where walks begin: a concept, the seen object it is of, if any, and the relation either way."""

    concept: str
    seen: SceneObject | None
    relation: str
    turned: bool
    certainty: float


class Way(NamedTuple):
    """An answer with where its walk began, how sure it is, and the seen object that it is, if any."""

    start: Start
    found: Followed
    sure: float
    seen: SceneObject | None


def answer(task: Task, name: str = "paths", folder: Path | None = None) -> Outcome:
    """Answer one question, with or without picture.

    Args:
        task: the question.
        name: ``paths``.
        folder: a policy of ``kgmm train paths``; the shipped one by default.

    Returns:
        The outcome; its text is None if the question asks for no relation of a thing, or nothing is sure enough.
    """
    model = load_model(folder or SHIPPED)
    parse = Step("parse", f"the question asks: {task.parsed.kind}", task.parsed.summary())
    starts = _starts(task)
    if not starts:
        said = "the question asks for no relation of a thing that is seen or known; paths follow one"
        return replace(unanswered(said, steps=[parse]), model=model.checksum)
    ranked = _ranked(task, model, starts)
    memory = _memory(task, ranked)
    steps = [parse, Step("start", _begun(starts), {"starts": [[s.concept, s.relation, s.turned] for s in starts]})]
    if not ranked:
        said = f"no path of at most three facts leads from {label(starts[0].concept)} to an answer"
        return replace(unanswered(said, memory=memory, steps=steps), model=model.checksum)
    best, least = ranked[0], THRESHOLD if task.threshold is None else task.threshold
    walked = [[label(w.found.answer), round(w.sure, 4), [phrase(*key(f)) for f in w.found.path]] for w in ranked[:5]]
    steps.append(Step("walk", f"the surest path leads to {_text(task, best)!r}", {"paths": walked}))
    if best.sure < least:
        said = f"the surest path leads to {_text(task, best)!r} with probability {best.sure:.2f}, below {least}"
        return replace(unanswered(said, memory=memory, steps=steps), model=model.checksum)
    return _cited(task, model, starts, ranked, memory, steps)


def _cited(
    task: Task, model: Model, starts: list[Start], ranked: list[Way], memory: list[MemoryFact], steps: list[Step]
) -> Outcome:
    best, text = ranked[0], _text(task, ranked[0])
    least = THRESHOLD if task.threshold is None else task.threshold

    def again(gone: list[Fact]) -> Sequence[Fact] | None:
        without = replace(task, exclude=task.exclude | {key(fact) for fact in gone})
        left = _ranked(without, model, starts)
        if not left or left[0].sure < least or _text(task, left[0]) != text:
            return None
        return left[0].found.path

    also = also_cited(text, best.found.path, again, steps)
    seen = [best.start.seen, best.seen]
    citations = [seen_as(task, one) for one in seen if one is not None]
    citations += [*also, *cited(best.found.path)]
    others: dict[str, float] = {}
    for one in ranked[1:]:
        if (said := _text(task, one)) != text:
            others.setdefault(said, round(one.sure, 4))
    rest = list(others.items())[: max(task.top - 1, 0)]
    return Outcome(text, round(best.sure, 4), rest, citations, memory, steps, model=model.checksum)


def _starts(task: Task) -> list[Start]:
    """Return where the question's walks begin: at the thing it asks about, or at what the thing that it asks for does."""
    q, noun = task.parsed, task.parsed.noun
    if noun is None or q.denies or q.constraint is not None or q.compares:
        return []
    if q.kind in ("other_end", "where", "attribute") and not noun.known:
        relations = q.relations if q.kind != "attribute" or not q.attribute else ()
        return [s for seen, concept in _things(task) for s in _by(concept, seen, relations, q.predicate == "inverse")]
    if q.kind != "select" or len(noun.known) != 1 or noun.known[0].negated or noun.scene or noun.attributes:
        return []
    concept = task.concept(noun.known[0].phrase)
    return list(_by(concept, None, noun.known[0].relations, True)) if concept is not None else []


def _things(task: Task) -> list[tuple[SceneObject | None, str]]:
    """Return the things that the question is about, those seen with their concepts; one that is only named where none is seen."""
    noun = task.parsed.noun
    assert noun is not None
    seen = [] if noun.generic and not (noun.scene or noun.position or noun.attributes) else matches(task, noun)
    found: list[tuple[SceneObject | None, str]] = []
    for one in (m.object for m in seen[:2]):
        linked = [link for link in task.links if link.object == one.id]
        if linked:
            found.append((one, max(linked, key=lambda link: link.score).concept))
    named = task.concept(noun.head) if not found and noun.head and not noun.generic else None
    return found if named is None else [(None, named)]


def _by(concept: str, seen: SceneObject | None, relations: Sequence[str], turned: bool) -> list[Start]:
    """Return walks by each relation that the question may mean, and by those that say the same read from the other end."""
    found: dict[tuple[str, bool], float] = {}
    for at, relation in enumerate(r for r in relations if r not in DENIES):
        found.setdefault((relation, turned), NEXT**at)
        for other in RELATIONS[relation].turned if relation in RELATIONS else ():
            found.setdefault((other, not turned), NEXT**at)
    return [Start(concept, seen, relation, way, sure) for (relation, way), sure in found.items()]


def _ranked(task: Task, model: Model, starts: list[Start]) -> list[Way]:
    """Return the answers of all walks, the surest first; of those that say the same, the surest alone."""
    walker = model.walker(task.store, task.graphs, task.exclude)
    asks_seen = task.parsed.kind == "select" and bool(task.scene.objects)
    offered = {normal(choice) for choice in task.choices} if task.choices else None
    best: dict[str, Way] = {}
    for start in starts:
        node, code = task.store.terms.id(start.concept), walker.roads.code(start.relation, start.turned)
        if node is None or code is None:
            continue
        for found in followed(walker, model, node, code, CONSIDERED, stated=True):
            seen = next(iter(task.objects_of(found.answer)), None) if asks_seen else None
            if asks_seen and seen is None:
                continue
            way = Way(start, found, found.probability * start.certainty, task.scene[seen] if seen else None)
            text = normal(_text(task, way))
            if offered is not None and text not in offered:
                continue
            if text not in best or way.sure > best[text].sure:
                best[text] = way
    return sorted(best.values(), key=lambda way: (-round(way.sure, 9), _text(task, way)))


def _text(task: Task, way: Way) -> str:
    said = way.seen.name if way.seen is not None else label(way.found.answer)
    return next((choice for choice in task.choices or () if normal(choice) == normal(said)), said)


def _memory(task: Task, ranked: list[Way]) -> list[MemoryFact]:
    """Return the statements of the paths that were found, the surest path's first."""
    kept: dict[tuple[str, str, str], MemoryFact] = {}
    for way in ranked:
        for at, fact in enumerate(way.found.path):
            parts = {"probability": round(way.sure, 4), "share": round(way.found.share, 4), "hop": float(at + 1)}
            kept.setdefault(key(fact), MemoryFact(fact, round(way.sure, 4), parts))
    return list(kept.values())[: task.limit]


def _begun(starts: list[Start]) -> str:
    said = [f"{label(s.concept)} {'is ' if s.turned else ''}{s.relation}{' of' if s.turned else ''}" for s in starts]
    return f"walks begin at: {', '.join(dict.fromkeys(said))}"
