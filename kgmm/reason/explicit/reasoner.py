"""Explicit reasoning: a question's parse, answered from scene facts, knowledge facts and both joined.

After Ahab and FVQA (Wang et al. 2015/17, 2016/18), without a trained classifier: a grammar says what is asked, the
scene and the knowledge base say what holds, and a linear score orders facts where wording and fact differ. Every
answer is a seen object, an end of a cited fact, or computed from cited facts; nothing above the threshold means
that the engine says it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from kgmm.language import names
from kgmm.language.words import content, lemma, lemmas, normal
from kgmm.reason.explicit import answerable as expected
from kgmm.reason.explicit.objects import ASKED, Match, is_of, matches, seen_as, support
from kgmm.reason.explicit.rules import (
    attribute,
    between,
    compare,
    count,
    describe,
    exists,
    related_objects,
    test,
    where,
)
from kgmm.reason.question.grammar import parse
from kgmm.reason.question.parsed import Question
from kgmm.reason.ranking import features as ev
from kgmm.reason.ranking.weights import BIAS, SLOPE, THRESHOLD, WEIGHTS
from kgmm.reason.task import Outcome, Task
from kgmm.retrieve.memory import DENIES, POOL, Candidates, query_vector
from kgmm.scene import SceneObject
from kgmm.trace import Step
from kgmm.trace.trace import cited

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

NAMES = ("explicit",)
#: relations whose questions nothing else answers: "who built it" wants a maker or nothing
STRICT = frozenset("CreatedBy MadeOf Causes SymbolOf Antonym HasPrerequisite".split())
#: logits added where a hypothesis fits what the parse asks for
FITS_OBJECT, FITS_RELATION = 3.0, 1.5
_WHAT_IS_IT = re.compile(r"^\W*what(?: is|'s) (?:it|this|that)(?: thing| object)?\W*$", re.IGNORECASE)
#: a question that facts which deny something may answer
_NEGATED = re.compile(r"\b(?:not|never|no|cannot|without|unable)\b|n['’]t\b", re.IGNORECASE)
#: a denial has to say all that is asked to count against a thing
REFUTED = 0.95
#: how sure an answer is that a judge and the rules both give, and from which score on rules count (FVQA: 272 of 273 right)
AGREED, FITS = 0.95, 0.8
#: best hypotheses looked at for being of the kind asked for
KIND_TESTS = 100

_BY_KIND: dict[str, Callable[[Task, Question], Outcome | None]] = {
    "count": count,
    "exists": exists,
    "test": test,
    "attribute": attribute,
    "where": where,
    "between": between,
    "related": related_objects,
    "compare": compare,
    "describe": describe,
}


class Judge(Protocol):
    """What orders (fact, answering end) pairs where evidence alone decides."""

    @property
    def pool(self) -> int:
        """How many candidates are looked at."""
        ...

    @property
    def threshold(self) -> float:
        """The confidence below which an answer is withheld."""
        ...

    def logits(self, task: Task, question: Question, found: ev.Evidence) -> NDArray[np.float64]:
        """Return one number a candidate's end, (2 n,); larger is better, -inf is out of the question."""
        ...

    def confidence(self, found: ev.Evidence, logit: float, row: int) -> float:
        """Return how likely the answer of a candidate's end, with this number, is right."""
        ...


class Linear:
    """The explicit reasoner's own judge: a linear score of readable features."""

    pool, threshold = POOL, THRESHOLD

    def logits(self, task: Task, question: Question, found: ev.Evidence) -> NDArray[np.float64]:
        """Return the linear score."""
        return np.asarray((found.features @ WEIGHTS).astype(np.float64))

    def confidence(self, found: ev.Evidence, logit: float, row: int) -> float:
        """Return the logistic of the score."""
        return float(1 / (1 + np.exp(-(SLOPE * logit + BIAS))))


#: what only a drawn scene tells of two things
PLACES = frozenset("left_of right_of above below on under inside behind in_front_of next_to".split())
#: questions that rules answer or nothing does, whoever judges
RULED = ("count", "exists", "test", "attribute", "between", "related", "compare", "describe")


def answer(task: Task, name: str = "explicit", folder: Path | None = None) -> Outcome:
    """Answer one question by rules and a linear score; nothing is trained, so *folder* is not read."""
    return decide(task)


