"""Judge scores of films' moments by what people made of them, always beside chance and the people themselves.

F of a summary against a person's says little by itself: on segments of unequal length random scores reach what people
reach (Otani et al., CVPR 2019). So every figure here comes with that of random scores on the same segments and that of
each person against the others, and with rank correlations, which need no segments.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau, rankdata

from kgmm.data.annotated_films import Annotated
from kgmm.errors import BadInput, KgmmError
from kgmm.progress import Progress, silent
from kgmm.stories.footage.consensus import f_score
from kgmm.stories.footage.segments import FIXED, Ints, fixed, kept, means

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
DRAWS = 20  #: random scores drawn for each film
SEGMENTS = ("fixed", "kts")


class Film(NamedTuple):
    """A film on its segments."""

    edges: Ints  #: starts of the segments and the end, (segments + 1,)
    summaries: Bools  #: (people, frames): what each would keep
    values: Floats  #: (people, segments): what each segment is worth to each
    at: Ints  #: (moments,): each segment's first frame, or the picks
    moments: Floats  #: (people, moments): scores there


def evaluate(
    films: Sequence[Annotated],
    scores: Mapping[str, NDArray[np.floating[Any]]] | None = None,
    *,
    worth: Mapping[str, NDArray[np.floating[Any]]] | None = None,
    segments: str = "fixed",
    size: int = FIXED,
    rate: float = 0.15,
    seed: int = 0,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Return how well *scores* agree with people, beside random scores and beside people with each other.

    Args:
        films: what people made of them.
        scores: of each film by its name, one for each frame, or for each of its picks; None judges no method.
        worth: the same of what the summary is to have most of, where that is not the scores; a segment's is the mean.
        segments: ``fixed``, of *size* frames (TVSum's own protocol), or ``kts``, the files' change points.
        rate: share of the frames that a summary may have.
        seed: of the random scores.

    Returns:
        Means over films: ``random_f``; ``human_pairwise_f`` over all ordered pairs of people; ``mean_of_others_f``, each
        person against the summary by the mean of the others' scores; ``human_tau`` and ``human_rho``, Kendall's and
        Spearman's correlation over all pairs; with *scores*, ``f_mean`` and ``f_max`` over people (TVSum's and SumMe's),
        ``tau``, ``rho`` with each person, ``random_tau`` and ``random_f_max``; and the protocol. None is what cannot be
        told: of one person, or of scores that are all equal.

    Raises:
        KgmmError: if a film has no change points.
        BadInput: if a film has no scores, too few or some that are not finite.

    Example:
        >>> film = Annotated("f", 4, np.array([[1.0, 1, 5, 5], [2, 1, 4, 5]]))
        >>> found = evaluate([film], {"f": np.array([0.0, 0, 1, 2])}, size=1, rate=0.5)
        >>> found["human_pairwise_f"], found["f_mean"], found["random_f"] < 1
        (1.0, 1.0, True)
    """
    if segments not in SEGMENTS:
        raise KgmmError(f"no segments {segments!r}; there are: {', '.join(SEGMENTS)}")
    if not 0 < rate <= 1:
        raise BadInput("rate", f"{rate} is not above 0 and at most 1")
    rows: list[dict[str, float]] = []
    for number, film in enumerate(films):
        cut = _cut(film, segments, size, rate)
        row = {**_people(cut, rate), **_random(cut, rate, np.random.default_rng([seed, number]))}
        if scores is not None:
            row |= _method(film, cut, scores, worth or {}, rate)
        rows.append(row)
        progress(number + 1, len(films), "comparing with people")
    found: dict[str, Any] = {}
    for name in rows[0]:
        mean = _mean([row[name] for row in rows])
        found[name] = None if mean != mean else mean
    found |= {"films": len(films), "people": round(float(np.mean([len(film.people) for film in films])), 1)}
    found["protocol"] = {"segments": segments, "rate": rate, "seed": seed, "draws": DRAWS}
    if segments == "fixed":
        found["protocol"]["frames"] = size
    return found


