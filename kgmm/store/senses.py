"""Sense nodes (``/c/en/dog/n``) and their lemma (``/c/en/dog``): ConceptNet says of senses what one asks of words."""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh64_intdigest

from kgmm.store import kept
from kgmm.store.index.terms import MANY, Terms
from kgmm.store.local import LocalStore

#: graphs whose word nodes stand for the one sense that people mostly mean: their sense nodes are other things
APART = ("wordnet",)
MOST = 60  #: senses of one lemma that are followed
_SENSE = r"^(/c/[^/]+/[^/]+)/[a-z](?:/.*)?$"
LEMMA = re.compile(_SENSE.replace("$", r"\Z"))
_FEWEST = 8  #: slots of a hash table

Ids = NDArray[np.uint32]


@dataclass(frozen=True)
class Senses:
    """Which terms of one version of a store belong together; made by :func:`senses`."""

    terms: Terms
    #: the term that each term belongs to, by id, uint32: a sense's lemma, itself for others. Where the lemma is no term
    #: of the store, the first of its senses stands for it.
    lemma: Ids
    #: those first senses, in a hash table from the lemma's spelling (XXH64, linear probing) to their id + 1
    stand_ins: Ids
    senses: Ids  #: senses that belong to another term, ordered by it
    of: Ids  #: the terms they belong to

    def id(self, name: str) -> int | None:
        """Return the id of a term, or of the sense that stands for a lemma, or None."""
        found = self.terms.id(name)
        return self._stand_in(name) if found is None or found >= len(self.lemma) else found

    def node(self, name: str) -> int | None:
        """Return the id of the term that a name belongs to, or None."""
        found = self.id(name)
        return None if found is None else int(self.lemma[found])

    def kin(self, term: int) -> list[int]:
        """Return what belongs with a term: a lemma's senses, or a sense's lemma; not a sense's other senses."""
        lemma = int(self.lemma[term])
        if lemma != term and LEMMA.match(self.terms.name(lemma)) is None:
            return [lemma]
        low, high = np.searchsorted(self.of, np.array([lemma, lemma + 1], self.of.dtype))
        return [i for i in (lemma, *self.senses[low:high][:MOST].tolist()) if i != term]

    def _stand_in(self, name: str) -> int | None:
        mask = len(self.stand_ins) - 1
        probe = xxh64_intdigest(name.encode("utf-8", "surrogatepass")) & mask
        while found := int(self.stand_ins[probe]):
            if (sense := LEMMA.match(self.terms.name(found - 1))) is not None and sense[1] == name:
                return found - 1
            probe = (probe + 1) & mask
        return None


def senses(store: LocalStore) -> Senses:
    """Return which terms of a store are senses of which lemma; those that a graph of :data:`APART` tells of are none.

    >>> import tempfile
    >>> from kgmm.store import LocalStore
    >>> kb = LocalStore(tempfile.mkdtemp() + "/kb")
    >>> _ = kb.add([("/c/en/dog/n", "IsA", "animal"), ("dog", "CapableOf", "bark")])
    >>> kb.terms.name(senses(kb).node("/c/en/dog/n"))
    '/c/en/dog'
    """
    return store.derived("senses", lambda: _known(store))


def carried(before: Senses, terms: Terms) -> Senses | None:
    """Return what was known before as it is with a few terms more; None if one of them is a sense or stands for itself now.

    No graph of :data:`APART` may have changed meanwhile.
    """
    more = range(len(before.lemma), len(terms))
    for name in map(terms.name, more):
        if LEMMA.match(name) is not None or before._stand_in(name) is not None:
            return None
    lemma = np.concatenate([before.lemma, np.array(more, np.uint32)])
    return Senses(terms, lemma, before.stand_ins, before.senses, before.of)


def _known(store: LocalStore) -> Senses:
    terms = store.terms
    worth = isinstance(store, LocalStore) and len(terms) >= kept.WORTH_IT
    if worth and (found := kept.kept(store, "senses", _SENSE)) is not None:
        arrays = found[1]
        if len(arrays["lemma"]) == len(terms):
            return Senses(terms, *(arrays[name] for name in ("lemma", "stand_ins", "senses", "of")))
    lemma, stand_ins = _found(store)
    others = np.flatnonzero(lemma != np.arange(len(lemma), dtype=np.uint32)).astype(np.uint32)
    others = others[np.argsort(lemma[others], kind="stable")]
    made = Senses(terms, lemma, stand_ins, others, lemma[others])
    if worth:
        arrays = {"lemma": made.lemma, "stand_ins": made.stand_ins, "senses": made.senses, "of": made.of}
        kept.keep(store, "senses", _SENSE, {}, arrays)
    return made


def _found(store: LocalStore) -> tuple[Ids, Ids]:
    """Return each term's lemma, and the hash table of stand-ins."""
    columns = store.columns(graphs=apart) if (apart := [graph for graph in store.graphs() if graph in APART]) else None
    flags = np.zeros(len(store.terms) if columns is not None else 0, bool)
    if columns is not None:
        flags[columns.subject], flags[columns.object] = True, True
    if isinstance(store.terms, Terms) and len(store.terms) >= MANY:
        return _paired(store.terms, flags)
    import polars as pl

    texts = store.terms.texts()
    lemma = np.arange(len(texts), dtype=np.uint32)
    rows = texts.str.extract(_SENSE).alias("lemma").to_frame().with_row_index("id").drop_nulls()
    if len(flags):
        rows = rows.filter(~pl.Series(flags[rows["id"].to_numpy()]))
    first = rows.group_by("lemma").agg(pl.col("id").min())
    known = store.terms.ids(first["lemma"])
    of = np.where(known < 0, first["id"].to_numpy(), known).astype(np.uint32)
    rows = rows.join(first.select("lemma", pl.Series("of", of)), on="lemma")
    lemma[rows["id"].to_numpy()] = rows["of"].to_numpy()
    alone = first.filter(pl.Series(known < 0)).sort("id")
    stand_ins = np.zeros(_slots_for(len(alone)), np.uint32)
    for name, term in zip(alone["lemma"], alone["id"], strict=True):
        probe = xxh64_intdigest(name.encode("utf-8", "surrogatepass")) & (len(stand_ins) - 1)
        while stand_ins[probe]:
            probe = (probe + 1) & (len(stand_ins) - 1)
        stand_ins[probe] = term + 1
    return lemma, stand_ins


def _paired(terms: Terms, apart: NDArray[np.bool_]) -> tuple[Ids, Ids]:
    """Do the same for many terms, compiled."""
    from kgmm.store.index import lemmas

    blob, offsets = terms.arrays
    lemma, lengths = np.arange(len(terms), dtype=np.uint32), np.empty(len(terms), np.uint32)
    lemmas.lemma_lengths(blob, offsets, apart, lengths)
    stand_ins = np.zeros(_slots_for(int(np.count_nonzero(lengths))), np.uint32)
    lemmas.pair(blob, offsets, terms.slots, lengths, lemma, stand_ins)
    return lemma, stand_ins


def _slots_for(count: int) -> int:
    return max(_FEWEST, 1 << (2 * count).bit_length())