def decide(task: Task, judge: Judge | None = None) -> Outcome:
    """Answer one question.

    Args:
        task: the question.
        judge: orders the facts in the place of the rules and the linear score, except where a rule decides: what is
            computed, what is denied, and what the question asks by name of one thing.

    Returns:
        The outcome; its text is None if nothing supports an answer.
    """
    asked = expected.resolved(task.question, task.scene)
    question = parse(asked, [n for o in task.scene.objects for n in (o.name, *o.aliases)])
    step = Step("parse", _said(question), question.summary())
    main = expected.salient(task.scene) if _WHAT_IS_IT.match(asked) else None
    if main is not None:
        seen = _seen_answer(task, [Match(main, main.score, [seen_as(task, main)])])
        seen.steps.insert(0, step)
        return seen
    if judge is not None and _decided(task, question):
        judge = None
    rule = _BY_KIND.get(question.kind) if judge is None else None
    outcome = rule(task, question) if rule is not None else None
    if outcome is not None and task.choices and outcome.text is not None:
        outcome = _choose(task, outcome)
    if outcome is None and _placeless(task, question):
        outcome = Outcome(None, abstained="the scene is a list of names and does not say where things are")
    if outcome is None and judge is not None:
        outcome = _by_evidence(task, question, [], judge=judge)
    if outcome is None and question.kind == "select" and expected.beyond(question) is None:
        outcome = _select(task, question)
    if outcome is None:
        outcome = _by_evidence(task, question, _given(task, question))
    outcome.steps.insert(0, step)
    least = _least(task, judge or Linear())
    if outcome.text is not None and outcome.score < least and not task.choices:
        reason = f"{outcome.text!r} fits with confidence {outcome.score:.2f} only, below {least}"
        outcome = replace(outcome, text=None, abstained=reason)
    if not outcome.memory:
        found = ev.evidence(task, question)
        outcome.memory = ev.memory(task, found, found.features @ WEIGHTS, task.limit)
    return outcome


def _decided(task: Task, question: Question) -> bool:
    """Tell whether rules answer better than a ranking: kinds of :data:`RULED`, what is denied, "what does the cat eat"."""
    denied = question.noun is not None and any(k.negated for k in question.noun.known)
    head = normal(question.noun.head) if question.noun is not None else ""
    named = any(head in {normal(o.name), *map(normal, o.aliases)} for o in task.scene.objects)
    ruled = question.kind in RULED and not (question.kind == "compare" and " or " in question.text)
    return ruled or denied or (question.kind == "other_end" and named)


def _placeless(task: Task, question: Question) -> bool:
    """Tell whether only where things are would answer ("what is behind the tree"), and the scene does not say it."""
    noun = question.noun
    if task.drawn or question.kind != "select" or noun is None:
        return False
    return bool(noun.scene) and noun.generic and not noun.known and {p for p, _ in noun.scene} <= PLACES


def _least(task: Task, judge: Judge) -> float:
    return judge.threshold if task.threshold is None else task.threshold


def _said(question: Question) -> str:
    relation = f" by {', '.join(question.relations)}" if question.relations else ""
    about = f" about {question.noun.text!r}" if question.noun and question.noun.text else ""
    return f"the question asks: {question.kind}{about}{relation}"


def _select(task: Task, question: Question) -> Outcome | None:
    """Answer with a seen object: the only one that fits the description, else the one with the best evidence."""
    assert question.noun is not None
    fitting = matches(task, question.noun)
    if task.choices:
        fitting = [m for m in fitting if any(normal(c) == normal(m.object.name) for c in task.choices)] or fitting
    distinct = {normal(m.object.name) for m in fitting}
    drawn = task.drawn
    described = drawn and bool(question.noun.scene or question.noun.attributes or question.noun.position)
    negated = any(k.negated for k in question.noun.known)
    if not drawn and not negated:  # a list of names: evidence alone orders it better than rules about what fits
        return _by_evidence(task, question, [])
    if len(distinct) == 1 or (fitting and (described or negated)):
        return _seen_answer(task, fitting)
    loose = fitting or (
        matches(task, replace(question.noun, known=[])) if described or not question.noun.generic else []
    )
    said = {w for k in question.noun.known for w in content(k.phrase)}
    loose = [m for m in loose if not said.issuperset(content(m.object.name))]  # "what holds the coffee"
    if described and not loose:
        return Outcome(None, abstained=f"nothing seen fits {question.noun.text or question.text!r}")
    if not loose and not question.noun.known and (unsaid := _unsaid(task, question.noun.head)):
        return Outcome(None, abstained=f"neither the scene nor any fact about it speaks of {unsaid!r}")
    return _by_evidence(task, question, loose, answers=True)


def _unsaid(task: Task, head: str) -> str:
    """Return the first content word of a description that no fact around the scene mentions, or ''."""
    c, terms = task.candidates, task.store.terms
    said = {w for t in terms.names(np.unique(np.concatenate([c.subject, c.object]))) for w in lemmas(names.label(t))}
    return next((w for w in content(head) if w not in said), "")


