"""Answers computed from the scene and single facts: counts, yes or no, attributes, places, what is related to what."""

from itertools import product

import numpy as np

from kgmm.language import names
from kgmm.language.phrase import phrase
from kgmm.language.places import INVERSE, TELLING, canonical
from kgmm.language.words import normal
from kgmm.reason.explicit import certainty
from kgmm.reason.explicit.objects import (
    Match,
    asked_about,
    family,
    known_as,
    matches,
    of_kind,
    plain,
    reached_from,
    seen_as,
    support,
    with_attribute,
)
from kgmm.reason.explicit.places import by_boxes, related, scene_citation
from kgmm.reason.question.data import Constraint, Noun, Question
from kgmm.reason.question.vocabulary import COLOURS
from kgmm.reason.task import Outcome, Task, answered, unanswered
from kgmm.retrieve.gather import chain_at, fact_at
from kgmm.scene import SceneObject
from kgmm.scene.boxes import area, shared_area
from kgmm.store import Fact
from kgmm.trace import Citation, Step

#: words by the attribute they give
_VALUES = {
    "colour": COLOURS,
    "size": frozenset("big large small tiny huge little tall short long".split()),
    "material": frozenset(
        "wood wooden metal metallic steel plastic glass ceramic porcelain leather paper cotton wool fabric stone brick"
        " rubber concrete clay gold silver cloth brass iron aluminium aluminum marble".split()
    ),
    "shape": frozenset("round square circular rectangular triangular oval flat cylindrical spherical".split()),
}
#: numbers as facts spell them
NUMBERS = dict(zip("zero one two three four five six seven eight nine ten".split(), map(str, range(11)), strict=True))
#: predicates worth saying of two boxes, best first
_BETWEEN = ("inside", "left_of", "right_of", "above", "below", "next_to")
#: seen objects that a condition is tested of
TESTED = 4
#: part of a text's box that lies in the box of what it stands on
ON = 0.7


def count(task: Task, q: Question) -> Outcome | None:
    """How many seen objects fit a description."""
    assert q.noun is not None
    fitting = matches(task, q.noun)
    if not fitting and q.other is not None:
        return _known_number(task, q.noun, q.other)
    if not fitting and not task.scene.complete:
        none = _absent(task, q.noun)
        return (
            _unseen(q.noun) if none is None else answered("0", none.fact.weight, [none], Step("count", _none(q.noun)))
        )
    cites = list(dict.fromkeys(c for m in fitting for c in m.citations))
    said = f"{len(fitting)} seen objects fit {q.noun.text!r}"
    step = Step("count", said, {"objects": [m.object.id for m in fitting]})
    return answered(str(len(fitting)), min((m.score for m in fitting), default=certainty.LISTED), cites, step)


def _known_number(task: Task, part: Noun, whole: Noun) -> Outcome:
    """How many parts something has where none is seen: a fact that says so ("spider HasA eight legs")."""
    for m in matches(task, whole) or [asked_about(whole)]:
        for fact, chain in _known_of(task, m.object, "HasA"):
            words = normal(names.label(fact.object)).split()
            number = next((w for w in words if w.isdigit() or w in NUMBERS), None)
            if number is not None and normal(part.head) in normal(" ".join(words)):
                step = Step("count", phrase(fact.subject, fact.predicate, fact.object))
                cites = [*m.citations, *map(Citation, (*chain, fact))]
                return answered(NUMBERS.get(number, number), certainty.NUMBERED, cites, step)
    return unanswered(f"no {part.head} is seen, and no fact says how many a {whole.head} has")


def exists(task: Task, q: Question) -> Outcome | None:
    """Whether a seen object fits a description; that none does is a "no" only where the scene lists everything."""
    assert q.noun is not None
    if fitting := matches(task, q.noun):
        said = f"{fitting[0].object.name} fits {q.noun.text!r}"
        return verdict(not q.negated, fitting[0].citations, fitting[0].score, said)
    if not task.scene.complete:
        none = _absent(task, q.noun)
        return _unseen(q.noun) if none is None else verdict(q.negated, [none], none.fact.weight, _none(q.noun))
    return verdict(q.negated, [], certainty.NONE_SEEN, f"nothing seen fits {q.noun.text!r}")


