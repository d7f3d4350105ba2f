"""Discrepancies equal their literal forms, and mean what they say."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kgmm.errors import BadInput
from kgmm.transfer.discrepancy import (
    gaussian,
    joint_mmd,
    kernel_weights,
    linear_terms,
    median_width,
    mmd,
    mmd_of,
    permutation_test,
)


def _literal(x: np.ndarray, y: np.ndarray, width: float, unbiased: bool) -> float:
    def k(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.exp(-((a - b) ** 2).sum() / (2 * width)))

    m, n = len(x), len(y)
    same = [(k(x[i], x[j]), i == j) for i in range(m) for j in range(m)]
    other = [(k(y[i], y[j]), i == j) for i in range(n) for j in range(n)]
    across = sum(k(a, b) for a in x for b in y)
    if unbiased:
        inside = sum(v for v, d in same if not d) / (m * (m - 1)) + sum(v for v, d in other if not d) / (n * (n - 1))
    else:
        inside = sum(v for v, _ in same) / m**2 + sum(v for v, _ in other) / n**2
    return inside - 2 * across / (m * n)


@pytest.mark.parametrize("seed", range(4))
def test_both_estimates_equal_their_literal_sums(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(7, 3)), rng.normal(size=(9, 3)) + 0.5
    width = median_width(x, y)
    assert mmd(x, y, "biased") == pytest.approx(_literal(x, y, width, False)) and mmd(x, y, "biased") >= 0
    assert mmd(x, y, "unbiased", 2.0) == pytest.approx(_literal(x, y, 2.0, True))


def test_unbiased_has_mean_0_under_one_law_and_the_biased_does_not() -> None:
    rng = np.random.default_rng(0)
    draws = [(rng.normal(size=(20, 2)), rng.normal(size=(20, 2))) for _ in range(400)]
    values = np.array([mmd(x, y, "unbiased", 2.0) for x, y in draws])
    assert abs(values.mean()) < 4 * values.std() / np.sqrt(len(values))
    assert values.min() < 0 < np.mean([mmd(x, y, "biased", 2.0) for x, y in draws]) - 0.02
    linear = np.array([mmd(x, y, "linear", 2.0) for x, y in draws])
    assert abs(linear.mean()) < 4 * linear.std() / np.sqrt(len(linear)) and linear.std() > 2 * values.std()


def test_linear_time_takes_consecutive_pairs() -> None:
    x = torch.arange(5, dtype=torch.float64)[:, None]
    y = torch.arange(4, dtype=torch.float64)[:, None] + 0.5
    rows = torch.cat([x, y])
    kernel = gaussian(rows, rows, 1.0)

    def k(a: float, b: float) -> float:
        return float(np.exp(-((a - b) ** 2) / 2))

    expected = [k(0, 1) + k(0.5, 1.5) - k(0, 1.5) - k(1, 0.5), k(2, 3) + k(2.5, 3.5) - k(2, 3.5) - k(3, 2.5)]
    assert linear_terms(kernel, 5).tolist() == pytest.approx(expected)
    assert float(mmd_of(kernel, 5, "linear")) == pytest.approx(np.mean(expected))


def test_joint_mmd_sees_what_each_layer_alone_does_not() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 60, 1))
    together, apart = [one, one], [other, rng.permutation(other)]
    assert joint_mmd(together, apart) > 5 * max(mmd(one, other, "biased"), 0.01)


def test_permutations_reject_different_laws_and_hold_their_level() -> None:
    rng = np.random.default_rng(1)
    assert permutation_test(rng.normal(size=(30, 2)), rng.normal(size=(30, 2)) + 1, 99) == 0.01
    same = [permutation_test(rng.normal(size=(15, 2)), rng.normal(size=(15, 2)), 99, seed) for seed in range(60)]
    assert np.mean(np.array(same) <= 0.1) < 0.25


def test_kernel_weights_solve_the_quadratic_program() -> None:
    from scipy.optimize import minimize

    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(200, 2)), rng.normal(size=(200, 2)) * 1.5 + 0.3
    multiples = (0.25, 1.0, 4.0)
    beta = kernel_weights(x, y, multiples)
    rows = torch.as_tensor(np.vstack([x, y]))
    terms = np.stack([linear_terms(gaussian(rows, rows, median_width(x, y), [k]), 200).numpy() for k in multiples])
    q, d = np.cov(terms) + 1e-3 * np.eye(3), terms.mean(axis=1)
    bound = {"type": "eq", "fun": lambda b: d @ b - 1}
    start = np.full(3, 1 / d.sum())
    solved = minimize(lambda b: b @ q @ b, start, bounds=[(0, None)] * 3, constraints=[bound], tol=1e-14).x
    assert (beta >= 0).all() and beta.sum() == pytest.approx(1)
    assert beta == pytest.approx(solved / solved.sum(), abs=1e-3)


@pytest.mark.parametrize(
    "x, y", [([[1.0]], [[1.0]]), ([[1.0, 2.0]], [[1.0]]), ([[np.nan], [1]], [[1.0], [2]]), ([], [[1.0]])]
)
def test_samples_that_cannot_be_compared_are_refused(x: list[list[float]], y: list[list[float]]) -> None:
    with pytest.raises(BadInput):
        mmd(x, y, "unbiased")
