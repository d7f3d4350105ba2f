"""Films summarized by methods that judge their moments and segments (:mod:`kgmm.stories.skimming`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kgmm.encode.image import image_encoder
from kgmm.errors import BadInput, KgmmError
from kgmm.progress import Progress
from kgmm.scene.images import ImageLike, names_picture
from kgmm.stories.films._skim import Segment, Skim
from kgmm.stories.footage.footage import Floats, Footage, look_at
from kgmm.stories.skimming.judging import judge
from kgmm.stories.skimming.request import Judged, Reason, Request

if TYPE_CHECKING:
    from kgmm.store import LocalStore

PICTURES = 200  #: of a title at most
Tags = Sequence[str] | Sequence[Sequence[str]]


def judged(
    videos: Sequence[Path],
    method: str,
    rate: float,
    *,
    query: str | None,
    title: str | None,
    title_images: str | Path | Sequence[ImageLike] | None,
    tags: Tags | None,
    kb: LocalStore | None,
    subtitles: Sequence[str | Path | None],
    segments: str,
    read_frames: bool,
    weights: str | Path | None,
    seed: int,
    progress: Progress,
) -> Skim:
    """Return the skim of one film, or of several together; see :func:`kgmm.stories.films.skim`."""
    if len(subtitles) not in (0, len(videos)):
        raise BadInput("subtitles", f"{len(subtitles)} files for {len(videos)} films")
    pictures = _pictures(title_images)
    spread = _tags(tags, len(videos))
    files = subtitles or [None] * len(videos)
    footage = tuple(
        look_at(video, words, segments, read_frames=read_frames, progress=progress)
        for video, words in zip(videos, files, strict=True)
    )
    place = None if weights is None else Path(weights)
    request = Request(footage, query, title, pictures, spread, rate, kb, place, seed)
    made = judge(method, request, progress)
    told = {"query": request.wanted.told()} if request.wanted.told() else {}
    if query and kb is None:
        told["query"] = (told.get("query", "") + "; no store to widen it").lstrip("; ")
    films = [
        _skim(film, method, one, rate, number, told, alone=len(footage) == 1)
        for number, (film, one) in enumerate(zip(footage, made, strict=True))
    ]
    if len(films) == 1:
        return films[0]
    clips = tuple(replace(clip, film=number) for number, film in enumerate(films) for clip in film.clips)
    return Skim(videos[0], method, clips, np.zeros(0), np.zeros(0), {}, (), tuple(films))


def _skim(
    film: Footage, method: str, found: Judged, rate: float, number: int, told: dict[str, str], *, alone: bool
) -> Skim:
    values = found.worth
    clips = film.clips(values, rate) if alone or values.any() else ()
    spans = list(zip(film.starts[:-1].tolist(), film.starts[1:].tolist(), strict=True))
    kept = [any(start < clip.end and end > clip.start for clip in clips) for start, end in spans]
    reasons = found.reasons or (Reason(),) * len(spans)
    parts = tuple(
        Segment(start, end, float(score), keep, reason)
        for (start, end), score, keep, reason in zip(spans, found.segments, kept, reasons, strict=True)
    )
    return Skim(film.video, method, clips, film.times, found.moments, {**told, **found.details}, parts)


def _tags(tags: Tags | None, films: int) -> tuple[tuple[str, ...], ...]:
    """Return each film's tags: those given for it, or those given for all."""
    if not tags:
        return ()
    if all(isinstance(tag, str) for tag in tags):
        given: list[Any] = [tags] * films
    else:
        given = list(tags)
    if isinstance(tags, str) or any(isinstance(some, str) for some in given):
        raise BadInput("tags", "give a list of tags, or one list for each film")
    return tuple(tuple(" ".join(str(tag).lower().split()) for tag in some if str(tag).strip()) for some in given)


def _pictures(given: str | Path | Sequence[ImageLike] | None) -> Floats:
    """Return the features of a folder's pictures, or of pictures, (m, 1280)."""
    if given is None:
        return np.zeros((0, 0), np.float32)
    images: list[Any]
    if isinstance(given, str | Path):
        folder = Path(given).expanduser()
        if not folder.is_dir():
            raise BadInput(folder, "no such folder of pictures")
        images = sorted(path for path in folder.iterdir() if names_picture(path))
    else:
        images = list(given)
    if not images:
        raise BadInput(str(given) if isinstance(given, str | Path) else "title images", "holds no picture")
    if len(images) > PICTURES:
        raise KgmmError(f"{len(images)} pictures of a title; {PICTURES} are read at most")
    return image_encoder().encode_images(images)
