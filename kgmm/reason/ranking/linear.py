"""A scorer is data: how many candidates it reads, its bound, its numbers and how sure these are. Here the linear one.

After FVQA (Wang et al. 2018), without a trained classifier of questions: a softmax over (fact, answering end) pairs,
linear in readable features, whose weights ``python benchmarks/fit_explicit.py`` fits.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kgmm.reason.ranking.features import Evidence
from kgmm.reason.ranking.weights import BIAS, SLOPE, THRESHOLD, WEIGHTS
from kgmm.reason.task import Task
from kgmm.retrieve.score import POOL


@dataclass(frozen=True)
class Scorer:
    """What orders (fact, answering end) pairs."""

    #: candidates it reads, best similarity first
    pool: int
    #: the confidence below which an answer is withheld
    threshold: float
    #: one number a candidate's end, (2 n,); larger is better
    ends: Callable[[Task, Evidence], NDArray[np.float64]]
    #: those numbers as answers' (2 n,), of some candidates (n,) alone; -inf is out of the question
    answers: Callable[[Task, Evidence, NDArray[np.float64], NDArray[np.bool_]], NDArray[np.float64]]
    #: how likely the answer of an end (its row) with that number is right, in [0, 1]
    confidence: Callable[[Evidence, float, int], float]
    #: checksum of trained weights, '' if there are none
    checksum: str = ""


def linear(found: Evidence) -> NDArray[np.float64]:
    """Return the linear score of each candidate's ends, (2 n,)."""
    return np.asarray((found.features @ WEIGHTS).astype(np.float64))


def certainty(score: float) -> float:
    """Return how likely an answer with a linear score is right.

    Example:
        >>> round(certainty(15.0), 2), round(certainty(25.0), 2)
        (0.27, 0.97)
    """
    return float(1 / (1 + np.exp(-(SLOPE * score + BIAS))))


LINEAR = Scorer(
    POOL,
    THRESHOLD,
    ends=lambda task, found: linear(found),
    answers=lambda task, found, ends, kept: np.where(np.repeat(kept, 2), ends, -np.inf),
    confidence=lambda found, score, row: certainty(score),
)
