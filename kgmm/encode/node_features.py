"""Vectors of a store's nodes, computed once and kept beside its index: what graph networks read as features."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kgmm.encode.text import Encoder, text_encoder
from kgmm.encode.vectors import HasTerms, term_vectors


def features(store: HasTerms, ids: ArrayLike, encoder: str | Encoder = "minilm") -> NDArray[np.float32]:
    """Return a vector for each node, from its name as a person says it.

    Vectors are kept in half precision in ``store.cache_dir("vectors")``, under the term id and the model's
    checksum: a second call reads them, another model or other weights never do.

    Args:
        store: whose nodes these are; term ids never change between its versions.
        ids: term ids, shape (n,).
        encoder: a name for :func:`kgmm.encode.text.text_encoder`, or an encoder.

    Returns:
        Shape (n, encoder.dim), float32, rows of unit length.

    Raises:
        KgmmError: if there is no such encoder.
    """
    model = text_encoder(encoder) if isinstance(encoder, str) else encoder
    numbers = np.asarray(ids).astype(np.int64)
    return term_vectors(store, numbers, model)
