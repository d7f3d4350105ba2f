"""The one summary that agrees most with people's, and what they keep when something is asked for."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kgmm.stories.footage.consensus import asked_first, consensus, f_score, taken
from kgmm.stories.footage.segments import mask


@given(st.integers(0, 10_000))
def test_each_step_is_the_best_one_there_is(seed: int) -> None:
    random = np.random.default_rng(seed)
    edges = np.concatenate([[0], np.cumsum(random.integers(1, 5, 6))])
    people = random.random((3, int(edges[-1]))) < 0.4

    def worth(some: tuple[int, ...]) -> float:
        return float(np.mean([f_score(mask(list(some), edges), one) for one in people]))

    literal: tuple[int, ...] = ()
    while len(literal) < 6:
        best = max((i for i in range(6) if i not in literal), key=lambda i: (worth((*literal, i)), -i))
        if worth((*literal, best)) <= worth(literal):
            break
        literal = (*literal, best)
    found = consensus(people, edges)
    assert np.isclose(worth(found), worth(literal)) and list(found) == sorted(set(found))
    most = max(worth(some) for size in range(7) for some in itertools.combinations(range(6), size))
    assert worth(found) >= 0.75 * most


def test_nobody_keeps_anything() -> None:
    assert consensus(np.zeros((2, 4), bool), np.array([0, 2, 4])) == ()


def test_what_was_asked_for_comes_first_and_then_what_matters_most() -> None:
    edges = np.arange(0, 11)
    people = np.array([[0.0, 9, 1, 8, 2, 7, 3, 6, 4, 5]])
    asked = np.zeros(10, bool)
    asked[[2, 4]] = True
    assert np.flatnonzero(asked_first(people, edges, 0.3)[0]).tolist() == [1, 3, 5]
    assert np.flatnonzero(asked_first(people, edges, 0.3, asked)[0]).tolist() == [1, 2, 4]
    assert np.flatnonzero(asked_first(people, edges, 0.1, asked)[0]).tolist() == [4]


def test_what_is_not_on_offer_is_not_taken() -> None:
    edges = np.array([0, 2, 4, 6])
    assert taken([3.0, 2, 1], edges, 0.4).tolist() == [True] * 2 + [False] * 4
    assert taken([3.0, 2, 1], edges, 0.4, [1, 2]).tolist() == [False] * 2 + [True] * 2 + [False] * 2
