"""From a picture or sentence to like concepts, scenes and story frames.

A concept's vector is its label's; a scene's or frame's is the mean of what it depicts or mentions. They are compared by
cosine, one by one, or, with a fitted method of :mod:`kgmm.hashing`, by the bits of their codes, which FAISS searches.
Pictures come as their scene graphs, so that both modalities meet in words, unless the method codes pictures themselves, or
the store keeps an alignment (:mod:`kgmm.fusion.alignment`), in whose space pictures and texts are compared.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kgmm.documents.likeness import near
from kgmm.documents.passage import Passage
from kgmm.encode.image import image_encoder
from kgmm.encode.text import Encoder, text_encoder
from kgmm.encode.vectors import features
from kgmm.errors import BadInput, KgmmError
from kgmm.fusion.alignment import Alignment, kept
from kgmm.hashing import Hasher, load
from kgmm.hashing.index import CodeIndex
from kgmm.hashing.nodes import node_codes, text_side
from kgmm.language import names
from kgmm.language.words import content, whole_characters
from kgmm.perceivers import perceive
from kgmm.scene import SceneGraph
from kgmm.scene.images import SUFFIXES

if TYPE_CHECKING:
    import polars as pl

    from kgmm.scene.images import ImageLike
    from kgmm.store import LocalStore

Ids = NDArray[np.int64]
Vectors = NDArray[np.float32]

CONCEPTS = 20_000  #: concepts whose vectors are compared; encoding a label takes about a third of a millisecond, once
#: what is looked for -> the relation by which such nodes hold concepts
MODALITIES = {"concept": "", "scene": "Depicts", "story": "Mentions"}
PICTURE = "picture"  #: that an alignment was fitted on; looked for where it is named
PASSAGE = "passage"  #: of documents that were read; looked for where it is named, or a passage is given


@dataclass(frozen=True)
class Similar:
    """A node that is like what was asked for."""

    node: str
    label: str  #: of a scene or frame: what it holds, the most certain first
    modality: str
    score: float  #: cosine of the vectors, or of the codes (1 - 2 x share of the bits that differ)
    hamming: int | None = None  #: bits in which the codes differ; None where vectors were compared
    reasons: tuple[str, ...] = ()  #: of a passage: names and rare words that both have


def similar(
    store: LocalStore,
    query: str | Path | SceneGraph | Sequence[str] | ImageLike | Passage,
    *,
    modality: str | None = None,
    k: int = 10,
    hasher: Hasher | str | Path | None = None,
    aligned: Alignment | None = None,
) -> list[Similar]:
    """Return the nodes most like a sentence, a list of concepts, a scene or a picture, best first.

    Without a hasher the vectors of at most :data:`CONCEPTS` concepts are compared: those that share a word with the
    query, then those with the most facts. With one, the codes of all concepts are searched.

    Args:
        store: whose nodes are searched.
        query: a sentence, concepts, a scene graph or its JSON file, or a picture, which is perceived first; a passage of
            a document, for others like it (:func:`kgmm.documents.likeness.near`).
        modality: ``concept``, ``scene`` or ``story`` (its frames); all of them if None; ``picture``, for nodes by the
            pictures of an alignment; or ``passage``, and the query is a passage, a document's id or a text.
        k: how many.
        hasher: a fitted hashing method, or where :meth:`~kgmm.hashing.Hasher.save` wrote one. One that was fitted on
            images of the length of :func:`kgmm.encode.image_encoder`'s vectors codes a picture itself.
        aligned: whose space pictures are compared in; by default what ``kb.align`` kept for the default encoders.

    Raises:
        BadInput: if the name of a picture or scene is given and there is no such file.
        KgmmError: if there is no such modality, the query is empty, or the hasher does not read vectors of texts.
        MissingExtra: with a hasher, if FAISS is not installed.

    Example:
        >>> similar(kb, "a hot drink", modality="scene", k=1)[0].node                  # doctest: +SKIP
        '/s/coffee'
    """
    if modality is not None and modality not in (*MODALITIES, PICTURE, PASSAGE):
        raise KgmmError(f"no modality {modality!r}; there are {', '.join((*MODALITIES, PICTURE, PASSAGE))}")
    if k < 1:
        raise KgmmError(f"k must be positive, not {k}")
    if modality == PASSAGE or isinstance(query, Passage):
        return _passages(store, query, modality, k, hasher)
    kinds = [modality] if modality else list(MODALITIES)
    if hasher is None and (modality == PICTURE or _is_picture(query)):
        aligned = aligned or kept(store)
    if modality == PICTURE and (hasher is not None or aligned is None):
        raise KgmmError("pictures are compared in the space of an alignment: kb.align(image=...), and no hasher")
    if hasher is not None:
        found = _by_codes(store, query, kinds, k, hasher)
    elif aligned is not None:
        found = _by_alignment(store, query, kinds, k, aligned)
    else:
        found = _by_vectors(store, query, kinds, k)
    best = sorted(found, key=lambda s: (-s.score, s.node))[:k]
    return [s if s.modality in ("concept", PICTURE) else replace(s, label=_held(store, s)) for s in best]


def _passages(
    store: LocalStore, query: Any, modality: str | None, k: int, hasher: Hasher | str | Path | None
) -> list[Similar]:
    """Return passages like a passage, a document's or a text."""
    if hasher is not None or modality not in (None, PASSAGE) or not isinstance(query, Passage | str):
        raise KgmmError("passages are compared with a passage, the id of a document or a text, and without a hasher")
    return [
        Similar(f"{n.document}#{n.part}", n.title or n.text[:60], PASSAGE, n.score, reasons=n.reasons)
        for n in near(store, query, k)
    ]


