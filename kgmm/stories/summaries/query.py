"""What a summary is asked for: a logo, a picture of one, or terms."""

import difflib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import BadInput, UnknownConcept
from kgmm.language import names
from kgmm.language.words import lemmas
from kgmm.scene.images import names_picture, read_image
from kgmm.stories.edges import StoryEdges
from kgmm.stories.story import StoryGraph
from kgmm.stories.video.newslogos import distance, perceptual_hash

Ranks = tuple[NDArray[np.float64], NDArray[np.float64]]  #: scores of all frames, and of all terms
MAX_DISTANCE = 64  #: bits of 256 in which a picture may differ from the logo it is taken for


@dataclass(frozen=True)
class Query:
    """Either a logo's position or the positions of terms, and how a person would say it."""

    text: str
    logo: int | None = None
    terms: tuple[int, ...] = ()

    def nodes(self, edges: StoryEdges) -> list[int]:
        """Return the numbers of the nodes the walk starts from."""
        return [self.logo] if self.logo is not None else [edges.first_term + t for t in self.terms]

    def frames(self, edges: StoryEdges) -> NDArray[np.int64]:
        """Return the frames that show the logo, or whose shots mention one of the terms; ascending."""
        if self.logo is not None:
            return np.unique(edges.logo_frame[edges.logo == self.logo]).astype(np.int64)
        return np.unique(edges.frame[np.isin(edges.term, self.terms)]).astype(np.int64)


def resolve(story: StoryGraph, asked: Any) -> Query:
    """Return what was asked for: a logo by id or name; else terms; else a picture, by its nearest logo.

    Raises:
        UnknownConcept: if a word is neither logo nor term, or no logo looks like the picture.
        BadInput: if *asked* is none of these, or the picture cannot be read.
    """
    if isinstance(asked, (list, tuple, set)) and asked and all(isinstance(a, str) for a in asked):
        return Query(", ".join(asked), terms=tuple(dict.fromkeys(_term(story, a) for a in asked)))
    if not isinstance(asked, str) or names_picture(asked):
        at = _pictured(story, asked)
    else:
        try:
            at = story.logo(asked)
        except UnknownConcept as unknown:
            try:
                return Query(asked, terms=(_term(story, asked),))
            except UnknownConcept:
                raise unknown from None
    return Query(story.logos[at].name or story.logos[at].id, logo=at)


def _term(story: StoryGraph, asked: str) -> int:
    terms = story.edges.terms
    for form in (names.label(names.concept(asked)), " ".join(lemmas(asked))) if asked.strip() else ():
        if form in terms:
            return terms.index(form)
    near = difflib.get_close_matches(asked, list(terms), 5, 0.6)
    raise UnknownConcept(asked, near, where=f"the logos and terms of {story.id}")


def _pictured(story: StoryGraph, asked: Any) -> int:
    known = [(i, logo.hash) for i, logo in enumerate(story.logos) if logo.hash]
    if not known:
        raise BadInput(f"story {story.id}", "no logo has a perceptual hash to compare the picture with")
    own = perceptual_hash(read_image(asked).pixels)
    best, away = min(((i, distance(own, h)) for i, h in known), key=lambda pair: pair[1])
    if away > MAX_DISTANCE:
        raise UnknownConcept("this picture", where=f"the logos of {story.id} (nearest: {away} of 256 bits)")
    return best
