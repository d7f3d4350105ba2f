"""What goes with what in the scenes and stories of a store: each graph is a row, the concepts it shows are its items."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from kgmm.errors import KgmmError
from kgmm.patterns.association import rules
from kgmm.patterns.candidates import Stated, propose
from kgmm.patterns.transactions import Transactions, starts_of

if TYPE_CHECKING:
    from kgmm.store import LocalStore

KINDS = ("scene", "story")


def shown(store: LocalStore, kind: str = "scene") -> Transactions:
    """Return a row for each scene (or story) of a store: the concepts that are objects of its facts.

    Raises:
        KgmmError: if there is no such kind.

    Example:
        >>> import tempfile, kgmm
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> _ = kb.add([("/s/1/a", "InstanceOf", "cup"), ("/s/1/b", "InstanceOf", "saucer")], graph="scene/1")
        >>> _ = kb.add([("/s/2/a", "InstanceOf", "cup")], graph="scene/2")
        >>> rows = shown(kb)
        >>> len(rows), rows.names
        (2, ['/c/en/cup', '/c/en/saucer'])
    """
    if kind not in KINDS:
        raise KgmmError(f"scenes or stories are looked at, not {kind!r}")
    graphs = sorted(name for name in store.graphs() if name.startswith(kind + "/"))
    columns = store.columns(graphs)
    place = {term: row for row, term in enumerate(store.terms.ids(graphs).tolist())}
    used, item = np.unique(columns.object, return_inverse=True)
    names = store.terms.names(used)
    concept = np.array([name.startswith("/c/") for name in names], bool)
    row = np.array([place[term] for term in columns.graph.tolist()], np.int64)
    pairs = np.unique(
        np.stack([row, item.reshape(-1)], 1)[concept[item.reshape(-1)]] if len(row) else np.empty((0, 2), np.int64),
        axis=0,
    )
    kept = np.flatnonzero(concept)
    number = np.searchsorted(kept, pairs[:, 1]).astype(np.int32)
    return Transactions(starts_of(pairs[:, 0], len(graphs)), number, [names[i] for i in kept.tolist()])


def together(
    store: LocalStore, kind: str = "scene", min_support: float = 0.1, min_confidence: float = 0.5, max_length: int = 3
) -> pl.DataFrame:
    """Return what goes with what in scenes or stories, as :func:`kgmm.patterns.association.rules`; see there."""
    return rules(shown(store, kind), min_support, min_confidence, max_length=max_length)


def conclude_near(store: LocalStore, found: pl.DataFrame, graph: str = "scenes") -> int:
    """Write rules of one thing to one thing as candidates ``LocatedNear`` in ``mined/GRAPH``; return how many are new.

    Weight and confidence are the rule's; its support and lift are in the source.
    """
    single = found.filter((pl.col("antecedents").list.len() == 1) & (pl.col("consequents").list.len() == 1))

    def stated() -> Iterator[Stated]:
        for row in single.iter_rows(named=True):
            (a,), (b,) = row["antecedents"], row["consequents"]
            if not store.find(a, "LocatedNear", b):
                source = f"together: support {row['support']:.3f}, lift {row['lift']:.2f}"
                yield Stated((a, "LocatedNear", b), row["confidence"], source)

    return propose(store, stated(), graph)
