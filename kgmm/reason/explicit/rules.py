"""Answers computed from the scene and single facts: counts, yes or no, attributes, places, comparisons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kgmm.language import names
from kgmm.language.phrase import phrase
from kgmm.language.words import normal
from kgmm.reason.explicit.objects import (
    ASKED,
    INVERSE,
    SUPPORT,
    Match,
    _group,
    _plain,
    by_boxes,
    canonical,
    is_of,
    kind_chain,
    matches,
    of_kind,
    related,
    scene_citation,
    seen_as,
    support,
    with_attribute,
)
from kgmm.reason.question.parsed import Constraint, Noun, Question
from kgmm.reason.question.vocabulary import COLOURS
from kgmm.reason.task import Outcome
from kgmm.scene import SceneObject
from kgmm.store import Fact
from kgmm.trace import Citation, Step

if TYPE_CHECKING:
    from kgmm.reason.task import Task

_SIZES = {"big", "large", "small", "tiny", "huge", "little", "tall", "short", "long"}
_MATERIALS = {
    "wood",
    "wooden",
    "metal",
    "metallic",
    "steel",
    "plastic",
    "glass",
    "ceramic",
    "porcelain",
    "leather",
    "paper",
    "cotton",
    "wool",
    "fabric",
    "stone",
    "brick",
    "rubber",
    "concrete",
    "clay",
    "gold",
    "silver",
    "cloth",
    "brass",
    "iron",
    "aluminium",
    "aluminum",
    "marble",
}
_SHAPES = {
    "round",
    "square",
    "circular",
    "rectangular",
    "triangular",
    "oval",
    "flat",
    "cylindrical",
    "spherical",
}
_GROUPS = {"colour": COLOURS | {"gray"}, "size": _SIZES, "material": _MATERIALS, "shape": _SHAPES}
#: numbers as facts spell them
NUMBERS = dict(zip("zero one two three four five six seven eight nine ten".split(), map(str, range(11)), strict=True))
#: predicates worth saying when asked where something is, best first
_PLACES = (
    "on",
    "inside",
    "held_by",
    "worn_by",
    "in_front_of",
    "behind",
    "next_to",
    "below",
    "above",
    "left_of",
    "right_of",
)


def count(task: Task, q: Question) -> Outcome | None:
    """How many seen objects fit a description."""
    assert q.noun is not None
    found = matches(task, q.noun)
    if not found and q.other is not None:
        return _known_number(task, q.noun, q.other)
    if not found and not task.scene.complete:
        return _unseen(q.noun)
    cites = list(dict.fromkeys(c for m in found for c in m.citations))
    text = f"{len(found)} seen objects fit {q.noun.text!r}"
    return Outcome(
        str(len(found)),
        min((m.score for m in found), default=0.9),
        [],
        cites,
        steps=[Step("count", text, {"objects": [m.object.id for m in found]})],
    )


def _known_number(task: Task, part: Noun, whole: Noun) -> Outcome:
    """How many parts something has where none is seen: a fact that says so ("spider HasA eight legs")."""
    for m in matches(task, whole) or [Match(SceneObject(ASKED, whole.head), 1.0, [])]:
        for fact, chain in _known_of(task, m.object, "HasA"):
            words = normal(names.label(fact.object)).split()
            number = next((w for w in words if w.isdigit() or w in NUMBERS), None)
            if number is not None and normal(part.head) in normal(" ".join(words)):
                cites = [*m.citations, *(Citation(f) for f in (*chain, fact))]
                said = phrase(fact.subject, fact.predicate, fact.object)
                return Outcome(NUMBERS.get(number, number), 0.8, [], cites, steps=[Step("count", said)])
    return Outcome(None, abstained=f"no {part.head} is seen, and no fact says how many a {whole.head} has")


def exists(task: Task, q: Question) -> Outcome | None:
    """Whether a seen object fits a description; that none does is a "no" only where the scene lists everything."""
    assert q.noun is not None
    found = matches(task, q.noun)
    if found:
        return _yes(found[0].citations, found[0].score, f"{found[0].object.name} fits {q.noun.text!r}")
    if not task.scene.complete:
        return _unseen(q.noun)
    return _no([], 0.8, f"nothing seen fits {q.noun.text!r}")


def _unseen(noun: Noun) -> Outcome:
    return Outcome(None, abstained=f"no {noun.text!r} was recognized, which does not mean that there is none")


def _yes(cites: list[Citation], score: float, text: str) -> Outcome:
    return Outcome("yes", round(min(score, 1.0), 4), [("no", 0.0)], cites, steps=[Step("test", text)])


def _no(cites: list[Citation], score: float, text: str) -> Outcome:
    return Outcome("no", round(min(score, 1.0), 4), [("yes", 0.0)], cites, steps=[Step("test", text)])


def test(task: Task, q: Question) -> Outcome | None:
    """Whether something holds of a seen object, or of the concept asked about if none is seen."""
    assert q.noun is not None
    found = matches(task, q.noun)
    if q.other is not None:
        return _scene_test(task, q, found)
    assert q.constraint is not None
    subjects = found or [Match(SceneObject(ASKED, q.noun.head), 1.0, [])]
    outcomes = [_holds(task, m, q.constraint, bool(found)) for m in subjects[:4]]
    known = [o for o in outcomes if o.text is not None]
    result = next((o for o in known if o.text == "yes"), known[0] if known else outcomes[0])
    if q.constraint.negated and result.text is not None:
        result.text = "no" if result.text == "yes" else "yes"
    return result


def _scene_test(task: Task, q: Question, found: list[Match]) -> Outcome:
    assert q.noun is not None and q.other is not None
    if not found:
        return Outcome(None, abstained=f"nothing seen fits {q.noun.text!r}")
    others = matches(task, q.other)
    for m in found:
        for other in others:
            r = related(task, m.object.id, q.predicate, other.object.id)
            if r is not None:
                return _yes(
                    [*m.citations, *other.citations, scene_citation(task, r)],
                    r.score,
                    f"{m.object.name} {r.predicate} {other.object.name}",
                )
    what = f"no seen {q.noun.head} is {q.predicate.replace('_', ' ')} a {q.other.head or 'thing'}"
    return _no([*found[0].citations, *(others[0].citations if others else [])], 0.8, what)


def _holds(task: Task, m: Match, condition: Constraint, seen: bool) -> Outcome:
    """Whether a condition holds of one object: by its attributes, its kinds, and what is known."""
    positive = Constraint(condition.relations, condition.phrase)
    head = m.object.name
    if seen:
        by_sight = _by_sight(task, m, positive)
        if by_sight is not None:
            return by_sight
    if not positive.relations or "IsA" in positive.relations:
        kind = (
            of_kind(task, m.object, Noun(head=positive.phrase))
            if seen
            else _asked_kind(task, m.object, positive.phrase)
        )
        if kind is not None:
            return _yes([*m.citations, *kind.citations], kind.score, f"{head} is a kind of {positive.phrase}")
    is_kind = condition.relations[:1] == ("IsA",) and _known_kind(task, condition.phrase)
    if is_kind:  # a cat is a pet, and a pet is much like a dog: only a chain of kinds makes it one
        positive = Constraint(tuple(r for r in positive.relations if r != "IsA"), positive.phrase)
    found = support(task, m.object, positive)
    if found.score >= (1.0 if is_kind else SUPPORT):
        cites = [
            *m.citations,
            *(Citation(f, role="denies" if found.denies else "support") for f in found.facts),
        ]
        fact = found.facts[-1]
        text = phrase(fact.subject, fact.predicate, fact.object)
        return _no(cites, found.score, text) if found.denies else _yes(cites, found.score, text)
    if seen and is_kind and m.citations:
        chain = [c for k in task.links if k.object == m.object.id for c in _kinds_of(task, k.concept)]
        if chain:
            return _no([*m.citations, *chain[:3]], 0.7, f"no chain of kinds leads from {head} to {condition.phrase}")
    return Outcome(
        None,
        abstained=f"nothing known says whether {head} fits {condition.phrase!r}",
        steps=[Step("test", "no support")],
    )


def _by_sight(task: Task, m: Match, condition: Constraint) -> Outcome | None:
    word = _plain(condition.phrase.split()[-1]) if condition.phrase else ""
    if len(condition.phrase.split()) > 2:
        return None
    own = [a for a in m.object.attributes if _plain(a) == word]
    if own:
        hit = with_attribute(task, m, own[0])
        assert hit is not None
        return _yes(hit.citations, 0.95, f"{m.object.name} is {own[0]}")
    other = [a for a in m.object.attributes if _group(word) and _group(_plain(a)) == _group(word)]
    if other:
        hit = with_attribute(task, m, other[0])
        assert hit is not None
        return _no(hit.citations, 0.9, f"{m.object.name} is {other[0]}")
    return None


def _asked_kind(task: Task, asked: SceneObject, kind: str) -> Match | None:
    facts = kind_chain(task, asked, kind)
    return Match(asked, 0.9, [Citation(f, role="kind") for f in facts]) if facts else None


def _known_kind(task: Task, kind: str) -> bool:
    from kgmm.retrieve.ground import ground_name

    link = ground_name(task.store, kind)
    return link is not None and link.rule != "head" and task.store.count(None, "IsA", link.concept) > 0


def _kinds_of(task: Task, concept: str) -> list[Citation]:
    return [Citation(f, role="kind") for f in task.store.find(concept, "IsA", None, limit=3)]


def attribute(task: Task, q: Question) -> Outcome | None:
    """Which colour, size, material or shape a seen object has; knowledge answers where the scene does not."""
    assert q.noun is not None
    found = matches(task, q.noun)
    group = _GROUPS.get(q.attribute, set())
    for m in found:
        own = [a for a in m.object.attributes if a.lower() in group or _plain(a) in group] or (
            [a for a in m.object.attributes if not any(a in g for g in _GROUPS.values())] if not group else []
        )
        if own:
            cites = [
                Citation(
                    Fact(
                        task.scene.node(m.object.id), "HasProperty", names.concept(a), m.object.score, task.scene.graph
                    ),
                    "scene",
                    "attribute",
                )
                for a in own
            ]
            text = f"{m.object.name} is {' and '.join(own)}"
            return Outcome(
                " and ".join(own),
                0.9 * min(1.0, m.score),
                [],
                [*m.citations, *cites],
                steps=[Step("attribute", text)],
            )
    relations = ("MadeOf", "HasProperty") if q.attribute == "material" else ("HasProperty",)
    subjects = found or [Match(SceneObject(ASKED, q.noun.head), 1.0, [])]
    for m in subjects:
        for relation in relations:
            for fact, chain in _known_of(task, m.object, relation):
                value = names.label(fact.object)
                if (
                    (relation == "MadeOf" and q.attribute == "material")
                    or set(value.split()) & group
                    or _plain(value) in group
                ):
                    cites = [*m.citations, *(Citation(f) for f in (*chain, fact))]
                    return Outcome(
                        value,
                        0.7,
                        [],
                        cites,
                        steps=[Step("attribute", phrase(fact.subject, relation, fact.object))],
                    )
    if not found and not matches(task, Noun(head=q.noun.head, text=q.noun.text)):
        return Outcome(None, abstained=f"nothing seen or known fits {q.noun.text!r}")
    return Outcome(
        None, abstained=f"neither the scene nor the knowledge base gives the {q.attribute} of {q.noun.text!r}"
    )


def _known_of(task: Task, seen: SceneObject, relation: str) -> list[tuple[Fact, tuple[Fact, ...]]]:
    """Return the facts of an object by a relation, own before inherited, with their chains."""
    import numpy as np

    from kgmm.retrieve.memory import chain_at, fact_at

    c, store = task.candidates, task.store
    wanted = store.terms.id(relation)
    roots = {store.terms.id(k.concept) for k in task.links if is_of(k, seen)}
    mine = np.flatnonzero(
        np.isin(c.root, [i for i, r in enumerate(c.roots) if r in roots]) & (c.predicate == wanted) & (c.end == 0)
    )
    mine = mine[np.lexsort((-c.weight[mine], c.depth[mine]))]
    return [(fact_at(store, c, int(r)), chain_at(store, c, int(r))) for r in mine]


def where(task: Task, q: Question) -> Outcome | None:
    """Where a seen object is among the others."""
    assert q.noun is not None
    found = matches(task, q.noun)
    for m in found:
        placed = [(canonical(r.predicate), r, r.object) for r in task.scene.relations if r.subject == m.object.id]
        placed += [
            (INVERSE[canonical(r.predicate)], r, r.subject)
            for r in task.scene.relations
            if r.object == m.object.id and canonical(r.predicate) in INVERSE
        ]
        placed = [p for p in placed if p[0] in _PLACES and p[2] in task.scene]
        if placed:
            placed.sort(key=lambda p: _PLACES.index(p[0]))
            best = placed[0]
            said = [f"{p[0].replace('_', ' ')} the {task.scene[p[2]].name}" for p in placed[:3]]
            cites = [*m.citations, seen_as(task, task.scene[best[2]]), scene_citation(task, best[1])]
            return Outcome(
                said[0],
                best[1].score,
                [(s, 0.5) for s in said[1:]],
                cites,
                steps=[Step("where", f"{m.object.name} is {said[0]}")],
            )
        if m.object.box is not None and task.scene.width:
            x = (m.object.box[0] + m.object.box[2] / 2) / task.scene.width
            side = "on the left" if x < 0.4 else "on the right" if x > 0.6 else "in the middle"
            return Outcome(side, 0.6, [], m.citations, steps=[Step("where", f"the box of {m.object.name} is {side}")])
    return Outcome(None, abstained=f"nothing seen fits {q.noun.text!r}") if not found else None


def between(task: Task, q: Question) -> Outcome | None:
    """Which relation holds between two seen objects."""
    assert q.noun is not None and q.other is not None
    for m in matches(task, q.noun):
        for other in matches(task, q.other):
            if other.object.id == m.object.id:
                continue
            for r in task.scene.relations:
                if {r.subject, r.object} == {m.object.id, other.object.id}:
                    said = canonical(r.predicate) if r.subject != m.object.id else r.predicate
                    word = said if r.subject == m.object.id else INVERSE.get(said, said)
                    cites = [*m.citations, *other.citations, scene_citation(task, r)]
                    text = word.replace("_", " ")
                    return Outcome(
                        text,
                        r.score,
                        [],
                        cites,
                        steps=[Step("relation", f"{m.object.name} {text} {other.object.name}")],
                    )
            a, b = m.object.box, other.object.box
            for word in ("inside", "left_of", "right_of", "above", "below", "next_to"):
                if a and b and by_boxes(a, b, word):
                    return Outcome(
                        word.replace("_", " "),
                        0.7,
                        [],
                        [*m.citations, *other.citations],
                        steps=[Step("relation", f"by boxes: {word}")],
                    )
    return Outcome(None, abstained="the two are not both seen, or nothing relates them")


def related_objects(task: Task, q: Question) -> Outcome | None:
    """What a seen object holds, wears, stands on."""
    assert q.noun is not None
    found = matches(task, q.noun)
    hits: list[tuple[SceneObject, float, list[Citation]]] = []
    for m in found:
        for other in task.scene.objects:
            if other.id == m.object.id:
                continue
            r = related(task, m.object.id, q.predicate, other.id)
            if r is not None and r in task.scene.relations:
                hits.append((other, r.score, [*m.citations, seen_as(task, other), scene_citation(task, r)]))
    if not hits:
        return (
            Outcome(
                None,
                abstained=f"the scene does not say what {q.noun.text!r} {q.predicate.replace('_', ' ')}s",
            )
            if found
            else None
        )
    best = hits[0]
    rest = [(o.name, s) for o, s, _ in hits[1:] if o.name != best[0].name]
    return Outcome(
        best[0].name,
        best[1],
        rest[: task.top - 1],
        best[2],
        steps=[Step("related", f"{best[0].name}: {q.predicate}")],
    )


_MEASURES = {
    "bigger": lambda b: b[2] * b[3],
    "wider": lambda b: b[2],
    "longer": lambda b: max(b[2], b[3]),
    "taller": lambda b: b[3],
    "higher": lambda b: -b[1],
}
_OPPOSITE = {"smaller": "bigger", "narrower": "wider", "shorter": "taller", "lower": "higher"}


def compare(task: Task, q: Question) -> Outcome | None:
    """Which of two is bigger, heavier, faster: by a fact that compares, a property only one has, or the boxes."""
    assert q.noun is not None
    if q.other is None:
        return _most(task, q.noun, q.attribute)
    a, b = (matches(task, n)[:1] or [Match(SceneObject(ASKED, n.head), 1.0, [])] for n in (q.noun, q.other))
    first, second = a[0], b[0]
    decided = _compared(task, q.attribute, first, second)
    if decided is None:
        return Outcome(
            None,
            abstained=f"nothing says which of {first.object.name} and {second.object.name} is {q.attribute}",
        )
    winner, cites, text = decided
    cites = [*first.citations, *second.citations, *cites]
    if q.predicate == "test":
        return _yes(cites, 0.8, text) if winner is first else _no(cites, 0.8, text)
    loser = second if winner is first else first
    return Outcome(winner.object.name, 0.8, [(loser.object.name, 0.2)], cites, steps=[Step("compare", text)])


def _most(task: Task, noun: Noun, degree: str) -> Outcome:
    """Which of all that fit is biggest, smallest, tallest in the picture."""
    measure = _MEASURES.get(_OPPOSITE.get(degree, degree))
    boxed = [(m, m.object.box) for m in matches(task, noun) if m.object.box is not None]
    if measure is None or not boxed:
        return Outcome(None, abstained=f"neither the scene nor any fact tells what is the {degree}")
    boxed.sort(key=lambda pair: measure(pair[1]), reverse=degree in _MEASURES)
    (best, _), rest = boxed[0], boxed[1:4]
    cites = [*best.citations, *(_box(task, m) for m, _ in boxed[:2])]
    step = Step("compare", f"in the picture {best.object.name} is {degree} than all else that fits")
    return Outcome(best.object.name, 0.8, [(m.object.name, 0.1) for m, _ in rest], cites, steps=[step])


def _box(task: Task, m: Match) -> Citation:
    sides = ",".join(f"{v:g}" for v in m.object.box or ())
    return Citation(Fact(task.scene.node(m.object.id), "box", f'"{sides}"', 1.0, task.scene.graph), "scene", "box")


def _compared(task: Task, degree: str, a: Match, b: Match) -> tuple[Match, list[Citation], str] | None:
    base = degree.removeprefix("more ").removeprefix("less ").removesuffix("er")
    base = {"bigg": "big", "heavi": "heavy", "fast": "fast", "larg": "large", "hott": "hot"}.get(base, base)
    for x, y in ((a, b), (b, a)):
        own = support(task, x.object, Constraint(("HasProperty",), base))
        other = support(task, y.object, Constraint(("HasProperty",), base))
        if (
            own.score >= 0.9
            and not own.denies
            and other.score < SUPPORT
            and degree not in _MEASURES
            and degree not in _OPPOSITE
        ):
            return (
                x,
                [Citation(f) for f in own.facts],
                phrase(own.facts[-1].subject, "HasProperty", own.facts[-1].object),
            )
    measure = _MEASURES.get(_OPPOSITE.get(degree, degree))
    if measure is None or a.object.box is None or b.object.box is None:
        return None
    more = a if measure(a.object.box) >= measure(b.object.box) else b
    winner = more if degree in _MEASURES else (b if more is a else a)
    return winner, [_box(task, a), _box(task, b)], f"in the picture {winner.object.name} is {degree}"


def describe(task: Task, q: Question) -> Outcome | None:
    """Name what is seen."""
    if not task.scene.objects:
        return Outcome(None, abstained="nothing is seen")
    seen = list(dict.fromkeys(o.name for o in task.scene.objects))
    cites = [seen_as(task, o) for o in task.scene.objects]
    return Outcome(
        ", ".join(seen),
        0.9,
        [],
        cites,
        steps=[Step("describe", f"{len(task.scene.objects)} objects are seen")],
    )
