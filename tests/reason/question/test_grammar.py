"""The grammar: what a question asks for."""

from __future__ import annotations

import pytest

from kgmm.reason.question.grammar import parse

NAMES = ["cat", "coffee cup", "table", "spoon", "saucer"]


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many spoons are on the table?", "count"),
        ("Is there a dog?", "exists"),
        ("Is the spoon next to the coffee cup?", "test"),
        ("Can the cat fly?", "test"),
        ("What colour is the cat?", "attribute"),
        ("Where is the spoon?", "where"),
        ("Where would you normally find the cat?", "other_end"),
        ("What is the coffee cup used for?", "other_end"),
        ("What is the relation between the spoon and the saucer?", "between"),
        ("What is the astronaut wearing?", "related"),
        ("Which is bigger, the cat or the spoon?", "compare"),
        ("Which animal in this picture can be found at a zoo?", "select"),
        ("What do you see?", "describe"),
        ("Hmm", "open"),
    ],
)
def test_each_kind_of_question_is_recognized(question: str, kind: str) -> None:
    assert parse(question, NAMES).kind == kind


def test_a_description_nests_places_and_knowledge() -> None:
    noun = parse("What is next to the animal that can bark?", NAMES).noun
    assert noun is not None
    predicate, other = noun.scene[0]
    assert (predicate, other.head, other.known[0].phrase) == ("next_to", "animal", "bark")


def test_negation_is_kept() -> None:
    noun = parse("Which object cannot fly?", NAMES).noun
    assert noun is not None and noun.known[0].negated and noun.known[0].phrase == "fly"
