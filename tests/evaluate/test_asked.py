"""Shots of two summaries are matched by the concepts they share as well as they can be."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgmm.evaluate.asked import Asked, matching_f


def _iou(one: np.ndarray, other: np.ndarray) -> float:
    either = int((one | other).sum())
    return int((one & other).sum()) / either if either else 0.0


@given(st.integers(0, 10_000))
def test_the_matching_is_the_best_of_all(seed: int) -> None:
    random = np.random.default_rng(seed)
    concepts = random.random((9, 5)) < 0.4
    system, reference = ([int(i) for i in random.permutation(9)[: random.integers(1, 5)]] for _ in range(2))
    small, large = sorted((system, reference), key=len)
    weight = max(
        sum(_iou(concepts[a], concepts[b]) for a, b in zip(small, order, strict=False))
        for order in itertools.permutations(large)
    )
    expected = 2 * weight / (len(system) + len(reference))
    assert matching_f(system, reference, concepts) == pytest.approx(expected)


def test_nothing_in_common_and_nothing_at_all() -> None:
    concepts = np.array([[1, 0], [0, 1], [0, 0]], bool)
    assert matching_f([0], [1], concepts) == matching_f([2], [2], concepts) == matching_f([], [0], concepts) == 0
    assert matching_f([0, 1], [1, 0], concepts) == 1


def test_parts_that_show_what_is_asked() -> None:
    people = np.array([[1, 1, 0, 0, 1, 1], [1, 1, 0, 0, 0, 0]], bool)
    shown = np.array([1, 1, 1, 1, 0, 0], bool)
    concepts = np.array([[1, 0], [1, 0], [0, 1]], bool)
    asked = Asked(people, shown, np.array([0, 0, 1, 1, 2, 2]), concepts)
    found = asked.figures(np.array([1, 1, 0, 0, 0, 0], bool))
    assert found["asked_f"] == 1, "what is kept beside it does not count here"
    assert found["matching_f"] == pytest.approx((2 / 3 + 1) / 2)
    other = asked.figures(np.array([0, 0, 1, 1, 1, 0], bool))
    assert other["asked_f"] == 0 and other["matching_f"] == pytest.approx((2 * 2 / 4 + 2 / 3) / 2)
