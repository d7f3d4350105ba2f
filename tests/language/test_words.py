"""Texts become words and words their lemmas, however accents, initials and homographs are written."""

from __future__ import annotations

import unicodedata

import pytest

from kgmm.language.words import STOP, content, lemma, name_words, tokens


@pytest.mark.parametrize("word", sorted(STOP))
def test_every_stop_word_is_a_token_of_a_text(word: str) -> None:
    assert tokens(f"the {word} cat") == ["the", word, "cat"]


def test_typically_tells_nothing() -> None:
    assert content("typically green") == content("green")


@pytest.mark.parametrize("text", ["crème brûlée", "Ångström", "x̄ of ẍ̱", "piñata's"])
def test_an_accent_is_part_of_its_letter_composed_or_not(text: str) -> None:
    words = tokens(unicodedata.normalize("NFC", text))
    assert tokens(unicodedata.normalize("NFD", text)) == words and len(words) == len(text.split())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("the U.S.A.", ["the", "u.s.a."]),
        ("AT&T's phone", ["at&t", "s", "phone"]),
        ("a & b", ["a", "b"]),
        ("It ends. A dog.", ["it", "ends", "a", "dog"]),
    ],
)
def test_initials_are_one_word_of_a_name(text: str, words: list[str]) -> None:
    assert name_words(text) == words


@pytest.mark.parametrize(
    "word", ["tired", "bored", "wicked", "rugged", "ragged", "jagged", "weed", "stocking", "shilling"]
)
def test_a_word_of_its_own_is_no_form_of_another(word: str) -> None:
    assert lemma(word) == word
