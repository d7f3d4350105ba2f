"""Parts that are not seen and that facts say a seen thing has: a seen cat has eyes, and eyes are for seeing.

What they answer is cited as ``implied``. They count as seen nowhere: not where things are counted, nor against what is seen.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from kgmm.encode.nearness import NEAREST, term_cosines
from kgmm.language import names
from kgmm.language.phrase import phrase
from kgmm.language.relations import UPWARD
from kgmm.language.words import content
from kgmm.reason.explicit.certainty import INHERITED, SUPPORT
from kgmm.reason.explicit.objects import agreement, matches, reached_from, seen_as, support
from kgmm.reason.question.data import Constraint, Noun
from kgmm.reason.question.reference import part_not_seen
from kgmm.reason.task import Outcome, Task, answered, unanswered
from kgmm.retrieve.gather import chain_at, closure, fact_at
from kgmm.scene import SceneObject
from kgmm.store import Fact
from kgmm.trace import Citation, Step, key

HAS = ("HasA", "PartOf")
OWN = frozenset((*HAS, "MadeOf", "HasProperty"))  #: relations that state parts, material, properties
PARTS = 60  #: parts of a thing that are looked at, its own before those of its kinds
IMPLIED = 0.9  #: how sure it is that this one has what things of its kind have


def by_part(task: Task, answer: Callable[[Task], Outcome]) -> Outcome | None:
    """Answer what is asked of an unseen part of a seen thing; None if the question is about no such part.

    Args:
        task: the question.
        answer: answers a question that names the part alone, "what are the eyes for".
    """
    q, noun = task.parsed, task.parsed.noun
    if q.kind == "other_end":
        return _of_part(task, answer)
    if not task.implied:
        return None
    if q.demand is not None and q.demand.kind and noun is not None and [p for p, _ in noun.scene] == ["wear"]:
        return _wearer(task, noun.scene[0][1], q.demand.kind)
    if noun is None or not task.drawn:
        return None
    if q.kind == "where" and not noun.generic and not matches(task, noun):
        return _where(task, noun)
    if q.kind == "select" and noun.generic and noun.known and [p for p, _ in noun.scene] == ["part_of"]:
        return None if matches(task, noun) else _which(task, noun)
    return None


def marked(task: Task, outcome: Outcome) -> Outcome:
    """Return the outcome with facts about parts, material and properties of a seen thing cited as implied; none if they may not answer."""
    if not task.drawn or outcome.text is None or task.parsed.kind not in ("attribute", "test", "other_end"):
        return outcome
    seen = {link.concept for link in task.links if link.object}
    reached = seen | {c.fact.object for c in outcome.citations if c.fact.predicate in UPWARD}
    own = [
        c for c in outcome.citations if c.role == "support" and c.fact.predicate in OWN and c.fact.subject in reached
    ]
    if not own or not any(c.kind == "scene" for c in outcome.citations):
        return outcome
    if not task.implied:
        return unanswered(f"only facts say {outcome.text!r}; the picture does not show it", memory=outcome.memory)
    roles = [replace(c, role="implied") if c in own else c for c in outcome.citations]
    return replace(outcome, citations=roles)


def _of_part(task: Task, answer: Callable[[Task], Outcome]) -> Outcome | None:
    """What are the cat's eyes for?"""
    found = part_not_seen(task.question, task.scene)
    if found is None:
        return None
    whole, part, asked = found
    if not task.implied:
        return unanswered(f"no {part} of the {whole.name} is seen")
    has = support(task, whole, Constraint(HAS, part))
    if has.score < SUPPORT or has.denies:
        return unanswered(f"neither the picture nor any fact says that the {whole.name} has {part}")
    outcome = answer(replace(task, question=asked))
    if outcome.text is None:
        return outcome
    cites = [*_implies(task, whole, has.facts), *outcome.citations]
    score = round(outcome.score * min(1.0, has.score), 4)
    return replace(
        outcome, score=score, citations=list(dict.fromkeys(cites)), steps=[_step(whole, part), *outcome.steps]
    )


def _where(task: Task, part: Noun) -> Outcome | None:
    """Where is the nose? Part of the cat, if one seen thing only has one."""
    having = [(o, support(task, o, Constraint(HAS, part.head))) for o in task.scene.objects]
    having = [(o, has) for o, has in having if has.score >= SUPPORT and not has.denies]
    if len({o.name for o, _ in having}) != 1:
        return None
    whole, has = having[0]
    score = round(IMPLIED * min(1.0, has.score) * whole.score, 4)
    cites = _implies(task, whole, has.facts)
    return answered(f"part of the {whole.name}", score, cites, _step(whole, part.head))


