"""Films cut down to what matters in them; each summarizer is one file here, found by its name.

A file ``name.py`` has a function ``skim(video, subtitles, progress, **options) -> Skim``.
"""

from collections.abc import Sequence
from pathlib import Path

from kgmm.families import Family
from kgmm.progress import Progress, silent
from kgmm.stories.films._skim import RATE, Skim, spoken

__all__ = ["RATE", "Skim", "film_summarizers", "skim", "spoken"]

METHODS = Family("kgmm.stories.films", "film summarizer")


def skim(
    video: str | Path,
    method: str = "saliency",
    rate: float = RATE,
    query: str | None = None,
    title: str | None = None,
    tags: Sequence[str] | None = None,
    *,
    subtitles: str | Path | None = None,
    fusion: str | None = None,
    length: float | None = None,
    progress: Progress = silent,
) -> Skim:
    """Return the parts of a film that are worth watching.

    Args:
        video: any container PyAV reads.
        method: ``saliency`` (what stands out in sound, pictures and words) or ``chorus`` (of a music video).
        rate: share of the film to keep, above 0 and at most 1.
        query: what the skim should be about, for methods that can be asked.
        title, tags: the film's, for methods that use them.
        subtitles: SRT or WebVTT; by default what is embedded.
        fusion: for ``saliency``: how its curves are combined, see :func:`kgmm.stories.films.saliency.saliency`.
        length: for ``chorus``: seconds of the clip; by default the chorus's own.
        progress: told the seconds read.

    Raises:
        BadInput: if the film cannot be read, or the value of an option is wrong.
        KgmmError: if there is no such method, or it has no such option.
        MissingExtra: if a package it needs is not installed (``pip install 'kgmm[video]'``).

    Example:
        >>> skim("holiday.mp4", tags=["beach"])
        Traceback (most recent call last):
        kgmm.errors.KgmmError: the film summarizer saliency has no option tags
    """
    chosen = METHODS.module(method).skim
    given = {"query": query, "title": title, "tags": tags, "fusion": fusion, "length": length}
    given["rate"] = None if rate == RATE else rate
    made = chosen(Path(video), subtitles, progress, **METHODS.options(method, chosen, given))
    assert isinstance(made, Skim)
    return made


def film_summarizers() -> list[str]:
    """Return the names of the methods that cut a film down.

    Example:
        >>> film_summarizers()
        ['chorus', 'saliency']
    """
    return METHODS.names()
