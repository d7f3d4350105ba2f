"""Tags of films located in their segments: the loss is its literal form, planted segments are found."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from kgmm.stories.skimming.bags import located, loss


def _literal(weights: np.ndarray, instances: np.ndarray, bags: np.ndarray, labels: np.ndarray, ridge: float) -> float:
    """Noisy or as printed."""
    v = 1 / (1 + np.exp(-(instances @ weights[:-1] + weights[-1])))
    value = ridge * float(np.sum(weights[:-1] ** 2))
    for film, has in enumerate(labels):
        probability = 1 - np.prod(1 - v[bags == film])
        value -= np.log(probability if has else 1 - probability)
    return float(value)


def test_the_loss_is_its_literal_form_with_the_gradient_of_finite_differences() -> None:
    rng = np.random.default_rng(0)
    instances, bags = rng.normal(size=(12, 4)), np.repeat(np.arange(4), 3)
    labels = np.array([True, False, True, False])
    for _ in range(5):
        weights = rng.normal(size=5)
        value, gradient = loss(weights, instances, bags, labels, 0.3)
        assert value == pytest.approx(_literal(weights, instances, bags, labels, 0.3))
        numeric = approx_fprime(weights, lambda w: loss(w, instances, bags, labels, 0.3)[0], 1e-7)
        assert gradient == pytest.approx(numeric, abs=1e-4)


def test_the_loss_is_finite_far_out() -> None:
    rows, bags = np.array([[1000.0], [-1000.0]]), np.array([0, 1])
    for labels in ([True, False], [False, True]):
        value, gradient = loss(np.array([1.0, 0.0]), rows, bags, np.array(labels))
        assert np.isfinite(value) and np.isfinite(gradient).all()


def _planted(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Twelve films of thirty segments out of eight kinds of scene; half the films have a tag, two or three segments show it."""
    rng = np.random.default_rng(seed)
    kinds, tag = rng.normal(size=(8, 200)), rng.normal(size=200)
    rows, truth = [], []
    labels = np.arange(12) % 2 == 0
    for has in labels:
        shown = kinds[rng.integers(8, size=30)]
        here = np.zeros(30, bool)
        if has:
            here[rng.choice(30, rng.integers(2, 4), replace=False)] = True
            shown[here] = 0.5 * shown[here] + tag
        rows.append(shown + 0.5 * rng.normal(size=shown.shape))
        truth.append(here)
    flat = np.vstack(rows)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    return flat, np.repeat(np.arange(12), 30), labels, np.concatenate(truth)


@pytest.mark.parametrize("seed", range(4))
def test_planted_segments_are_found_in_films_known_by_tag_alone(seed: int) -> None:
    from sklearn.metrics import roc_auc_score

    rows, bags, labels, truth = _planted(seed)
    likely = located(rows, bags, labels)
    assert roc_auc_score(truth, likely) > 0.99
    inside = labels[bags]
    assert roc_auc_score(truth[inside], likely[inside]) > 0.98, "inside the films that have the tag"
    assert located(rows, bags, labels).tobytes() == likely.tobytes()


def test_more_features_than_segments_change_nothing() -> None:
    rows, bags, labels, _ = _planted(0)
    turned = np.linalg.qr(np.random.default_rng(1).normal(size=(500, 200)))[0].T
    assert located(rows @ turned, bags, labels) == pytest.approx(located(rows, bags, labels), abs=0.02)
