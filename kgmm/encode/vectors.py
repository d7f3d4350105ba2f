"""Vectors of a store's facts and terms, and of what is asked: each encoded once, and compared by all that compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kgmm.encode.cache import VectorCache, encode_cached, fact_keys
from kgmm.encode.text import Encoder, text_encoder
from kgmm.language.names import label
from kgmm.language.phrase import phrase

if TYPE_CHECKING:
    from kgmm.store import LocalStore

Ids = NDArray[np.int64]
Floats = NDArray[np.float32]

_QUERIES: dict[tuple[str, str], Floats] = {}
_MAX_QUERIES = 1 << 14


def vector_cache(store: LocalStore, encoder: Encoder) -> VectorCache:
    """Return a store's cache of an encoder's vectors of facts and terms, opened once."""
    name = encoder.checksum
    return store.derived(("vectors", name), lambda: VectorCache(store.cache_dir("vectors"), encoder.dim, name))


def term_vectors(store: LocalStore, ids: Ids, encoder: Encoder) -> Floats:
    """Return the vectors of terms' labels, (n, dim) of unit length, half precision, kept by term id and checksum."""
    cache, keys = vector_cache(store, encoder), ids.astype(np.uint64)
    return encode_cached(encoder, cache, keys, lambda at: [label(term) for term in store.terms.names(ids[at])])


def fact_vectors(store: LocalStore, columns: tuple[Ids, Ids, Ids], encoder: Encoder) -> Floats:
    """Return the vectors of facts' phrases, (n, dim) as those of terms; *columns* are their terms' ids, (n,) each."""

    def texts(at: Ids) -> list[str]:
        return [phrase(*said) for said in zip(*(store.terms.names(column[at]) for column in columns), strict=True)]

    return encode_cached(encoder, vector_cache(store, encoder), fact_keys(*columns), texts)


def features(store: LocalStore, ids: ArrayLike, encoder: str | Encoder = "minilm") -> Floats:
    """Return what graph networks read of nodes: :func:`term_vectors`, also by the name of an encoder.

    Args:
        store, ids: whose nodes these are, and their term ids, shape (n,).
        encoder: a name for :func:`kgmm.encode.text.text_encoder`, which tells what names there are, or an encoder.
    """
    model = text_encoder(encoder) if isinstance(encoder, str) else encoder
    return term_vectors(store, np.asarray(ids).astype(np.int64), model)


def query_vector(encoder: Encoder, text: str) -> Floats:
    """Return a text's vector, shape (dim,); recent ones are kept."""
    key = (encoder.checksum, text)
    if key not in _QUERIES:
        prime(encoder, [text])
    return _QUERIES[key]


def prime(encoder: Encoder, texts: list[str]) -> None:
    """Encode many texts in one go, so that :func:`query_vector` finds them; much faster than one by one."""
    if len(_QUERIES) + len(texts) > _MAX_QUERIES:
        _QUERIES.clear()
    _QUERIES.update(((encoder.checksum, t), v) for t, v in zip(texts, encoder.encode(texts), strict=True))
