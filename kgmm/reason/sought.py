"""What a question and knowledge propose to look for in a picture once more, and how likely each is before anyone looks."""

import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kgmm.language import names
from kgmm.language.words import content
from kgmm.reason.explicit.certainty import SUPPORT
from kgmm.reason.explicit.objects import agreement, called, matches
from kgmm.reason.explicit.reasoner import answer
from kgmm.reason.question.data import Constraint, Noun
from kgmm.reason.question.vocabulary import DETERMINER
from kgmm.reason.ranking.weights import THRESHOLD
from kgmm.reason.task import Task

#: what a question takes for granted ("the spoon"), what is offered as an answer or knowledge answers with best, what is asked for ("is
#: there a spoon"), what else knowledge proposes (what stirs? whisk …), and what is counted, looked for only to see that it is not there
GRANTED, ANSWERED, ASKED, PROPOSED, COUNTED = 0.5, 0.35, 0.08, 0.03, 1e-9
MOST = 24  #: names that knowledge proposes, those that fit best


def sought(task: Task) -> dict[str, float]:
    """Return the names of things not seen that a second look is worth, with what is likely of each, in (0, 1)."""
    q, found = task.parsed, dict[str, float]()
    for noun in (n for top in (q.noun, q.other) if top is not None for n in _nouns(top)):
        if noun.generic or matches(task, Noun(head=noun.head)):
            continue
        if q.kind == "select" and noun is q.noun and _granted(task.question, noun.head):
            continue  # "what are these lights": that they are lights says nothing of what they are
        if q.kind == "count" and noun is q.noun:
            likely = COUNTED
        else:
            likely = GRANTED if _granted(task.question, noun.head) else ASKED
        found[noun.head] = max(likely, found.get(noun.head, 0))
    for choice in task.choices or ():
        if not matches(task, Noun(head=choice)):
            found[choice] = max(ANSWERED, found.get(choice, 0))
    if q.kind == "select" and q.noun is not None and not task.choices:
        best = answer(replace(task, threshold=0.0), "explicit")
        if best.score < THRESHOLD or not _is_seen(task, best.text):
            found |= {name: PROPOSED for name in _proposed(task, q.noun) if name not in found}
            found |= {best.text: ANSWERED} if best.text is not None else {}
    return {name: likely for name, likely in found.items() if not _is_seen(task, name)}


def _is_seen(task: Task, name: str | None) -> bool:
    return name is not None and any(called(o, name) for o in task.scene.objects)


def _nouns(noun: Noun) -> Iterator[Noun]:
    yield noun
    for _, other in noun.scene:
        yield from _nouns(other)


def _granted(question: str, head: str) -> bool:
    """Tell whether a question speaks of a thing as one that is there: "the spoon", "this animal"."""
    said = rf"\b(?:{DETERMINER}) (?:\w+ )?{re.escape(head)}\b"
    found = re.search(said, question, re.IGNORECASE)
    return found is not None and not re.match(r"an? ", found[0], re.IGNORECASE)


def _proposed(task: Task, noun: Noun) -> list[str]:
    """Return the names of what facts say fits a description: for "gives light" what is used for or capable of it."""
    c, terms, found = task.candidates, task.store.terms, dict[str, float]()
    for condition in noun.known:
        if condition.negated:
            continue
        rows = np.flatnonzero((c.end == 1) & np.isin(c.predicate, task.ids(condition.relations)))
        for thing, fit in _fitting(task, condition, rows):
            name = names.label(terms.name(thing))
            found[name] = max(fit, found.get(name, 0))
    return sorted(found, key=lambda name: -found[name])[:MOST]


def _fitting(task: Task, condition: Constraint, rows: NDArray[np.int64]) -> Iterator[tuple[int, float]]:
    """Yield the subjects of facts whose objects say what a condition says, and how well."""
    c, asked = task.candidates, set(content(condition.phrase))
    for subject, said in zip(c.subject[rows].tolist(), c.object[rows].tolist(), strict=True):
        fit = agreement(asked, names.label(task.store.terms.name(said)), 0.0)
        if fit >= SUPPORT:
            yield subject, fit
