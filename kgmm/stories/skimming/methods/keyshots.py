"""Key shots of an event from several films: where their tags are, what comes again across films (Wang et al., TMM 2012; Eq. 24-25).

Tags are located by multiple-instance learning, weighed by how near the event the store's walk finds them; segments that show
the same across films are one cluster, which counts by how many films have it; one segment stands for each. The paper leaves
the clusters' rule open: here segments are joined by the mean cosine of their clusters.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from kgmm.encode.text import text_encoder
from kgmm.errors import BadInput, UnknownConcept
from kgmm.graph import view
from kgmm.progress import Progress, silent
from kgmm.retrieve.ground import ground_text
from kgmm.store import LocalStore
from kgmm.stories.footage.footage import Footage
from kgmm.stories.skimming.bags import located
from kgmm.stories.skimming.reasons import reasons, tagged
from kgmm.stories.skimming.request import Judged, Request
from kgmm.stories.skimming.wanted import wanted

USES = ("query", "title", "tags")
#: mean cosine distance of what is seen up to which segments are near-duplicates: of one drawn shot encoded twice, 95 % are
#: within it; the same subject in the same place from anew is not
ALIKE = 0.015
MOST = 6_000  #: segments of all films at most
HERE = 0.5  #: how likely a tag is in a segment that is said to have it
Floats = NDArray[np.float64]


def judge(request: Request, progress: Progress = silent) -> list[Judged]:
    """Return for each film the worth of its segments' clusters; only one segment of a cluster is on offer."""
    rows, film_of = _segments(request.footage)
    if len(rows) > MOST:
        raise BadInput("films", f"{len(rows)} segments in all; key shots are found among {MOST} at most")
    tags = list(dict.fromkeys(tag for some in request.tags for tag in some))
    near, how = nearness(request.query or request.title or "", tags, request.kb)
    values, details = np.zeros((len(tags), len(rows))), {}
    for k, tag in enumerate(tags):
        has = request.of_tag(tag)
        if has.all():
            values[k] = _shown(request, tag)
            details[tag] = f"{near[k]:.2f} near the event; all films have it: located by what is seen and said alone"
        else:
            values[k] = located(rows, film_of, has)
            details[tag] = f"{near[k]:.2f} near the event; in {has.sum()} of {len(has)} films"
    if tags:
        worth = near @ values / len(tags)
    elif request.query or request.title:
        worth = _shown(request, request.query or request.title or "")
    else:
        worth = np.ones(len(rows))
    if tags and how:
        details["nearness"] = how
    clusters = same(rows[:, : request.footage[0].looks.shape[1]])
    score, stands = _ranked(worth, clusters, film_of, len(request.footage))
    return _judged(request, tags, values, score, stands, clusters, film_of, details)


def _judged(
    request: Request,
    tags: list[str],
    values: Floats,
    score: Floats,
    stands: NDArray[np.bool_],
    clusters: NDArray[np.int64],
    film_of: NDArray[np.int64],
    details: dict[str, str],
) -> list[Judged]:
    judged = []
    for number, film in enumerate(request.footage):
        own = np.flatnonzero(film_of == number)
        told = []
        for i in own:
            among = np.unique(film_of[clusters == clusters[i]])
            told.append(f"shown in {len(among)} of {len(request.footage)} films" if len(request.footage) > 1 else "")
        asked = request.wanted if request.query else None
        made = [
            tagged(reason, [tags[k] for k in np.flatnonzero(values[:, i] >= HERE)] if tags else [])
            for reason, i in zip(reasons(film, asked, told), own, strict=True)
        ]
        segments = score[own]
        moments = np.repeat(segments, np.diff(film.edges))
        judged.append(Judged(moments, segments, tuple(made), np.flatnonzero(stands[own]), details))
    return judged


def _segments(films: tuple[Footage, ...]) -> tuple[Floats, NDArray[np.int64]]:
    """Return what is seen and what is said in each segment of all films, (segments, d), and the film of each."""
    rows, of = [], []
    for number, film in enumerate(films):
        seen, said = film.of_segments(film.looks.T).T, film.of_segments(film.words.T).T
        length = np.linalg.norm(seen, axis=1, keepdims=True)
        rows.append(np.hstack([seen / np.maximum(length, 1e-12), said]))
        of.append(np.full(len(seen), number))
    return np.vstack(rows), np.concatenate(of)


def nearness(event: str, tags: list[str], kb: LocalStore | None) -> tuple[Floats, str]:
    """Return how near each tag is to an event, in [0, 1], and how that was found: by the store's walk, or by words.

    The walk restarts at the event's concepts; a tag has the mass of its best concept, of the largest of the tags. Without a
    store, or where it does not know the event, it is the cosine of the words; without an event all are 1.
    """
    if not event or not tags:
        return np.ones(len(tags)), ""
    if kb is not None and (links := ground_text(kb, event)):
        graph = kb.derived("view of skimming", lambda: view(kb))
        try:
            scores = graph.walk({link.concept: link.score for link in links})
        except UnknownConcept:
            scores = None
        if scores is not None:
            of = [[scores[link.concept] for link in ground_text(kb, tag) if link.concept in scores] for tag in tags]
            mass = np.array([max(some, default=0.0) for some in of])
            if mass.max() > 0:
                return mass / mass.max(), "by the store's walk from " + ", ".join(link.concept for link in links)
    vectors = text_encoder().encode([event, *tags])
    return np.asarray(np.clip(vectors[1:] @ vectors[0], 0, 1), np.float64), "by words: no store that knows the event"


def _shown(request: Request, text: str) -> Floats:
    """Return how surely what a text names is seen or said in each segment of all films, in [0, 1]."""
    parts = []
    for film in request.footage:
        asked = wanted(text, film.concepts, request.kb)
        parts.append(film.of_segments(np.maximum(asked.seen(film), asked.said(film))))
    return np.concatenate(parts)


def same(rows: Floats, alike: float = ALIKE) -> NDArray[np.int64]:
    """Return the cluster of each row: joined while the mean cosine distance of two clusters is at most *alike*.

    >>> same(np.array([[1.0, 0], [1, 0.1], [0, 1]])).tolist()
    [0, 0, 1]
    """
    if len(rows) < 2:
        return np.zeros(len(rows), np.int64)
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    upper = np.triu_indices(len(rows), 1)
    apart = np.clip(1 - (unit @ unit.T)[upper], 0, 2)
    found = fcluster(linkage(apart, "average"), alike, "distance")
    _, first, at = np.unique(found, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[at.reshape(-1)], np.int64)


def _ranked(
    worth: Floats, clusters: NDArray[np.int64], film_of: NDArray[np.int64], films: int
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return of each segment the share of films that have its cluster times the cluster's mean worth, and who stands for it."""
    score, stands = np.zeros(len(worth)), np.zeros(len(worth), bool)
    for cluster in range(clusters.max() + 1):
        inside = np.flatnonzero(clusters == cluster)
        score[inside] = len(np.unique(film_of[inside])) / films * worth[inside].mean()
        stands[inside[np.argmax(worth[inside])]] = True
    return score, stands