def _seen_answer(task: Task, fitting: list[Match]) -> Outcome:
    best = fitting[0]
    others: dict[str, float] = {}
    for m in fitting[1:]:
        if m.object.name != best.object.name:
            others.setdefault(m.object.name, round(m.score, 4))
    text = f"{best.object.name} fits the description"
    step = Step("match", text, {"objects": [[m.object.id, m.object.name, round(m.score, 4)] for m in fitting]})
    return Outcome(
        best.object.name,
        round(min(1.0, best.score), 4),
        list(others.items())[: task.top - 1],
        best.citations,
        steps=[step],
    )


def _given(task: Task, question: Question) -> list[Match]:
    """Return the seen objects the question is about, where it says which."""
    if question.noun is None or question.kind not in ("other_end", "where", "attribute", "test"):
        return []
    if question.noun.generic and not (question.noun.scene or question.noun.position or question.noun.attributes):
        return []
    found = matches(task, question.noun)
    if not found and task.drawn and not question.noun.generic and not question.noun.scene:
        return [Match(SceneObject(ASKED, question.noun.head))]
    return found


def _by_evidence(
    task: Task, question: Question, about: list[Match], answers: bool = False, judge: Judge | None = None
) -> Outcome:
    """Answer with the end of the fact that scores best.

    Args:
        about: the objects the answer should be (if *answers*) or the fact should be about; any if empty.
        judge: what scores; the linear score, and how well a fact fits what was parsed, by default.
    """
    scorer = judge or Linear()
    least = _least(task, scorer)
    found = ev.evidence(task, question, scorer.pool)
    c = found.candidates
    if not len(c):
        return Outcome(None, abstained="the knowledge base has no fact about what is seen or asked")
    if not answers and question.relations and set(question.relations) <= STRICT | {"UsedFor", "Desires"}:
        missing = _unanswered(task, question, found, about)
        if missing:
            return Outcome(None, memory=ev.memory(task, found, found.features @ WEIGHTS, task.limit), abstained=missing)
    ranked = scorer.logits(task, question, found)
    if judge is None:
        ranked = ranked + _fit(task, question, found, about, answers)
    wanted, missing = _possible(task, question, found, ranked, answers and not about)
    ranked = np.where(wanted, ranked, -np.inf)
    if task.choices:
        ranked = _restrict(task, found, ranked)
    order = np.argsort(-ranked, kind="stable")
    order = order[np.isfinite(ranked[order])]
    memory = ev.memory(task, found, np.where(np.isfinite(ranked), ranked, -99.0), task.limit)
    if not len(order):
        reason = missing or "no choice is an end of any fact about what is seen"
        return Outcome(None, memory=memory, abstained=reason)
    hypotheses = _distinct(task, found, order, ranked, max(task.top, 3))
    best, row = hypotheses[0][0], int(hypotheses[0][2])
    confidence = [round(scorer.confidence(found, h[1], h[2]), 4) for h in hypotheses]
    if judge is not None and normal(best) == _only(task, question):
        confidence[0] = max(confidence[0], AGREED)
    memory_fact = ev.memory(task, _one(found, row), ranked[2 * (row // 2) : 2 * (row // 2) + 2], 1)[0]
    step = Step(
        "evidence",
        f"the best supported answer is {best!r}",
        {"hypotheses": [[h[0], round(float(h[1]), 3)] for h in hypotheses], "threshold": least},
    )
    if confidence[0] < least and not task.choices:
        reason = f"the nearest fact supports {best!r} with confidence {confidence[0]:.2f}, below {least}"
        return Outcome(None, confidence[0], [], memory=memory, steps=[step], abstained=reason)
    citations = cited([*memory_fact.chain, memory_fact.fact])
    named = [o.id for o in task.scene.objects if normal(o.name) == normal(best)]
    seen = task.objects_of(memory_fact.concept) or named
    chosen = [m for m in about if m.object.id in seen]
    fits = chosen[0].citations if chosen else [seen_as(task, task.scene[seen[0]])] if seen else []
    rest = [(h[0], s) for h, s in zip(hypotheses[1:], confidence[1:], strict=True)][: task.top - 1]
    fits = [x for x in fits if x.role != "support" and x not in citations]
    return Outcome(best, confidence[0], rest, [*fits, *citations], memory, [step])  # the deciding fact last


def _possible(
    task: Task, question: Question, found: ev.Evidence, ranked: NDArray[np.float64], unseen_kind: bool
) -> tuple[NDArray[np.bool_], str]:
    """Return which hypotheses are such as the question asks for, and what to say if none is."""
    c = found.candidates
    denying = [i for r in DENIES if (i := task.store.terms.id(r)) is not None]
    denied = np.isin(c.predicate, denying) & (not _NEGATED.search(question.text))
    every = np.repeat(~denied, 2)
    roots = np.asarray(c.roots, np.int64)[c.root]
    says = np.stack([np.where(c.end == 0, roots, c.subject), np.where(c.end == 1, roots, c.object)], axis=1)
    every &= ~np.isin(says.reshape(-1), list(_refuted(task, question)))
    asked = expected.beyond(question)
    if asked is not None:
        said = expected.stating(task, c, asked[1], expected.is_measure(asked[0]))
        far = np.stack([c.end == 1, c.end == 0], axis=1).reshape(-1)
        return np.repeat(said, 2) & far & every, f"no fact about what is seen answers {asked[0]!r}"
    if not task.drawn:
        return every, "facts about what is seen only deny it"
    if question.text.lower().startswith("where"):
        return expected.places(task, c) & every, "no fact says where"
    if unseen_kind and question.noun is not None and (kind := expected.kind_asked(task, question.noun)) is not None:
        ends = np.stack([c.subject, c.object], axis=1).reshape(-1).astype(np.int64)
        best = np.argsort(-ranked, kind="stable")[:KIND_TESTS]
        allowed = np.zeros(len(every), bool)
        allowed[best] = expected.of_kind(task, ends[best], kind)
        allowed &= every & found.seen.reshape(-1, 2)[:, ::-1].reshape(-1)  # the fact's other end is in the picture
        return (
            allowed,
            f"nothing seen, and nothing a fact about it names, is a kind of {question.noun.head!r}",
        )
    return every, "facts about what is seen only deny it"


def _only(task: Task, question: Question) -> str:
    """Return the name of the only seen thing that facts say is what the question asks for, '' if none or several are."""
    if question.kind != "select" or question.noun is None or not question.noun.known:
        return ""
    fitting = {normal(m.object.name) for m in matches(task, question.noun) if m.score >= FITS}
    return fitting.pop() if len(fitting) == 1 else ""


def _refuted(task: Task, question: Question) -> set[int]:
    """Return the concepts of seen objects of which a fact denies what the question asks for: no penguin for "can fly"."""
    if question.kind != "select" or question.noun is None:
        return set()
    asked = [k for k in question.noun.known if not k.negated]
    found = [(o, support(task, o, k)) for o in task.scene.objects for k in asked]
    seen = [o for o, by in found if by.denies and by.score >= REFUTED]
    return {i for o in seen for n in _concepts(task, [Match(o)]) if (i := task.store.terms.id(n)) is not None}


def _unanswered(task: Task, question: Question, found: ev.Evidence, about: list[Match]) -> str:
    """Return what is missing if no fact about the objects has an asked relation, and only such a fact would answer."""
    if not set(question.relations) & STRICT:
        return ""
    c = found.candidates
    concepts = _concepts(task, about)
    mine = np.isin(c.root, [i for i, r in enumerate(c.roots) if not about or task.store.terms.name(r) in concepts])
    wanted = [i for r in question.relations if (i := task.store.terms.id(r)) is not None]
    if (mine & np.isin(c.predicate, wanted)).any():
        return ""
    return f"no fact says {' or '.join(question.relations)} of {about[0].object.name if about else 'what is seen'!r}"


def _concepts(task: Task, about: list[Match]) -> set[str]:
    return {k.concept for k in task.links if any(is_of(k, m.object) for m in about)}


def _one(found: ev.Evidence, row: int) -> ev.Evidence:
    at = np.array([row // 2])
    return ev.Evidence(
        found.candidates.take(at),
        found.features[2 * at[0] : 2 * at[0] + 2],
        {k: v[at] for k, v in found.parts.items()},
        found.seen,
    )


def _fit(task: Task, question: Question, found: ev.Evidence, about: list[Match], answers: bool) -> NDArray[np.float64]:
    """Return logits to add where a hypothesis is about the right object and by the asked relation."""
    c = found.candidates
    bonus = np.zeros(2 * len(c))
    if about:
        concepts = _concepts(task, about)
        roots = [i for i, r in enumerate(c.roots) if task.store.terms.name(r) in concepts]
        mine = np.isin(c.root, roots)
        near = np.stack([mine & (c.end == 0), mine & (c.end == 1)], axis=1)  # the near end is subject, object
        right = near if answers else near[:, ::-1]
        bonus += np.where(right.reshape(-1), FITS_OBJECT, -FITS_OBJECT)
        named = {task.store.terms.id(k.concept) for k in task.links for m in about if k.text == m.object.name}
        kinds = {n for i in named for n in c.closures.get(i or 0, {}) if n != i}
        general = [i for i in roots if c.roots[i] in kinds - named]  # what cats want, rather than any animal
        bonus -= np.repeat(np.where(np.isin(c.root, general), 2 * FITS_OBJECT, 0.0), 2)
    if question.kind == "select" and not answers_unseen(question):
        bonus -= np.where(found.seen, 0.0, FITS_OBJECT)
    if question.constraint is not None and question.kind == "other_end":
        bonus += np.repeat(np.where(_says(task, c, question.constraint.phrase), FITS_OBJECT, -FITS_OBJECT), 2)
    if question.relations and (about or not question.asks_seen):
        wanted = {task.store.terms.id(r) for r in question.relations}
        asked = np.isin(c.predicate, [w for w in wanted if w is not None])
        bonus += np.repeat(np.where(asked, FITS_RELATION, 0.0), 2)
        if about and asked.any():
            bonus += np.repeat(np.where(asked, 0.0, -2 * FITS_RELATION), 2)
    return bonus


def answers_unseen(question: Question) -> bool:
    """Tell whether "which ..." may be answered with something not seen: a kind ("what kind of hat is this")."""
    return bool(
        re.match(
            r"^(?:what|which) (?:kind|type|sort|category|place|room|season|job|country)\b",
            question.text.lower(),
        )
    )


def _says(task: Task, c: Candidates, verb: str) -> NDArray[np.bool_]:
    """Tell which facts say what a verb asks: "eat grass", or, for eating and drinking, what is wanted."""
    word, terms = lemma(verb.split()[0]), task.store.terms
    objects, at = np.unique(c.object, return_inverse=True)
    said = np.array([word in lemmas(names.label(t)) for t in terms.names(objects)], bool)[at]
    wants = terms.id("Desires") if word in ("eat", "drink") else None
    return said | (c.predicate == wants) if wants is not None else said


def _distinct(
    task: Task, found: ev.Evidence, order: NDArray[np.int64], logits: NDArray[np.float64], limit: int
) -> list[tuple[str, float, int]]:
    """Return the best (answer, logit, row) of distinct answers; a seen answer bears its object's name."""
    c, kept, taken = found.candidates, [], set()
    for row in order:
        r, end = divmod(int(row), 2)
        term = task.store.terms.name(int(c.subject[r] if end == 0 else c.object[r]))
        text = names.label(term)
        if end == int(c.end[r]):  # the near end: the concept seen, not the kind it inherits from
            root = task.store.terms.name(c.roots[int(c.root[r])])
            seen = task.objects_of(root)
            text = task.scene[seen[0]].name if seen and seen[0] in task.scene else names.label(root)
        if normal(text) not in taken:
            taken.add(normal(text))
            kept.append((text, float(logits[row]), int(row)))
        if len(kept) >= limit:
            break
    return kept


def _restrict(task: Task, found: ev.Evidence, logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Leave only hypotheses that are one of the choices, by name or near-identical meaning."""
    assert task.choices
    c = found.candidates
    forms = {normal(choice) for choice in task.choices}
    vectors = np.stack([query_vector(task.encoder, choice) for choice in task.choices])
    from kgmm.retrieve.memory import term_vectors

    ids, at = np.unique(np.stack([c.subject, c.object], axis=1).reshape(-1), return_inverse=True)
    labels = [normal(names.label(t)) for t in task.store.terms.names(ids)]
    near = (term_vectors(task.store, ids, task.encoder) @ vectors.T).max(axis=1)
    fits = np.array([label in forms for label in labels]) | (near >= 0.8)
    return np.where(fits[at], logits, -np.inf)


def _choose(task: Task, outcome: Outcome) -> Outcome:
    """Turn a computed answer into the choice that says it, or abstain if none does."""
    assert task.choices and outcome.text is not None
    wanted = normal(outcome.text)
    for choice in task.choices:
        if normal(choice) == wanted or normal(choice) in wanted.split() or wanted in normal(choice).split():
            return replace(outcome, text=choice)
    vectors = np.stack([query_vector(task.encoder, choice) for choice in task.choices])
    near = vectors @ query_vector(task.encoder, outcome.text)
    best = int(near.argmax())
    if near[best] >= 0.5:
        return replace(outcome, text=task.choices[best], score=round(outcome.score * float(near[best]), 4))
    return replace(outcome, text=None, abstained=f"none of the choices is {outcome.text!r}", citations=[])