def only(task: Task, q: Question) -> Outcome | None:
    """Whether nothing else that is seen fits a description: "is the cup the only thing on the table"."""
    assert q.noun is not None and q.other is not None
    fitting, ones = matches(task, q.noun), {m.object.id for m in matches(task, q.other)}
    if not ones:
        return unanswered(f"nothing seen fits {q.other.text!r}")
    others = [m for m in fitting if m.object.id not in ones]
    if others:
        said = f"{others[0].object.name} fits {q.noun.text!r} too"
        return verdict(False, others[0].citations, others[0].score, said)
    mine = [m for m in fitting if m.object.id in ones]
    if not task.scene.complete or not mine:
        return unanswered(
            f"nothing else that fits {q.noun.text!r} was recognized, which does not mean that there is none"
        )
    return verdict(True, mine[0].citations, mine[0].score, f"nothing else seen fits {q.noun.text!r}")


def _absent(task: Task, noun: Noun) -> Citation | None:
    """Return the statement that what a description names was looked for and is not in the picture; None if nobody knows."""
    score = dict(task.scene.absent).get(noun.head)
    if score is None:
        return None
    fact = Fact(task.scene.node(), "NotDepicts", names.concept(noun.head), score, task.scene.graph)
    return Citation(fact, "scene", "absent")


def _none(noun: Noun) -> str:
    return f"{noun.text!r} was looked for, and nothing speaks for it"


def _unseen(noun: Noun) -> Outcome:
    return unanswered(f"no {noun.text!r} was recognized, which does not mean that there is none")


def verdict(holds: bool, cites: list[Citation], score: float, text: str) -> Outcome:
    """Return that something holds, or that it does not."""
    said, other = ("yes", "no") if holds else ("no", "yes")
    return answered(said, round(min(score, 1.0), 4), cites, Step("test", text), alternatives=[(other, 0.0)])


def test(task: Task, q: Question) -> Outcome | None:
    """Whether something holds of a seen object, or of the concept asked about if none is seen."""
    assert q.noun is not None
    fitting = matches(task, q.noun)
    if q.other is not None:
        return _scene_test(task, q.noun, q.predicate, q.other, fitting)
    assert q.constraint is not None
    subjects = fitting or [asked_about(q.noun)]
    outcomes = [_holds(task, m, q.constraint, bool(fitting)) for m in subjects[:TESTED]]
    known = [o for o in outcomes if o.text is not None]
    result = next((o for o in known if o.text == "yes"), known[0] if known else outcomes[0])
    if q.constraint.negated and result.text is not None:
        result.text = "no" if result.text == "yes" else "yes"
    return result


def _scene_test(task: Task, noun: Noun, predicate: str, wanted: Noun, fitting: list[Match]) -> Outcome:
    if not fitting:
        return unanswered(f"nothing seen fits {noun.text!r}")
    others = matches(task, wanted)
    for m, other in product(fitting, others):
        if (r := related(task, m.object.id, predicate, other.object.id)) is not None:
            cites = [*m.citations, *other.citations, scene_citation(task, r)]
            return verdict(True, cites, r.score, f"{m.object.name} {r.predicate} {other.object.name}")
    said = f"no seen {noun.head} is {predicate.replace('_', ' ')} a {wanted.head or 'thing'}"
    cites = [c for m in (*fitting[:1], *others[:1]) for c in m.citations]
    return verdict(False, cites, certainty.NONE_SEEN, said)


def _holds(task: Task, m: Match, condition: Constraint, seen: bool) -> Outcome:
    """Whether a condition holds of one object: by its attributes, its kinds, and what is known."""
    positive = Constraint(condition.relations, condition.phrase)
    head = m.object.name
    if seen and (by_sight := _by_sight(task, m, positive)) is not None:
        return by_sight
    if not positive.relations or "IsA" in positive.relations:
        kind = (
            of_kind(task, m.object, Noun(head=positive.phrase)) if seen else known_as(task, m.object, positive.phrase)
        )
        if kind is not None:
            cites = [*m.citations, *kind.citations]
            return verdict(True, cites, kind.score, f"{head} is a kind of {positive.phrase}")
    is_kind = condition.relations[:1] == ("IsA",) and _known_kind(task, condition.phrase)
    if is_kind:  # a cat is a pet, and a pet is much like a dog: only a chain of kinds makes it one
        positive = Constraint(tuple(r for r in positive.relations if r != "IsA"), positive.phrase)
    by = support(task, m.object, positive)
    if by.score >= (1.0 if is_kind else certainty.SUPPORT):
        role = "denies" if by.denies else "support"
        cites = [*m.citations, *(Citation(f, role=role) for f in by.facts)]
        fact = by.facts[-1]
        return verdict(not by.denies, cites, by.score, phrase(fact.subject, fact.predicate, fact.object))
    if seen and is_kind and m.citations:
        concepts = [k.concept for k in task.links if k.object == m.object.id]
        facts = (f for concept in concepts for f in task.store.find(concept, "IsA", None, limit=3))
        if kinds := [Citation(f, role="kind") for f in facts]:
            said = f"no chain of kinds leads from {head} to {condition.phrase}"
            return verdict(False, [*m.citations, *kinds[:3]], certainty.NO_KIND, said)
    said = f"nothing known says whether {head} fits {condition.phrase!r}"
    return unanswered(said, steps=[Step("test", "no support")])


