"""What single words of a question ask for."""

from __future__ import annotations

import pytest

from kgmm.reason.question.grammar import parse
from kgmm.reason.question.reference import read
from kgmm.scene import SceneGraph, SceneObject


@pytest.mark.parametrize(
    ("question", "word", "measure"),
    [
        ("How old is the cat?", "old", True),
        ("What is the price of the car?", "price", True),
        ("Whose cat is it?", "whose", False),
        ("What is the cat's name?", "name", False),
        ("What is the name of the cat?", "name", False),
        ("Which country is she from?", "country", False),
        ("Who is this?", "is", False),
    ],
)
def test_a_measure_or_a_name_is_due(question, word, measure):
    due = parse(question, ["cat"]).due
    assert due is not None and (due.word, due.measure) == (word, measure)


@pytest.mark.parametrize(
    "question",
    [
        "What is the name of the animal?",  # asks for its kind
        "Which object is used to celebrate someone's birthday?",
        "How many cats are there?",
        "Who is wearing a hat?",
        "What is the cat used for?",
    ],
)
def test_nothing_is_due_where_a_thing_or_a_number_answers(question):
    assert parse(question, ["cat"]).due is None


def test_words_ask_by_relations_beside_the_grammar():
    assert "UsedFor" in parse("What could one use to cut bread?").cues
    assert {"AtLocation"} <= parse("Where can you find it?").cues
    assert parse("Is it faster than a dog?").compares and not parse("Is it a dog?").compares


def test_denials_places_kinds_and_offers_are_noticed():
    assert parse("Which bird can't fly?").denies and not parse("Which bird can fly?").denies
    assert parse("Where is it?").wants_place and not parse("What is where?").wants_place
    assert parse("What kind of hat is this?").wants_kind and not parse("What is this?").wants_kind
    assert parse("Is it slower or faster than turtles?").offered == ("slower", "faster")
    assert parse("Is it fast or not?").offered == ()
    assert parse("What is the cup used for?").wants_unseen and not parse("Which of them flies?").wants_unseen


def test_it_is_the_main_object_and_what_it_is_asks_for_that_object():
    kite = SceneObject("k", "kite", (10, 10, 60, 60))
    scene = SceneGraph("s", (kite, SceneObject("c", "cloud", (0, 0, 99, 99))), (), 100, 100)
    asked = read("Can it fly?", scene)
    assert (asked.text, asked.asked, asked.main) == ("Can the kite fly?", "Can it fly?", None)
    assert read("What is it?", scene).main == kite
    assert read("What is it?", SceneGraph("s", (SceneObject("k", "kite"),))).main is None
