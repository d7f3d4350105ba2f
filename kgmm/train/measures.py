"""How often answers and facts are right: among the first, by kind of question, of the surest, of the most frequent."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence


def by_kind(kinds: Sequence[str], hits: Sequence[bool]) -> dict[str, float]:
    """Return the share of hits: of all, and of each kind.

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

    >>> majority_hits([("count", "2"), ("count", "2"), ("count", "3")], [("count", "2"), ("colour", "red")])
    [True, False]
    """
    counts: dict[Hashable, Counter[str]] = defaultdict(Counter)
    for kind, answer in train:
        counts[kind][answer] += 1
    best = {kind: c.most_common(1)[0][0] for kind, c in counts.items()}
    return [best.get(kind) == answer for kind, answer in asked]


def hit_rates(answers: Sequence[Sequence[bool]], facts: Sequence[Sequence[bool]]) -> dict[str, float]:
    """Return how often one of the first answers is right, and one of the first cited facts gold: ``top1`` … ``fact3``.

    *answers* and *facts* tell of each question's, best first, whether it is right or gold; none where it abstains.

    >>> hit_rates([[False, True], []], [[True], []])
    {'top1': 0.0, 'top3': 0.5, 'fact1': 0.5, 'fact3': 0.5}
    """
    n = max(len(answers), 1)
    ranked = (("top", answers), ("fact", facts))
    return {f"{name}{k}": sum(any(row[:k]) for row in rows) / n for name, rows in ranked for k in (1, 3)}


def answered_at(precision: float, sure: Iterable[tuple[float, bool]]) -> int:
    """Return how many of the surest answers (confidence, right) can be given with this share of them right.

    >>> answered_at(0.6, [(0.9, True), (0.8, False), (0.7, True), (0.1, False)])
    3
    """
    most = wrong = 0
    for given, (_, missed) in enumerate(sorted((-confidence, not right) for confidence, right in sure), 1):
        wrong += missed
        most = given if given - wrong >= precision * given else most
    return most
