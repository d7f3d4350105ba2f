"""The asymmetric network: its map starts from the ridge solution, its loss is the literal one, poor modalities gain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from kgmm.errors import BadInput
from kgmm.transfer.views.datn import DATN, ridge_map


def test_the_map_starts_from_the_ridge_solution() -> None:
    rng = np.random.default_rng(0)
    zt, zs = torch.as_tensor(rng.normal(size=(30, 4))), torch.as_tensor(rng.normal(size=(30, 3)))
    found = ridge_map(zt, zs, 2.0)

    def literal(g: torch.Tensor) -> float:
        return float((zs - zt @ g).square().sum() + 2.0 * g.square().sum())

    assert all(literal(found + 0.01 * torch.randn(4, 3, dtype=torch.float64)) > literal(found) for _ in range(50))


def test_the_loss_is_the_literal_one() -> None:
    torch.manual_seed(0)
    made = DATN(ridge=0.5, alpha=0.3, beta=0.7)
    made.map_ = torch.nn.Parameter(torch.randn(4, 3))
    made.classifier_ = torch.nn.Linear(3, 2)
    zs, zt, labels = torch.randn(5, 3), torch.randn(6, 4), torch.tensor([0, -1, 1, -1, -1, 0])
    pairs = torch.tensor([[0, 0], [1, 2], [4, 5]])
    g = made.map_.detach().numpy().astype(float)
    a, b = zs.numpy().astype(float), zt.numpy().astype(float)
    pair = sum(((a[i] - b[j] @ g) ** 2).sum() for i, j in pairs.tolist()) + 0.5 * (g**2).sum()
    weight, bias = made.classifier_.weight.detach().numpy(), made.classifier_.bias.detach().numpy()
    logs = []
    for j, label in ((0, 0), (2, 1), (5, 0)):
        scores = b[j] @ g @ weight.T + bias
        logs.append(np.log(np.exp(scores[label]) / np.exp(scores).sum()))
    apart = ((a.mean(axis=0) - (b @ g).mean(axis=0)) ** 2).sum()
    expected = pair / 3 - 0.3 * np.mean(logs) + 0.7 * apart
    assert float(made.loss(zs, zt, labels, pairs)) == pytest.approx(expected, rel=1e-5)


def test_pictures_gain_from_the_labels_of_texts(shared_data: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    from kgmm.data.cross_modal import read_cross_modal

    data = read_cross_modal(shared_data / "wiki")
    truth, wanted = data.labels_train.argmax(axis=1), data.labels_test.argmax(axis=1)
    gains = []
    for seed in range(2):
        rng = np.random.default_rng(seed)
        few = np.full(len(truth), -1)
        for label in np.unique(truth):
            few[rng.permutation(np.flatnonzero(truth == label))[:5]] = label
        pairs = np.stack([np.arange(len(truth))] * 2, axis=1)
        made = DATN(seed=seed).fit(data.text_train, truth, data.image_train, few, pairs)
        mean, spread = data.image_train.mean(axis=0), data.image_train.std(axis=0) + 1e-12
        plain = LogisticRegression(C=0.01).fit((data.image_train[few >= 0] - mean) / spread, few[few >= 0])
        alone = plain.score((data.image_test - mean) / spread, wanted)
        gains.append((made.predict(data.image_test) == wanted).mean() - alone)
    assert np.mean(gains) > 0.02, gains


def test_pairs_and_labels_that_do_not_fit_are_refused() -> None:
    X, y = np.random.default_rng(0).normal(size=(6, 3)), np.array([0, 1, 0, 1, 0, 1])
    for pairs in ([], [[0, 9]], [[-1, 0]], [0, 1], [[0.5, 1.0]]):
        with pytest.raises(BadInput, match="pairs"):
            DATN().fit(X, y, X, np.full(6, -1), pairs)
    with pytest.raises(BadInput, match="1 classes"):
        DATN().fit(X, np.zeros(6), X, np.full(6, -1), [[0, 0]])
    made = DATN(epochs=1).fit(X, y, X, np.full(6, -1), [[0, 0]])
    assert made.predict(X).shape == (6,), "a target without any label"
    assert np.array_equal(made.predict_proba(X), DATN(epochs=1).fit(X, y, X, np.full(6, -1), [[0, 0]]).predict_proba(X))