def _held(store: LocalStore, holder: Similar, most: int = 5) -> str:
    """Return the labels of the concepts that a scene or frame holds, or its name."""
    facts = sorted(store.find(holder.node, MODALITIES[holder.modality], None), key=lambda f: -f.weight)
    labels = list(dict.fromkeys(names.label(f.object) for f in facts))
    return ", ".join(labels[:most]) + (", …" if len(labels) > most else "") or holder.label


def _is_picture(query: Any) -> bool:
    """Tell a picture from words, concepts and scenes; BadInput if it is the name of a file that is not there."""
    kind = Path(query).suffix.lower() if isinstance(query, str | Path) else ""
    if kind in (*SUFFIXES, ".json") and not Path(query).expanduser().is_file():
        raise BadInput(query, f"no such file; a sentence to look for may not end with {kind}")
    return kind in SUFFIXES or not (kind == ".json" or isinstance(query, str | SceneGraph | list | tuple))


def _words(query: Any) -> list[tuple[str, float]]:
    """Return the labels that a query consists of, with weights; a picture is perceived, a scene's file read."""
    if _is_picture(query):
        query = perceive(query)
    elif isinstance(query, str | Path) and Path(query).suffix.lower() == ".json":
        query = SceneGraph.from_json(query)
    if isinstance(query, SceneGraph):
        seen = [*((o.name, o.score) for o in query.objects), *query.tags]
        if not seen:
            raise KgmmError("nothing was recognized in the picture, so nothing can be like it")
        return [(names.label(names.concept(name)), score) for name, score in seen]
    texts = [query] if isinstance(query, str) else [names.label(names.concept(c)) for c in query]
    texts = [names.label(text) if text.startswith("/c/") else text for text in texts if text.strip()]
    if not texts:
        raise KgmmError("the query is empty")
    whole_characters(*texts)
    return [(text, 1.0) for text in texts]


def _mean(words: list[tuple[str, float]], encoder: Encoder) -> Vectors:
    """Return the unit mean of the words' vectors, shape (1, dim)."""
    weights = np.array([weight for _, weight in words], np.float32)[:, None]
    return _unit((weights * encoder.encode([text for text, _ in words])).sum(0, keepdims=True))


def _unit(vectors: Vectors) -> Vectors:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), np.float32)


def _by_vectors(store: LocalStore, query: Any, kinds: list[str], k: int) -> list[Similar]:
    """Return the nodes of each kind whose vectors have the largest cosine with the mean of the query's words."""
    words, encoder = _words(query), text_encoder()
    vector = _mean(words, encoder)[0]
    found = []
    for kind in kinds:
        if kind == "concept":
            nodes, ids = _best_by_words(store, [text for text, _ in words])
            vectors = features(store, ids, encoder)
        else:
            nodes, vectors = _holders(store, kind, encoder)
        scores = vectors @ vector
        for row in np.argsort(-scores, kind="stable")[:k]:
            node = nodes[row]
            found.append(Similar(node, names.label(node), kind, round(float(scores[row]), 4)))
    return found


def _by_alignment(store: LocalStore, query: Any, kinds: list[str], k: int, aligned: Alignment) -> list[Similar]:
    """Return the nodes of each kind that lie nearest in the common space; a picture is taken as it is."""
    words: list[tuple[str, float]] = []
    if _is_picture(query):
        vector = aligned.transform(aligned.images.encode_images([query]), "image")[0]
    else:
        words = _words(query)
        vector = aligned.transform(_mean(words, aligned.texts), "text")[0]
    found = []
    for kind in kinds:
        nodes: Sequence[str]
        if kind == PICTURE:
            nodes, vectors = aligned.nodes, aligned.picture_vectors()
        elif kind == "concept":
            nodes, ids = _best_by_words(store, [text for text, _ in words])
            vectors = aligned.transform(features(store, ids, aligned.texts), "text")
        else:
            nodes, held = _holders(store, kind, aligned.texts)
            vectors = aligned.transform(held, "text")
        scores = vectors @ vector
        for row in np.argsort(-scores, kind="stable")[:k]:
            found.append(Similar(nodes[row], names.label(nodes[row]), kind, round(float(scores[row]), 4)))
    return found