def _cut(film: Annotated, segments: str, size: int, rate: float) -> Film:
    if segments == "kts" and film.starts is None:
        raise KgmmError(f"{film.name} has no change points; --segments fixed needs none")
    edges = fixed(film.frames, size) if film.starts is None or segments == "fixed" else film.starts
    values = means(film.people, edges)
    summaries = film.people > 0 if film.summaries else np.stack([kept(row, edges, rate) for row in values])
    at = film.picks[film.picks < film.frames] if len(film.picks) else edges[:-1]
    return Film(edges, summaries, values, at, film.people[:, at])


def _people(cut: Film, rate: float) -> dict[str, float]:
    count = len(cut.summaries)
    if count < 2:
        names = ("human_pairwise_f", "mean_of_others_f", "human_tau", "human_rho")
        return dict.fromkeys(names, float("nan"))
    pairs = list(itertools.combinations(range(count), 2))  # F and both correlations are symmetric
    total = cut.values.sum(axis=0)
    others = [kept((total - row) / (count - 1), cut.edges, rate) for row in cut.values]
    return {
        "human_pairwise_f": float(np.mean([f_score(cut.summaries[a], cut.summaries[b]) for a, b in pairs])),
        "mean_of_others_f": float(np.mean([f_score(o, own) for o, own in zip(others, cut.summaries, strict=True)])),
        "human_tau": _mean([tau(cut.moments[a], cut.moments[b]) for a, b in pairs]),
        "human_rho": _mean(_rhos(cut.moments, pairs)),
    }


def _random(cut: Film, rate: float, random: np.random.Generator) -> dict[str, float]:
    drawn = random.random((DRAWS, len(cut.edges) - 1))
    made = [kept(row, cut.edges, rate) for row in drawn]
    scores = np.array([[f_score(one, own) for own in cut.summaries] for one in made])
    moments = random.random((1, cut.moments.shape[1]))
    taus = [tau(moments[0], own) for own in cut.moments]
    return {
        "random_f": float(scores.mean()),
        "random_f_max": float(scores.max(axis=1).mean()),
        "random_tau": _mean(taus),
    }


def _method(
    film: Annotated, cut: Film, scores: Mapping[str, Any], worth: Mapping[str, Any], rate: float
) -> dict[str, float]:
    if film.name not in scores:
        raise BadInput(film.name, "has no scores")
    given = np.asarray(scores[film.name], np.float64)
    spread = by_frame(given, film)
    most = by_frame(np.asarray(worth[film.name], np.float64), film) if film.name in worth else spread
    summary = kept(means(most, cut.edges), cut.edges, rate)
    fs = [f_score(summary, own) for own in cut.summaries]
    own = spread[cut.at]
    rhos = _rhos(np.vstack([own, cut.moments]), [(0, k + 1) for k in range(len(cut.moments))])
    return {
        "f_mean": float(np.mean(fs)),
        "f_max": max(fs),
        "tau": _mean([tau(own, person) for person in cut.moments]),
        "rho": _mean(rhos),
    }


def by_frame(scores: Floats, film: Annotated) -> Floats:
    """Return a score for each frame of scores for frames or picks; a pick's goes on to the next one.

    Raises:
        BadInput: if they are as many as neither, or not finite.
    """
    if scores.ndim != 1 or not np.isfinite(scores).all():
        raise BadInput(film.name, "its scores are no row of finite numbers")
    if len(scores) == film.frames:
        return scores
    if len(film.picks) and len(scores) == len(film.picks):
        at = np.searchsorted(film.picks, np.arange(film.frames), "right") - 1
        return scores[np.maximum(at, 0)]
    raise BadInput(film.name, f"{len(scores)} scores for {film.frames} frames and {len(film.picks)} picks")


def tau(one: Floats, other: Floats) -> float:
    """Return Kendall's tau-b; not a number where one of both is constant."""
    return float(kendalltau(one, other).statistic)


def _rhos(rows: Floats, pairs: Sequence[tuple[int, int]]) -> list[float]:
    """Return Spearman's correlation of pairs of rows; not a number where one of both is constant."""
    ranks = rankdata(rows, axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(ranks, axis=1)
    made = ranks @ ranks.T
    with np.errstate(invalid="ignore", divide="ignore"):
        return [float(made[a, b] / (norms[a] * norms[b])) for a, b in pairs]


def _mean(values: Sequence[float]) -> float:
    """Return the mean of the numbers among values; not a number if there is none."""
    known = [value for value in values if value == value]
    return float(np.mean(known)) if known else float("nan")
