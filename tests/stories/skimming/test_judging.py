"""The base case of film summarizers over a film's numbers: any of them judges any film, and refuses what it does not use."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kgmm.encode.efficientnet import FEATURES
from kgmm.errors import BadInput, KgmmError
from kgmm.stories.footage.footage import Footage
from kgmm.stories.skimming.judging import METHODS, judge, methods
from kgmm.stories.skimming.request import INPUTS, Judged, Reason, Request
from kgmm.stories.skimming.wanted import wanted
from tests.stories.skimming.untrained import untrained


def _film(shots: int = 8, length: int = 6, seed: int = 0) -> Footage:
    """A film of *shots* segments of one look each, and a little noise."""
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(shots, FEATURES)).repeat(length, axis=0)
    looks = (base + 0.1 * rng.normal(size=base.shape)).astype(np.float32)
    looks /= np.linalg.norm(looks, axis=1, keepdims=True)
    scores = rng.random((len(looks), 3)).astype(np.float32)
    edges = np.arange(0, len(looks) + 1, length)
    return Footage(looks, concepts=("dog", "boat", "tree"), scores=scores, edges=edges)


def _asked(*films: Footage, uses: tuple[str, ...] = INPUTS, name: str = "") -> Request:
    """A request that gives all that a method uses; weights that have learned nothing."""
    given = {
        "query": "a dog",
        "title": "The dog and the boat",
        "title_images": films[0].looks[:4],
        "tags": (("dog",),) * len(films),
    }
    if name and "weights" in uses:
        given["weights"] = untrained(name, films[0])
    return replace(Request(films), **{name: value for name, value in given.items() if name in uses})  # type: ignore[arg-type]


def test_segments_at_even_distances() -> None:
    (judged,) = judge("uniform", Request((_film(),), rate=0.25))
    assert judged.segments.tolist() == [0, 0, 1, 0, 0, 0, 1, 0]


def test_a_request_names_what_does_not_belong_together() -> None:
    film, other = _film(), replace(_film(), concepts=("a", "b", "c"))
    wrong = [
        ({"footage": ()}, "films: there is none"),
        ({"footage": (film, other)}, "its features are not those of"),
        ({"footage": (film,), "tags": (("a",), ("b",))}, "tags of 2 films for 1 films"),
        ({"footage": (film,), "rate": 0.0}, "rate: 0.0 is not above 0"),
        ({"footage": (film,), "title_images": np.zeros((1, 3), np.float32)}, "features of length 3"),
    ]
    for given, said in wrong:
        with pytest.raises(BadInput, match=said):
            Request(**given)  # type: ignore[arg-type]


def test_what_does_not_fit_a_film_is_refused() -> None:
    film = _film()
    good = Judged(np.zeros(48), np.zeros(8))
    assert good.checked(film, "m") is good
    for wrong in (
        replace(good, moments=np.zeros(47)),
        replace(good, segments=np.full(8, np.nan)),
        replace(good, segments=np.full(8, -1.0)),
        replace(good, reasons=(Reason("one"),)),
    ):
        with pytest.raises(BadInput, match="m gave"):
            wrong.checked(film, "m")


@pytest.mark.parametrize("name", methods())
def test_any_method_judges_films_and_the_same_bits_twice(name: str) -> None:
    uses = METHODS.module(name.replace("-", "_")).USES
    assert set(uses) <= set(INPUTS)
    films = _film(), _film(5, seed=1)
    request = _asked(*films, uses=uses, name=name)
    first, again = judge(name, request), judge(name, request)
    for film, a, b in zip(films, first, again, strict=True):
        assert a.segments.shape == (len(film.edges) - 1,) and a.segments.max() > 0
        assert a.moments.tobytes() == b.moments.tobytes() and a.segments.tobytes() == b.segments.tobytes()
        assert a.reasons == b.reasons


@pytest.mark.parametrize("name", methods())
def test_any_method_judges_a_film_of_one_moment(name: str) -> None:
    film = Footage(np.full((1, FEATURES), 1 / 36, np.float32), concepts=("dog",), scores=np.ones((1, 1), np.float32))
    (judged,) = judge(name, _asked(film, uses=METHODS.module(name.replace("-", "_")).USES, name=name))
    assert judged.segments.shape == (1,)


@pytest.mark.parametrize("name", methods())
def test_any_method_refuses_what_it_does_not_use(name: str) -> None:
    film = _film()
    uses = METHODS.module(name.replace("-", "_")).USES
    for strange in {"query", "title", "title_images", "tags"} - set(uses):
        with pytest.raises(KgmmError, match=f"film summarizer {name} has no option {strange}"):
            judge(name, _asked(film, uses=(strange,)))


def test_a_query_names_concepts_by_their_words() -> None:
    found = wanted("Dogs beside a boat", ("dog", "boat", "hot dog"))
    assert found.weights.tolist() == [1, 1, 0] and found.supported
    assert np.linalg.norm(found.words) == pytest.approx(1, abs=1e-5)
    film = _film()
    assert found.seen(film).shape == (48,) and not wanted("", film.concepts).seen(film).any()
