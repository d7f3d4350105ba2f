"""Rows of training that are set apart where the rows kept apart say too little of a relation."""

from __future__ import annotations

import numpy as np

from kgmm.complete.triples import Ints, Triples

WANTED = 40  #: rows a relation that weights and probabilities are fitted on
PART = 3  #: of a relation's training rows at most one in so many is set apart


def set_apart(triples: Triples, kept: Ints, seed: int = 0) -> tuple[Triples, Ints]:
    """Return what is left to learn from, and *kept* with rows of training for relations of which it has few.

    A relation that *kept* lacks altogether would be weighed and calibrated as the others are, however unlike them it is.

    Args:
        triples: of training; numbers of entities and relations stay.
        kept: rows that are kept apart already.
        seed: of the choice.

    Example:
        >>> all_ = Triples.of([(f"p{n}", "next", f"p{n + 1}") for n in range(30)])
        >>> left, apart = set_apart(all_, all_.rows[:0])
        >>> len(left.rows), len(apart)
        (20, 10)
    """
    rng = np.random.default_rng(seed)
    have = np.bincount(kept[:, 1], minlength=len(triples.relations)) if len(kept) else np.zeros(len(triples.relations))
    chosen = np.zeros(len(triples.rows), bool)
    for relation, count in enumerate(have.tolist()):
        rows = np.flatnonzero(triples.rows[:, 1] == relation)
        wanted = min(WANTED - int(count), len(rows) // PART)
        if wanted > 0:
            chosen[rng.choice(rows, wanted, replace=False)] = True
    left = Triples(triples.entities, triples.relations, triples.rows[~chosen])
    return left, np.concatenate([np.asarray(kept).reshape(-1, 3), triples.rows[chosen]])
