"""What a film summarizer is asked, and what it answers: how much each moment and segment matters, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import BadInput, KgmmError
from kgmm.stories.footage.footage import Floats, Footage
from kgmm.stories.skimming.wanted import Wanted, wanted

if TYPE_CHECKING:
    from kgmm.store import Fact, LocalStore

#: what a method may use besides the films; ``rate`` and ``kb`` are there for all of them
INPUTS = ("query", "title", "title_images", "tags", "weights", "seed")


@dataclass(frozen=True)
class Reason:
    """Why a segment matters: what of the request is behind it, in the order in which it counts."""

    text: str = ""  #: a short sentence for people, without a full stop
    words: tuple[str, ...] = ()  #: said or shown there
    concepts: tuple[str, ...] = ()  #: seen there, by the names of :attr:`Footage.concepts`
    tags: tuple[str, ...] = ()  #: located there
    facts: tuple[Fact, ...] = ()  #: of the store: how what was asked hangs together with what is seen or said

    def to_dict(self) -> dict[str, Any]:
        """Return the reason as JSON-ready data, without what is empty."""
        told: dict[str, Any] = {"text": self.text}
        told |= {name: list(getattr(self, name)) for name in ("words", "concepts", "tags")}
        told["facts"] = [[f.subject, f.predicate, f.object, f.graph] for f in self.facts]
        return {name: value for name, value in told.items() if value}


@dataclass(frozen=True, eq=False)
class Judged:
    """How much a film's n moments and its segments matter.

    Raises:
        BadInput: if arrays are not of the film's lengths (:meth:`checked`), or not finite.
    """

    moments: NDArray[np.float64]  #: (n,), 0 or more; what a curve shows, and what is compared with people
    segments: NDArray[np.float64]  #: (segments,), 0 or more; what the knapsack makes as large as it can
    reasons: tuple[Reason, ...] = ()  #: one a segment, or none at all
    #: segments that are on offer to the knapsack, ascending; all of them by default (a method that draws sets, as SeqDPP)
    offered: NDArray[np.int64] | None = None
    details: Mapping[str, str] = field(default_factory=dict)  #: what else was found, said for people, by name

    @property
    def worth(self) -> NDArray[np.float64]:
        """What the knapsack chooses by, (segments,): 0 for segments that are not on offer."""
        if self.offered is None:
            return self.segments
        worth = np.zeros(len(self.segments))
        worth[self.offered] = self.segments[self.offered]
        return worth

    def checked(self, footage: Footage, method: str) -> Judged:
        """Return this if it fits the film; BadInput if not."""
        shapes = self.moments.shape, self.segments.shape
        if shapes != ((len(footage),), (len(footage.edges) - 1,)):
            raise BadInput(footage.video, f"{method} gave scores of shapes {shapes}")
        if not all(np.isfinite(values).all() and (values >= 0).all() for values in (self.moments, self.segments)):
            raise BadInput(footage.video, f"{method} gave scores that are not finite, or below 0")
        if len(self.reasons) not in (0, len(self.segments)):
            raise BadInput(
                footage.video, f"{method} gave {len(self.reasons)} reasons for {len(self.segments)} segments"
            )
        return self


@dataclass(frozen=True, eq=False)
class Request:
    """Films, and what is wanted of their summary.

    Raises:
        BadInput: if there is no film, films have unlike concepts or features, or there are tags for another number of films.

    Example:
        >>> Request((Footage(np.eye(4, dtype=np.float32)),), tags=(("cake",),)).of_tag("cake").tolist()
        [True]
    """

    footage: tuple[Footage, ...]  #: one film or several; features of equal length, the same concepts
    query: str | None = None  #: what the summary should be about
    title: str | None = None  #: the films' title
    title_images: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32))  #: (m, d), as ``Footage.looks``
    tags: tuple[tuple[str, ...], ...] = ()  #: of each film, or empty: no film has any
    rate: float = 0.15  #: share of each film to keep
    kb: LocalStore | None = None  #: what widens the query and is cited
    weights: Path | None = None  #: of a learned method, from ``kgmm train skim``; None: those that come with it
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.footage:
            raise BadInput("films", "there is none")
        first = self.footage[0]
        for film in self.footage[1:]:
            if film.concepts != first.concepts or film.looks.shape[1] != first.looks.shape[1]:
                raise BadInput(film.video, f"its features are not those of {first.video}")
        if self.tags and len(self.tags) != len(self.footage):
            raise BadInput("tags", f"tags of {len(self.tags)} films for {len(self.footage)} films")
        if not 0 < self.rate <= 1:
            raise BadInput("rate", f"{self.rate} is not above 0 and at most 1")
        if self.title_images.size and self.title_images.shape[1:] != (first.looks.shape[1],):
            raise BadInput("title images", f"features of length {self.title_images.shape[-1]}")

    @cached_property
    def wanted(self) -> Wanted:
        """What the query names, widened by the store; of no query: nothing is wanted."""
        return wanted(self.query or "", self.footage[0].concepts, self.kb)

    def of_tag(self, tag: str) -> NDArray[np.bool_]:
        """Return which films have a tag, shape (films,)."""
        return np.array([tag in tags for tags in self.tags or ((),) * len(self.footage)])

    def given(self) -> list[str]:
        """Return which of :data:`INPUTS` have a value; every method is given a seed and may leave it."""
        there = {
            "query": self.query,
            "title": self.title,
            "title_images": len(self.title_images),
            "tags": any(self.tags),
            "weights": self.weights,
        }
        return [name for name in INPUTS if there.get(name)]

    def must_have(self, method: str, *inputs: str) -> None:
        """Raise KgmmError, naming the method, if one of the inputs is missing."""
        if lacking := [name for name in inputs if name not in self.given()]:
            raise KgmmError(f"the film summarizer {method} needs the option {', '.join(lacking)}")
