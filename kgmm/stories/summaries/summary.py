"""Summaries: which frames and terms tell a story, by which method, and what a store knows of the terms."""

from __future__ import annotations

import json
from collections.abc import Container
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.families import Family
from kgmm.files import kept
from kgmm.graph.scores import best_positions
from kgmm.language.phrase import phrase
from kgmm.retrieve.ground import ground_name
from kgmm.store import LocalStore, is_general
from kgmm.stories.files import read
from kgmm.stories.story import Shot, StoryGraph
from kgmm.stories.summaries.query import resolve
from kgmm.stories.summaries.storyboard import fragment, page, picture

FLOOR = 0.001  #: share of the best score that a frame or term needs: what the story hardly reaches does not tell it
#: what tells most about a thing comes first
_ORDER = ("InstanceOf", "IsA", "PartOf", "AtLocation", "UsedFor", "CapableOf", "Causes", "HasProperty")
_SAYS_LITTLE = ("HasInstance", "RelatedTo")
METHODS = Family("kgmm.stories.summaries.methods", "story summarizer")


@dataclass(frozen=True, slots=True)
class RankedFrame:
    """A keyframe with its score and place (1 is best)."""

    shot: Shot
    score: float
    place: int


@dataclass(frozen=True, slots=True)
class RankedTerm:
    """A term with its score; ``concept`` and ``facts`` tell what a store knows of it, once linked."""

    term: str
    score: float
    concept: str | None = None
    facts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Summary:
    """The frames and terms of one story, best first.

    Example:
        >>> from kgmm.stories import Logo
        >>> story = StoryGraph("n", (Shot("a", 0, 4, ("flood",), ("x",)),), (Logo("x"),))
        >>> summarize(story, "x")
        <Summary of 'x' by mmss: frames a; terms flood>
    """

    story: StoryGraph
    query: str
    method: str
    frames: tuple[RankedFrame, ...]
    terms: tuple[RankedTerm, ...]

    def in_time_order(self) -> list[RankedFrame]:
        """Return the frames as they were broadcast."""
        return sorted(self.frames, key=lambda frame: self.story.when(frame.shot))

    def linked(self, store: LocalStore, facts: int = 3) -> Summary:
        """Return the summary with its terms linked to a store's concepts, each with a few facts said in English."""
        spoken = frozenset(self.story.terms)
        linked = ((term, *linked_facts(term.term, store, facts, spoken)) for term in self.terms)
        return replace(self, terms=tuple(replace(term, concept=c, facts=said) for term, c, said in linked))

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as JSON-ready data."""
        told = ("broadcast", "start", "end", "logos", "text", "image")
        frames = [{"shot": f.shot.id, "score": f.score} | {k: getattr(f.shot, k) for k in told} for f in self.frames]
        terms = [asdict(term) for term in self.terms]
        return {"story": self.story.id, "query": self.query, "method": self.method, "frames": frames, "terms": terms}

    def to_json(self, path: str | Path | None = None) -> str:
        """Return the summary as a JSON document, and write it to *path* if given."""
        return kept(json.dumps(self.to_dict(), ensure_ascii=False, indent=1), path)

    def to_html(self, path: str | Path | None = None) -> str:
        """Return the storyboard as one self-contained HTML page, and write it to *path* if given."""
        return kept(page(self), path, end="")

    def to_png(self, path: str | Path) -> Path:
        """Write the storyboard as a picture; return its path."""
        picture(self).save(path, format="PNG")
        return Path(path)

    def _repr_html_(self) -> str:
        return fragment(self)

    def __repr__(self) -> str:
        return (
            f"<Summary of {self.query!r} by {self.method}: frames {', '.join(f.shot.id for f in self.frames)}; "
            f"terms {', '.join(t.term for t in self.terms)}>"
        )


def summarize(
    story: StoryGraph | str | Path,
    logo: Any,
    frames: int = 5,
    terms: int = 10,
    method: str = "mmss",
    *,
    restart: float | None = None,
    lift: bool = False,
) -> Summary:
    """Return the frames and terms that tell the story behind a newslogo.

    Args:
        story: the footage, or the file or folder it is in.
        logo: a logo's id or name, a term or several, or a picture of a logo (file, bytes, Pillow image, array).
        frames: how many keyframes.
        terms: how many terms.
        method: ``mmss`` (random walk with restart), or ``frequency``, ``tfidf``, ``cooccurrence``.
        restart: for ``mmss``: probability in (0, 1] of jumping back to the logo at each step, by default 0.65.
        lift: for ``mmss``: divide scores by degree, so that words which every story uses fall behind.

    Returns:
        Frames and terms with more than a thousandth of the best score, best first, perhaps fewer than asked for; equal
        ones in order of the broadcast.

    Raises:
        UnknownConcept: if *logo* is neither a logo nor a term of the story.
        KgmmError: if there is no such method, or it has no such option.

    Source:
        Pan, Yang, Faloutsos: MMSS: Multi-modal Story-Oriented Video Summarization, ICDM 2004.

    Example:
        >>> from kgmm.stories import Logo
        >>> shots = (Shot("a", 0, 4, ("flood", "river"), ("water",)), Shot("b", 4, 8, ("flood", "dam")))
        >>> summary = summarize(StoryGraph("news", shots, (Logo("water"),)), "water")
        >>> [(t.term, round(t.score, 3)) for t in summary.terms]
        [('flood', 0.031), ('river', 0.03), ('dam', 0.001)]
    """
    rank = METHODS.module(method).rank
    options = METHODS.options(method, rank, {"restart": restart, "lift": lift or None})
    if not isinstance(story, StoryGraph):
        story = read(story)
    query = resolve(story, logo)
    of_frames, of_terms = rank(story.edges, query, **options)
    best = enumerate(_best(of_frames, frames), 1)
    chosen = tuple(RankedFrame(story.shots[i], float(of_frames[i]), place) for place, i in best)
    names = tuple(RankedTerm(story.edges.terms[i], float(of_terms[i])) for i in _best(of_terms, terms))
    return Summary(story, query.text, method, chosen, names)


def _best(scores: NDArray[np.float64], k: int) -> list[int]:
    """Return the positions of at most *k* scores, best first, none under a thousandth of the best one."""
    return [int(i) for i in best_positions(scores, k) if scores[i] > FLOOR * scores.max()]


def linked_facts(term: str, store: LocalStore, most: int, spoken: Container[str]) -> tuple[str | None, tuple[str, ...]]:
    """Return a term's concept in *store* and up to *most* facts about it, said in English; None without facts.

    Facts of scene and story graphs are left out: they say where a term occurs, not what it means. A term of several
    words is taken for its last one only if that is itself among the *spoken* terms: "rail strike" is a strike, "Port
    Amber" no amber.
    """
    link = ground_name(store, term)
    if link is None or (link.rule == "head" and term.split()[-1] not in spoken):
        return None, ()
    found = (fact for fact in store.find(link.concept, None, None, limit=200) if is_general(fact.graph))
    known = [fact for fact in found if fact.object != link.concept and fact.predicate not in _SAYS_LITTLE]
    known.sort(key=lambda f: (_ORDER.index(f.predicate) if f.predicate in _ORDER else len(_ORDER), -f.weight))
    facts = tuple(dict.fromkeys(phrase(f.subject, f.predicate, f.object) for f in known))[:most]
    return (link.concept if facts else None), facts


def summarizers() -> list[str]:
    """Return the names of the methods that rank a story graph.

    >>> summarizers()
    ['cooccurrence', 'frequency', 'mmss', 'tfidf']
    """
    return METHODS.names()
