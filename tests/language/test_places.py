"""Prepositions, inverses and synonyms of places agree with one another."""

from __future__ import annotations

import pytest

from kgmm.language.places import INVERSE, PREPOSITIONS, TELLING, canonical, states


@pytest.mark.parametrize(("words", "place"), PREPOSITIONS.items())
def test_a_scene_predicate_means_what_the_same_words_mean_in_a_question(words: str, place: str) -> None:
    assert canonical(words) == canonical(words.replace(" ", "_").upper()) == place


@pytest.mark.parametrize("place", sorted({*TELLING} - {"inside"}))
def test_the_other_thing_is_in_the_inverse_relation_to_the_one(place: str) -> None:
    assert states(place, canonical(INVERSE.get(place, place)), turned=True)


@pytest.mark.parametrize(
    ("predicate", "place"),
    [("sitting_on", "on"), ("lying in", "inside"), ("standing under", "below"), ("holding", "hold"), ("wears", "wear")],
)
def test_postures_and_verbs_are_read_as_what_they_state(predicate: str, place: str) -> None:
    assert canonical(predicate) == place


def test_a_relation_between_other_things_states_nothing() -> None:
    assert (
        not states("on", "inside") and not states("on", "on", turned=True) and not states("hold", "wear", turned=True)
    )
