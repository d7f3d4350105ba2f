"""The hybrid's confidence is fitted with what a plain install has."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from kgmm.data.fvqa import FvqaQuestion
from kgmm.reason.ranking import features as ev
from kgmm.train.hybrid import Example, calibrate, logistic


def test_logistic_is_scikit_learns():
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 2))
    right = rng.random(300) < 1 / (1 + np.exp(-(1.5 * x[:, 0] - x[:, 1] + 0.3)))
    oracle = linear_model.LogisticRegression(C=1e6, tol=1e-8).fit(x, right)
    assert logistic(x, right) == pytest.approx([*oracle.coef_[0], oracle.intercept_[0]], abs=1e-3)


def _asked(i, rng):
    """A question with two facts, the first of which is gold; in one of four cases the other one is believed."""
    cited, none = np.array([True, False]), np.zeros((2, 2), bool)
    example = Example(
        question=FvqaQuestion(str(i), f"{i}.jpg", "?", "cat", (), "image", "made", ()),
        facts=np.zeros(2, np.uint64),
        ends=np.zeros((2, 3), np.uint64),
        relation=np.zeros(2, np.int64),
        features=rng.random((2, 2, len(ev.FEATURES))).astype(np.float16),
        seen=none,
        answers=[("cat", "pet"), ("dog", "pet")],
        gold=none,
        right=none,
        cited=cited,
        trained=cited,
    )
    logits = np.array([[-1.5 if i % 4 == 0 else 3.0, -2.0], [-1.0, -1.2]], np.float32)
    return example, (np.arange(2), logits)


def test_confidence_is_fitted_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    rng = np.random.default_rng(1)
    examples, ranked = zip(*(_asked(i, rng) for i in range(40)), strict=True)
    share, support, bias = calibrate(list(examples), list(ranked))
    assert share > 0 and np.isfinite([support, bias]).all()  # the surer the answer, the likelier it is right
