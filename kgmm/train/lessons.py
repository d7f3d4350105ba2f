"""Lessons for networks that summarize films: films as tensors, each with what people kept, asked for, or chose as its picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch

from kgmm.data.annotated_films import SUFFIXES, Annotated, read_annotated, read_splits
from kgmm.data.noted_films import NotedFilm, read_noted
from kgmm.encode.text import text_encoder
from kgmm.errors import BadInput
from kgmm.nn.film import FilmTensors
from kgmm.progress import Progress, silent
from kgmm.stories.films import RATE
from kgmm.stories.footage.consensus import Bools, asked_first, consensus
from kgmm.stories.footage.footage import Footage, look_at
from kgmm.stories.footage.kept import cache_folder
from kgmm.stories.skimming.tensors import film_tensors
from kgmm.stories.skimming.wanted import wanted

if TYPE_CHECKING:
    from kgmm.store import LocalStore

T = TypeVar("T", Annotated, NotedFilm)
QUERIED = ("shdpp", "query-memory")  #: methods that learn from what was asked for
HELD = 1000  #: the first seed of films that are drawn to judge, not to learn from
DEV = 5  #: every fifth film judges, and is not learned from


@dataclass(frozen=True, eq=False)
class Lesson:
    """A film as a network sees it, with the labels it learns from, and what judges it."""

    tensors: FilmTensors
    people: Bools  #: (people, n): what each of them keeps
    asked: Bools | None = None  #: (n,): moments that show what was asked for


@dataclass(frozen=True)
class Lessons:
    """What a network learns from, and what its training is judged by; films of the one are not in the other."""

    train: tuple[Lesson, ...]
    dev: tuple[Lesson, ...]
    concepts: tuple[str, ...]  #: names of the concepts that the films' tensors have


def lessons(
    data: str | Path,
    method: str,
    *,
    kb: LocalStore | None = None,
    splits: str | Path | None = None,
    split: int = 0,
    progress: Progress = silent,
) -> Lessons:
    """Return what a method learns from: an HDF5 file in the field's layout, or a folder of films with notes.

    Args:
        data: ``.h5``, as :func:`~kgmm.data.annotated_films.read_annotated` reads it, or a folder or file of
            :func:`~kgmm.data.noted_films.read_noted`.
        method: of :data:`kgmm.nn.film_networks.NETWORKS`.
        kb: widens what is asked for.
        splits: JSON with ``train_keys`` and ``test_keys``; only the former of number *split* are read.

    Raises:
        BadInput: if data cannot be read, or there are too few films or too little in them to learn the method from.
    """
    place = Path(data).expanduser()
    if place.suffix.lower() in SUFFIXES:
        if method in (*QUERIED, "dsse"):
            raise BadInput(place, f"{method} learns from queries or titles, which HDF5 files of features do not have")
        films = chosen_films(read_annotated(place), splits, split, place)
        made = [[annotated_lesson(film)] for film in films]
        names: tuple[str, ...] = ()
    else:
        noted = chosen_films(read_noted(place), splits, split, place)
        made = []
        for number, film in enumerate(noted):
            footage = look_at(film.video, film.subtitles)
            names = footage.concepts
            made.append(noted_lessons(film, footage, method, kb))
            progress(number + 1, len(noted), "looking at films")
    dev = made[DEV - 1 :: DEV]
    train = [one for number, one in enumerate(made) if number % DEV != DEV - 1]
    parts = tuple(tuple(lesson for film in part for lesson in film) for part in (train, dev))
    if not all(parts):
        raise BadInput(place, f"{len(made)} films with what {method} learns from; {DEV} are needed, a fifth judges")
    return Lessons(parts[0], parts[1], names)


def planted(films: int, progress: Progress = silent, *, held: bool = False) -> Path:
    """Return the notes of films drawn by the seeds from 0 on, *held* out ones from 1000 on, kept in the user's cache.

    Raises:
        BadInput: if so many are asked for that the seeds of both would meet.
    """
    from kgmm.stories.example.filming import film_planted
    from kgmm.stories.example.scripts import VERSION

    if films > HELD:
        raise BadInput("films", f"{films} are above {HELD}")
    first = HELD if held else 0
    place = cache_folder().parent / f"planted-{VERSION}" / ("held" if held else "learned")
    return film_planted(place, range(first, first + films), progress=progress)


def chosen_films(
    films: Sequence[T], splits: str | Path | None, split: int, place: Path, *, test: bool = False
) -> list[T]:
    """Return the films of one side of a split, in their order; all of them without splits."""
    if splits is None:
        return list(films)
    known = read_splits(splits)
    if not 0 <= split < len(known):
        raise BadInput(splits, f"has {len(known)} splits, numbered from 0; there is none {split}")
    names = set(known[split][test])
    found = [film for film in films if film.name in names]
    if not found:
        raise BadInput(splits, f"none of the films of {place} is in split {split}")
    return found


def annotated_footage(film: Annotated) -> Footage:
    """Return a film of the field's layout as numbers: a moment a pick; segments are those of its change points.

    Raises:
        BadInput: if it has no features or change points.
    """
    if not film.features.size or film.starts is None or len(film.features) != len(film.picks):
        raise BadInput(film.name, "has no features with picks and change points")
    inside = film.picks < film.frames
    picks = film.picks[inside]
    if not len(picks) or (np.diff(picks) <= 0).any():
        raise BadInput(film.name, "its picks do not rise")
    edges = np.unique(np.append(np.searchsorted(picks, film.starts[:-1]), [0, len(picks)]))
    return Footage(film.features[inside], Path(film.name), times=picks / 30.0, edges=edges[edges <= len(picks)])


def annotated_lesson(film: Annotated) -> Lesson:
    """Return what is learned from a film of the field's layout."""
    footage = annotated_footage(film)
    people = film.people[:, film.picks[film.picks < film.frames]]
    own = people > 0 if film.summaries else asked_first(people, footage.edges, RATE)
    worth = torch.from_numpy(people.mean(axis=0))
    made = replace(film_tensors(footage), importance=worth, chosen=consensus(own, footage.edges))
    return Lesson(made, own)


