"""Judge summaries made for a query: the parts that show what was asked, and shots matched by the concepts they share."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from kgmm.data.noted_films import NotedFilm
from kgmm.stories.footage.consensus import Bools, f_score
from kgmm.stories.footage.footage import Footage


def matching_f(system: Sequence[int], reference: Sequence[int], concepts: NDArray[np.bool_]) -> float:
    """Return F of the best matching of two summaries' shots, weighed by the IoU of the shots' concepts.

    Precision is the matching's weight by the system's shots, recall by the reference's; two shots without a concept
    have 0 in common.

    Args:
        system, reference: numbers of shots.
        concepts: shape (shots, concepts): what each shows.

    Source: Sharghi, Laurel and Gong, Query-focused video summarization, CVPR 2017.

    Example:
        >>> matching_f([0, 1], [1], np.array([[1, 0], [1, 1]], bool)) == 2 / 3
        True
    """
    if not len(system) or not len(reference):
        return 0.0
    one, other = (concepts[list(some)].astype(np.int64) for some in (system, reference))
    both = one @ other.T
    either = one.sum(axis=1)[:, None] + other.sum(axis=1)[None] - both
    shared = np.divide(both, either, out=np.zeros(both.shape), where=either > 0)
    weight = float(shared[linear_sum_assignment(shared, maximize=True)].sum())
    precision, recall = weight / len(system), weight / len(reference)
    return 2 * precision * recall / (precision + recall) if weight else 0.0


@dataclass(frozen=True, eq=False)
class Asked:
    """What people keep of a film for a query, and how near summaries come to it."""

    people: Bools  #: (people, n): what each keeps for the query
    shown: Bools  #: (n,): moments that show what was asked
    shot: NDArray[np.int64]  #: (n,): the shot of each moment
    concepts: Bools  #: (shots, concepts): what each shot shows

    @classmethod
    def of(cls, film: NotedFilm, footage: Footage, query: str, people: Bools) -> "Asked":
        """Return this of a film with notes; *people* is what each keeps for the query, shape (people, n)."""
        names = sorted({name for shot in film.shots for name in shot.concepts})
        concepts = np.array([[name in shot.concepts for name in names] for shot in film.shots], bool)
        return cls(people, film.asked(query, footage), film.shot_at(footage), concepts)

    def figures(self, summary: Bools) -> dict[str, float]:
        """Return means over people: ``asked_f`` of the parts that show what was asked, ``matching_f`` of shots."""
        own = [f_score(summary & self.shown, one & self.shown) for one in self.people]
        matched = [matching_f(self._shots(summary), self._shots(one), self.concepts) for one in self.people]
        return {"asked_f": float(np.mean(own)), "matching_f": float(np.mean(matched))}

    def _shots(self, summary: Bools) -> list[int]:
        """Return the shots of which a summary keeps half or more."""
        share = np.bincount(self.shot, summary) / np.maximum(np.bincount(self.shot), 1)
        return [int(i) for i in np.flatnonzero(share >= 0.5)]
