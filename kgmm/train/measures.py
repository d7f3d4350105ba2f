"""Accuracy by kind of question, of a network and of the most frequent answer."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence


def by_kind(kinds: Sequence[str], hits: Sequence[bool]) -> dict[str, float]:
    """Return the share of hits: of all, and of each kind.

    Example:
        >>> by_kind(["a", "b", "b"], [True, True, False])
        {'all': 0.6666666666666666, 'a': 1.0, 'b': 0.5}
    """
    found: dict[str, list[bool]] = defaultdict(list)
    for k, hit in zip(kinds, hits, strict=True):
        found["all"].append(hit)
        found[k].append(hit)
    return {k: sum(v) / len(v) for k, v in found.items()}


def majority_hits(train: Iterable[tuple[Hashable, str]], asked: Iterable[tuple[Hashable, str]]) -> list[bool]:
    """Tell for each question (its kind, its answer) whether the most frequent training answer of its kind is right.

    Example:
        >>> majority_hits([("count", "2"), ("count", "2"), ("count", "3")], [("count", "2"), ("colour", "red")])
        [True, False]
    """
    counts: dict[Hashable, Counter[str]] = defaultdict(Counter)
    for kind, answer in train:
        counts[kind][answer] += 1
    best = {kind: c.most_common(1)[0][0] for kind, c in counts.items()}
    return [best.get(kind) == answer for kind, answer in asked]
