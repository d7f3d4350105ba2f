"""Describing a scene to someone who cannot see it: short sentences, nearest and fastest first, with what knowledge warns of.

>>> from kgmm.scene import SceneGraph, SceneObject
>>> scene = SceneGraph("street", (SceneObject("b", "bicycle", (150, 200, 300, 480)),), (), 1280, 960)
>>> describe(scene).text
'Bicycle, about three metres, front left.'
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from kgmm.describe.hazards import Knowledge, hazards
from kgmm.describe.motion import WINDOW, moving
from kgmm.describe.sentences import FAST_WORDS, Sentence, motion, ordered, parts, sentences, urgency
from kgmm.describe.sightings import FIELD_OF_VIEW, Sighting, sightings
from kgmm.errors import KgmmError
from kgmm.scene import SceneGraph

PACE = 2.5  #: words a second of clear speech, 150 a minute
SECONDS = 6.0  #: how long a single scene may be spoken of
URGENT = 2.0  #: seconds to a meeting below which what approaches fast interrupts
LATE = 0.5  #: seconds that what is said of a moment may begin after it

__all__ = ["Description", "Sentence", "Sighting", "describe", "narrate", "say"]


@dataclass(frozen=True)
class Description:
    """What is said of one scene: sentences, how many things are left out, and what distances rest on."""

    sentences: tuple[Sentence, ...]
    left_out: int
    assumptions: tuple[str, ...] = ()
    at: float | None = None  #: seconds into the film
    interrupts: bool = False  #: whether it cuts off what was being said

    @property
    def text(self) -> str:
        """The sentences as one text."""
        return " ".join(sentence.text for sentence in self.sentences)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready data, each thing with its figures and the facts that warn of it."""
        said = [{"text": s.text, "about": [_thing(one) for one in s.about]} for s in self.sentences]
        whole = {"text": self.text, "sentences": said, "left_out": self.left_out, "assumptions": list(self.assumptions)}
        return whole if self.at is None else {"at": self.at, "interrupts": self.interrupts, **whole}


def describe(
    scene: SceneGraph,
    kb: Knowledge | None = None,
    *,
    seconds: float = SECONDS,
    words_per_second: float = PACE,
    field_of_view: float = FIELD_OF_VIEW,
) -> Description:
    """Describe one scene.

    Args:
        scene: what is seen; distances need boxes and the picture's size, or attributes such as ``2 m``.
        kb: a store in which dangers are looked up; without one only attributes that were seen warn.
        seconds: how long it may take to say.
        words_per_second: how fast it is said; at most ``seconds * words_per_second`` words are used.
        field_of_view: degrees that the picture is wide.

    Raises:
        KgmmError: if a number is not above 0, or the field of view 180 degrees or more.
    """
    _check(seconds, words_per_second, field_of_view)
    return say(_known(scene, kb, field_of_view), int(seconds * words_per_second), _assumed(field_of_view))


def narrate(
    moments: Iterable[tuple[float, SceneGraph]],
    kb: Knowledge | None = None,
    *,
    words_per_second: float = PACE,
    field_of_view: float = FIELD_OF_VIEW,
    seconds: float = SECONDS,
    tracked: bool = True,
) -> list[Description]:
    """Describe scenes of a film as they come: how things move, and only what is new, moves otherwise or has come much nearer.

    What is said at a moment ends before the next one, but for one whole sentence, which may take longer; then moments pass in silence
    until it is said. So there are never more words than *words_per_second* on the average. The last moment has *seconds*. What
    approaches fast and is less than :data:`URGENT` seconds away interrupts: what was not said in full yet counts as not told.

    Args:
        moments: seconds and scene, in order of time.
        kb: as for :func:`describe`, and so are words_per_second, field_of_view.
        tracked: whether an object's id is the same thing in all scenes; else names and overlapping boxes tell.

    Raises:
        KgmmError: as :func:`describe`, or if times do not grow.
    """
    _check(seconds, words_per_second, field_of_view)
    film = list(moments)
    times = [time for time, _ in film]
    if any(not math.isfinite(time) for time in times) or any(b <= a for a, b in pairwise(times)):
        raise KgmmError("the times of a film's scenes must be numbers that grow from one scene to the next")
    past: list[tuple[float, list[Sighting]]] = []
    told: dict[str, tuple[tuple[str, ...], float]] = {}
    found: list[Description] = []
    free, spoken = -math.inf, list[tuple[float, Sentence]]()  # until when is spoken, and when each sentence ends
    for (time, scene), end in zip(film, [*times[1:], times[-1] + seconds] if film else [], strict=True):
        past = [moment for moment in past if time - moment[0] <= WINDOW]
        past.append((time, _known(scene, kb, field_of_view)))
        news = ordered(one for one in moving(past, tracked) if _is_new(one, told, tracked))
        start = max(time, free)
        interrupts = start > time and bool(news) and motion(news[0]) == FAST_WORDS and urgency(news[0]) < URGENT
        if interrupts:
            start = time
            for one in (one for ends, sentence in spoken if ends > time for one in sentence.about):
                told.pop(_key(one, tracked), None)
        words = 0
        if news and start - time <= LATE:
            words = max(int((end - start) * words_per_second + 1e-9), sentences(news, sys.maxsize)[0].words)
        said = say(news, words, _assumed(field_of_view))
        if said.sentences:
            spoken, free = [], start
            for sentence in said.sentences:
                free += sentence.words / words_per_second
                spoken.append((free, sentence))
        told.update((_key(one, tracked), (parts(one)[1:], urgency(one))) for s in said.sentences for one in s.about)
        found.append(replace(said, at=time, interrupts=interrupts))
    return found