def noted_lessons(film: NotedFilm, footage: Footage, method: str, kb: LocalStore | None = None) -> list[Lesson]:
    """Return what a method learns from a film with notes: one lesson, one a query, or one for words chosen by people."""
    seen = film.annotated(footage)
    if method == "dsse":
        return _pictured(film, footage, seen.people)
    own = asked_first(seen.people, footage.edges, RATE)
    worth = torch.from_numpy(seen.people.mean(axis=0))
    plain = replace(film_tensors(footage), importance=worth, chosen=consensus(own, footage.edges))
    if method not in QUERIED and method != "policy":
        return [Lesson(plain, own)]
    made = [Lesson(plain, own)] if method == "policy" else []
    for query in list(film.queries)[: 1 if method == "policy" else None]:  # its reward needs few of them, and is dear
        asked = film.asked(query, footage)
        want = wanted(query, footage.concepts, kb)
        if not asked.any():
            continue
        keep = asked_first(seen.people, footage.edges, RATE, asked)
        chosen = consensus(keep, footage.edges)
        first, end = footage.edges[:-1], footage.edges[1:]
        for_query = tuple(i for i in chosen if asked[first[i] : end[i]].mean() > 0.5)
        told = replace(film_tensors(footage, wanted=want), features=plain.features)  # all queries share the film's
        tensors = replace(told, importance=worth, chosen=chosen, asked=for_query)
        made.append(Lesson(tensors, keep, asked))
    return made


def _pictured(film: NotedFilm, footage: Footage, people: np.ndarray) -> list[Lesson]:
    """Return a lesson for the title and each other words, of the middles of the film's shots: which were chosen for them."""
    shots = film.shot_at(footage)
    numbers = np.unique(shots)
    middle = np.array([np.flatnonzero(shots == number)[np.sum(shots == number) // 2] for number in numbers])
    pairs = [(film.title, film.thumbnail)] if film.title and film.thumbnail is not None else []
    lessons = []
    plain, pairs = film_tensors(footage), [pair for pair in (*pairs, *film.clicks) if pair[0].strip()]
    texts = torch.from_numpy(text_encoder().encode([words for words, _ in pairs]).astype(np.float64)) if pairs else ()
    for (_, shot), text in zip(pairs, texts, strict=True):
        at = np.flatnonzero(numbers == shot)
        if not len(at):
            continue
        known = None if plain.concepts is None else plain.concepts[middle]
        shown = (int(at[0]),)
        tensors = FilmTensors(plain.features[middle], None, film.name, concepts=known, title_text=text, pictured=shown)
        lessons.append(Lesson(tensors, people[:, middle] > 0))
    return lessons
