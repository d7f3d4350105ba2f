"""What is told of items beside ratings, texts, pictures, knowledge, in the form each method takes: terms, or vectors."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kgmm.errors import KgmmError
from kgmm.recommend.base import Rows
from kgmm.recommend.knowledge import ItemKnowledge

#: item -> text, tags, {tag: weight}, a picture's path, or a vector
Kind = Mapping[str, Any]


def takes(recommender: Any, name: str) -> bool:
    """Tell whether a recommender's ``fit`` has an argument."""
    return name in inspect.signature(recommender.fit).parameters


def fit_told(
    recommender: Any,
    ratings: Any,
    *,
    knowledge: Any = None,
    contents: Any = None,
    text_encoder: str | None = None,
    image_encoder: str = "efficientnet",
) -> Any:
    """Fit a recommender to ratings, what is known of their items, and what those are.

    Methods with ``fit(contents=…)`` are given terms: a text's words, a picture's visual words, what knowledge says of an item;
    the walk is given knowledge as it is, and vectors of texts and pictures for likeness.

    Args:
        recommender: which has not learned.
        ratings: to learn from.
        knowledge: :class:`~kgmm.recommend.knowledge.ItemKnowledge`, or what its ``of`` takes.
        contents: item -> text, tags, weights or a picture's path; a list is one for each kind.
        text_encoder: texts by this encoder's vectors; None for words, of the walk ``minilm``.
        image_encoder: of pictures.

    Raises:
        KgmmError: if the method has no use for knowledge, or for contents.
        BadInput: if a picture cannot be read.
    """
    kinds = prepared(recommender, contents, text_encoder, image_encoder)
    given: dict[str, Any] = {}
    if knowledge is not None:
        if takes(recommender, "knowledge"):
            given["knowledge"] = knowledge
        elif takes(recommender, "contents"):
            kinds = [*kinds, tags_of(ItemKnowledge.of(knowledge))]
        else:
            raise KgmmError(f"the recommender {recommender.name} cannot use knowledge; walk and profile can")
    if kinds and takes(recommender, "contents"):
        given["contents"] = kinds
    elif kinds:
        given["likeness"] = kinds[0]
    return recommender.fit(ratings, **given)


def as_kinds(contents: Any) -> list[Kind]:
    """Return contents as a list of mappings, items as texts; kinds that hold nothing are left out."""
    kinds = [contents] if isinstance(contents, Mapping) else list(contents or ())
    return [{str(item): content for item, content in kind.items()} for kind in kinds if kind]


def as_terms(kinds: Sequence[Kind], text_encoder: str | None = None, image_encoder: str = "efficientnet") -> list[Kind]:
    """Return kinds with terms only: pictures, and texts if an encoder is named, by :func:`words_of` their vectors."""
    made: list[Kind] = []
    for kind in kinds:
        encoded = _are(Path, kind) or _are(np.ndarray, kind) or (text_encoder is not None and _are(str, kind))
        made.append(words_of(_encoded(kind, text_encoder or "", image_encoder)) if encoded else kind)
    return made


def as_vectors(kinds: Sequence[Kind], text_encoder: str, image_encoder: str) -> dict[str, Rows]:
    """Return one vector of each item: those of its kinds beside each other, 0 for a kind that it lacks."""
    encoded = [_encoded(kind, text_encoder, image_encoder) for kind in kinds]
    widths = [len(next(iter(vectors.values()))) for vectors in encoded]
    items = dict.fromkeys(item for vectors in encoded for item in vectors)
    return {
        item: np.concatenate(
            [vectors.get(item, np.zeros(wide, np.float32)) for vectors, wide in zip(encoded, widths, strict=True)]
        )
        for item in items
    }


def words_of(vectors: Mapping[str, Rows], most: int = 50, near: int = 3, seed: int = 0) -> dict[str, dict[str, float]]:
    """Return vectors as a few weighted words, as bags of visual words have it: each item's nearest centres by their cosines.

    Args:
        vectors: item -> vector, of one length.
        most: centres at most; a quarter as many as items.
        near: of an item.
        seed: of k-means.

    Example:
        >>> words = words_of({name: np.eye(2)[n % 2] for n, name in enumerate("abcdefgh")}, near=1)
        >>> words["a"] == words["c"] != words["b"]
        True
    """
    from sklearn.cluster import KMeans

    rows = np.stack([np.asarray(vector, np.float64) for vector in vectors.values()])
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    count = min(most, max(2, len(rows) // 4), len(np.unique(rows, axis=0)))
    centres = KMeans(count, n_init=3, random_state=seed).fit(rows).cluster_centers_
    cosines = rows @ (centres / np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-12)).T
    made = {}
    for item, row in zip(vectors, cosines, strict=True):
        best = np.argsort(-row, kind="stable")[:near]
        made[item] = {f"v{at}": round(float(row[at]), 6) for at in best if row[at] > 0}
    return made


def tags_of(known: ItemKnowledge) -> dict[str, list[str]]:
    """Return what knowledge says of each concept, and of the items that are one, as tags: relation and other end.

    Example:
        >>> tags_of(ItemKnowledge.of([("Alien", "by", "Scott")], {"film 1": "Alien"}))["film 1"]
        ['by Scott']
    """
    found: dict[str, list[str]] = {}
    for a, r, b in zip(known.head.tolist(), known.relation.tolist(), known.tail.tolist(), strict=True):
        found.setdefault(known.concepts[a], []).append(f"{known.relations[r]} {known.concepts[b]}")
        found.setdefault(known.concepts[b], []).append(f"of {known.relations[r]} {known.concepts[a]}")
    return found | {item: found[concept] for item, concept in known.link.items() if concept in found}


def prepared(recommender: Any, contents: Any, text_encoder: str | None, image_encoder: str) -> list[Kind]:
    """Return contents in the form a recommender takes, all encoders done.

    Raises:
        KgmmError: if it has no use for contents.
    """
    kinds = as_kinds(contents)
    if not kinds:
        return []
    if takes(recommender, "contents"):
        return as_terms(kinds, text_encoder, image_encoder)
    if takes(recommender, "likeness"):
        return [as_vectors(kinds, text_encoder or "minilm", image_encoder)]
    raise KgmmError(f"the recommender {recommender.name} does not read contents; walk and profile do")


def _are(wanted: type, kind: Kind) -> bool:
    return all(isinstance(content, wanted) for content in kind.values())


def _encoded(kind: Kind, text_encoder: str, image_encoder: str) -> dict[str, Rows]:
    items = list(kind)
    if _are(np.ndarray, kind):
        return dict(kind)
    if _are(Path, kind):
        from kgmm.encode import image_encoder as seer

        rows = seer(image_encoder).encode_images([kind[item] for item in items])
    else:
        from kgmm.encode import text_encoder as reader

        said = [text if isinstance(text, str) else " ".join(map(str, text)) for text in kind.values()]
        rows = reader(text_encoder).encode(said)
    return dict(zip(items, rows, strict=True))
