"""Segments at even distances, whatever they show: the baseline of all film summarizers."""

import numpy as np

from kgmm.progress import Progress, silent
from kgmm.stories.skimming.request import Judged, Reason, Request

USES: tuple[str, ...] = ()


def judge(request: Request, progress: Progress = silent) -> list[Judged]:
    """Return for each film 1 at the segments in which moments at even distances lie, else 0.

    As many moments as segments of the mean length fit, each in the middle of an equal part of the film.
    """
    judged = []
    for film in request.footage:
        count = len(film.edges) - 1
        parts = max(1, int(request.rate * count))
        at = ((np.arange(parts) + 0.5) / parts * len(film)).astype(np.int64)
        taken = np.unique(np.searchsorted(film.edges, at, side="right") - 1)
        segments = np.zeros(count)
        segments[taken] = 1
        reasons = tuple(Reason("at an even distance" if value else "") for value in segments)
        judged.append(Judged(np.repeat(segments, np.diff(film.edges)), segments, reasons))
    return judged
