"""Filtered ranks of the right answers: every other known answer left out, a tie shared by its mean."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from kgmm.complete.triples import Ints, Known
from kgmm.progress import Progress, silent

Floats = NDArray[np.float32]
#: scores of all entities, (m, entities), for m entities given and m relations either way
Scorer = Callable[[Ints, Ints], Floats]
BLOCK = 64  #: questions scored at a time


def open_scores(score: Floats, known: Ints, answer: int) -> Floats:
    """Return scores with −∞ for the known answers other than *answer*."""
    found = score.astype(np.float32, copy=True)
    found[known[known != answer]] = -np.inf
    return found


def rank(score: Floats, answer: int) -> float:
    """Return an answer's place, from 1, the mean over the orders that ties allow (the realistic rank).

    Source: Berrendorf et al., *On the ambiguity of rank-based evaluation*, 2020.

    Example:
        >>> rank(np.array([0.5, 0.9, 0.5, 0.5], np.float32), 0)
        3.0
    """
    own = score[answer]
    better, same = int((score > own).sum()), int((score == own).sum())
    return better + (same + 1) / 2


def ranks(
    scorer: Scorer, questions: tuple[Ints, Ints, Ints], known: Known, progress: Progress = silent
) -> NDArray[np.float64]:
    """Return the filtered rank of the answer of each question (entity given, relation either way, answer)."""
    entity, relation, answer = questions
    out = np.empty(len(entity))
    for low in range(0, len(entity), BLOCK):
        part = slice(low, low + BLOCK)
        block = scorer(entity[part], relation[part])
        for n, (e, r, a) in enumerate(zip(entity[part], relation[part], answer[part], strict=True)):
            out[low + n] = rank(open_scores(block[n], known.answers(e, r), int(a)), int(a))
        progress(min(low + BLOCK, len(entity)), len(entity), "questions")
    return out


def figures(places: NDArray[np.float64]) -> dict[str, float]:
    """Return mrr, hits@1, hits@3, hits@10 of ranks; zeros of none.

    Example:
        >>> figures(np.array([1.0, 2.0]))
        {'mrr': 0.75, 'hits@1': 0.5, 'hits@3': 1.0, 'hits@10': 1.0}
    """
    if not len(places):
        return {"mrr": 0.0, "hits@1": 0.0, "hits@3": 0.0, "hits@10": 0.0}
    return {"mrr": float((1 / places).mean())} | {f"hits@{k}": float((places <= k).mean()) for k in (1, 3, 10)}
