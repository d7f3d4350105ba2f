"""Explicit reasoning and the hybrid: rules where a scene says what holds, facts ranked by a scorer elsewhere.

After Ahab and FVQA (Wang et al. 2015/17, 2016/18), without a trained classifier: a grammar says what is asked, the
scene and the knowledge base say what holds, and a score orders facts where wording and fact differ. Every answer is a
seen object, an end of a cited fact, or computed from cited facts; nothing above the threshold means that the engine
says it does not know. ``explicit`` scores by readable features under a linear scorer. ``hybrid`` leaves questions over
a list of seen names to a trained committee, except what is computed, what is denied, and what is asked of one thing by
its name; choices without a picture that no fact states to the graph network.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from kgmm.encode.vectors import query_vector
from kgmm.language import names
from kgmm.language.phrase import phrase
from kgmm.language.words import content, lemmas, normal, tokens
from kgmm.reason.explicit import rules
from kgmm.reason.explicit.answerable import placeless
from kgmm.reason.explicit.certainty import NEAREST_CHOICE
from kgmm.reason.explicit.comparisons import compare
from kgmm.reason.explicit.evidence import Focus, by_evidence
from kgmm.reason.explicit.expected import expected
from kgmm.reason.explicit.implied import by_part, marked
from kgmm.reason.explicit.objects import ASKED, Match, called, fits, matches, of_kind, seen_as
from kgmm.reason.explicit.shared import shared
from kgmm.reason.explicit.stated import stated
from kgmm.reason.question.data import Noun, Question
from kgmm.reason.question.reference import alternatives, excepted
from kgmm.reason.question.vocabulary import PREPOSITION
from kgmm.reason.ranking.committee import committee
from kgmm.reason.ranking.features import evidence, memory
from kgmm.reason.ranking.linear import LINEAR, Scorer, linear
from kgmm.reason.registry import reasoner
from kgmm.reason.task import Outcome, Task, answered, unanswered
from kgmm.scene import NO_PICTURE, SceneObject
from kgmm.trace import Step

NAMES = ("explicit", "hybrid")

_RULES: dict[str, Callable[[Task, Question], Outcome | None]] = {
    "count": rules.count,
    "exists": rules.exists,
    "only": rules.only,
    "test": rules.test,
    "attribute": rules.attribute,
    "where": rules.where,
    "between": rules.between,
    "related": rules.related_objects,
    "compare": compare,
    "describe": rules.describe,
    "read": rules.read,
}
#: questions that only a picture answers
_OF_SIGHT = frozenset("count exists only between related describe read".split())
#: questions about a thing they name, which a fact about it answers
_OF_A_THING = ("other_end", "where", "attribute", "test")


def answer(task: Task, name: str = "hybrid", folder: Path | None = None) -> Outcome:
    """Answer one question.

    Args:
        task: the question.
        name: ``explicit`` or ``hybrid``.
        folder: a committee of ``kgmm train hybrid``; the shipped one by default. ``explicit`` has nothing trained.

    Returns:
        The outcome; its text is None if nothing supports an answer.
    """
    task, left_out = _without_excepted(task)
    if name == "hybrid" and task.choices and task.scene == NO_PICTURE and task.parsed.kind not in _RULES:
        outcome = _chosen(task)
    elif name == "explicit" or task.drawn or not task.scene.objects:
        outcome = _of_two(task) or by_part(task, _linear) or _answer(task, LINEAR)
    else:
        trained = committee(folder)
        outcome = _answer(task, LINEAR if _ruled(task) else trained)
        outcome.model = trained.checksum
        outcome = _one_of_two(task.parsed, outcome)
    if outcome.text is None and task.scene != NO_PICTURE and not task.choices:
        outcome = expected(task) or outcome
    outcome.steps = left_out + outcome.steps
    return marked(task, outcome)


def _chosen(task: Task) -> Outcome:
    """Choose without a picture: what facts state, else as the graph network reads them."""
    network = reasoner("graph-network").answer
    outcome = stated(task, network) or network(task)
    outcome.steps.insert(0, Step("parse", _said(task.parsed), task.parsed.summary()))
    return outcome


def _without_excepted(task: Task) -> tuple[Task, list[Step]]:
    """Return the task without what "apart from the flag" leaves out, in its words and in its scene."""
    text, name = excepted(task.question)
    if not name:
        return task, []
    gone = {o.id for o in task.scene.objects if called(o, name)}
    step = Step("except", f"{name!r} is left out", {"objects": sorted(gone)})
    return replace(task, scene=task.scene.without(gone), question=text), [step]


def _of_two(task: Task) -> Outcome | None:
    """Answer "is it made of plastic or metal" with the one of both that a test of each says; None if it is no such question."""
    offers = alternatives(task.question) if not task.choices else None
    if offers is None:
        return None
    came = [(said, _answer(replace(task, question=asked), LINEAR)) for said, asked in offers]
    holding = sorted((one for one in came if one[1].text == "yes"), key=lambda one: -one[1].score)
    said = " and ".join(said for said, _ in came)
    if not holding or (len(holding) == 2 and holding[0][1].score == holding[1][1].score):
        return unanswered(f"nothing seen or known says which of {said} it is", memory=came[0][1].memory)
    best, outcome = holding[0]
    rest = [(said, one.score) for said, one in holding[1:]]
    step = Step("compare", f"of {said}, {best!r} holds", {"tests": {said: one.text for said, one in came}})
    return replace(outcome, text=best, alternatives=rest, steps=[*outcome.steps, step])


def _answer(task: Task, scorer: Scorer) -> Outcome:
    """Answer by the rules, if the scorer is the linear one, otherwise or else by evidence; withhold what is unsure."""
    step = Step("parse", _said(task.parsed), task.parsed.summary())
    outcome = None
    if scorer is LINEAR and task.scene == NO_PICTURE:
        outcome = stated(task, lambda other: _evident(other, scorer))
        if outcome is None and not task.choices:
            outcome = expected(task) or shared(task)
        if outcome is None and task.parsed.denies and task.parsed.kind == "select":
            outcome = unanswered("no fact denies of anything what the question does")
    if outcome is None and scorer is LINEAR:
        outcome = _by_rule(task)
    if outcome is None and _unseen(task):
        outcome = unanswered("nothing was recognized in the picture; this is a question about what it shows")
    if outcome is None and (reason := placeless(task)):
        outcome = unanswered(reason)
    if outcome is None:
        outcome = _evident(task, scorer)
    outcome.steps.insert(0, step)
    if task.drawn and outcome.text and not task.choices and (reason := _no_answer(task.parsed, outcome.text)):
        outcome = replace(outcome, text=None, abstained=reason, alternatives=[], citations=[])
    least = scorer.threshold if task.threshold is None else task.threshold
    if outcome.text is not None and outcome.score < least:
        outcome = _withheld(outcome, least)
    if not outcome.memory:
        found = evidence(task)
        outcome.memory = memory(task, found, linear(found), task.limit)
    return outcome


def _evident(task: Task, scorer: Scorer) -> Outcome:
    """Answer by evidence, however unsure, or by the description of a seen object."""
    focus = _focus(task) if scorer is LINEAR else Focus()
    return by_evidence(task, scorer, focus) if isinstance(focus, Focus) else focus


def _unseen(task: Task) -> bool:
    """Tell whether a thing in the picture is asked for ("what are these lights") and none was recognized."""
    q, scene = task.parsed, task.scene
    shown = q.noun is not None and (not q.noun.known or bool(q.noun.scene))
    return q.kind == "select" and shown and not scene.objects and scene != NO_PICTURE and not task.choices


def _linear(task: Task) -> Outcome:
    return _answer(task, LINEAR)


def _no_answer(q: Question, text: str) -> str:
    """Return why a seen thing is no answer: the question names it itself, or denies what the grammar did not read."""
    if q.kind in ("count", "exists", "only", "test", "compare", "describe", "read"):
        return ""
    denied = [k.phrase for k in q.noun.known if k.negated] if q.noun is not None and q.kind == "select" else []
    if q.denies and (q.either_or or not denied or any(not said or PREPOSITION.match(said) for said in denied)):
        return "what the question denies is not understood"
    asked = q.noun.head if q.kind == "select" and q.noun is not None else ""
    return f"the question itself names {text!r}" if text.lower() in q.given or normal(text) == normal(asked) else ""


def _ruled(task: Task) -> bool:
    """Tell whether rules answer better than a ranking: what is computed, what is denied, "what does the cat eat"."""
    q, noun = task.parsed, task.parsed.noun
    denied = noun is not None and any(k.negated for k in noun.known)
    named = any(called(o, noun.head if noun is not None else "") for o in task.scene.objects)
    of_two = q.kind == "compare" and q.either_or
    return (q.kind in _RULES and q.kind != "where" and not of_two) or denied or (q.kind == "other_end" and named)


def _by_rule(task: Task) -> Outcome | None:
    """Return what the rule for this kind of question computes; None if there is none or it leaves it to the facts."""
    main, rule = task.parsed.main, _RULES.get(task.parsed.kind)
    if task.scene == NO_PICTURE and task.parsed.kind in _OF_SIGHT and task.parsed.other is None:
        return unanswered("there is no picture; this is a question about one")
    if main is not None:
        outcome: Outcome | None = _seen_answer(task, [Match(main, main.score, [seen_as(task, main)])])
    else:
        outcome = rule(task, task.parsed) if rule is not None else None
    if outcome is None or outcome.text is None or not task.choices:
        return outcome
    return _as_choice(task, outcome, outcome.text, task.choices)


def _as_choice(task: Task, outcome: Outcome, text: str, choices: list[str]) -> Outcome:
    """Turn a computed answer into the choice that says it, or abstain if none does."""
    wanted, none = normal(text), unanswered(f"none of the choices is {text!r}", steps=outcome.steps)
    if wanted.isdigit():  # "one" and "nine" are near in meaning
        said = next((c for c in choices if rules.NUMBERS.get(normal(c), normal(c)) == wanted), None)
        return replace(outcome, text=said) if said else none
    for choice in choices:
        if normal(choice) == wanted or normal(choice) in wanted.split() or wanted in normal(choice).split():
            return replace(outcome, text=choice)
    near = np.stack([query_vector(task.encoder, choice) for choice in choices]) @ query_vector(task.encoder, text)
    best = int(near.argmax())
    if near[best] >= NEAREST_CHOICE:
        return replace(outcome, text=choices[best], score=round(outcome.score * float(near[best]), 4))
    return none


def _focus(task: Task) -> Focus | Outcome:
    """Return what evidence should be about; an outcome where the description of a seen object already decides."""
    q, noun = task.parsed, task.parsed.noun
    if q.demand is not None and not q.demand.kind:
        return Focus()
    if q.kind == "select" and q.due is None:
        return _select(task)
    if noun is None or q.kind not in _OF_A_THING:
        return Focus()
    if noun.generic and not (noun.scene or noun.position or noun.attributes):
        return Focus()
    about = matches(task, noun)
    if not about and task.drawn and not noun.generic and not noun.scene:
        return Focus([Match(SceneObject(ASKED, noun.head))])
    return Focus(about)


def _select(task: Task) -> Focus | Outcome:
    """Answer with a seen object: the only one that fits the description, else the one with the best evidence."""
    noun = task.parsed.noun
    assert noun is not None
    fitting = matches(task, noun) or _offered(task, noun)
    if task.drawn and (demand := task.parsed.demand) is not None:
        fitting = [m for m in fitting if of_kind(task, m.object, Noun(head=demand.kind)) is not None]
    if task.choices:
        fitting = [m for m in fitting if any(normal(c) == normal(m.object.name) for c in task.choices)] or fitting
    distinct = {normal(m.object.name) for m in fitting}
    described = task.drawn and bool(noun.scene or noun.attributes or noun.position)
    negated = any(k.negated for k in noun.known)
    if not task.drawn and not negated:  # a list of names: evidence alone orders it better than rules about what fits
        return Focus()
    if len(distinct) == 1 or (fitting and (described or negated)):
        return _seen_answer(task, fitting)
    loose = fitting or (matches(task, replace(noun, known=[])) if described or not noun.generic else [])
    said = {w for k in noun.known for w in content(k.phrase)}
    loose = [m for m in loose if not said.issuperset(content(m.object.name))]  # "what holds the coffee"
    if described and not loose:
        return unanswered(f"nothing seen fits {noun.text or task.parsed.text!r}")
    if not loose and not noun.known and (unsaid := _unsaid(task, noun.head)):
        return unanswered(f"neither the scene nor any fact about it speaks of {unsaid!r}")
    return Focus(loose, answers=True)


def _offered(task: Task, noun: Noun) -> list[Match]:
    """Return the one choice of which facts say what is asked, where none is seen: flags are symbols of countries."""
    if not task.choices or not noun.known or noun.scene or noun.position:
        return []
    offered = (fits(task, SceneObject(ASKED, choice), noun) for choice in task.choices)
    found = [m for m in offered if m is not None]
    return found if len(found) == 1 else []


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
    objects = [[m.object.id, m.object.name, round(m.score, 4)] for m in fitting]
    step = Step("match", f"{best.object.name} fits the description", {"objects": objects})
    rest = list(others.items())[: task.top - 1]
    return answered(best.object.name, round(min(1.0, best.score), 4), best.citations, step, alternatives=rest)


def _withheld(outcome: Outcome, least: float) -> Outcome:
    """Return an outcome without its answer, which is less sure than the threshold."""
    if any(step.name == "evidence" for step in outcome.steps):
        reason = f"the nearest fact supports {outcome.text!r} with confidence {outcome.score:.2f}, below {least}"
        return replace(outcome, text=None, abstained=reason, alternatives=[], citations=[])
    reason = f"{outcome.text!r} fits with confidence {outcome.score:.2f} only, below {least}"
    return replace(outcome, text=None, abstained=reason)


def _one_of_two(question: Question, outcome: Outcome) -> Outcome:
    """Answer "slower or faster?" with the one of both that the deciding fact says, where the answer is none of them."""
    offered = question.offered
    known = [c.fact for c in outcome.citations if c.kind == "knowledge"]
    if outcome.text is None or not offered or not known or normal(outcome.text) in offered:
        return outcome
    said = tokens(phrase(known[-1].subject, known[-1].predicate, known[-1].object))
    fitting = [word for word in offered if word in said]
    if len(fitting) != 1:
        return outcome
    step = Step("compare", f"of {' and '.join(offered)} the fact says {fitting[0]!r}", {"said": said})
    rest = [(outcome.text, outcome.score), *outcome.alternatives][: max(len(outcome.alternatives), 1)]
    return replace(outcome, text=fitting[0], alternatives=rest, steps=[*outcome.steps, step])


def _said(question: Question) -> str:
    relation = f" by {', '.join(question.relations)}" if question.relations else ""
    about = f" about {question.noun.text!r}" if question.noun and question.noun.text else ""
    return f"the question asks: {question.kind}{about}{relation}"
