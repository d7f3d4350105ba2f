"""Sightings as short sentences, the most urgent first, within a budget of words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kgmm.describe.hazards import MOVES
from kgmm.describe.sightings import Sighting

WALKING = 1.4  #: metres a second that whoever listens may walk (Bohannon 1997: comfortable gait, 1.3 to 1.4)
MOVING, FAST, CROSSING = 0.3, 3.0, 8.0  #: metres a second from which on a thing moves and is fast; degrees a second
SOON, LATER = 3.0, 10.0  #: seconds to contact below which a thing without distance approaches fast, and at all
FAST_WORDS = "approaching fast"
AHEAD, FRONT = 8.0, 22.0  #: degrees up to which a thing is straight ahead, and in front to the left or right
REACH = 0.75  #: metres that an arm reaches
_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
).split()
_TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()
_PLURALS = {"person": "people", "man": "men", "woman": "women", "child": "children", "knife": "knives", "sheep": "sheep",
            "scissors": "scissors", "mouse": "mice", "foot": "feet", "tooth": "teeth", "leaf": "leaves", "wolf": "wolves",
            "shelf": "shelves", "loaf": "loaves", "fish": "fish", "stairs": "stairs", "glasses": "glasses"}  # fmt: skip


@dataclass(frozen=True)
class Sentence:
    """A sentence, and the things of one kind and place that it is about."""

    text: str
    about: tuple[Sighting, ...]

    @property
    def words(self) -> int:
        """How many words it has."""
        return len(self.text.split())


def urgency(s: Sighting) -> float:
    """Return the seconds until a thing and a walker could meet: less is more urgent.

    Half of it where the thing is dangerous; else twice of it where it is in or on another, held or worn, and comes with that.

    >>> urgency(Sighting("tree", 2.8)), urgency(Sighting("bicycle", 10.0, speed=8.6)), urgency(Sighting("tree", 2.8, speed=-5))
    (2.0, 1.0, 2.0)
    """
    seconds = s.metres / (WALKING + max(s.speed or 0.0, 0.0))
    if s.speed is None and s.contact is not None and s.contact > 0:
        seconds = min(seconds, s.contact)
    if any(word != MOVES for word, _ in s.hazards):
        return seconds / 2
    return seconds * 2 if s.holder else seconds


def ordered(things: Iterable[Sighting]) -> list[Sighting]:
    """Return things with the most urgent first; equals by name and id, so that any order of them gives this one."""
    return sorted(things, key=lambda s: (round(urgency(s), 6), s.name, s.id))


def sentences(things: Sequence[Sighting], words: int) -> list[Sentence]:
    """Say things in their order with at most so many *words*; what does not fit in full is said shorter, then no more.

    Things of one name, place, motion and danger are one sentence, at the place of the first of them.

    Example:
        >>> one = Sighting("bicycle", 2.0, -15.0, speed=1.0)
        >>> [s.text for s in sentences([one], 10)], [s.text for s in sentences([one], 3)]
        (['Bicycle, two metres, front left, approaching.'], ['Bicycle, front left.'])
    """
    groups: dict[tuple[str, ...], list[Sighting]] = {}
    for s in things:
        groups.setdefault((s.name, *parts(s)), []).append(s)
    said: list[Sentence] = []
    for group in groups.values():
        fits = next((text for text in _forms(group) if len(text.split()) <= words), None)
        if fits is None:
            break
        said.append(Sentence(fits, tuple(group)))
        words -= said[-1].words
    return said


def parts(s: Sighting) -> tuple[str, str, str, str]:
    """Return what is said of a thing: distance, bearing, motion, danger; an empty string where there is nothing to say."""
    return _distance(s), _bearing(s), motion(s), " and ".join(word for word, _ in s.hazards if word != MOVES)


def _forms(group: Sequence[Sighting]) -> Iterator[str]:
    """Yield the sentence, then shorter ones: danger stays longest, since it is what a listener must know."""
    far, where, moves, danger = parts(group[0])
    name = _named(group)
    for said in ((far, where, moves, danger), (where, moves, danger), (where, danger), (danger,), ()):
        yield ", ".join(part for part in (name, *said) if part) + "."


def _named(group: Sequence[Sighting]) -> str:
    name = group[0].name.replace("_", " ")
    text = f"{spelled(len(group))} {plural(name)}" if len(group) > 1 else name
    return text[:1].upper() + text[1:]


def _distance(s: Sighting) -> str:
    if s.distance is None:
        return s.size
    if s.distance < REACH:
        return "within reach"
    step = 1 if s.distance < 10 else 5 if s.distance < 20 else 10
    if s.how == "within":
        metres = max(step * -int(-s.distance // step), 1)
    else:
        metres = max(step * int(s.distance / step + 0.5), 1)
    if metres >= 100:
        return "far"
    before = {"estimated": "about ", "within": "within "}.get(s.how, "")
    return f"{before}{spelled(metres)} metre{'s' * (metres > 1)}"


def _bearing(s: Sighting) -> str:
    if s.bearing is None:
        return ""
    if abs(s.bearing) <= AHEAD:
        return "ahead"
    side = "left" if s.bearing < 0 else "right"
    return f"front {side}" if abs(s.bearing) <= FRONT else side


def motion(s: Sighting) -> str:
    """Return how a thing moves: towards the listener, away, or across; an empty string if it does not or nobody knows."""
    if s.speed is not None:
        towards = FAST_WORDS if s.speed >= FAST else "approaching" if s.speed >= MOVING else ""
        away = s.speed <= -MOVING
    else:
        close = s.contact if s.contact is not None and s.contact > 0 else float("inf")
        towards = FAST_WORDS if close < SOON else "approaching" if close < LATER else ""
        away = s.contact is not None and -LATER < s.contact < 0
    if towards:
        return towards
    if s.sideways is not None and abs(s.sideways) >= CROSSING:
        return "crossing to the " + ("right" if s.sideways > 0 else "left")
    return "moving away" if away else ""


def spelled(n: int) -> str:
    """Return a whole number below 100 in words.

    >>> spelled(2), spelled(15), spelled(30), spelled(42)
    ('two', 'fifteen', 'thirty', 'forty-two')
    """
    if n < 20:
        return _ONES[n]
    return _TENS[n // 10] + (f"-{_ONES[n % 10]}" if n % 10 else "")


def plural(name: str) -> str:
    """Return the plural of a name.

    >>> plural("wine glass"), plural("person"), plural("butterfly")
    ('wine glasses', 'people', 'butterflies')
    """
    *before, last = name.split(" ")
    if last in _PLURALS:
        last = _PLURALS[last]
    elif last.endswith(("s", "x", "z", "ch", "sh")):
        last += "es"
    elif last.endswith("y") and last[-2:-1] not in ("", *"aeiou"):
        last = last[:-1] + "ies"
    else:
        last += "s"
    return " ".join([*before, last])
