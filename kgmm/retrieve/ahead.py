"""Vectors of all that a store knows, computed before anyone asks, so that first questions wait for none."""

from typing import NamedTuple

import numpy as np

from kgmm.encode.cache import CHUNK, fact_keys
from kgmm.encode.text import Encoder, text_encoder
from kgmm.encode.vectors import term_vectors, vector_cache
from kgmm.progress import Progress, silent
from kgmm.retrieve.score import phrases
from kgmm.store import LocalStore
from kgmm.store.facts import Columns, is_general


class Encoded(NamedTuple):
    """How many facts and terms have a vector now, and how many of them got it just now."""

    facts: int
    terms: int
    new: int


def encode_all(store: LocalStore, encoder: str | Encoder = "minilm", progress: Progress = silent) -> Encoded:
    """Compute and keep the vectors of all facts and of the terms in them; what is kept already is passed over.

    It may be stopped and begun again: what is done is kept every few seconds. Scenes and stories are left out, whose facts
    answer no question.

    Args:
        store: whose facts and terms.
        encoder: a name for :func:`kgmm.encode.text.text_encoder`, or an encoder.
        progress: told how many are done.

    Example:
        >>> import tempfile
        >>> kb = LocalStore(tempfile.mkdtemp() + "/kb")
        >>> _ = kb.add([("dog", "IsA", "animal"), ("cat", "IsA", "animal")])
        >>> encode_all(kb), encode_all(kb).new
        (Encoded(facts=2, terms=3, new=5), 0)
    """
    model = text_encoder(encoder) if isinstance(encoder, str) else encoder
    cache = vector_cache(store, model)
    columns = store.columns(graphs=[graph for graph in store.graphs() if is_general(graph)])
    keys, first = np.unique(fact_keys(*columns[:3]), return_index=True)
    terms = np.unique(np.concatenate([columns.subject, columns.object])).astype(np.int64)
    facts, names = np.flatnonzero(~cache.has(keys)), terms[~cache.has(terms.astype(np.uint64))]
    total = len(facts) + len(names)
    for start in range(0, len(facts), CHUNK):
        part = facts[start : start + CHUNK]
        cache.put(keys[part], model.encode(phrases(store, Columns._make(c[first[part]] for c in columns))))
        progress(start + len(part), total, "facts")
    for start in range(0, len(names), CHUNK):
        term_vectors(store, names[start : start + CHUNK], model)
        progress(len(facts) + min(start + CHUNK, len(names)), total, "terms")
    return Encoded(len(keys), len(terms), total)
