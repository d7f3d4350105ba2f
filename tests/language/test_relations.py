"""What the table of relations says holds for every row, and for every relation a store may hold."""

from __future__ import annotations

import pytest

from kgmm.language.phrase import phrase
from kgmm.language.relations import CONCEPTNET_RELATIONS, RELATIONS, cued, most_telling, says_turned


@pytest.mark.parametrize("relation", RELATIONS)
def test_every_relation_is_said_with_both_ends_and_without_camel_case(relation: str) -> None:
    said = phrase("/c/en/ice_cream", relation, "/c/en/cold_meal")
    assert "ice cream" in said and "cold meal" in said
    assert relation not in said and "{" not in said


@pytest.mark.parametrize("relation", RELATIONS)
def test_what_a_relation_denies_or_turns_into_is_in_the_table(relation: str) -> None:
    row = RELATIONS[relation]
    assert {*row.denies, *row.turned} <= set(RELATIONS)
    assert bool(row.denies) == relation.startswith("Not")


@pytest.mark.parametrize(
    ("question", "relation"),
    [
        ("What is a spoon used for?", "UsedFor"),
        ("Where would you find a cow?", "AtLocation"),
        ("What is the table made of?", "MadeOf"),
        ("What does a cat want?", "Desires"),
        ("Who created the statue?", "CreatedBy"),
        ("What kind of animal is it?", "IsA"),
    ],
)
def test_a_question_asks_by_the_relation_that_its_words_name(question: str, relation: str) -> None:
    assert relation in most_telling(cued(question))


def test_is_and_can_count_only_where_nothing_more_telling_is_said() -> None:
    assert most_telling(cued("Is snow white?")) == {"HasProperty"}
    assert "HasProperty" not in most_telling(cued("Where is the snow?"))


def test_a_whole_has_its_parts_and_a_place_what_is_in_it() -> None:
    assert says_turned("HasA", {"AtLocation"}) and says_turned("PartOf", {"HasA"})
    assert not says_turned("UsedFor", {"AtLocation"}) and not says_turned("HasA", {"faster_than"})


def test_conceptnets_relations_are_those_of_its_dump() -> None:
    assert len(CONCEPTNET_RELATIONS) == 48
    assert CONCEPTNET_RELATIONS.isdisjoint({"Depicts", "Contains", "MemberOf"})
