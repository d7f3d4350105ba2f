"""Learned methods: their features, weights that are not there, reasons, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from kgmm.encode.text import text_encoder
from kgmm.errors import BadInput, KgmmError, UnknownConcept
from kgmm.stories.footage.footage import WORDS, Footage
from kgmm.stories.skimming import learned
from kgmm.stories.skimming.judging import judge
from kgmm.stories.skimming.request import Request
from kgmm.stories.skimming.tensors import film_tensors, query_vector, settings_for
from kgmm.stories.skimming.wanted import Wanted, wanted
from kgmm.stories.video.subtitles import Cue
from tests.stories.skimming.untrained import untrained, write_weights

METHODS = ("dsse", "policy", "query-memory", "seqdpp", "shdpp")
CONCEPTS = ("dog", "boat", "tree")


def _film(seen: Sequence[int] = (0, 1, 2, 0), said: Sequence[str] = ("", "", "", ""), looks: int = 6) -> Footage:
    """Segments of four moments, each showing one concept and speaking one line."""
    rng = np.random.default_rng(1)
    rows = np.repeat(rng.normal(size=(len(seen), looks)), 4, axis=0).astype(np.float32)
    scores = np.repeat(np.eye(3, dtype=np.float32)[list(seen)] * 0.9, 4, axis=0)
    vectors = np.stack([text_encoder().encode([line])[0] if line else np.zeros(WORDS, np.float32) for line in said])
    cues = tuple(Cue(2.0 * i, 2.0 * i + 2, line) for i, line in enumerate(said) if line)
    return Footage(
        rows / np.linalg.norm(rows, axis=1, keepdims=True),
        concepts=CONCEPTS,
        scores=scores,
        words=np.repeat(vectors, 4, axis=0),
        edges=np.arange(0, len(rows) + 1, 4),
        cues=cues,
    )


def _request(film: Footage, method: str, **given: object) -> Request:
    return Request((film,), weights=untrained(method, film), **given)  # type: ignore[arg-type]


def test_a_moment_is_looks_words_what_is_seen_and_energy() -> None:
    film = _film(said=("A dog barks.", "", "", ""))
    made = film_tensors(film)
    assert made.features.shape == (16, 6 + 2 * WORDS + 1) and made.concepts is not None
    assert np.allclose(made.features[:, :6], film.looks) and np.allclose(made.features[:, 6 : 6 + WORDS], film.words)
    dog = text_encoder().encode(["dog"])[0]
    assert np.allclose(made.features[0, 6 + WORDS : -1], 0.9 * dog, atol=1e-6)
    assert made.concepts.shape == (16, 4) and made.query is None and made.title_text is None
    assert made.concepts[4].tolist() == pytest.approx([0, 0.9, 0, 0], abs=1e-6)


def test_what_is_said_counts_as_what_is_seen() -> None:
    film = _film((2, 2, 2, 2), ("My dog is the best dog", "", "", ""))
    concepts = film_tensors(film).concepts
    assert concepts is not None and float(concepts[0, 0]) > 0.5 and float(concepts[4, 0]) == 0


def test_a_query_reaches_words_that_no_concept_has() -> None:
    film = _film((2, 2, 2, 2), ("A rocket is launched", "It rains", "", ""))
    made = film_tensors(film, wanted=wanted("a rocket", CONCEPTS))
    assert made.query is not None and made.query.tolist() == [0, 0, 0, 1]
    assert made.concepts is not None and made.entities is not None
    assert float(made.concepts[0, 3]) > 0.6 and float(made.concepts[4, 3]) < 0.2 and bool(made.entities[0, 0])
    assert not made.entities[8:].any()


def test_columns_stand_in_the_order_in_which_a_network_learned_them() -> None:
    made = film_tensors(_film(), wanted=wanted("dog", CONCEPTS), concepts=("tree", "whale", "dog"))
    assert made.concepts is not None and made.query is not None
    assert made.concepts[0].tolist() == pytest.approx([0, 0, 0.9, 1], abs=1e-6)
    assert made.query.tolist() == [0, 0, 1, 1]


def test_films_without_concepts_are_their_looks_alone() -> None:
    film = Footage(np.eye(5, dtype=np.float32))
    made = film_tensors(film)
    assert torch.equal(made.features, torch.eye(5, dtype=torch.float64))
    assert settings_for("seqdpp", made) == {"in_dim": 5, "hidden": 64}
    assert settings_for("policy", made, hidden=8) == {"in_dim": 5, "hidden": 8}
    for name in ("shdpp", "query-memory", "dsse"):
        with pytest.raises(KgmmError, match="needs films with concepts and words"):
            settings_for(name, made)


def test_widened_concepts_move_the_querys_vector() -> None:
    asked = wanted("animals", CONCEPTS)
    wide = Wanted("animals", CONCEPTS, np.array([0.7, 0, 0]), asked.words)
    dog = text_encoder().encode(["dog"])[0]
    assert float(query_vector(wide) @ dog) > float(query_vector(asked) @ dog) + 0.2
    assert np.linalg.norm(query_vector(wide)) == pytest.approx(1)


@pytest.mark.parametrize("method", METHODS)
def test_without_weights_the_way_to_them_is_named(method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learned, "SHIPPED", tmp_path)
    film = _film()
    request = Request((film,), query=None if method == "seqdpp" else "dog")
    with pytest.raises(BadInput, match=f"{method}: no weights .* kgmm train skim DATA --method {method}"):
        judge(method, request)
    with pytest.raises(BadInput, match="none: no trained model here; make one with: kgmm train skim"):
        judge(method, replace(request, weights=tmp_path / "none"))


@pytest.mark.parametrize("method", METHODS)
def test_weights_for_other_features_are_refused(method: str) -> None:
    film, other = _film(), _film(looks=9)
    request = Request((other,), query=None if method == "seqdpp" else "dog", weights=untrained(method, film))
    with pytest.raises(BadInput, match=r"film: features of 778 numbers; this .* was made for 775"):
        judge(method, request)


def test_weights_of_the_fields_files_judge_films_of_looks_alone(tmp_path: Path) -> None:
    film = Footage(np.random.default_rng(0).normal(size=(30, 12)).astype(np.float32), edges=np.arange(0, 31, 3))
    for method in ("seqdpp", "policy"):
        weights = write_weights(tmp_path / method, method, film)
        (made,) = judge(method, Request((film,), weights=weights))
        assert made.segments.shape == (10,) and made.segments.max() > 0


@pytest.mark.parametrize("method", ["shdpp", "query-memory"])
def test_a_query_is_needed_where_the_method_is_asked(method: str) -> None:
    for query in (None, ""):
        with pytest.raises(KgmmError, match=f"{method} needs the option query"):
            judge(method, _request(_film(), method, query=query))


def test_a_title_or_a_query_is_needed_by_side_embedding() -> None:
    with pytest.raises(KgmmError, match="dsse needs the option title"):
        judge("dsse", _request(_film(), "dsse"))
    for given in ({"title": "A dog"}, {"query": "dog"}, {"title": "A dog", "query": "boat"}):
        (made,) = judge("dsse", _request(_film(), "dsse", **given))
        assert made.moments.max() == 1.0


@pytest.mark.parametrize("method", ["shdpp", "query-memory", "policy", "dsse"])
def test_a_query_for_what_nothing_shows_or_says_is_refused(method: str) -> None:
    with pytest.raises(UnknownConcept, match="'doog' in what the films show or say; near spellings: dog"):
        judge(method, _request(_film((1, 1, 2, 2)), method, query="doog"))


@pytest.mark.parametrize("method", ["shdpp", "query-memory", "policy"])
def test_reasons_name_the_concepts_asked_for_and_what_is_said(method: str) -> None:
    film = _film((0, 1, 2, 2), ("", "", "Look, the dog comes home", ""))
    (made,) = judge(method, _request(film, method, query="a dog"))
    assert made.reasons[0].concepts == ("dog",) and made.reasons[0].text == "shows or speaks of dog"
    assert made.reasons[1].concepts == () and made.reasons[3].text == ""
    assert made.reasons[2].words == ("dog",) and "says dog" in made.reasons[2].text


def test_reasons_cite_the_facts_that_widened_the_query() -> None:
    from kgmm.store import Fact

    fact = Fact("/c/en/dog", "/r/IsA", "/c/en/animal")
    film = _film()
    asked = wanted("animals", CONCEPTS)
    wide = replace(asked, weights=np.array([0.7, 0, 0]), facts={"dog": (fact,)})
    assert learned.of_query(film, 0, wide).facts == (fact,)
    assert learned.of_query(film, 1, wide).facts == ()


def test_reasons_name_the_titles_words() -> None:
    film = _film((1, 0, 2, 2), ("", "", "", "Nobody knows what happens"))
    (made,) = judge("dsse", _request(film, "dsse", title="The dog and the old boat"))
    assert [reason.words for reason in made.reasons] == [("boat",), ("dog",), (), ()]
    assert made.reasons[1].text == "nearest to the title's dog"


def test_a_summary_without_a_query_says_what_is_seen() -> None:
    (made,) = judge("seqdpp", _request(_film(), "seqdpp"))
    assert [reason.concepts for reason in made.reasons] == [("dog",), ("boat",), ("tree",), ("dog",)]


def test_progress_is_told_each_film() -> None:
    film, told = _film(), []
    judge("seqdpp", replace(_request(film, "seqdpp"), footage=(film, film)), lambda *a: told.append(a))
    assert told == [(1, 2, "judging films"), (2, 2, "judging films")]
