"""Vectors of a store's facts and terms, and of what is asked: each encoded once, and compared by all that compare."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from kgmm.encode.cache import VectorCache, encode_cached
from kgmm.language.names import label

if TYPE_CHECKING:
    from kgmm.encode.text import Encoder

T = TypeVar("T")
Floats = NDArray[np.float32]

_QUERIES: dict[tuple[str, str], Floats] = {}
_MAX_QUERIES = 1 << 14


class Terms(Protocol):
    """The store's dictionary, as far as it is needed here."""

    def names(self, ids: NDArray[np.int64]) -> list[str]:
        """Return the terms of ids."""
        ...


class HasTerms(Protocol):
    """A store, as far as it is needed here."""

    @property
    def terms(self) -> Terms:
        """The store's dictionary."""
        ...

    def cache_dir(self, name: str) -> Path:
        """Return a folder for derived things."""
        ...

    def derived(self, name: Hashable, make: Callable[[], T]) -> T:
        """Return what was made under a name, made when first asked for."""
        ...


def vector_cache(store: HasTerms, encoder: Encoder) -> VectorCache:
    """Return a store's cache of an encoder's vectors of facts and terms, opened once."""
    return store.derived(
        ("vectors", encoder.checksum), lambda: VectorCache(store.cache_dir("vectors"), encoder.dim, encoder.checksum)
    )


def term_vectors(store: HasTerms, ids: NDArray[np.int64], encoder: Encoder) -> Floats:
    """Return the vectors of terms' labels, shape (n, dim), rows of unit length and half precision.

    They are computed once and kept under the term ids, which never change between a store's versions, and the model's
    checksum: another model or other weights never read them.
    """
    return encode_cached(
        encoder,
        vector_cache(store, encoder),
        ids.astype(np.uint64),
        lambda at: [label(term) for term in store.terms.names(ids[at])],
    )


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
