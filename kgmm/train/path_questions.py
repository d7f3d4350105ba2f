"""Questions that a policy of paths learns from: a store's own facts, and what kinds hand down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kgmm.errors import KgmmError
from kgmm.language.names import is_literal
from kgmm.language.relations import DENIES, LINKS
from kgmm.reason.paths.roads import Ids, Roads
from kgmm.reason.paths.walking import Asked

if TYPE_CHECKING:
    from kgmm.retrieve import Key
    from kgmm.store import LocalStore

MOST = 600  #: facts of a relation that questions are made of


def questions_of(
    store: LocalStore, roads: Roads, exclude: Sequence[Key] = (), most: int = MOST, seed: int = 0, one: bool = False
) -> Asked:
    """Return questions (start, relation either way) of a store's general facts, at most *most* facts a relation.

    As many again are of what a thing's kinds hand down to it, so that a policy can learn to ask them. With *one*, each has one answer.

    Raises:
        KgmmError: if there is none.
    """
    columns = store.columns(store.knowledge_graphs())
    rows = np.unique(np.stack([columns.subject, columns.predicate, columns.object], 1).astype(np.int64), axis=0)
    rng, kept = np.random.default_rng(seed), []
    names = store.terms.name
    gone = {tuple(store.terms.ids(list(key)).tolist()) for key in exclude}
    for p in np.unique(rows[:, 1]).tolist():
        if names(p) in DENIES or names(p) in LINKS:
            continue
        of = rows[rows[:, 1] == p]
        chosen = of[np.sort(rng.permutation(len(of))[:most])]
        kept += [r for r in chosen.tolist() if tuple(r) not in gone and not is_literal(names(r[2]))]
    if not kept:
        raise KgmmError(f"{store.path}: no facts between concepts that questions could be made of")
    s, p, o = np.array(kept, np.int64).T
    above = roads.code("IsA")
    handed: list[tuple[int, int]] = []
    if above is not None:
        members = {o: sorted(roads.answers(o, above + 1)) for o in np.unique(s).tolist()}
        handed = [(m, 2 * r) for kind, r in zip(s.tolist(), p.tolist(), strict=True) for m in members[kind]]
        handed = sorted({one for one in handed if roads.held(*one) - roads.answers(*one)})
        handed = [handed[i] for i in rng.permutation(len(handed))[: len(s)].tolist()]
    if one:
        own = [(m, c, ends[int(rng.integers(len(ends)))]) for m, c in handed if (ends := _handed(roads, m, c))]
        found = np.concatenate([np.stack([np.r_[s, o], np.r_[2 * p, 2 * p + 1], np.r_[o, s]], 1), _table(own, 3)])
        found = np.unique(found[found[:, 0] != found[:, 2]], axis=0)
        return Asked(found[:, 0].copy(), found[:, 1].copy(), np.ones(len(found), bool), found[:, 2].copy())
    pairs = np.concatenate([np.stack([np.r_[s, o], np.r_[2 * p, 2 * p + 1]], 1), _table(handed, 2)])
    pairs = np.unique(pairs, axis=0)
    return Asked(pairs[:, 0].copy(), pairs[:, 1].copy(), np.ones(len(pairs), bool))


def _handed(roads: Roads, node: int, code: int) -> list[int]:
    return sorted(roads.held(node, code) - roads.answers(node, code))


def _table(rows: Sequence[tuple[int, ...]], columns: int) -> Ids:
    return np.array(rows, np.int64).reshape(-1, columns)
