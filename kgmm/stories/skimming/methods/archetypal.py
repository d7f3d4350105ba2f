"""Moments that archetypes of film and title pictures are mixed from: co-archetypal analysis (Song et al., CVPR 2015; Eq. 26-27).

Pictures of the title are given, or come from the store: photographs of the concepts that the title names.
"""

from __future__ import annotations

import numpy as np

from kgmm.encode.image import image_encoder
from kgmm.errors import BadInput
from kgmm.language.phrase import phrase
from kgmm.progress import Progress, silent
from kgmm.store import Fact
from kgmm.stories.footage.footage import Floats, Footage
from kgmm.stories.skimming.archetypes import Archetypes, archetypes
from kgmm.stories.skimming.photographs import photographs
from kgmm.stories.skimming.reasons import reasons
from kgmm.stories.skimming.request import Judged, Request

USES = ("title", "title_images")
POINTS = 600  #: points of a film that are looked at: in longer films each is the mean of neighbours in one segment
EACH = 6  #: points for one archetype
MOST = 100  #: archetypes at most; the paper takes 200 of films whose every frame counts
#: how much archetypes should look like pictures of the title: so many times what a point weighs, for each point that an
#: archetype stands for on average; the paper's 1 does not grow with the film, and then hardly tells. Chosen on planted films
#: with a title (12 seeds): F 0.16 without, 0.22, 0.27 and 0.35 with 1, 10 and 100
GAMMA = 100.0


def judge(request: Request, progress: Progress = silent) -> list[Judged]:
    """Return how much each moment goes into archetypes that explain film and title pictures; of a segment the mean."""
    pictures, facts, said = _pictures(request)
    judged = []
    for film in request.footage:
        of = _points(film)
        sizes = np.bincount(of)
        rows = np.zeros((len(sizes), film.looks.shape[1]))
        np.add.at(rows, of, film.looks)
        rows /= sizes[:, None]
        count = max(1, min(MOST, len(rows) // EACH))
        gamma = GAMMA * (len(rows) + len(pictures)) / count
        found = archetypes(rows, pictures.astype(np.float64), count, gamma)
        moments = (found.scores() / sizes)[of]
        told = _told(film, of, found)
        made = reasons(film, None, told)
        segments = film.of_segments(moments)
        details = {"title": said} if said else {}
        if facts:
            details["facts"] = "; ".join(phrase(f.subject, f.predicate, f.object) for f in facts)
        judged.append(Judged(moments, segments, made, None, details))
    return judged


def _pictures(request: Request) -> tuple[Floats, list[Fact], str]:
    """Return features of the title's pictures, what in the store says that they show it, and what people are told."""
    if len(request.title_images):
        return request.title_images, [], f"{len(request.title_images)} pictures given"
    none = np.zeros((0, request.footage[0].looks.shape[1]), np.float32)
    if not request.title:
        return none, [], ""
    if request.kb is None:
        return none, [], f"no pictures of {request.title!r}: neither given nor a store to look in"
    encoder, rows, facts = image_encoder(), [], []
    for path, fact in photographs(request.kb, request.title):
        try:
            rows.append(encoder.encode_images([path])[0])
        except BadInput:  # a file of the store's that is no picture any more
            continue
        facts.append(fact)
    if not rows or rows[0].shape != none.shape[1:]:
        return none, [], f"the store has no pictures of {request.title!r}"
    return np.stack(rows), facts, f"{len(rows)} pictures of the store"


def _points(film: Footage) -> np.ndarray:
    """Return which point each moment belongs to: neighbours in one segment share one where there are too many."""
    size = -(-len(film) // POINTS)
    start = np.repeat(film.edges[:-1], np.diff(film.edges))
    keys = start * len(film) + (np.arange(len(film)) - start) // size
    return np.unique(keys, return_inverse=True)[1].reshape(-1)


def _told(film: Footage, of: np.ndarray, found: Archetypes) -> list[str]:
    """Return for each segment which archetypes its moments make, and how much of the film these explain."""
    share = found.of_x.sum(axis=1) / max(found.of_x.shape[1], 1)
    told = []
    for a, b in zip(film.edges[:-1], film.edges[1:], strict=True):
        made = found.from_x[np.unique(of[a:b])].sum(axis=0)
        best = int(np.argmax(made * share))
        told.append(f"an archetype of {share[best]:.0%} of the film" if made[best] > 0.1 else "")
    return told