def _wearer(task: Task, worn: Noun, kind: str) -> Outcome | None:
    """Who is wearing the space suit? The only kind of person of whom facts say that they have one, if none is seen."""
    if task.scene.complete or matches(task, worn):
        return None
    c, store = task.candidates, task.store
    wanted, has, above = task.concept(worn.head), task.ids(["HasA"]), store.terms.id(task.concept(kind) or "")
    if wanted is None:
        return None
    rows = np.flatnonzero(
        (c.end == 1) & (c.depth == 0) & np.isin(c.predicate, has) & (c.object == store.terms.id(wanted))
    )
    persons = [r for r in rows.tolist() if above in closure(store, int(c.subject[r]))]
    if len({int(c.subject[r]) for r in persons}) != 1:
        return None
    fact = fact_at(store, c, persons[0])
    said = f"the facts know one {kind} who has {worn.text or worn.head}; none is seen"
    return answered(names.label(fact.subject), IMPLIED, [Citation(fact, role="implied")], Step("implied", said))


def _which(task: Task, noun: Noun) -> Outcome | None:
    """Which part of the cat is used for smelling?"""
    found: list[tuple[float, SceneObject, str, tuple[Fact, ...], tuple[Fact, ...]]] = []
    for whole in matches(task, noun.scene[0][1]):
        for part, chain, sure in _parts(task, whole.object):
            fits = [_best(task, part, condition) for condition in noun.known]
            if all(score >= SUPPORT for score, _ in fits):
                score = min(score for score, _ in fits) * sure * whole.score
                found.append((score, whole.object, part, chain, tuple(f for _, facts in fits for f in facts)))
    if not found:
        return None
    found.sort(key=lambda one: -one[0])
    score, thing, part, chain, facts = found[0]
    rest: dict[str, float] = {}
    for other_score, _, other, _, _ in found[1:]:
        if other != part:
            rest.setdefault(names.label(other), round(IMPLIED * other_score, 4))
    cites = [*_implies(task, thing, chain), *map(Citation, facts)]
    said = names.label(part)
    score = round(IMPLIED * min(1.0, score), 4)
    return answered(said, score, cites, _step(thing, said), alternatives=list(rest.items())[: task.top - 1])


def _parts(task: Task, whole: SceneObject) -> Iterator[tuple[str, tuple[Fact, ...], float]]:
    """Yield the concepts that facts say a thing has, with the facts that lead there and how sure it is."""
    c, store = task.candidates, task.store
    has, part = task.ids(["HasA"]), task.ids(["PartOf"])
    owns = (np.isin(c.predicate, has) & (c.end == 0)) | (np.isin(c.predicate, part) & (c.end == 1))
    rows = np.flatnonzero(reached_from(task, c, whole) & owns)
    for r in rows[np.lexsort((-c.weight[rows], c.depth[rows]))][:PARTS].tolist():
        fact = fact_at(store, c, r)
        far = fact.object if c.end[r] == 0 else fact.subject
        yield far, (*chain_at(store, c, r), fact), INHERITED ** int(c.depth[r])


def _best(task: Task, concept: str, condition: Constraint) -> tuple[float, tuple[Fact, ...]]:
    """Return how well the best fact of a concept says what a condition asks, and that fact; nothing for what is denied."""
    if condition.negated:
        return 0.0, ()
    stated = (f for relation in condition.relations for f in task.store.find(concept, relation, None, limit=PARTS))
    facts = [f for f in stated if key(f) not in task.exclude]
    facts = [f for f in facts if task.graphs is None or f.graph in task.graphs]
    if not facts:
        return 0.0, ()
    ids = np.array(task.ids(f.object for f in facts), np.int64)
    near = term_cosines(task.store, ids, condition.phrase, task.encoder, read=NEAREST)
    asked = set(content(condition.phrase))
    said = [agreement(asked, names.label(f.object), float(v)) for f, v in zip(facts, near, strict=True)]
    best = int(np.argmax(said))
    return said[best], (facts[best],)


def _implies(task: Task, whole: SceneObject, facts: tuple[Fact, ...]) -> list[Citation]:
    return [seen_as(task, whole), *(Citation(fact, role="implied") for fact in facts)]


def _step(whole: SceneObject, part: str) -> Step:
    said = phrase(names.concept(whole.name), "HasA", names.concept(part))
    return Step("implied", f"{said}, as a fact says; none is seen", {"object": whole.id})
