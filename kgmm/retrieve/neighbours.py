"""Facts of a store by their ends, as compressed rows: what joint graphs are joined by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kgmm.graph.joint import edge_type
from kgmm.language.relations import LINKS
from kgmm.store import LocalStore
from kgmm.store.senses import senses

Ids = NDArray[np.int64]

_HUB = 1000  #: facts from which a concept's are looked up from their other end


@dataclass(frozen=True)
class Neighbours:
    """What a store states, as compressed rows: by term its facts' other ends, either way."""

    starts: Ids  #: (terms + 1,)
    other: NDArray[np.uint32]  #: (2 × facts,)
    row: NDArray[np.uint32]  #: (2 × facts,) which fact
    #: (facts,) in ascending order of ``key``: subject × terms + object, senses counting as their lemma
    key: Ids
    type: NDArray[np.int16]
    turned: NDArray[np.bool_]
    weight: NDArray[np.float32]
    stated: NDArray[np.uint32]  #: (3, facts) the terms as stated

    @property
    def size(self) -> int:
        """Number of terms."""
        return len(self.starts) - 1

    def degree(self, nodes: Ids) -> Ids:
        """Return how many facts tell of each node."""
        return self.starts[nodes + 1] - self.starts[nodes]

    def of(self, nodes: Ids) -> tuple[Ids, Ids, Ids]:
        """Return (position in *nodes*, other end, fact) of every fact of some nodes."""
        count = self.degree(nodes)
        origin = np.repeat(np.arange(len(nodes)), count)
        at = np.arange(int(count.sum())) + np.repeat(self.starts[nodes] - np.cumsum(count) + count, count)
        return origin, self.other[at].astype(np.int64), self.row[at].astype(np.int64)

    def among(self, nodes: Ids) -> Ids:
        """Return the facts both of whose ends are among some nodes, ascending."""
        inside = np.zeros(self.size, bool)
        inside[nodes] = True
        hub = self.degree(nodes) > _HUB
        _, other, row = self.of(nodes[~hub])
        found = [row[inside[other]]]
        if hub.any():  # between hubs
            pairs = (nodes[hub][:, None] * self.size + nodes[hub]).ravel()
            low, high = np.searchsorted(self.key, pairs), np.searchsorted(self.key, pairs, "right")
            found += [np.arange(a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True) if b > a]
        return np.unique(np.concatenate(found))

    def stating(self, keys: Iterable[tuple[int, int, int]], lemma: NDArray[np.uint32]) -> Ids:
        """Return the facts that state some (subject, predicate, object), given by their ids."""
        found: list[int] = []
        for s, p, o in keys:
            pair = int(lemma[s]) * self.size + int(lemma[o])
            low, high = np.searchsorted(self.key, [pair, pair + 1])
            same = (self.stated[:, low:high] == np.array([[s], [p], [o]])).all(0)
            found += (low + np.flatnonzero(same)).tolist()
        return np.array(found, np.int64)


def neighbours(store: LocalStore, graphs: Sequence[str] | None = None) -> Neighbours:
    """Return the facts of some graphs (all but scenes and stories by default) by their ends; kept with the store's version.

    Literals, and links that only lead out of the store, are left out.
    """
    chosen = tuple(graphs) if graphs is not None else None
    return store.derived(("neighbours", chosen), lambda: _neighbours(store, chosen))


def _neighbours(store: LocalStore, graphs: tuple[str, ...] | None) -> Neighbours:
    columns, lemma = store.columns(graphs=graphs or store.knowledge_graphs()), senses(store).lemma
    stated = np.stack([columns.subject, columns.predicate, columns.object])
    used, at = np.unique(stated[1], return_inverse=True)
    names = store.terms.names(used)
    types = [edge_type(name) for name in names]
    keep = ~np.isin(at, [i for i, name in enumerate(names) if name in LINKS]) & ~store.terms.is_literal(stated[2])
    size = len(lemma)
    ends = lemma[stated[[0, 2]]].astype(np.int64) if size else stated[[0, 2]].astype(np.int64)
    keep &= ends[0] != ends[1]
    key = ends[0] * size + ends[1]
    order = np.flatnonzero(keep)
    order = order[np.argsort(key[order], kind="stable")]
    at, (subject, object) = at[order], ends[:, order]
    both = np.concatenate([subject, object])
    entries = np.argsort(both, kind="stable")
    code, turned = np.array(types, np.int16).reshape(-1, 2).T
    return Neighbours(
        starts=np.concatenate([[0], np.cumsum(np.bincount(both, minlength=size))]),
        other=np.concatenate([object, subject])[entries].astype(np.uint32),
        row=(entries % max(len(order), 1)).astype(np.uint32),
        key=key[order],
        type=code[at],
        turned=turned[at] > 0,
        weight=columns.weight[order],
        stated=stated[:, order],
    )