def _by_sight(task: Task, m: Match, condition: Constraint) -> Outcome | None:
    word = plain(condition.phrase.split()[-1]) if condition.phrase else ""
    own = [a for a in m.object.attributes if plain(a) == word]
    other = [a for a in m.object.attributes if family(word) and family(plain(a)) == family(word)]
    if len(condition.phrase.split()) > 2 or not (own or other):
        return None
    shown, score = (own or other)[0], certainty.SHOWN if own else certainty.SHOWN_OTHER
    hit = with_attribute(task, m, shown)
    assert hit is not None
    return verdict(bool(own), hit.citations, score, f"{m.object.name} is {shown}")


def _known_kind(task: Task, kind: str) -> bool:
    concept = task.concept(kind)
    return concept is not None and task.store.count(None, "IsA", concept) > 0


def attribute(task: Task, q: Question) -> Outcome | None:
    """Which colour, size, material or shape a seen object has; knowledge answers where the scene does not."""
    assert q.noun is not None
    fitting = matches(task, q.noun)
    values = _VALUES.get(q.attribute, frozenset())
    every = frozenset[str]().union(*_VALUES.values())
    for m in fitting:
        own = [a for a in m.object.attributes if a.lower() in values or plain(a) in values]
        if not values:
            own = [a for a in m.object.attributes if a not in every]
        if own:
            said = " and ".join(own)
            cites = [*m.citations, *(seen_as(task, m.object, a) for a in own)]
            score = certainty.SHOWN_OTHER * min(1.0, m.score)
            return answered(said, score, cites, Step("attribute", f"{m.object.name} is {said}"))
    material = q.attribute == "material"
    for m in fitting or [asked_about(q.noun)]:
        for relation in ("MadeOf", "HasProperty") if material else ("HasProperty",):
            for fact, chain in _known_of(task, m.object, relation):
                value = names.label(fact.object)
                if (relation == "MadeOf" and material) or set(value.split()) & values or plain(value) in values:
                    cites = [*m.citations, *map(Citation, (*chain, fact))]
                    step = Step("attribute", phrase(fact.subject, relation, fact.object))
                    return answered(value, certainty.VALUE, cites, step)
    if not fitting and not matches(task, Noun(head=q.noun.head, text=q.noun.text)):
        return unanswered(f"nothing seen or known fits {q.noun.text!r}")
    return unanswered(f"neither the scene nor the knowledge base gives the {q.attribute} of {q.noun.text!r}")


def _known_of(task: Task, seen: SceneObject, relation: str) -> list[tuple[Fact, tuple[Fact, ...]]]:
    """Return the facts of an object by a relation, own before inherited, with their chains."""
    c, store = task.candidates, task.store
    rows = np.flatnonzero(reached_from(task, c, seen) & (c.predicate == store.terms.id(relation)) & (c.end == 0))
    rows = rows[np.lexsort((-c.weight[rows], c.depth[rows]))]
    return [(fact_at(store, c, int(r)), chain_at(store, c, int(r))) for r in rows]


def where(task: Task, q: Question) -> Outcome | None:
    """Where a seen object is among the others."""
    assert q.noun is not None
    fitting = matches(task, q.noun)
    for m in fitting:
        placed = [(canonical(r.predicate), r, r.object) for r in task.scene.relations if r.subject == m.object.id]
        turned = [(canonical(r.predicate), r, r.subject) for r in task.scene.relations if r.object == m.object.id]
        placed += [(INVERSE[place], r, other) for place, r, other in turned if place in INVERSE]
        placed = [p for p in placed if p[0] in TELLING and p[2] in task.scene]
        placed.sort(key=lambda p: TELLING.index(p[0]))
        if placed:
            _, relation, at = placed[0]
            said = [f"{p.replace('_', ' ')} the {task.scene[o].name}" for p, _, o in placed[:3]]
            cites = [*m.citations, seen_as(task, task.scene[at]), scene_citation(task, relation)]
            further = [(s, certainty.FURTHER_PLACE) for s in said[1:]]
            step = Step("where", f"{m.object.name} is {said[0]}")
            return answered(said[0], relation.score, cites, step, alternatives=further)
        if m.object.box is not None and task.scene.width:
            x = (m.object.box[0] + m.object.box[2] / 2) / task.scene.width
            side = "on the left" if x < 0.4 else "on the right" if x > 0.6 else "in the middle"
            step = Step("where", f"the box of {m.object.name} is {side}")
            return answered(side, certainty.SIDE, m.citations, step)
    return None if fitting else unanswered(f"nothing seen fits {q.noun.text!r}")


