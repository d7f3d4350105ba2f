"""Rows of training that are set apart, beside the rows kept apart: as new facts of these triples would be."""

from __future__ import annotations

import numpy as np

from kgmm.complete.triples import Ints, Triples

WANTED = 40  #: rows a relation that weights and probabilities are fitted on
PART = 3  #: of a relation's training rows at most one in so many makes these up
LIKE = 20  #: and of its training rows at most one in so many stands beside the kept ones


def set_apart(triples: Triples, kept: Ints, seed: int = 0) -> tuple[Triples, Ints]:
    """Return what is left to learn from, and *kept* with rows of training: as many of each relation, and more where it has few.

    Rows kept apart by others may be easier than what will be asked, and a relation that *kept* lacks altogether would be weighed and
    calibrated as the others are, however unlike them it is. Both ends of a row that is set apart keep other rows: what is asked of
    a store is how entities that it tells of are related.

    Args:
        triples: of training; numbers of entities and relations stay.
        kept: rows that are kept apart already.
        seed: of the choice.

    Example:
        >>> all_ = Triples.of([(f"p{n}", "next", f"p{n + 1}") for n in range(30)])
        >>> left, apart = set_apart(all_, all_.rows[:0])
        >>> len(left.rows), len(apart), bool((left.degree > 0).all())
        (20, 10, True)
    """
    rng = np.random.default_rng(seed)
    have = np.bincount(np.asarray(kept).reshape(-1, 3)[:, 1], minlength=len(triples.relations))
    chosen, degree = np.zeros(len(triples.rows), bool), triples.degree.copy()
    for relation, count in enumerate(have.tolist()):
        rows = np.flatnonzero(triples.rows[:, 1] == relation)
        wanted = max(min(WANTED - count, len(rows) // PART), min(count, len(rows) // LIKE))
        for row in rng.permutation(rows).tolist():
            if wanted <= 0:
                break
            ends = triples.rows[row, [0, 2]]
            if degree[ends].min() > 1 + (ends[0] == ends[1]):
                np.subtract.at(degree, ends, 1)
                chosen[row] = True
                wanted -= 1
    left = Triples(triples.entities, triples.relations, triples.rows[~chosen])
    return left, np.concatenate([np.asarray(kept).reshape(-1, 3), triples.rows[chosen]])
