"""How good summaries are: precision against labelled stories, also amid unrelated footage."""

from dataclasses import dataclass, replace

import numpy as np

from kgmm.stories.story import Broadcast, Shot, StoryGraph
from kgmm.stories.summaries.summary import summarize

#: words of unrelated footage are drawn from the story's own vocabulary with this probability, else they are new
SHARED = 0.3


@dataclass(frozen=True)
class Precision:
    """Precision of the frames and terms for each logo: label -> (frames, terms), each in [0, 1]."""

    of: dict[str, tuple[float, float]]

    @property
    def frames(self) -> float:
        """Mean over the logos."""
        return float(np.mean([f for f, _ in self.of.values()]))

    @property
    def terms(self) -> float:
        """Mean over the logos."""
        return float(np.mean([t for _, t in self.of.values()]))

    @property
    def least_frames(self) -> float:
        """The worst logo's."""
        return min(f for f, _ in self.of.values())

    @property
    def least_terms(self) -> float:
        """The worst logo's."""
        return min(t for _, t in self.of.values())


def evaluate(story: StoryGraph, method: str = "mmss", frames: int = 5, terms: int = 10) -> Precision:
    """Return the precision@*frames* and precision@*terms* of a method for every logo of a labelled story.

    A frame is right if its shot has the label of the story that the logo stands for (the label most of the logo's
    own shots have); a term if it is annotated. Missing ones count as wrong.

    >>> from kgmm.stories.example.news import news
    >>> evaluate(news()).least_frames
    1.0
    """
    labels = {x.id: _label(story, x.id) for x in story.logos}
    return Precision({id: evaluate_logo(story, id, label, method, frames, terms) for id, label in labels.items()})


def evaluate_logo(
    story: StoryGraph, logo: str, label: str, method: str = "mmss", frames: int = 5, terms: int = 10
) -> tuple[float, float]:
    """Return the precision of the frames and of the terms of one logo's summary, taken to tell the story *label*."""
    summary = summarize(story, logo, frames, terms, method)
    right_frames = sum(f.shot.story == label for f in summary.frames)
    right_terms = sum(t.term in story.annotations.get(label, ()) for t in summary.terms)
    return right_frames / frames, right_terms / terms


def _label(story: StoryGraph, logo: str) -> str:
    labels = [s.story for s in story.shots if logo in s.logos and s.story]
    return max(sorted(set(labels)), key=labels.count) if labels else logo


def with_unrelated(story: StoryGraph, shots: int | None = None, seed: int = 0) -> StoryGraph:
    """Return a story with *shots* (as many again by default) of no logo that share three in ten of its terms."""
    random = np.random.default_rng(seed)
    count = len(story.shots) if shots is None else shots
    own = [term for shot in story.shots for term in shot.terms]
    sizes = [max(len(s.terms), 2) for s in story.shots] or [6]
    added = []
    for i in range(count):
        terms = {
            own[random.integers(len(own))] if own and random.random() < SHARED else f"other {random.integers(2000)}"
            for _ in range(int(random.choice(sizes)))
        }
        added.append(Shot(f"other-{i}", 5.0 * i, 5.0 * i + 5, tuple(sorted(terms)), (), "other"))
    broadcasts = (*story.broadcasts, Broadcast("other", "Other footage"))
    return replace(story, shots=(*story.shots, *added), broadcasts=broadcasts)