def say(things: Sequence[Sighting], words: int, assumed: str = "") -> Description:
    """Say things in order of urgency with at most so many words; *assumed* is what estimated distances rest on.

    Example:
        >>> say([Sighting("tree", 9.0, 0.0), Sighting("bicycle", 2.0, -15.0, speed=1.0)], 20).text
        'Bicycle, two metres, front left, approaching. Tree, nine metres, ahead.'
    """
    order = ordered(things)
    said = sentences(order, words)
    about = [one for sentence in said for one in sentence.about]
    why = [assumed] if assumed and any(one.how in ("estimated", "within") for one in about) else []
    if any(one.how == "by size" and one.size for one in about):
        why.append("near and far are by a box's part of the picture's height, where the size of a thing is not known")
    if any(one.holder for one in about):
        why.append("what is in or on something, held or worn, is taken to be as far as that")
    return Description(tuple(said), len(order) - len(about), tuple(why))


def _known(scene: SceneGraph, kb: Knowledge | None, field_of_view: float) -> list[Sighting]:
    warned = []
    attributes = {o.id: o.attributes for o in scene.objects}
    for one in sightings(scene, field_of_view):
        found = hazards(kb or _Nothing(), (one.name, *one.aliases), attributes[one.id])
        warned.append(replace(one, hazards=found))
    return warned


class _Nothing:
    """Knowledge of nothing."""

    def find(self, subject: str | None = None, predicate: str | None = None, object: str | None = None) -> list[Any]:
        """Return no facts."""
        return []


def _key(one: Sighting, tracked: bool) -> str:
    """Return what tells a thing from others that were told of: its track, else only its name."""
    return f"{one.name} {one.id}" if tracked else one.name


def _is_new(one: Sighting, told: dict[str, tuple[tuple[str, ...], float]], tracked: bool) -> bool:
    before = told.get(_key(one, tracked))
    return before is None or before[0] != parts(one)[1:] or urgency(one) < before[1] / 2


def _assumed(field_of_view: float) -> str:
    return f"estimated distances take things for as high as usual and the picture for {field_of_view:g} degrees wide"


def _check(seconds: float, words_per_second: float, field_of_view: float) -> None:
    if not (0 < seconds < math.inf and 0 < words_per_second < math.inf):
        raise KgmmError(f"seconds and words a second must be above 0, not {seconds:g} and {words_per_second:g}")
    if not 0 < field_of_view < 180:
        raise KgmmError(f"a picture is more than 0 and less than 180 degrees wide, not {field_of_view:g}")


def _thing(one: Sighting) -> dict[str, Any]:
    def rounded(value: float | None) -> float | None:
        return None if value is None else round(value, 2)

    warned = [
        {"word": word, "facts": [[f.subject, f.predicate, f.object] for f in facts]} for word, facts in one.hazards
    ]
    numbers = {key: rounded(getattr(one, key)) for key in ("distance", "bearing", "speed", "contact", "sideways")}
    return {
        "id": one.id,
        "name": one.name,
        **numbers,
        "how": one.how,
        "size": one.size,
        "holder": one.holder,
        "hazards": warned,
    }
