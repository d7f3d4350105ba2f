"""Films cut down to what matters in them; each summarizer is one file, found by its name.

A file ``name.py`` here has a function ``skim(video, subtitles, progress, **options) -> Skim``; those that judge a film's
moments by what is seen and said in them are files of :mod:`kgmm.stories.skimming.methods`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgmm.errors import BadInput, KgmmError
from kgmm.families import Family
from kgmm.progress import Progress, silent
from kgmm.stories.films._judged import Tags, judged
from kgmm.stories.films._skim import RATE, Segment, Skim, spoken
from kgmm.stories.skimming import judging

if TYPE_CHECKING:
    from kgmm.scene.images import ImageLike
    from kgmm.store import LocalStore

__all__ = ["RATE", "Segment", "Skim", "film_summarizers", "skim", "spoken"]

METHODS = Family("kgmm.stories.films", "film summarizer")


def skim(
    video: str | Path | Sequence[str | Path],
    method: str = "saliency",
    rate: float = RATE,
    query: str | None = None,
    title: str | None = None,
    tags: Tags | None = None,
    *,
    title_images: str | Path | Sequence[ImageLike] | None = None,
    kb: LocalStore | None = None,
    subtitles: str | Path | Sequence[str | Path | None] | None = None,
    segments: str | None = None,
    read_frames: bool = False,
    weights: str | Path | None = None,
    seed: int = 0,
    fusion: str | None = None,
    length: float | None = None,
    progress: Progress = silent,
) -> Skim:
    """Return the parts of a film, or of several films, that are worth watching.

    Args:
        video: any container PyAV reads; several for methods that judge segments.
        method: ``saliency`` (what stands out in sound, pictures and words), ``chorus`` (of a music video), or a method that
            judges segments: ``uniform``, ``clusters``, ``keyshots``, ``archetypal`` …, see :func:`film_summarizers`.
        rate: share of each film to keep, above 0 and at most 1.
        query: what the skim should be about, for methods that can be asked.
        title: the film's, for methods that use it.
        tags: of the films, for methods that use them: one list for all, or one for each.
        title_images: a folder of pictures of what the title names, or pictures, for methods that use them.
        kb: a store whose facts widen the query, and are cited.
        subtitles: SRT or WebVTT, one for each film; by default what is embedded.
        segments: ``shots`` or ``kts`` (kernel temporal segmentation), for methods that judge segments; by default shots.
        read_frames: whether words in pictures are read as well (``pip install 'kgmm[ocr]'``), for the same methods.
        weights: of a method that learns, from ``kgmm train skim``; by default those that come with it.
        seed: what random numbers begin with, for methods that draw some.
        fusion: for ``saliency``: how its curves are combined, see :func:`kgmm.stories.films.saliency.saliency`.
        length: for ``chorus``: seconds of the clip; by default the chorus's own.
        progress: told the seconds read.

    Raises:
        BadInput: if a film cannot be read, or the value of an option is wrong.
        KgmmError: if there is no such method, it has no such option, or it takes one film only.
        MissingExtra: if a package it needs is not installed (``pip install 'kgmm[video]'``).

    Example:
        >>> skim("holiday.mp4", tags=["beach"])
        Traceback (most recent call last):
        kgmm.errors.KgmmError: the film summarizer saliency has no option tags
    """
    videos = [Path(video)] if isinstance(video, str | Path) else [Path(one) for one in video]
    if not videos:
        raise BadInput("films", "there is none")
    if method not in film_summarizers():
        raise KgmmError(f"no film summarizer {method!r}; there are: {', '.join(film_summarizers())}")
    given: dict[str, Any] = {"query": query, "title": title, "tags": tags, "fusion": fusion, "length": length}
    seen: dict[str, Any] = {"title_images": title_images, "kb": kb, "segments": segments, "weights": weights}
    seen |= {"read_frames": read_frames or None, "seed": seed or None}
    words = [subtitles] if subtitles is None or isinstance(subtitles, str | Path) else list(subtitles)
    if judges_segments(method):
        if strange := [name for name in ("fusion", "length") if given.pop(name) is not None]:
            raise KgmmError(f"the film summarizer {method} has no option {', '.join(strange)}")
        how = {**given, "title_images": title_images, "kb": kb, "segments": segments or "shots", "weights": weights}
        how |= {"read_frames": read_frames, "seed": seed, "progress": progress}
        return judged(videos, method, rate, subtitles=[] if subtitles is None else words, **how)
    if len(videos) > 1 or len(words) > 1:
        raise KgmmError(f"the film summarizer {method} takes one film at a time")
    chosen = METHODS.module(method).skim
    given["rate"] = None if rate == RATE else rate
    made = chosen(videos[0], words[0], progress, **METHODS.options(method, chosen, given | seen))
    assert isinstance(made, Skim)
    return made


def film_summarizers() -> list[str]:
    """Return the names of the methods that cut a film down.

    Example:
        >>> film_summarizers()[:4]
        ['archetypal', 'chorus', 'clusters', 'dsse']
    """
    return sorted([*METHODS.names(), *judging.methods()])


def judges_segments(method: str) -> bool:
    """Tell whether a method judges a film's segments, of several films together too.

    >>> judges_segments("uniform"), judges_segments("saliency")
    (True, False)
    """
    return method in judging.methods()
