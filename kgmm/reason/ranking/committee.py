"""The trained scorer: a committee of networks ranks (fact, answering end) pairs by what the question looks for.

Networks as in :mod:`kgmm.nn.pair_ranker`; what they know of the world still comes from the store alone.
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from kgmm.encode.nearness import READ
from kgmm.encode.vectors import vector_cache
from kgmm.language import names
from kgmm.language.words import normal
from kgmm.nn.threads import one_thread
from kgmm.reason.answers import added_up
from kgmm.reason.ranking.features import Evidence
from kgmm.reason.ranking.linear import LINEAR, Scorer, certainty
from kgmm.reason.ranking.network import WEIGHTS, Trained, as_pairs, end_features, load, relation_numbers, text_keys
from kgmm.reason.ranking.weights import WEIGHTS as LINEAR_WEIGHTS
from kgmm.reason.task import Task

#: candidates that are ranked, and of them the ones whose answers count
POOL, BEST = READ, 128
#: answers are given if they are more likely right than not
THRESHOLD = 0.5


def committee(folder: Path | None = None) -> Scorer:
    """Return the committee of a folder, read by :func:`~kgmm.reason.ranking.network.load`; the shipped one by default."""
    trained = load(folder or WEIGHTS)
    confidence = partial(_confidence, trained)
    return Scorer(POOL, THRESHOLD, partial(_ends, trained), _answers, confidence, trained.checksum)


def _ends(trained: Trained, task: Task, found: Evidence) -> NDArray[np.float64]:
    """Return the log-probability of each candidate's two ends, before normalization."""
    cache = vector_cache(task.store, task.encoder)
    facts, ends = (cache.get(keys.reshape(-1))[1] for keys in text_keys(task, found))
    relation, features = relation_numbers(task, found), end_features(task, found)
    pairs = as_pairs(facts, ends, relation, features, found.seen.reshape(-1, 2))
    with torch.inference_mode(), one_thread():
        return trained.committee.score(trained.read(task.question), pairs).double().numpy().reshape(-1)


def _answers(task: Task, found: Evidence, ends: NDArray[np.float64], kept: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the log-probability of each end's answer, summed over all facts that give the same."""
    scores = np.where(kept[:, None], ends.reshape(-1, 2), -np.inf)
    best = np.argsort(-scores.max(axis=1), kind="stable")[: min(BEST, int(kept.sum()))]
    logits = np.full(scores.shape, -np.inf)
    if not len(best):
        return logits.reshape(-1)
    logits[best] = summed_by_answer(scores[best], end_answers(task, found, best))
    return logits.reshape(-1)


def _confidence(trained: Trained, found: Evidence, logit: float, row: int) -> float:
    """Return how likely an answer is right, from its share among all answers and from what supports it at all.

    What the linear scorer would withhold is no surer here: the best of poor answers is still poor.
    """
    share, support, bias = trained.calibration
    score = float(found.features[row] @ LINEAR_WEIGHTS)
    sure = float(1 / (1 + np.exp(-(share * logit + support * score + bias))))
    plain = certainty(score)
    return sure if plain >= LINEAR.threshold else min(sure, plain)


def end_answers(task: Task, found: Evidence, rows: NDArray[np.int64]) -> list[tuple[str, str]]:
    """Return what each end of candidates says as an answer: a near end stands for the seen thing."""
    c, name = found.candidates, task.store.terms.name
    out = []
    for r in rows.tolist():
        near = names.label(name(c.roots[int(c.root[r])]))
        subject, target = (names.label(name(int(t[r]))) for t in (c.subject, c.object))
        out.append((near, target) if c.end[r] == 0 else (subject, near))
    return [(normal(a), normal(b)) for a, b in out]


def summed_by_answer(logits: NDArray[Any], says: list[tuple[str, str]]) -> NDArray[np.float64]:
    """Return the log-probability of what each pair answers, all pairs with that answer added up.

    Among pairs with the same answer the better one comes first by a thousandth.

    Example:
        >>> both = summed_by_answer(np.log([[0.2, 0.5], [0.3, 0.0001]]), [("cat", "dog"), ("cat", "pet")])
        >>> np.exp(both).round(2).tolist()
        [[0.5, 0.5], [0.5, 0.0]]
    """
    flat = logits.reshape(-1).astype(np.float64)
    share = np.exp(flat - flat.max())
    share /= share.sum()
    said = [text for pair in says for text in pair]
    mass = np.array([*map(added_up(said, share).__getitem__, said)])
    return np.asarray(np.log(np.maximum(mass, 1e-12)) + 1e-3 * share).reshape(logits.shape)