def _by_codes(store: LocalStore, query: Any, kinds: list[str], k: int, hasher: Hasher | str | Path) -> list[Similar]:
    """Return the nodes of each kind whose codes differ from the query's in the fewest bits."""
    fitted = load(hasher) if isinstance(hasher, str | Path) else hasher
    code = _code(query, fitted)
    found = []
    for kind in kinds:
        nodes, index = _indexed(store, kind, fitted)
        if index is None:
            continue
        rows, distances = index.search(code, k)
        for row, distance in zip(rows[0], distances[0], strict=True):
            score = round(1 - 2 * int(distance) / fitted.bits, 4)
            found.append(Similar(nodes[int(row)], names.label(nodes[int(row)]), kind, score, int(distance)))
    return found


def _code(query: Any, hasher: Hasher) -> NDArray[np.uint8]:
    """Return the packed code of a query, shape (1, bytes): of a picture itself if the method reads such features."""
    modality, encoder = text_side(hasher)
    if _is_picture(query):
        pictures = image_encoder()
        if hasher.fitted["image"] == pictures.dim:
            return hasher.encode(pictures.encode_images([query]), "image")
    return hasher.encode(_mean(_words(query), encoder), modality)


def _indexed(store: LocalStore, kind: str, hasher: Hasher) -> tuple[Sequence[str], CodeIndex | None]:
    """Return the nodes of a kind and an index of their codes, None if there are none; made once for each version."""

    def make() -> tuple[Sequence[str], CodeIndex | None]:
        modality, encoder = text_side(hasher)
        if kind == "concept":
            found, ids = _concepts(store)
            nodes: Sequence[str] = found.to_list()
            codes = node_codes(store, ids, hasher)
        else:
            nodes, vectors = _holders(store, kind, encoder)
            codes = hasher.encode(vectors, modality)
        return nodes, CodeIndex(codes) if len(nodes) else None

    return store.derived(("codes", kind, hasher.checksum), make)


def _concepts(store: LocalStore) -> tuple[pl.Series, Ids]:
    """Return the names and ids of all concepts, those with the most facts first."""

    def make() -> tuple[pl.Series, Ids]:
        import polars as pl

        columns = store.columns()
        ids, counts = np.unique(np.concatenate([columns.subject, columns.object]), return_counts=True)
        ids = ids[np.argsort(-counts, kind="stable")].astype(np.int64)
        nodes = pl.Series(store.terms.names(ids), dtype=pl.String)
        ours = nodes.str.starts_with("/c/")
        return nodes.filter(ours), ids[ours.to_numpy()]

    return store.derived(("concepts",), make)


def _best_by_words(store: LocalStore, texts: list[str]) -> tuple[Sequence[str], Ids]:
    """Return at most :data:`CONCEPTS` concepts: those with a word that begins like one of the texts', then by facts."""
    nodes, ids = _concepts(store)
    if len(nodes) <= CONCEPTS:
        return nodes.to_list(), ids
    said = sorted({re.escape(word) for text in texts for word in content(text)})
    wanted = f"^/c/[^/]+/(?:[^/]*_)?(?:{'|'.join(said)})"
    shared = nodes.str.contains(wanted).to_numpy() if said else np.zeros(len(nodes), bool)
    best = np.argsort(~shared, kind="stable")[:CONCEPTS]
    return nodes.gather(best).to_list(), ids[best]


def _holders(store: LocalStore, kind: str, encoder: Encoder) -> tuple[Sequence[str], Vectors]:
    """Return scenes or frames, each with the mean vector of the concepts it holds; made once for each version."""

    def make() -> tuple[Sequence[str], Vectors]:
        held = store.find(None, MODALITIES[kind], None).ids
        nodes, at = np.unique(held.subject, return_inverse=True)
        terms, which = np.unique(held.object, return_inverse=True)
        known = features(store, terms, encoder)
        sums = np.zeros((len(nodes), encoder.dim), np.float32)
        np.add.at(sums, at, known[which] * np.asarray(held.weight, np.float32)[:, None])
        return store.terms.names(nodes), _unit(sums)

    return store.derived(("holders", kind, encoder.checksum), make)
