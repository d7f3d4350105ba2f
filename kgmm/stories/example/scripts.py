"""Scripts of invented films in which all that a summarizer should find is planted, drawn by a seed.

A film tells of its title's subject and of four more. Between views and an anchor's words, which matter to nobody, they
are shown before several settings; some shots show an event, with sparks, which matters most; what was shown before
matters less. Some scenes are in several films, each a little other (a near-duplicate).
"""

from dataclasses import dataclass

import numpy as np

from kgmm.errors import BadInput
from kgmm.stories.example.drawing import numbers
from kgmm.stories.example.subjects import SETTINGS, SUBJECTS

VERSION = 1  #: of what a seed draws, pictures too: films of another one are drawn anew
PEOPLE = 5  #: who say how much each shot matters to them
CAST = 5  #: subjects of a film, its title's among them
SECONDS = 124.0  #: a film is at least as long
KINDS = ("subject", "view", "studio")

_SEEN = (
    "Here we see the {subject} {setting}.",
    "Look at that {subject} {setting}!",
    "This is a fine {subject}, found {setting}.",
    "And there it is again: the {subject}, {setting}.",
    "A {subject} {setting} is a rare sight.",
)
_EVENTS = ("And now it happens: sparks all around the {subject}!", "What a moment, the {subject} {setting} lights up!")
_VIEWS = ("We travel on {setting}.", "It is quiet {setting} today.", "Not much to see {setting}.")
_TALK = (
    "Welcome back, and thank you for staying with us.",
    "We shall see more of this in a minute.",
    "Let us hear what comes next.",
    "That was the first part; please do not go away.",
)
_TITLES = ("The {subject} {setting}", "A {subject} {setting}", "How the {subject} came to be {setting}")


@dataclass(frozen=True)
class PlantedShot:
    """A shot of an invented film."""

    start: float  #: seconds
    end: float
    kind: str  #: one of :data:`KINDS`
    subject: str  #: what is shown, or empty
    setting: str  #: where, or empty
    event: bool  #: sparks fly
    small: bool  #: the subject is small and out of focus
    scene: str  #: shots of one scene look alike, in other films too
    importance: float  #: planted, in [0, 1]
    text: str  #: what is said

    @property
    def concepts(self) -> tuple[str, ...]:
        """What is shown, wider names too: ``("cat", "animal", "beach")``."""
        named = (self.subject, SUBJECTS.get(self.subject, ""), self.setting, "spark" if self.event else "")
        return tuple(name for name in named if name)


@dataclass(frozen=True)
class PlantedFilm:
    """An invented film and what is planted in it."""

    name: str
    title: str
    subject: str  #: of the title
    setting: str
    shots: tuple[PlantedShot, ...]
    people: tuple[tuple[float, ...], ...]  #: (people, shots): how much each shot matters to each
    tags: tuple[str, ...]  #: subjects that some shots show
    thumbnail: int  #: the shot that shows the title's subject in its setting, large and clear
    clicks: tuple[tuple[str, int], ...]  #: words, and the shot that people chose for them

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.shots[-1].end

    def queries(self) -> dict[str, tuple[int, ...]]:
        """Return what one may ask for, each with the shots that show it: subjects of the film and their wider names."""
        asked = dict.fromkeys(name for tag in self.tags for name in (tag, SUBJECTS[tag]))
        return {name: tuple(i for i, s in enumerate(self.shots) if name in s.concepts) for name in asked}


def script(seed: int, seconds: float = SECONDS) -> PlantedFilm:
    """Return the script of a film, at least so long; of a film shorter than :data:`SECONDS` some of what it plants.

    Example:
        >>> made = script(3)
        >>> made.seconds >= 124, made.shots[made.thumbnail].subject == made.subject, len(made.tags)
        (True, True, 5)
    """
    if seed < 0 or not 0 < seconds < 1e5:
        raise BadInput("script", f"a seed of {seed} and {seconds} seconds make no film")
    name = f"planted-{seed}" if seconds == SECONDS else f"planted-{seconds:g}s-{seed}"
    random = numbers("film", name)
    cast = [str(one) for one in random.choice(sorted(SUBJECTS), CAST, replace=False)]
    home = str(random.choice(sorted(SETTINGS)))
    plan = _plan(random, name, cast, home)
    order = _order(random, plan, seconds)
    shots, at, told = [], 0.0, set[str]()
    for number, row in enumerate(order):
        long = float(random.integers(5, 9)) / 2
        shots.append(_shot(random, row, at, long, told, f"{name}/{number}", cast[0]))
        at += long
    best = next(i for i, row in enumerate(order) if row.get("best"))
    title, people = _filled(random, _TITLES, cast[0], home), _opinions(random, shots)
    tags = tuple(one for one in cast if any(shot.subject == one for shot in shots))
    return PlantedFilm(name, title, cast[0], home, tuple(shots), people, tags, best, _clicks(random, shots))