def between(task: Task, q: Question) -> Outcome | None:
    """Which relation holds between two seen objects."""
    assert q.noun is not None and q.other is not None
    for m, other in product(matches(task, q.noun), matches(task, q.other)):
        if other.object.id == m.object.id:
            continue
        cites = [*m.citations, *other.citations]
        for r in task.scene.relations:
            if {r.subject, r.object} == {m.object.id, other.object.id}:
                turned = canonical(r.predicate)
                word = r.predicate if r.subject == m.object.id else INVERSE.get(turned, turned)
                text = word.replace("_", " ")
                step = Step("relation", f"{m.object.name} {text} {other.object.name}")
                return answered(text, r.score, [*cites, scene_citation(task, r)], step)
        a, b = m.object.box, other.object.box
        for word in _BETWEEN:
            if a and b and by_boxes(a, b, word):
                step = Step("relation", f"by boxes: {word}")
                return answered(word.replace("_", " "), certainty.BOXES_NAMED, cites, step)
    return unanswered("the two are not both seen, or nothing relates them")


def related_objects(task: Task, q: Question) -> Outcome | None:
    """What a seen object holds, wears, stands on."""
    assert q.noun is not None
    fitting = matches(task, q.noun)
    pairs = ((m, other) for m, other in product(fitting, task.scene.objects) if other.id != m.object.id)
    hits = [
        (other, r.score, [*m.citations, seen_as(task, other), scene_citation(task, r)])
        for m, other in pairs
        if (r := related(task, m.object.id, q.predicate, other.id)) is not None and r in task.scene.relations
    ]
    if not hits:
        said = f"the scene does not say what {q.noun.text!r} {q.predicate.replace('_', ' ')}s"
        return unanswered(said) if fitting else None
    best, score, cites = hits[0]
    rest = [(o.name, s) for o, s, _ in hits[1:] if o.name != best.name][: task.top - 1]
    return answered(best.name, score, cites, Step("related", f"{best.name}: {q.predicate}"), alternatives=rest)


def describe(task: Task, q: Question) -> Outcome | None:
    """Name what is seen."""
    if not task.scene.objects:
        return unanswered("nothing is seen")
    said = ", ".join(dict.fromkeys(o.name for o in task.scene.objects))
    step = Step("describe", f"{len(task.scene.objects)} objects are seen")
    return answered(said, certainty.LISTED, [seen_as(task, o) for o in task.scene.objects], step)


def read(task: Task, q: Question) -> Outcome | None:
    """What stands written: in the box of what is named if that is seen, otherwise in the picture."""
    words = [o for o in task.scene.objects if o.text]
    if not words:
        return None
    on = [m for m in matches(task, q.noun) if not m.object.text] if q.noun is not None and not q.noun.generic else []
    if on:
        held = [(m, [o for o in words if _stands_on(task, o, m.object)]) for m in on]
        best, words = next((pair for pair in held if pair[1]), (on[0], []))
        if not words:
            return unanswered(f"no words are read on the {best.object.name}")
        where, cites, score = f"on the {best.object.name}", best.citations, best.score
    else:
        where, cites, score = "in the picture", [], 1.0
    said = " ".join(o.text for o in words)
    facts = [Fact(task.scene.node(o.id), "reads", names.quoted(o.text), o.score, task.scene.graph) for o in words]
    cites = [*cites, *(Citation(fact, "scene", "reads") for fact in facts)]
    step = Step("read", f"{said!r} stands {where}", {"objects": [o.id for o in words]})
    return answered(said, round(min(1.0, score, *(o.score for o in words)), 4), cites, step)


def _stands_on(task: Task, words: SceneObject, thing: SceneObject) -> bool:
    """Tell whether words are on a thing: the scene says so, or most of their box lies in its box."""
    if any(related(task, words.id, place, thing.id) in task.scene.relations for place in ("on", "inside")):
        return True
    return words.box is not None and thing.box is not None and shared_area(words.box, thing.box) >= ON * area(words.box)
