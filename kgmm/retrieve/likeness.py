"""From a picture or sentence to like concepts, scenes and story frames: codes of the store's nodes, searched by FAISS.

Nodes get 256-bit codes: the signs of random projections (Charikar, STOC 2002) of their vectors. A concept's vector is
its label's; a scene's or frame's is the mean of what it depicts or mentions. The nearest codes are then put in order by
the cosine of the vectors themselves. Pictures come as their scene graphs, so that both modalities meet in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kgmm.encode.cache import VectorCache, encode_cached
from kgmm.encode.text import Encoder, text_encoder
from kgmm.errors import KgmmError
from kgmm.hashing.index import CodeIndex
from kgmm.language import names
from kgmm.scene import SceneGraph

if TYPE_CHECKING:
    from kgmm.store import LocalStore

BITS = 256
#: nodes that are compared by their vectors, for every one asked for
SHORTLIST = 20
#: concepts that get codes: those with the most facts (a label takes about a third of a millisecond to encode, once)
CONCEPTS = 20_000
#: what is looked for -> the relation by which such nodes hold concepts
MODALITIES = {"concept": "", "scene": "Depicts", "story": "Mentions"}


@dataclass(frozen=True)
class Similar:
    """A node that is like what was asked for."""

    node: str
    #: of a scene or frame: what it holds, the most certain first
    label: str
    modality: str
    score: float
    #: bits in which the codes differ
    hamming: int


@dataclass
class _Coded:
    """Nodes of one modality with vectors and an index of their codes."""

    nodes: list[str]
    vectors: NDArray[np.float32]
    index: CodeIndex | None


def similar(
    store: LocalStore, query: str | SceneGraph | Sequence[str], *, modality: str | None = None, k: int = 10
) -> list[Similar]:
    """Return the nodes most like a sentence, a list of concepts or a scene, best first.

    Args:
        store: whose nodes are searched.
        query: a sentence, concepts, or the scene graph of a picture.
        modality: ``concept``, ``scene`` or ``story`` (its frames); all of them if None.
        k: how many; of each modality the same number is looked at.

    Raises:
        KgmmError: if there is no such modality or the query is empty.
        MissingExtra: if FAISS is not installed.

    Example:
        >>> similar(kb, "a hot drink", modality="scene", k=1)[0].node                  # doctest: +SKIP
        '/s/coffee'
    """
    if modality is not None and modality not in MODALITIES:
        raise KgmmError(f"no modality {modality!r}; there are {', '.join(MODALITIES)}")
    if k < 1:
        raise KgmmError(f"k must be positive, not {k}")
    encoder = text_encoder("minilm")
    vector = _query(query, encoder)
    found = [
        s for m in ([modality] if modality else MODALITIES) for s in _nearest(_coded(store, m, encoder), m, vector, k)
    ]
    best = sorted(found, key=lambda s: (-s.score, s.node))[:k]
    return [s if s.modality == "concept" else replace(s, label=_held(store, s)) for s in best]


def _held(store: LocalStore, holder: Similar, most: int = 5) -> str:
    """Return the labels of the concepts that a scene or frame holds, or its name."""
    facts = sorted(store.find(holder.node, MODALITIES[holder.modality], None), key=lambda f: -f.weight)
    labels = list(dict.fromkeys(names.label(f.object) for f in facts))
    return ", ".join(labels[:most]) + (", …" if len(labels) > most else "") or holder.label


def codes(vectors: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the packed signs of random projections, shape (n, BITS / 8); the projections depend on nothing else."""
    return np.asarray(np.packbits(vectors @ _projections(vectors.shape[1]) >= 0, axis=1))


@lru_cache(4)
def _projections(dim: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal((dim, BITS)).astype(np.float32)


def _query(query: Any, encoder: Encoder) -> NDArray[np.float32]:
    if isinstance(query, SceneGraph):
        terms = [(names.concept(o.name), o.score) for o in query.objects] + [
            (names.concept(t), s) for t, s in query.tags
        ]
        if not terms:
            raise KgmmError("nothing was recognized in the picture, so nothing can be like it")
        labels, weights = [names.label(t) for t, _ in terms], np.array([w for _, w in terms], np.float32)
    else:
        labels = [query] if isinstance(query, str) else [names.label(names.concept(c)) for c in query]
        labels = [text for text in labels if text.strip()]
        if not labels:
            raise KgmmError("the query is empty")
        labels = [names.label(t) if t.startswith("/c/") else t for t in labels]
        weights = np.ones(len(labels), np.float32)
    mean: NDArray[np.float32] = _unit((weights[:, None] * encoder.encode(labels)).sum(0, keepdims=True))
    return mean.reshape(-1)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), np.float32)


def _coded(store: LocalStore, modality: str, encoder: Encoder) -> _Coded:
    """Return a modality's nodes with codes, made once for each version of a store."""
    kept = store.__dict__.setdefault("_codes", {})
    key = (modality, encoder.checksum)
    if key not in kept or kept[key][0] != store.version:
        made = _concepts(store, encoder) if modality == "concept" else _holders(store, MODALITIES[modality], encoder)
        kept[key] = (store.version, made)
    found: _Coded = kept[key][1]
    return found


def _concepts(store: LocalStore, encoder: Encoder) -> _Coded:
    columns = store.columns()
    ids, counts = np.unique(np.concatenate([columns.subject, columns.object]), return_counts=True)
    best = ids[np.argsort(-counts, kind="stable")[: 2 * CONCEPTS]]
    chosen = [(int(i), n) for i, n in zip(best, store.terms.names(best), strict=True) if n.startswith("/c/")][:CONCEPTS]
    vectors = _vectors(store, np.array([i for i, _ in chosen], np.int64), encoder)
    return _made([n for _, n in chosen], vectors)


def _holders(store: LocalStore, relation: str, encoder: Encoder) -> _Coded:
    """Return scenes or frames, each with the mean vector of the concepts it holds."""
    held = store.find(None, relation, None).ids
    nodes, at = np.unique(held.subject, return_inverse=True)
    terms, which = np.unique(held.object, return_inverse=True)
    known = _vectors(store, terms.astype(np.int64), encoder)
    sums = np.zeros((len(nodes), encoder.dim), np.float32)
    np.add.at(sums, at, known[which] * np.asarray(held.weight, np.float32)[:, None])
    return _made(store.terms.names(nodes), _unit(sums))


def _made(nodes: list[str], vectors: NDArray[np.float32]) -> _Coded:
    return _Coded(nodes, vectors, CodeIndex(codes(vectors)) if nodes else None)


def _vectors(store: LocalStore, ids: NDArray[np.int64], encoder: Encoder) -> NDArray[np.float32]:
    cache = VectorCache(store.cache_dir("vectors"), encoder.dim, encoder.checksum)
    labels = store.terms.names(ids)
    return encode_cached(encoder, cache, ids.astype(np.uint64), lambda at: [names.label(labels[i]) for i in at])


def _nearest(coded: _Coded, modality: str, vector: NDArray[np.float32], k: int) -> list[Similar]:
    if coded.index is None:
        return []
    rows, distances = coded.index.search(codes(vector[None, :]), k * SHORTLIST)
    scores = coded.vectors[rows[0]] @ vector
    order = np.argsort(-scores, kind="stable")[:k]
    return [
        Similar(
            coded.nodes[rows[0][i]],
            names.label(coded.nodes[rows[0][i]]),
            modality,
            round(float(scores[i]), 4),
            int(distances[0][i]),
        )
        for i in order
    ]
