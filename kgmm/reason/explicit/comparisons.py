"""Which is bigger, heavier, faster: by a property that only one has, or by the boxes in the picture."""

from collections.abc import Callable

from kgmm.language.phrase import phrase
from kgmm.reason.explicit import certainty
from kgmm.reason.explicit.objects import Match, asked_about, matches, support
from kgmm.reason.explicit.rules import verdict
from kgmm.reason.question.data import Constraint, Noun, Question
from kgmm.reason.task import Outcome, Task, answered, unanswered
from kgmm.scene import Box
from kgmm.store import Fact
from kgmm.trace import Citation, Step

#: what a box (x, y, width, height) shows of each degree
_MEASURES: dict[str, Callable[[Box], float]] = {
    "bigger": lambda b: b[2] * b[3],
    "wider": lambda b: b[2],
    "longer": lambda b: max(b[2], b[3]),
    "taller": lambda b: b[3],
    "higher": lambda b: -b[1],
}
_OPPOSITE = {"smaller": "bigger", "narrower": "wider", "shorter": "taller", "lower": "higher"}
#: adjectives whose stem a degree's ending hides
_BASE = {"bigg": "big", "heavi": "heavy", "larg": "large", "hott": "hot"}


def compare(task: Task, q: Question) -> Outcome | None:
    """Which of two is bigger, heavier, faster: by a property only one has, or the boxes."""
    assert q.noun is not None
    if q.other is None:
        return _most(task, q.noun, q.attribute)
    first, second = ((matches(task, n) or [asked_about(n)])[0] for n in (q.noun, q.other))
    decided = _by_property(task, q.attribute, first, second) or _by_boxes(task, q.attribute, first, second)
    if decided is None:
        return unanswered(f"nothing says which of {first.object.name} and {second.object.name} is {q.attribute}")
    winner, cites, text = decided
    cites = [*first.citations, *second.citations, *cites]
    if q.predicate == "test":
        return verdict(winner is first, cites, certainty.COMPARED, text)
    loser = second if winner is first else first
    rest = [(loser.object.name, certainty.LOSER)]
    return answered(winner.object.name, certainty.COMPARED, cites, Step("compare", text), alternatives=rest)


def _most(task: Task, noun: Noun, degree: str) -> Outcome:
    """Which of all that fit is biggest, smallest, tallest in the picture."""
    measure = _MEASURES.get(_OPPOSITE.get(degree, degree))
    boxed = [(m, m.object.box) for m in matches(task, noun) if m.object.box is not None]
    if measure is None or not boxed:
        return unanswered(f"neither the scene nor any fact tells what is the {degree}")
    boxed.sort(key=lambda pair: measure(pair[1]), reverse=degree in _MEASURES)
    (best, _), rest = boxed[0], boxed[1:4]
    cites = [*best.citations, *(_box(task, m) for m, _ in boxed[:2])]
    step = Step("compare", f"in the picture {best.object.name} is {degree} than all else that fits")
    others = [(m.object.name, certainty.OTHERS) for m, _ in rest]
    return answered(best.object.name, certainty.BOXES, cites, step, alternatives=others)


def _box(task: Task, m: Match) -> Citation:
    sides = ",".join(f"{v:g}" for v in m.object.box or ())
    return Citation(Fact(task.scene.node(m.object.id), "box", f'"{sides}"', 1.0, task.scene.graph), "scene", "box")


def _by_property(task: Task, degree: str, a: Match, b: Match) -> tuple[Match, list[Citation], str] | None:
    """Return the one of which a fact states the property, if boxes do not measure it and none states it of the other."""
    if degree in _MEASURES or degree in _OPPOSITE:
        return None
    base = degree.removeprefix("more ").removeprefix("less ").removesuffix("er")
    asked = Constraint(("HasProperty",), _BASE.get(base, base))
    for x, y in ((a, b), (b, a)):
        own, other = support(task, x.object, asked), support(task, y.object, asked)
        if own.score >= certainty.PROPERTY and not own.denies and other.score < certainty.SUPPORT:
            said = phrase(own.facts[-1].subject, "HasProperty", own.facts[-1].object)
            return x, [Citation(f) for f in own.facts], said
    return None


def _by_boxes(task: Task, degree: str, a: Match, b: Match) -> tuple[Match, list[Citation], str] | None:
    measure = _MEASURES.get(_OPPOSITE.get(degree, degree))
    if measure is None or a.object.box is None or b.object.box is None:
        return None
    more, less = (a, b) if measure(a.object.box) >= measure(b.object.box) else (b, a)
    winner = more if degree in _MEASURES else less
    return winner, [_box(task, a), _box(task, b)], f"in the picture {winner.object.name} is {degree}"
