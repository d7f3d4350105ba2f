"""What texts name is found by rule, the same each time, at the right places."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgmm.documents import spans
from kgmm.documents.mentions import Gazetteer, mentions

SOME = (
    "The World Health Organization (WHO) was founded on 7 April 1948 in Geneva. WHO counts 8,000 people and 3.5 million"
    ' euros; 12% came from "Gavi". However, dogs bark.'
)


def told(text: str, known: Gazetteer | None = None) -> list[tuple[str, str, str]]:
    return [(m.kind, m.text, m.key) for m in mentions(text, known)]


def test_names_dates_numbers_quotations_and_abbreviations_are_found() -> None:
    assert told(SOME) == [
        ("name", "World Health Organization", "world health organization"),
        ("short", "WHO", "world health organization"),
        ("date", "7 April 1948", "1948-04-07"),
        ("name", "Geneva", "geneva"),
        ("short", "WHO", "world health organization"),
        ("number", "8,000", "8000"),
        ("number", "3.5 million", "3.5e6"),
        ("number", "12%", "12%"),
        ("quoted", "Gavi", "gavi"),
    ]


def test_a_title_is_found_with_and_without_its_parenthesis_and_over_commas() -> None:
    known = Gazetteer(["Dark River (2017 film)", "Maurice, Prince of Orange", "Love"])
    text = "Dark River was shown. I love Maurice, Prince of Orange. Dark river water."
    assert told(text, known)[:2] == [
        ("title", "Dark River", "dark river"),
        ("title", "Maurice, Prince of Orange", "maurice prince of orange"),
    ]
    assert not [m for m in told(text, known) if m[1].lower() == "love"]  # no capital, no title


def test_a_label_is_found_however_it_is_written_and_a_title_too_where_a_text_has_no_capitals() -> None:
    known = Gazetteer(titles=["Yukos"], labels=["ice cream"])
    assert told("They sell Ice cream and ice cream.", known) == [
        ("label", "Ice cream", "ice cream"),
        ("label", "ice cream", "ice cream"),
    ]
    assert told("yukos was sold.", known) == [("title", "yukos", "yukos")]


def test_a_known_word_within_a_longer_name_does_not_cut_it() -> None:
    assert told("He left the University of Paris.", Gazetteer(["Paris"])) == [
        ("name", "University of Paris", "university of paris")
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("It was written by Joe E. Brown and Jack Jungmeyer.", ["Joe E. Brown", "Jack Jungmeyer"]),
        ("In World War I. It ended.", ["World War I"]),
        ("Otto's mother was Ermengarde of Tours.", ["Otto", "Ermengarde of Tours"]),
        ("Rain fell. Germany's coast was dry.", ["Germany"]),
        ("the Kurdistan Workers' Party met", ["Kurdistan Workers' Party"]),
        ("Yeşim Ustaoğlu directed it.", ["Yeşim Ustaoğlu"]),
    ],
)
def test_capitalized_runs_are_names(text: str, names: list[str]) -> None:
    assert [text[a:b] for a, b, _, _ in spans.capitalized(text)] == names


def test_accents_articles_and_possessives_do_not_tell_names_apart() -> None:
    assert spans.key("The Bråk’s") == spans.key("Brak") == "brak"


@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_any_text_has_mentions_that_lie_in_it_in_order_and_apart(text: str) -> None:
    found = mentions(text, Gazetteer([text[:20]], [text[5:9]]))
    assert all(text[m.start : m.end] == m.text and m.key for m in found)
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert found == mentions(text, Gazetteer([text[:20]], [text[5:9]]))
