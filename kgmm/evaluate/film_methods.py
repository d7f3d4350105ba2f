"""Judge film summarizers by what people noted: each method beside random scores and people, never by F alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kgmm.data.annotated_films import Annotated
from kgmm.data.noted_films import NotedFilm
from kgmm.encode.image import image_encoder
from kgmm.errors import BadInput
from kgmm.evaluate.asked import Asked
from kgmm.evaluate.skims import DRAWS, by_frame, evaluate
from kgmm.progress import Progress, silent
from kgmm.stories.films import RATE
from kgmm.stories.footage.consensus import asked_first, taken
from kgmm.stories.footage.footage import Footage, look_at
from kgmm.stories.skimming.judging import METHODS, judge
from kgmm.stories.skimming.request import Judged, Request
from kgmm.train.lessons import QUERIED, annotated_footage

if TYPE_CHECKING:
    from kgmm.store import LocalStore

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class How:
    """How a method is asked."""

    weights: Path | None = None  #: of a learned method; None: those that ship
    kb: "LocalStore | None" = None  #: widens queries
    title: bool = True  #: whether the films' titles and title pictures are given to methods that use them
    rate: float = RATE
    seed: int = 0


def judge_noted(
    films: Sequence[NotedFilm], method: str, how: How | None = None, *, progress: Progress = silent
) -> dict[str, Any]:
    """Return the figures of a method on films with notes, as :func:`kgmm.evaluate.skims.evaluate` gives them.

    A method that is asked (``shdpp``, ``query-memory``) is asked each of the films' queries, and compared with what
    people keep for it: what was asked for first. Then there are also ``asked_f``, of the parts that show it, and
    ``matching_f``, of shots matched by their concepts, both with ``random_`` and ``people_`` (each person against the
    summary by the mean of the others) beside them. A method that uses titles also has ``thumbnail_first``: the share
    of films whose best segment lies in the shot noted as thumbnail.

    Args:
        films: with notes.
        method: of :func:`kgmm.stories.skimming.judging.methods`.
        how: what it is given; by default what ships, no store, and the films' titles.

    Raises:
        BadInput: if a film cannot be read, or a method that is asked has no queries to be asked.
        KgmmError: if there is no such method.
    """
    how = how or How()
    looked = []
    for number, film in enumerate(films):
        looked.append(look_at(film.video, film.subtitles))
        progress(number + 1, len(films), "looking at films")
    if method in QUERIED:
        return judge_queries(films, looked, method, how)
    made = judged(films, looked, method, how)
    seen = [film.annotated(footage) for film, footage in zip(films, looked, strict=True)]
    found = _evaluated(seen, looked, made, how)
    if how.title and "title" in METHODS.module(method.replace("-", "_")).USES:
        found |= thumbnails(films, looked, made)
    return found


def judged(films: Sequence[NotedFilm], looked: Sequence[Footage], method: str, how: How) -> list[Judged]:
    """Return what a method that is not asked makes of films; all of them at once if it looks for their tags."""
    uses = METHODS.module(method.replace("-", "_")).USES if method.replace("-", "_") in METHODS.names() else ()
    common: dict[str, Any] = {"rate": how.rate, "kb": how.kb, "seed": how.seed}
    common["weights"] = how.weights if "weights" in uses else None
    if "tags" in uses:
        return judge(method, Request(tuple(looked), tags=tuple(film.tags for film in films), **common))
    made = []
    for film, footage in zip(films, looked, strict=True):
        given: dict[str, Any] = {}
        if how.title and "title" in uses and film.title:
            given["title"] = film.title
        if how.title and "title_images" in uses and film.title_images:
            given["title_images"] = image_encoder().encode_images(list(film.title_images))
        made += judge(method, Request((footage,), **given, **common))
    return made


def judge_queries(
    films: Sequence[NotedFilm], looked: Sequence[Footage], method: str, how: How, blind: bool = False
) -> dict[str, Any]:
    """Return the figures of a method on all queries; of a *blind* one, which is not told them."""
    seen, footages, made, rows = [], [], [], []
    random = np.random.default_rng(how.seed)
    for film, footage in zip(films, looked, strict=True):
        once = judged([film], [footage], method, how) if blind else []
        for query in film.queries:
            request = Request((footage,), query=query, rate=how.rate, kb=how.kb, weights=how.weights)
            answer = once[0] if blind else judge(method, request)[0]
            plain = film.annotated(footage)
            own = asked_first(plain.people, footage.edges, how.rate, film.asked(query, footage))
            asked = Asked.of(film, footage, query, own)
            summary = taken(answer.worth, footage.edges, how.rate)
            rows.append({**asked.figures(summary), **_beside(asked, plain.people, footage, how.rate, random)})
            wanted = plain.people + 10 * max(1.0, float(np.abs(plain.people).max())) * asked.shown
            seen.append(replace(plain, name=f"{film.name}: {query}", people=wanted))
            footages.append(footage)
            made.append(answer)
    if not rows:
        raise BadInput(method, "is asked, and the films' notes have no queries")
    found = _evaluated(seen, footages, made, how)
    found["queries"], found["films"] = len(rows), len(films)
    return found | {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _beside(
    asked: Asked, people: Floats, footage: Footage, rate: float, random: np.random.Generator
) -> dict[str, float]:
    """Return ``asked_f`` and ``matching_f`` of random summaries, and of each person by the mean of the others."""
    drawn = [asked.figures(taken(row, footage.edges, rate)) for row in random.random((DRAWS, len(footage.edges) - 1))]
    found = {f"random_{name}": float(np.mean([row[name] for row in drawn])) for name in drawn[0]}
    if len(people) < 2:
        return found
    rest = (people.sum(axis=0) - people) / (len(people) - 1)
    others = []
    for number, row in enumerate(rest):
        summary = asked_first(row[None], footage.edges, rate, asked.shown)[0]
        others.append(replace(asked, people=asked.people[[number]]).figures(summary))
    return found | {f"people_{name}": float(np.mean([row[name] for row in others])) for name in others[0]}


def judge_features(
    films: Sequence[Annotated], method: str, how: How | None = None, *, segments: str = "kts", size: int = 60
) -> dict[str, Any]:
    """Return the figures of a method on the features of films in the field's HDF5 layout.

    Raises:
        BadInput: if a film has no features, picks or change points.
    """
    how = how or How()
    scores, worth = {}, {}
    for film in films:
        footage = annotated_footage(film)
        request = Request((footage,), rate=how.rate, kb=how.kb, weights=how.weights, seed=how.seed)
        found = judge(method, request)[0]
        thin = replace(film, picks=film.picks[film.picks < film.frames])
        scores[film.name] = by_frame(found.moments, thin)
        worth[film.name] = by_frame(found.worth[_segment_of(footage)], thin)
    return evaluate(films, scores, worth=worth, segments=segments, size=size, rate=how.rate, seed=how.seed)


def _evaluated(
    seen: Sequence[Annotated], looked: Sequence[Footage], made: Sequence[Judged], how: How
) -> dict[str, Any]:
    scores = {film.name: one.moments for film, one in zip(seen, made, strict=True)}
    worth = {film.name: one.worth[_segment_of(footage)] for film, footage, one in zip(seen, looked, made, strict=True)}
    found = evaluate(seen, scores, worth=worth, segments="kts", rate=how.rate, seed=how.seed)
    found["protocol"]["segments"] = "shots found in the films"
    return found


def _segment_of(footage: Footage) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(footage.edges) - 1), np.diff(footage.edges))


def thumbnails(films: Sequence[NotedFilm], looked: Sequence[Footage], made: Sequence[Judged]) -> dict[str, float]:
    """Return how often the best segment is the thumbnail that people noted; nothing if they noted none."""
    hits = list(_hits(films, looked, made))
    return {"thumbnail_first": float(np.mean(hits))} if hits else {}


def _hits(films: Sequence[NotedFilm], looked: Sequence[Footage], made: Sequence[Judged]) -> Iterator[bool]:
    for film, footage, one in zip(films, looked, made, strict=True):
        if film.thumbnail is not None:
            best = int(np.argmax(one.segments))
            shots = film.shot_at(footage)[footage.edges[best] : footage.edges[best + 1]]
            yield bool(np.bincount(shots).argmax() == film.thumbnail)
