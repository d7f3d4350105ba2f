"""Films with notes of what matters in them, people's own or planted: a folder of videos and ``films.json``."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.data.annotated_films import Annotated
from kgmm.errors import BadInput
from kgmm.files import file_at, read_json
from kgmm.stories.footage.footage import Footage

NOTES = "films.json"
SHOTS = 100_000  #: of a film at most
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class NotedShot:
    """A part of a film."""

    start: float  #: seconds
    end: float
    importance: tuple[float, ...]  #: to each of the people
    concepts: tuple[str, ...] = ()  #: what is shown
    scene: str = ""  #: near-duplicates have one scene


@dataclass(frozen=True)
class NotedFilm:
    """A film and what people noted about it."""

    name: str
    video: Path
    shots: tuple[NotedShot, ...]
    subtitles: Path | None = None
    title: str = ""
    title_images: tuple[Path, ...] = ()
    tags: tuple[str, ...] = ()
    #: what was asked for → the shots that show it
    queries: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    thumbnail: int | None = None  #: the shot that shows best what the film is about
    clicks: tuple[tuple[str, int], ...] = ()  #: words, and the shot chosen for them

    def shot_at(self, footage: Footage) -> NDArray[np.int64]:
        """Return the shot that each moment of the film lies in, shape (n,); the last one that started."""
        starts = np.array([shot.start for shot in self.shots])
        return np.asarray(np.maximum(np.searchsorted(starts, footage.times + 1e-6, "right") - 1, 0), np.int64)

    def annotated(self, footage: Footage) -> Annotated:
        """Return what people made of the film's moments, on the footage's segments."""
        people = np.array([shot.importance for shot in self.shots], np.float64).T
        return Annotated(self.name, len(footage), people[:, self.shot_at(footage)], starts=footage.edges)

    def asked(self, query: str, footage: Footage) -> Bools:
        """Return which moments show what a query asks for, shape (n,).

        Raises:
            BadInput: if nobody asked this.
        """
        if query not in self.queries:
            raise BadInput(self.name, f"nobody asked for {query!r} here")
        return np.isin(self.shot_at(footage), self.queries[query])


def read_noted(path: str | Path) -> list[NotedFilm]:
    r"""Read notes on films, from a folder's ``films.json`` or the file itself.

    ``{"films": [{"video": "a.mp4", "shots": [{"start": 0, "end": 2.5, "importance": [0.1, 0.4]}]}]}``: a number for each
    person. A shot may have ``concepts`` and a ``scene``; a film may have a ``name``, ``subtitles``, a ``title``,
    ``title_images``, ``tags``, ``queries`` (words → numbers of shots), ``thumbnail`` (a shot) and ``clicks``
    (``{"query": …, "shot": …}``). Files lie in the folder.

    Raises:
        BadInput: if it cannot be read, or a film's notes make no sense; the message names the film.

    Example:
        >>> import tempfile
        >>> place = Path(tempfile.mkdtemp())
        >>> shots = '[{"start": 0, "end": 2, "importance": [1]}]'
        >>> _ = (place / "films.json").write_text('{"films": [{"video": "a.mp4", "shots": ' + shots + "}]}")
        >>> _ = (place / "a.mp4").write_bytes(b"")
        >>> [film.name for film in read_noted(place)]
        ['a']
    """
    place = Path(path).expanduser()
    file = file_at(place / NOTES if place.is_dir() else place, "file of films with notes")
    found = read_json(file)
    rows = found.get("films") if isinstance(found, dict) else None
    if not isinstance(rows, list) or not rows:
        raise BadInput(file, 'holds no {"films": [...]}')
    films = [_film(file, number, row) for number, row in enumerate(rows, 1)]
    if len({film.name for film in films}) < len(films):
        raise BadInput(file, "two films have one name")
    return films


def _film(file: Path, number: int, row: Any) -> NotedFilm:
    try:
        video = _inside(file, row["video"])
        name = str(row.get("name", video.stem))
        shots = tuple(_shot(shot) for shot in row["shots"])
        subtitles = row.get("subtitles")
        made = NotedFilm(
            name,
            video,
            shots,
            None if subtitles is None else _inside(file, subtitles),
            str(row.get("title", "")),
            tuple(_inside(file, image) for image in row.get("title_images", ())),
            tuple(str(tag) for tag in row.get("tags", ())),
            {str(query): tuple(int(i) for i in shown) for query, shown in row.get("queries", {}).items()},
            None if row.get("thumbnail") is None else int(row["thumbnail"]),
            tuple((str(click["query"]), int(click["shot"])) for click in row.get("clicks", ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        what = f"lacks {error}" if isinstance(error, KeyError) else f"has what does not belong there: {error}"
        raise BadInput(file, f"film {number} {what}") from error
    _check(file, number, made)
    return made


def _inside(file: Path, name: Any) -> Path:
    """Return a file beside *file* by its relative name; ValueError if it is elsewhere or not there."""
    place = file.parent / str(name)
    if not place.resolve().is_relative_to(file.parent.resolve()):
        raise ValueError(f"{str(name)[:80]!r} lies outside the folder")
    if not place.is_file():
        raise ValueError(f"there is no file {str(name)[:80]!r}")
    return place


def _shot(row: Any) -> NotedShot:
    value = row["importance"]
    people = tuple(float(one) for one in (value if isinstance(value, list) else [value]))
    concepts = tuple(str(one) for one in row.get("concepts", ()))
    return NotedShot(float(row["start"]), float(row["end"]), people, concepts, str(row.get("scene", "")))


def _check(file: Path, number: int, film: NotedFilm) -> None:
    shots = film.shots
    wrong = ""
    if not 0 < len(shots) <= SHOTS:
        wrong = f"{len(shots)} shots"
    elif len({len(shot.importance) for shot in shots}) != 1 or not shots[0].importance:
        wrong = "its shots do not have a number for each person"
    elif not _rising(shots):
        wrong = "its shots do not follow one another in time"
    elif not all(math.isfinite(value) for shot in shots for value in shot.importance):
        wrong = "an importance is not finite"
    named = [film.thumbnail or 0, *(shot for _, shot in film.clicks), *(i for q in film.queries.values() for i in q)]
    if not wrong and any(not 0 <= i < len(shots) for i in named):
        wrong = f"it names a shot that is none of its {len(shots)}"
    if wrong:
        raise BadInput(file, f"film {number} ({film.name}): {wrong}")


def _rising(shots: Sequence[NotedShot]) -> bool:
    ends = [(shot.start, shot.end) for shot in shots]
    whole = all(0 <= start < end < math.inf for start, end in ends)
    return whole and all(a[1] <= b[0] + 0.05 for a, b in itertools.pairwise(ends))
