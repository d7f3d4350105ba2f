"""Every ImageNet class is a concept that the knowledge says something about."""

from __future__ import annotations

from collections import Counter, defaultdict

Triple = tuple[str, str, str]


def test_there_are_a_thousand_classes_in_order_with_a_synset_each(imagenet: list[list[str]]) -> None:
    assert [int(row[0]) for row in imagenet] == list(range(1000))
    assert len({row[1] for row in imagenet}) == 1000 and all(row[1][0] == "n" and len(row[1]) == 9 for row in imagenet)
    assert {0: "tench", 281: "tabby", 504: "coffee mug", 967: "espresso", 999: "toilet tissue"}.items() <= {
        int(row[0]): row[2].split(", ")[0] for row in imagenet
    }.items()


def test_every_class_is_a_concept_of_wordnet_or_our_own(
    imagenet: list[list[str]], wordnet: list[Triple], commonsense: list[Triple]
) -> None:
    known = {s for s, _, _ in wordnet} | {s for s, _, _ in commonsense}
    assert [row[3] for row in imagenet if row[3] not in known] == []


def test_every_class_or_one_of_its_kinds_has_three_facts_of_our_own(
    imagenet: list[list[str]], commonsense: list[Triple]
) -> None:
    facts = Counter(s for s, _, _ in commonsense)
    kinds: dict[str, set[str]] = defaultdict(set)
    for s, p, o in commonsense:
        if p == "IsA":
            kinds[s].add(o)

    def inherited(node: str, seen: frozenset[str] = frozenset()) -> int:
        return facts[node] + sum(inherited(kind, seen | {node}) for kind in kinds[node] - seen - {node})

    poor = [row[3] for row in imagenet if sum(map(inherited, {row[3], *filter(None, row[4].split(","))})) < 3]
    assert poor == []


def test_every_kind_is_known(imagenet: list[list[str]], commonsense: list[Triple]) -> None:
    facts = Counter(s for s, _, _ in commonsense)
    assert sorted({kind for row in imagenet for kind in row[4].split(",") if kind and facts[kind] < 3}) == []
