"""The sequential determinantal process: a distribution over subsets, its true gradient, its literal loss."""

import numpy as np
import pytest
import torch

from kgmm.nn.film import FilmTensors
from kgmm.nn.seqdpp import JITTER, SeqDPP, drawn, likeliest, log_det, log_factor, marginals
from tests.nn.films import assert_true_gradient, subsets


def _model(hidden: int) -> tuple[SeqDPP, torch.Tensor]:
    torch.manual_seed(3)
    return SeqDPP(5, rank=6, hidden=hidden, length=4), torch.randn(9, 5, dtype=torch.float64)


@pytest.mark.parametrize("hidden", [0, 4])
@pytest.mark.parametrize("before", [[], [0], [1, 2]])
def test_a_step_is_a_distribution_over_subsets(hidden: int, before: list[int]) -> None:
    model, features = _model(hidden)
    kernel = model(features)
    segment = [3, 4, 5, 6, 7, 8]
    total = sum(float(log_factor(kernel, some, segment, before).exp()) for some in subsets(segment))
    assert total == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("before", [[], [0], [1, 2]])
def test_a_marginal_is_the_sum_over_the_subsets_that_hold_the_shot(before: list[int]) -> None:
    model, features = _model(0)
    kernel, segment = model(features), [3, 4, 5, 6]
    likely = [(some, float(log_factor(kernel, some, segment, before).exp())) for some in subsets(segment)]
    summed = [sum(p for some, p in likely if shot in some) for shot in segment]
    assert marginals(kernel, segment, before).tolist() == pytest.approx(summed, abs=1e-9)


@pytest.mark.parametrize("hidden", [0, 4])
def test_the_gradient_is_that_of_finite_differences(hidden: int) -> None:
    model, features = _model(hidden)
    film = FilmTensors(features, chosen=(1, 3, 7))
    assert_true_gradient(model, lambda: model.loss(film))


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
    loss = model.loss(FilmTensors(features, chosen=(1, 3, 6)))
    assert float(loss.detach()) == pytest.approx(literal, rel=1e-9)


def test_a_shot_is_the_mean_of_its_moments() -> None:
    model, features = _model(0)
    edges = torch.tensor([0, 2, 3, 9])
    means = torch.stack([features[:2].mean(0), features[2], features[3:].mean(0)])
    whole = model.loss(FilmTensors(features, edges, chosen=(2,)))
    assert float(whole) == pytest.approx(float(model.loss(FilmTensors(means, chosen=(2,)))), rel=1e-12)


def test_the_likeliest_subset_is_that_of_all_subsets() -> None:
    model, features = _model(0)
    kernel = model(features).detach()
    best = max(subsets([3, 4, 5, 6]), key=lambda some: float(log_factor(kernel, some, [3, 4, 5, 6], [1])))
    assert likeliest(kernel, [3, 4, 5, 6], [1]) == best


def test_a_long_segment_is_filled_greedily_without_twins() -> None:
    vectors = 3 * torch.eye(4, dtype=torch.float64).repeat(3, 1)
    kernel = vectors @ vectors.T + JITTER * torch.eye(12, dtype=torch.float64)
    chosen = likeliest(kernel, range(12), [])
    assert sorted(shot % 4 for shot in chosen) == [0, 1, 2, 3]
    assert float(log_det(kernel, chosen)) == pytest.approx(4 * np.log(9 + JITTER))


def test_what_was_just_taken_is_not_taken_again() -> None:
    vectors = 3 * torch.eye(4, dtype=torch.float64).repeat(2, 1)
    taken, likely = drawn(vectors @ vectors.T + JITTER * torch.eye(8, dtype=torch.float64), length=4)
    assert taken == [0, 1, 2, 3]
    assert likely[:4].tolist() == pytest.approx([0.9] * 4, abs=1e-6) and float(likely[4:].max()) < 1e-5


def test_a_film_is_judged_by_marginals_and_the_likeliest_summary() -> None:
    model, features = _model(0)
    film = FilmTensors(features, torch.tensor([0, 2, 3, 9]))
    made = model.judge(film)
    chosen, likely = drawn(model(film.of_segments(features)), 4)
    assert made.chosen == tuple(chosen) and len(chosen)
    assert made.segments.tolist() == pytest.approx([(float(p) + (i in chosen)) / 2 for i, p in enumerate(likely)])
    assert made.moments.tolist() == pytest.approx(made.segments[[0, 0, 1, 2, 2, 2, 2, 2, 2]].tolist())
