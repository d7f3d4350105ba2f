"""Terms: names and nouns are found, verbs and the rest are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgmm.stories.terms.extraction import terms


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The river burst its banks near Velden.", ["river", "bank", "velden"]),
        ("Dr Ana Soto said the vaccine trial will go on.", ["ana soto", "vaccine trial", "trial"]),
        ("The strike began on Monday; they strike again today.", ["strike"]),
        ("THE FERRY SANK OFF THE COAST.", ["ferry", "coast"]),
        ("Verrin's mayor was grateful.", ["verrin", "mayor"]),
        ("Children walked home slowly.", ["child", "home"]),
        ("", []),
        ("…!? 12 34", []),
    ],
)
def test_terms_of_a_sentence(text: str, found: list[str]) -> None:
    got = terms(text)
    assert [t for t in got if t in found] == found
    assert not {"said", "go", "on", "near", "grateful", "slowly", "walk", "sink", "monday"} & set(got)


@given(st.text(max_size=200))
def test_any_text_has_terms_without_failing(text: str) -> None:
    found = terms(text)
    assert len(set(found)) == len(found)
    assert all(term.strip() for term in found)
