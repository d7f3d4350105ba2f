"""Words that carry no content are words: each is found in a text as its own token."""

from __future__ import annotations

import pytest

from kgmm.language.words import STOP, content, tokens


@pytest.mark.parametrize("word", sorted(STOP))
def test_every_stop_word_is_a_token_of_a_text(word: str) -> None:
    assert tokens(f"the {word} cat") == ["the", word, "cat"]


def test_typically_tells_nothing() -> None:
    assert content("typically green") == content("green")
