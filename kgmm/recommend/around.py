"""What of the knowledge lies around items, and which items are alike: the edges a walk is given beside ratings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import BadInput
from kgmm.recommend.knowledge import ItemKnowledge

BLOCK = 1024  #: items whose likeness to all others is computed at once


def around(known: ItemKnowledge, items: Sequence[str], hops: int, hubs: float) -> tuple[list[str], ItemKnowledge]:
    """Return the concepts that are no items, and the statements among items (numbered first) and those.

    Kept are statements within *hops* of an item that lead on: a concept with one statement leads nowhere. Two nodes are
    joined once. A concept with n statements lends each n^-hubs of its weight.

    Example:
        >>> known = ItemKnowledge.of([("Alien", "by", "Scott"), ("Gladiator", "by", "Scott"), ("Alien", "in", "space")])
        >>> concepts, facts = around(known, ["Alien", "Gladiator"], 2, 0)
        >>> concepts, facts.head.tolist(), facts.tail.tolist()
        (['Scott'], [0, 1], [2, 2])
    """
    count, size = len(items), len(known.concepts)
    place = {name: at for at, name in enumerate(known.concepts)}
    node = np.arange(size) + count  # a concept's number; of an item's concept the item's
    for number, item in enumerate(items):
        at = place.get(known.concept_of(item))
        if at is not None and node[at] >= count:
            node[at] = number
    a, b = node[known.head], node[known.tail]
    pair = np.minimum(a, b).astype(np.int64) * (count + size) + np.maximum(a, b)
    _, first = np.unique(pair, return_index=True)
    first = np.sort(first[a[first] != b[first]])
    a, b = a[first], b[first]
    reached = np.zeros(count + size, bool)
    reached[:count] = True
    for _ in range(hops - 1):
        further = reached.copy()
        further[a[reached[b]]] = further[b[reached[a]]] = True
        reached = further
    kept = reached[a] | reached[b]
    while True:
        degree = np.bincount(np.concatenate((a[kept], b[kept])), minlength=count + size)
        leaf = degree < 2
        leaf[:count] = False
        left = kept & ~leaf[a] & ~leaf[b]
        if left.sum() == kept.sum():
            break
        kept = left
    first, a, b = first[kept], a[kept], b[kept]
    concept = degree.copy()
    concept[:count] = 1
    weight = known.weight[first] * np.maximum(1, np.maximum(concept[a], concept[b])) ** -float(hubs)
    used = np.unique(np.concatenate((a, b)))
    used = used[used >= count]
    renumbered = np.arange(count + size)
    renumbered[used] = count + np.arange(len(used))
    head, tail = (renumbered[side].astype(np.int32) for side in (a, b))
    names = [known.concepts[at - count] for at in used.tolist()]
    facts = ItemKnowledge(
        (), head, tail, known.relation[first].astype(np.int32), weight.astype(np.float32), known.relations
    )
    return names, facts


def liked_alike(
    vectors: Mapping[str, NDArray[np.float32]], number: Mapping[str, int], near: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return pairs of items and their cosine: each item's *near* most alike, if they are alike at all.

    Raises:
        BadInput: if vectors differ in length, or hold what is no finite number.
    """
    nothing = np.zeros(0, np.int64)
    if len(vectors) < 2 or near < 1:
        return nothing, nothing, np.zeros(0, np.float32)
    if len({len(vector) for vector in vectors.values()}) > 1:
        raise BadInput("likeness", "the items' vectors differ in length")
    rows = np.stack(list(vectors.values()))
    if not np.isfinite(rows).all():
        raise BadInput("likeness", "a vector holds what is no finite number")
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    items = np.array([number[name] for name in vectors])
    found: dict[tuple[int, int], float] = {}
    for at in range(0, len(rows), BLOCK):
        cosine = rows[at : at + BLOCK] @ rows.T
        cosine[np.arange(len(cosine)), at + np.arange(len(cosine))] = -1
        best = np.argsort(-cosine, axis=1, kind="stable")[:, :near]
        for row, others in enumerate(best):
            for other in others[cosine[row, others] > 0].tolist():
                pair = sorted((int(items[at + row]), int(items[other])))
                found[pair[0], pair[1]] = float(cosine[row, other])
    pairs = np.array(list(found), np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1], np.array(list(found.values()), np.float32)
