"""The segments around the middles of clusters of frames (after VSUMM; de Avila et al., 2011): the plain baseline.

VSUMM clusters colours and estimates how many clusters there are; here the features of the default perceiver's network are
clustered, and there are as many clusters as segments of the mean length fit, so that summaries have the length asked for.
"""

import numpy as np
from numpy.typing import NDArray

from kgmm.progress import Progress, silent
from kgmm.stories.skimming.reasons import reasons
from kgmm.stories.skimming.request import Judged, Request

USES = ("seed",)
ROUNDS = 50


def judge(request: Request, progress: Progress = silent) -> list[Judged]:
    """Return for each film the share of the film that the segment's clusters hold, 0 for segments without a middle."""
    judged = []
    for film in request.footage:
        count = max(1, round(request.rate * (len(film.edges) - 1)))
        centres, of = kmeans(film.looks.astype(np.float64), count, request.seed)
        away = ((film.looks - centres[of]) ** 2).sum(axis=1)
        share = np.bincount(of, minlength=len(centres)) / len(film)
        segments = np.zeros(len(film.edges) - 1)
        for cluster in range(len(centres)):
            inside = np.flatnonzero(of == cluster)
            middle = inside[np.argmin(away[inside])]
            segments[np.searchsorted(film.edges, middle, side="right") - 1] += share[cluster]
        told = [f"the middle of a cluster of {value:.0%} of the film" if value else "" for value in segments]
        judged.append(Judged(share[of] * (1 - away / 4), segments, reasons(film, None, told)))
    return judged


def kmeans(rows: NDArray[np.float64], count: int, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return at most *count* centres and the centre of each row (k-means++, then Lloyd's rounds), the same each time.

    >>> kmeans(np.array([[0.0], [0.1], [5.0]]), 2)[1].tolist() in ([0, 0, 1], [1, 1, 0])
    True
    """
    rng = np.random.default_rng(seed)
    centres = rows[[int(rng.integers(len(rows)))]]
    least = ((rows - centres[0]) ** 2).sum(axis=1)
    while len(centres) < count and least.sum() > 1e-12:
        new = int(np.searchsorted(np.cumsum(least), rng.random() * least.sum(), side="right"))
        centres = np.vstack([centres, rows[min(new, len(rows) - 1)]])
        least = np.minimum(least, ((rows - centres[-1]) ** 2).sum(axis=1))
    squares = (rows**2).sum(axis=1)[:, None]
    of = np.zeros(len(rows), np.int64)
    for round_ in range(ROUNDS):
        now = np.argmin(squares - 2 * rows @ centres.T + (centres**2).sum(axis=1), axis=1)
        if round_ and (now == of).all():
            break
        of = now
        held = np.bincount(of, minlength=len(centres)) > 0
        sums = np.zeros_like(centres)
        np.add.at(sums, of, rows)
        centres = np.where(
            held[:, None], sums / np.maximum(np.bincount(of, minlength=len(centres)), 1)[:, None], centres
        )
    used, of = np.unique(of, return_inverse=True)
    return centres[used], of.reshape(-1).astype(np.int64)
