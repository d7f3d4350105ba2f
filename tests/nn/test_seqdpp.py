"""The sequential determinantal process: a distribution over subsets, its true gradient, its literal loss."""

from itertools import combinations

import numpy as np
import pytest
import torch

from kgmm.nn.seqdpp import JITTER, SeqDPP, likeliest, log_det, log_factor


def _model(hidden: int) -> tuple[SeqDPP, torch.Tensor]:
    torch.manual_seed(3)
    return SeqDPP(5, rank=6, hidden=hidden), torch.randn(9, 5, dtype=torch.float64)


def _subsets(items: list[int]) -> list[list[int]]:
    return [list(some) for size in range(len(items) + 1) for some in combinations(items, size)]


@pytest.mark.parametrize("hidden", [0, 4])
@pytest.mark.parametrize("before", [[], [0], [1, 2]])
def test_a_step_is_a_distribution_over_subsets(hidden: int, before: list[int]) -> None:
    model, features = _model(hidden)
    kernel = model(features)
    segment = [3, 4, 5, 6, 7, 8]
    total = sum(float(log_factor(kernel, some, segment, before).exp()) for some in _subsets(segment))
    assert total == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("hidden", [0, 4])
def test_the_gradient_is_that_of_finite_differences(hidden: int) -> None:
    model, features = _model(hidden)
    model.loss(features, [1, 3, 7], length=4).backward()
    weight, step = model.outer.weight, 1e-6
    assert weight.grad is not None
    for row, column in [(0, 0), (2, 1), (5, 3)]:
        values = []
        for sign in (1, -1):
            with torch.no_grad():
                weight[row, column] += sign * step
                values.append(float(model.loss(features, [1, 3, 7], length=4)))
                weight[row, column] -= sign * step
        slope = (values[0] - values[1]) / (2 * step)
        assert float(weight.grad[row, column]) == pytest.approx(slope, rel=1e-4, abs=1e-6)


def test_the_loss_is_its_literal_form() -> None:
    model, features = _model(0)
    z = features.numpy() @ model.outer.weight.detach().numpy().T
    kernel = z @ z.T + JITTER * np.eye(9)
    literal = 0.0
    for before, chosen, segment in [([], [1, 3], [0, 1, 2, 3]), ([1, 3], [6], [4, 5, 6, 7]), ([6], [], [8])]:
        held, ground = before + chosen, before + segment
        offered = np.diag([0.0] * len(before) + [1.0] * len(segment))
        literal -= np.log(np.linalg.det(kernel[np.ix_(held, held)]))
        literal += np.log(np.linalg.det(kernel[np.ix_(ground, ground)] + offered))
    assert float(model.loss(features, [1, 3, 6], length=4).detach()) == pytest.approx(literal, rel=1e-9)


def test_the_likeliest_subset_is_that_of_all_subsets() -> None:
    model, features = _model(0)
    kernel = model(features).detach()
    best = max(_subsets([3, 4, 5, 6]), key=lambda some: float(log_factor(kernel, some, [3, 4, 5, 6], [1])))
    assert likeliest(kernel, [3, 4, 5, 6], [1]) == best


def test_a_long_segment_is_filled_greedily_without_twins() -> None:
    vectors = 3 * torch.eye(4, dtype=torch.float64).repeat(3, 1)
    kernel = vectors @ vectors.T + JITTER * torch.eye(12, dtype=torch.float64)
    chosen = likeliest(kernel, range(12), [])
    assert sorted(shot % 4 for shot in chosen) == [0, 1, 2, 3]
    assert float(log_det(kernel, chosen)) == pytest.approx(4 * np.log(9 + JITTER))
