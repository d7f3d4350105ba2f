"""A question about what happens, and why: answered by what is to be expected of the event it tells of.

"What happens if you drop a glass" asks for effects, "why do people sleep" for motives, "what do you need to bake a cake" for
what comes before, "what does one do when one camps" for parts. The steps are those of :func:`kgmm.complete.expect.expect`, with
the facts behind them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kgmm.complete.expect import LONGEST, Expectation, Kind, expect
from kgmm.language.words import content, plain
from kgmm.reason.explicit.objects import seen_as
from kgmm.reason.necessary import also_cited
from kgmm.reason.task import Outcome, Task, answered
from kgmm.store import Fact
from kgmm.trace import MemoryFact, Step, cited, key

_WHO = r"(?:you|we|they|i|one|someone|somebody|people|a person|anyone|everyone)"
_DO = r"(?:do|does|did|would|will|might|should|must|can|could)"
#: what asks for a kind of step, and the event it is of
_ASKED: tuple[tuple[Kind, str], ...] = (
    ("effect", r"^what (?:\w+ )?happens? (?:next |then )?(?:if|when|after|as|once|because) (?P<e>.+)$"),
    ("effect", r"^what (?:is|are|would be) the (?:\w+ )?(?:effect|result|consequence)s? (?:of|if|when) (?P<e>.+)$"),
    ("effect", r"^what (?:comes|happens|follows) (?:after|from) (?P<e>.+)$"),
    ("effect", rf"^what {_DO} (?P<e>.+?) (?:cause|lead to|result in|bring about)$"),
    ("motive", rf"^why {_DO} (?P<e>.+)$"),
    ("motive", r"^what (?:is|are) the (?:reason|motive|purpose|point|goal)s? (?:of|for) (?P<e>.+)$"),
    (
        "precondition",
        rf"^what {_DO} {_WHO} (?:have to |need to )?(?:do|need|have)(?: first)? (?:before|in order to|to) (?P<e>.+)$",
    ),
    ("precondition", r"^what (?:has|have|must|needs?) (?:to )?happen before (?P<e>.+)$"),
    ("precondition", r"^what (?:is|are) (?:needed|required|necessary) (?:for|to|before|in order to) (?P<e>.+)$"),
    ("subevent", rf"^how {_DO} (?P<e>{_WHO} .+)$"),
    ("subevent", rf"^what {_DO} {_WHO} do (?:when|while|during|if) (?P<e>.+)$"),
)
#: steps that are cited in the trace's memory, at most
MOST = 24
#: words of a subject at most, after which a verb may stand
SUBJECT = 4
#: steps that are less sure are no answer; what is part of an event is said with less weight
LEAST = {"effect": 0.55, "motive": 0.55, "precondition": 0.55, "subevent": 0.45}


@dataclass(frozen=True)
class Asked:
    """A kind of step is asked for, of an event in words."""

    kind: Kind
    event: str


def asked(text: str) -> Asked | None:
    """Return what a question asks of an event; None if it asks of none.

    Example:
        >>> asked("What happens if you drop a glass?"), asked("Why do people sleep?").kind, asked("What is red?")
        (Asked(kind='effect', event='you drop a glass'), 'motive', None)
    """
    said = plain(text)
    for kind, pattern in _ASKED:
        if m := re.match(pattern, said):
            return Asked(kind, m["e"])
    return None


def expected(task: Task) -> Outcome | None:
    """Answer with the likeliest step of the kind asked for; None if the question asks for none, or none is known."""
    one = asked(task.question)
    if one is None or len(one.event) > LONGEST or task.graphs is not None:
        return None
    steps = _steps(task, one, task.exclude)
    if not steps:
        return None
    best = steps[0]

    def again(gone: list[Fact]) -> Sequence[Fact] | None:
        left = _steps(task, one, task.exclude | {key(fact) for fact in gone})
        return left[0].facts if left and left[0].text == best.text else None

    memory = [MemoryFact(fact, step.probability, {}) for step in steps for fact in step.facts[-1:]][: task.limit]
    said = {"event": one.event, "asked": one.kind, "steps": [[step.text, step.probability] for step in steps]}
    step = Step("expect", f"the likeliest {one.kind} of {one.event!r}: {best.reason}", said)
    rest = [(other.text, other.probability) for other in steps[1 : max(task.top, 1)]]
    words = set(content(one.event))
    seen = [seen_as(task, o) for o in task.scene.objects if words & set(content(o.name))]
    citations = [*dict.fromkeys(seen), *cited(best.facts)]
    outcome = answered(best.text, best.probability, citations, step, alternatives=rest, memory=memory)
    outcome.citations += also_cited(best.text, best.facts, again, outcome.steps)
    return outcome


def _steps(task: Task, one: Asked, exclude: frozenset[tuple[str, str, str]]) -> list[Expectation]:
    """Return the steps of the kind asked for, the likeliest first, but those that only say the event again."""
    given = set(content(one.event))
    for event in _told(one.event):
        found = expect(task.store, event, limit=4 * MOST, threshold=LEAST[one.kind], exclude=exclude, vectors=False)
        steps = [step for step in found if step.kind == one.kind and not set(content(step.text)) <= given]
        if steps:
            return steps[:MOST]
    return []


def _told(event: str) -> Iterator[str]:
    """Yield how an event is told outside of a question: "someone opens an umbrella", "a dog will bark"."""
    words = re.sub(rf"^{_WHO}\b", "you", event).split()
    yield " ".join(words)
    for at in range(1, min(len(words), SUBJECT + 1)):
        yield " ".join([*words[:at], "will", *words[at:]])
