"""Words and object names become concept nodes, and each link says by which rule."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import pytest

import kgmm
from kgmm.knowledge import KnowledgeStore
from kgmm.retrieve.ground import ground_name, ground_object, ground_text
from kgmm.scene import SceneObject


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeStore]:
    with kgmm.open(tmp_path_factory.mktemp("ground") / "kb") as store:
        store.add(
            [
                ("ice cream", "IsA", "dessert"),
                ("ice", "IsA", "frozen water"),
                ("cream", "IsA", "dairy product"),
                ("knife", "UsedFor", "cutting"),
                ("couch", "IsA", "furniture"),
                ("sofa", "Synonym", "couch"),
                ("cat", "IsA", "animal"),
                ("u", "Synonym", "uracil"),
                ("t", "Synonym", "thymine"),
                ("am", "Synonym", "americium"),
                ("e", "IsA", "vowel"),
                ("crème brûlée", "IsA", "dessert"),
                ("tire", "IsA", "wheel"),
                ("usa", "IsA", "country"),
                ("write letter", "HasPrerequisite", "pen"),
                ("letter", "IsA", "text"),
            ]
        )
        yield store


@pytest.mark.parametrize(
    ("name", "concept", "rule"),
    [
        ("ice cream", "/c/en/ice_cream", "exact"),
        ("Ice creams", "/c/en/ice_cream", "inflected"),
        ("knives", "/c/en/knife", "inflected"),
        ("fluffy cat", "/c/en/cat", "head"),
    ],
)
def test_a_name_links_by_the_first_rule_that_holds(kb: KnowledgeStore, name: str, concept: str, rule: str) -> None:
    link = ground_name(kb, name)
    assert link is not None and (link.concept, link.rule) == (concept, rule)


def test_an_unknown_name_links_to_nothing(kb: KnowledgeStore) -> None:
    assert ground_name(kb, "xylophone") is None and ground_name(kb, "  ") is None


def test_the_longest_words_match_wins(kb: KnowledgeStore) -> None:
    concepts = [k.concept for k in ground_text(kb, "Does the ice cream melt on the couch?")]
    assert "/c/en/ice_cream" in concepts and "/c/en/couch" in concepts
    assert "/c/en/ice" not in concepts and "/c/en/cream" not in concepts


def test_an_alias_of_a_seen_object_is_tried_and_said(kb: KnowledgeStore) -> None:
    links = ground_object(kb, SceneObject("o1", "blade thing", aliases=("knife",)))
    assert any(k.concept == "/c/en/knife" and k.object == "o1" and k.text for k in links)


def test_better_rules_score_higher(kb: KnowledgeStore) -> None:
    scores = [ground_name(kb, n).score for n in ("cat", "cats", "fluffy cat")]  # type: ignore[union-attr]
    assert scores == sorted(scores, reverse=True) and len(set(scores)) == 3


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "\x00", "a" * 10_000, "🐈", "/c/en/", "' OR 1=1 --"])
def test_hostile_and_odd_names_are_only_unknown(kb: KnowledgeStore, name: str) -> None:
    assert ground_name(kb, name) is None
    assert ground_text(kb, name) == []


def test_marks_around_a_word_hide_it_in_a_name_but_not_in_a_text(kb: KnowledgeStore) -> None:
    assert ground_name(kb, "\u202ecat") is None
    assert [k.concept for k in ground_text(kb, "\u202ecat")] == ["/c/en/cat"]


def test_synonyms_of_a_concept_are_linked_behind_it_with_a_lower_score(kb: KnowledgeStore) -> None:
    asked, alike = ground_text(kb, "the couch")
    assert (alike.concept, alike.rule, alike.text) == ("/c/en/sofa", "synonym", asked.text)
    assert alike.score < asked.score


@pytest.mark.parametrize(
    ("text", "concepts"),
    [
        (unicodedata.normalize("NFD", "Who eats crème brûlée?"), ["/c/en/crème_brûlée"]),
        ("the flag of the U.S.A.", ["/c/en/usa"]),
        ("the U.S.A", ["/c/en/usa"]),
        ("AT&T", []),
        ("AT&T sells phones", []),
        ("C++ and t", []),
        ("I am tired", []),
        ("write a letter", ["/c/en/write_letter"]),
        ("Are you writing a letter?", ["/c/en/write_letter"]),
        ("the letter", ["/c/en/letter"]),
    ],
)
def test_words_link_to_what_they_mean_and_letters_of_them_to_nothing(
    kb: KnowledgeStore, text: str, concepts: list[str]
) -> None:
    assert [k.concept for k in ground_text(kb, text)] == concepts


def test_no_letter_of_a_name_stands_for_it(kb: KnowledgeStore) -> None:
    assert ground_name(kb, "AT&T") is None and ground_name(kb, "J. T.") is None
    assert [k.concept for k in ground_text(kb, "u")] == ["/c/en/u", "/c/en/uracil"]
