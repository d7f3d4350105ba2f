"""Sense nodes (``/c/en/dog/n``) and their lemma (``/c/en/dog``): ConceptNet says of senses what one asks of words."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kgmm.store.index.terms import Terms
from kgmm.store.local import LocalStore

#: graphs whose word nodes stand for the one sense that people mostly mean: their sense nodes are other things
APART = ("wordnet",)
MOST = 60  #: senses of one lemma that are followed
_SENSE = r"^(/c/[^/]+/[^/]+)/[a-z](?:/.*)?$"


@dataclass(frozen=True)
class Senses:
    """Which terms of one version of a store belong together; made by :func:`senses`."""

    terms: Terms
    #: the term that each term belongs to, by id, uint32: a sense's lemma, itself for others. Where the lemma is no term
    #: of the store, the first of its senses stands for it.
    lemma: NDArray[np.uint32]
    stands_for: dict[str, int]  #: lemmas that are no terms of the store → the sense that stands for them

    def id(self, name: str) -> int | None:
        """Return the id of a term, or of the sense that stands for a lemma, or None."""
        found = self.terms.id(name)
        return self.stands_for.get(name) if found is None or found >= len(self.lemma) else found

    def node(self, name: str) -> int | None:
        """Return the id of the term that a name belongs to, or None."""
        found = self.id(name)
        return None if found is None else int(self.lemma[found])

    def kin(self, term: int) -> list[int]:
        """Return what belongs with a term: a lemma's senses, or a sense's lemma; not a sense's other senses."""
        lemma = int(self.lemma[term])
        if lemma != term and lemma not in self.stands_for.values():
            return [lemma]
        senses, of = self._by_lemma
        low, high = np.searchsorted(of, np.array([lemma, lemma + 1], of.dtype))
        return [i for i in (lemma, *senses[low:high][:MOST].tolist()) if i != term]

    @cached_property
    def _by_lemma(self) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """The senses ordered by their lemma, and those lemmas."""
        found = np.flatnonzero(self.lemma != np.arange(len(self.lemma), dtype=np.uint32))
        order = found[np.argsort(self.lemma[found], kind="stable")]
        return order, self.lemma[order]


def senses(store: LocalStore) -> Senses:
    """Return which terms of a store are senses of which lemma; those that a graph of :data:`APART` tells of are none.

    >>> import tempfile
    >>> from kgmm.store import LocalStore
    >>> kb = LocalStore(tempfile.mkdtemp() + "/kb")
    >>> _ = kb.add([("/c/en/dog/n", "IsA", "animal"), ("dog", "CapableOf", "bark")])
    >>> kb.terms.name(senses(kb).node("/c/en/dog/n"))
    '/c/en/dog'
    """
    return store.derived("senses", lambda: _found(store))


def _found(store: LocalStore) -> Senses:
    import polars as pl

    texts = store.terms.texts()
    lemma = np.arange(len(texts), dtype=np.uint32)
    rows = texts.str.extract(_SENSE).alias("lemma").to_frame().with_row_index("id").drop_nulls()
    if len(rows):
        apart = store.columns(graphs=[graph for graph in store.graphs() if graph in APART])
        rows = rows.filter(~pl.col("id").is_in(np.union1d(apart.subject, apart.object)))
    first = rows.group_by("lemma").agg(pl.col("id").min())
    known = store.terms.ids(first["lemma"])
    of = np.where(known < 0, first["id"].to_numpy(), known).astype(np.uint32)
    rows = rows.join(first.select("lemma", pl.Series("of", of)), on="lemma")
    lemma[rows["id"].to_numpy()] = rows["of"].to_numpy()
    alone = first.filter(pl.Series(known < 0))
    return Senses(store.terms, lemma, dict(zip(alone["lemma"], alone["id"], strict=True)))
