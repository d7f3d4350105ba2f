"""Segments of films and the choice of those that fit: equal to literal and exhaustive forms."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgmm.errors import BadInput
from kgmm.stories.footage.knapsack import knapsack
from kgmm.stories.footage.segments import chosen, fixed, kernel_segments, mask, means


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 30), st.integers(1, 9)), max_size=9), st.integers(0, 30))
def test_knapsack_is_as_good_as_the_best_of_all_subsets(items: list[tuple[int, int]], capacity: int) -> None:
    values, weights = [float(v) for v, _ in items], [w for _, w in items]
    subsets = (c for k in range(len(items) + 1) for c in itertools.combinations(range(len(items)), k))
    best = max(sum(values[i] for i in c) for c in subsets if sum(weights[i] for i in c) <= capacity)
    found = knapsack(values, weights, capacity).tolist()
    assert sum(weights[i] for i in found) <= capacity and sum(values[i] for i in found) == best


@pytest.mark.parametrize("values, weights", [([1.0], [0]), ([float("nan")], [1]), ([1.0, 2.0], [1]), ([1.0], [-4])])
def test_knapsack_refuses_what_has_no_best_set(values: list[float], weights: list[int]) -> None:
    with pytest.raises(BadInput):
        knapsack(values, weights, 5)


def _literal(rows: np.ndarray, most: int, penalty: float) -> list[int]:
    """Potapov's program word for word, in float64."""
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    kernel, n = rows @ rows.T, len(rows)

    def scatter(a: int, b: int) -> float:
        part = kernel[a:b, a:b]
        return float(np.trace(part) - part.sum() / (b - a))

    best: dict[tuple[int, int], tuple[float, list[int]]] = {(1, e): (scatter(0, e), [0, e]) for e in range(1, n + 1)}
    for m in range(2, most + 1):
        for end in range(m, n + 1):
            options = [(best[m - 1, s][0] + scatter(s, end), s) for s in range(m - 1, end)]
            value, start = min(options)
            best[m, end] = (value, [*best[m - 1, start][1], end])
    costs = [best[m, n][0] / n + penalty * m / (2 * n) * (np.log(n / m) + 1) for m in range(1, most + 1)]
    return best[int(np.argmin(costs)) + 1, n][1]


@pytest.mark.parametrize("seed", range(12))
def test_kernel_segments_equal_a_literal_program(seed: int) -> None:
    random = np.random.default_rng(seed)
    lengths = random.integers(3, 9, 4)
    rows = np.repeat(random.normal(size=(4, 6)), lengths, axis=0) + 0.2 * random.normal(size=(lengths.sum(), 6))
    for penalty in (0.1, 1.0):
        assert kernel_segments(rows, 8, penalty).tolist() == _literal(rows, 8, penalty)


def test_segments_cover_a_film_of_any_length() -> None:
    assert fixed(1).tolist() == [0, 1] and fixed(120).tolist() == [0, 60, 120]
    assert kernel_segments(np.ones((1, 3))).tolist() == [0, 1]
    assert kernel_segments(np.zeros((5, 3))).tolist() == [0, 5]
    edges = np.array([0, 4, 5])
    assert means(np.arange(5.0), edges).tolist() == [1.5, 4.0]
    assert mask(chosen([1.0, 2.0], edges, 0.2), edges).tolist() == [False] * 4 + [True]
    with pytest.raises(BadInput):
        fixed(0)
    with pytest.raises(BadInput):
        kernel_segments([[float("inf")]])