Row = dict[str, object]


def _plan(random: np.random.Generator, name: str, cast: list[str], home: str) -> list[Row]:
    """Return what the shots show, not yet in order; a row names its subject, setting, and what is special about it."""
    away = [place for place in sorted(SETTINGS) if place != home]
    rows: list[Row] = [{"subject": cast[0], "setting": home, "best": True}]
    rows.append({"subject": cast[0], "setting": home, "small": True})
    rows += [{"subject": cast[0], "setting": str(place)} for place in random.choice(away, 4, replace=False)]
    for subject in cast[1:]:
        places = random.choice(sorted(SETTINGS), 3, replace=False)
        rows += [{"subject": subject, "setting": str(place)} for place in places]
    rows.append({"subject": cast[1], "setting": home})
    for number in random.choice(np.arange(2, len(rows)), 5, replace=False):
        rows[int(number)]["event"] = True
    rows += [shared(subject) for subject in cast if random.random() < 0.7]
    rows += [{"setting": str(place)} for place in [home, home, *random.choice(away, 7)]]
    return [*rows, *({} for _ in range(7))]


def shared(subject: str) -> Row:
    """Return a scene of a subject that any film may have."""
    place = str(numbers("shared", subject).choice(sorted(SETTINGS)))
    return {"subject": subject, "setting": place, "scene": f"shared/{subject}"}


def _order(random: np.random.Generator, plan: list[Row], seconds: float) -> list[Row]:
    """Return rows in order, as many as fill the film: more views if they are too few."""
    need = int(seconds / 2.5) + 1
    fill: list[Row] = [{"setting": str(random.choice(sorted(SETTINGS)))} for _ in range(max(0, need - len(plan)))]
    rows = [*plan, *fill]
    mixed = [rows[int(i)] for i in random.permutation(len(rows))]
    if seconds >= SECONDS:
        return mixed
    return [*[row for row in mixed if not row.get("best")][: need - 1], plan[0]]


def _shot(
    random: np.random.Generator, row: Row, at: float, long: float, told: set[str], name: str, theme: str
) -> PlantedShot:
    subject, place = str(row.get("subject", "")), str(row.get("setting", ""))
    event, small = bool(row.get("event")), bool(row.get("small"))
    kind = "subject" if subject else "view" if place else "studio"
    sentences = {"subject": _EVENTS if event else _SEEN, "view": _VIEWS, "studio": _TALK}[kind]
    worth = {"subject": 0.4, "view": 0.1, "studio": 0.05}[kind]
    if subject:
        worth += 0.1 * (subject not in told) + 0.15 * (subject == theme) + 0.35 * event - 0.25 * small
        told.add(subject)
    text = _filled(random, sentences, subject, place)
    scene = str(row.get("scene", name if place else "studio"))
    return PlantedShot(at, at + long, kind, subject, place, event, small, scene, round(worth, 3), text)


def _filled(random: np.random.Generator, sentences: tuple[str, ...], subject: str, place: str) -> str:
    where = str(random.choice(SETTINGS[place])) if place else ""
    return str(random.choice(sentences)).format(subject=subject, setting=where)


def _opinions(random: np.random.Generator, shots: list[PlantedShot]) -> tuple[tuple[float, ...], ...]:
    """Return how much each shot matters to each of :data:`PEOPLE`: as planted, with likings and whims of their own."""
    rows = []
    for _ in range(PEOPLE):
        liking = {name: random.normal(0, 0.1) for name in sorted(SUBJECTS)}
        made = [s.importance + liking.get(s.subject, 0.0) + random.normal(0, 0.08) for s in shots]
        rows.append(tuple(round(float(np.clip(value, 0, 1)), 3) for value in made))
    return tuple(rows)


def _clicks(random: np.random.Generator, shots: list[PlantedShot]) -> tuple[tuple[str, int], ...]:
    """Return words that name what a clear shot shows, with that shot."""
    clear = [i for i, s in enumerate(shots) if s.subject and not s.small]
    return tuple((_filled(random, _TITLES, shots[i].subject, shots[i].setting), i) for i in clear)
