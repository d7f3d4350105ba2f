"""WordNet's hierarchy: complete, without cycles, and followed from a word in the sense people mean."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from kgmm.bundled import folder

Triple = tuple[str, str, str]


@pytest.fixture(scope="module")
def above(wordnet: list[Triple]) -> dict[str, set[str]]:
    kinds: dict[str, set[str]] = defaultdict(set)
    for s, p, o in wordnet:
        if p == "IsA":
            kinds[s].add(o)
    return kinds


def closure(above: dict[str, set[str]], word: str) -> set[str]:
    found: set[str] = set()
    front = {f"/c/en/{word}"}
    while front:
        front = {kind for node in front for kind in above.get(node, ())} - found
        found |= front
    return {node.removeprefix("/c/en/") for node in found}


def test_it_holds_the_whole_noun_hierarchy(wordnet: list[Triple]) -> None:
    count = Counter(p for _, p, _ in wordnet)
    assert len(wordnet) >= 80_000
    assert count["IsA"] >= 80_000 and count["PartOf"] >= 9_000 and count["MadeOf"] >= 700
    assert count["HasInstance"] >= 8_000 and count["MemberOf"] >= 12_000 and count["Synonym"] >= 40_000
    assert len(set(wordnet)) == len(wordnet)


@pytest.mark.parametrize(
    ("word", "kind", "never"),
    [
        ("dog", "animal", "person"),
        ("cat", "animal", "woman"),
        ("table", "furniture", "array"),
        ("cup", "container", "plant"),
        ("plate", "tableware", "base"),
        ("bank", "financial_institution", "slope"),
        ("crane", "bird", "writer"),
        ("turkey", "bird", "country"),
        ("mouse", "rodent", "person"),
        ("rocket", "vehicle", "plant"),
        ("orange", "fruit", "color"),
        ("light", "device", "radiation"),
        ("television", "electronic_equipment", "broadcasting"),
        ("domestic_dog", "animal", "person"),
    ],
)
def test_a_word_means_what_people_mean_by_it(above: dict[str, set[str]], word: str, kind: str, never: str) -> None:
    kinds = closure(above, word)
    assert kind in kinds and never not in kinds and "entity" in kinds


def test_other_senses_have_nodes_of_their_own(above: dict[str, set[str]]) -> None:
    assert "person" in closure(above, "dog/n/wn/person")
    assert "device" in closure(above, "crane/n/wn/artifact")


def test_no_kind_is_its_own_kind(above: dict[str, set[str]]) -> None:
    assert [node for node in above if node in above[node]] == []
    # Kahn's algorithm: what cannot be removed from the bottom up lies on a cycle
    below = Counter(kind for kinds in above.values() for kind in kinds)
    free = [node for node in above if below[node] == 0]
    removed = 0
    while free:
        node = free.pop()
        removed += 1
        for kind in above.get(node, ()):
            below[kind] -= 1
            if below[kind] == 0:
                free.append(kind)
    assert removed == len(above.keys() | {kind for kinds in above.values() for kind in kinds})


def test_the_file_is_small_and_its_licence_lies_beside_it() -> None:
    assert (folder("knowledge") / "wordnet.tsv.gz").stat().st_size < 3_000_000
    assert "WordNet 3.0 Copyright 2006 by Princeton University" in (folder("knowledge") / "WORDNET-LICENSE").read_text()
