"""Films whose moments people have scored: TVSum's table of annotations, and the field's HDF5 layout."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import BadInput, needed
from kgmm.files import file_at, read_json

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LONGEST = 2_000_000  #: frames of a film at most: eighteen hours
SUFFIXES = (".h5", ".hdf5")


@dataclass(frozen=True, eq=False)
class Annotated:
    """A film that people have scored or summarized."""

    name: str
    frames: int  #: of the film
    #: (people, frames): how much each frame matters to each, or 1 where it is in one's summary
    people: Floats
    summaries: bool = False  #: whether *people* are summaries, 0 or 1
    category: str = ""
    #: what HDF5 files have besides; ``starts`` of segments and the end, (segments + 1,)
    starts: Ints | None = None
    picks: Ints = field(default_factory=lambda: np.empty(0, np.int64))  #: the frames that have features, ascending
    features: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), np.float32))  #: (picks, d)
    importance: Floats = field(default_factory=lambda: np.empty(0))  #: ``gtscore``, (picks,)


def read_annotated(path: str | Path) -> list[Annotated]:
    r"""Read films with what people made of them.

    A table (TSV, ``.gz`` too) has a line for each film and person: film, category, scores by commas, one for each
    frame. An HDF5 file (``.h5``) has a group for each film, as vsLSTM's and its followers' data have: ``user_summary``
    (people, frames), ``n_frames``, ``change_points`` (segments, 2; the last frame counts), ``picks``, ``features``
    (picks, d), ``gtscore`` (picks,), and ``user_scores`` (people, frames) where it is known.

    Raises:
        BadInput: if it cannot be read, naming the line or the film.
        MissingExtra: if an HDF5 file is read without h5py.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "a.tsv"
        >>> _ = file.write_text("f\tVT\t1,1,5,5\nf\tVT\t2,1,4,5\n")
        >>> [(film.name, film.people.shape) for film in read_annotated(file)]
        [('f', (2, 4))]
    """
    place = file_at(path, "file of annotated films")
    films = list(_hdf5(place)) if place.suffix.lower() in SUFFIXES else _table(place)
    if not films:
        raise BadInput(place, "holds no film")
    return films


def read_splits(path: str | Path) -> list[tuple[list[str], list[str]]]:
    """Read splits as JSON: a list of objects with ``train_keys`` and ``test_keys``, the names of films.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "splits.json"
        >>> _ = file.write_text('[{"train_keys": ["a"], "test_keys": ["data/b"]}]')
        >>> read_splits(file)
        [(['a'], ['b'])]
    """
    found = read_json(path)
    try:
        sides = [
            [[str(name).rsplit("/", 1)[-1] for name in s[key]] for key in ("train_keys", "test_keys")] for s in found
        ]
    except (TypeError, KeyError) as error:
        raise BadInput(path, "is no list of splits with train_keys and test_keys") from error
    return [(train, test) for train, test in sides]


def _table(place: Path) -> list[Annotated]:
    found: dict[str, tuple[str, list[Floats]]] = {}
    try:
        with _text(place) as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    _add(found, place, number, line)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise BadInput(place, f"cannot be read: {error}") from error
    return [Annotated(name, len(rows[0]), np.stack(rows), category=kind) for name, (kind, rows) in found.items()]


def _text(place: Path) -> TextIO:
    return gzip.open(place, "rt", encoding="utf-8") if place.suffix == ".gz" else place.open(encoding="utf-8")


def _add(found: dict[str, tuple[str, list[Floats]]], place: Path, number: int, line: str) -> None:
    fields = line.rstrip("\r\n").split("\t")
    if len(fields) != 3:
        raise BadInput(place, f"expected film, category and scores, found {len(fields)} columns", line=number)
    name, category, scores = fields
    if name in ("video_id", "film") and not scores[:1].isdigit():
        return
    try:
        row = np.array(scores.split(","), np.float64)
    except ValueError as error:
        raise BadInput(place, "a score is no number", line=number) from error
    rows = found.setdefault(name, (category, []))[1]
    if not np.isfinite(row).all() or len(row) > LONGEST:
        raise BadInput(place, "a score is not finite, or the film is too long", line=number)
    if rows and len(row) != len(rows[0]):
        raise BadInput(place, f"{len(row)} scores, where others give {name} {len(rows[0])}", line=number)
    rows.append(row)


def _hdf5(place: Path) -> Iterator[Annotated]:
    with needed("h5py", "video"):
        import h5py
    try:
        with h5py.File(place, "r") as file:
            for name in sorted(file):
                yield _film(place, name, file[name])
    except OSError as error:
        raise BadInput(place, f"is no HDF5 file that can be read: {error}") from error


def _film(place: Path, name: str, group: Any) -> Annotated:
    def bad(reason: str) -> BadInput:
        return BadInput(place, f"film {name}: {reason}")

    def array(key: str, dimensions: int) -> NDArray[Any] | None:
        if key not in group:
            return None
        found = group[key]
        if (
            getattr(found, "ndim", None) != dimensions
            or found.dtype.kind not in "biuf"
            or max(found.shape, default=0) > LONGEST
        ):
            raise bad(f"{key} is no array of {dimensions} dimensions of numbers")
        values = np.asarray(found[()])
        if not np.isfinite(values).all():
            raise bad(f"{key} has numbers that are not finite")
        return values

    if not hasattr(group, "keys"):
        raise bad("is no group")
    scored, summed = array("user_scores", 2), array("user_summary", 2)
    people = summed if scored is None else scored
    if people is None or not people.size:
        raise bad("has no user_summary")
    count = array("n_frames", 0)
    frames = people.shape[1] if count is None else int(count)
    if not 0 < frames <= people.shape[1]:
        raise bad(f"n_frames is {frames}, user_summary has {people.shape[1]}")
    points, starts = array("change_points", 2), None
    if points is not None:
        if points.shape[1] != 2 or not len(points) or points[0, 0] != 0 or (points[:, 0] > points[:, 1]).any():
            raise bad("change_points are no segments from the first frame on")
        if not np.isin(points[1:, 0] - points[:-1, 1], (0, 1)).all():
            raise bad("change_points are no segments one after the other")
        first = np.unique(points[:, 0].astype(np.int64))
        starts = np.append(first[first < frames], frames)
    picks, features, importance = array("picks", 1), array("features", 2), array("gtscore", 1)
    lengths = {len(part) for part in (picks, features, importance) if part is not None}
    if len(lengths) > 1:
        raise bad("picks, features and gtscore are of different lengths")
    given: dict[str, Any] = {"starts": starts}
    if picks is not None:
        given["picks"] = picks.astype(np.int64)
    if features is not None:
        given["features"] = features.astype(np.float32)
    if importance is not None:
        given["importance"] = importance.astype(np.float64)
    return Annotated(name, frames, people[:, :frames].astype(np.float64), scored is None, **given)


def read_scores(path: str | Path) -> dict[str, Floats]:
    """Read scores as JSON: an object with a list of numbers for each film's name.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "scores.json"
        >>> _ = file.write_text('{"a": [0.5, 1]}')
        >>> read_scores(file)["a"].tolist()
        [0.5, 1.0]
    """
    found = read_json(path)
    try:
        return {name: np.asarray(row, np.float64) for name, row in found.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise BadInput(path, "holds no object with a list of numbers for each film") from error
