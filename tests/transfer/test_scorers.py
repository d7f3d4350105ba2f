"""Scorers read no target label, are skada's where it has them, and choose what is right on the target."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from kgmm.errors import BadInput
from kgmm.transfer import create
from kgmm.transfer.scorers import (
    CircularValidation,
    DeepEmbeddedValidation,
    ImportanceWeighted,
    PredictionEntropy,
    Scorer,
)

SCORERS = [PredictionEntropy(), ImportanceWeighted(), ImportanceWeighted(1.0), DeepEmbeddedValidation(), CircularValidation()]  # fmt: skip


class Routed(ClassifierMixin, BaseEstimator):
    """A classifier that takes what skada hands to estimators."""

    def fit(self, X: Any, y: Any, sample_domain: Any = None) -> Any:
        source = np.asarray(sample_domain) > 0
        self.inner_ = LogisticRegression(C=0.1).fit(X[source], y[source])
        self.classes_ = self.inner_.classes_
        return self

    def predict(self, X: Any, sample_domain: Any = None, allow_source: bool = False) -> Any:
        return self.inner_.predict(X)

    def predict_proba(self, X: Any, sample_domain: Any = None, allow_source: bool = False) -> Any:
        return self.inner_.predict_proba(X)

    def score(self, X: Any, y: Any, sample_weight: Any = None, sample_domain: Any = None, allow_source: bool = False) -> float:  # fmt: skip
        return float(np.average(self.predict(X) == y, weights=sample_weight))


def _column(y: Any, chances: Any) -> Any:
    """The cross entropy as a column: skada 0.6's own is a row, which its weights, a column, blow up to a square."""
    return -np.log(chances[np.arange(len(y)), y])[:, None]


def _worlds(seed: int = 0, count: int = 90) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, 2 * count)
    X = rng.normal(size=(2 * count, 4)) + rng.normal(size=(3, 4))[y] * 1.5
    X[count:] += 0.7
    domain = np.repeat([1, -2], count)
    return X, np.where(domain > 0, y, -1), domain, y


@pytest.mark.parametrize("scorer", SCORERS, ids=repr)
def test_no_target_label_is_read(scorer: Scorer) -> None:
    X, y, domain, truth = _worlds()
    fitted = create("coral").fit(X, y, sample_domain=domain)
    found = scorer(fitted, X, y, domain)
    assert np.isfinite(found) and found == scorer(fitted, X, truth, domain)
    shuffled = np.random.default_rng(0).permutation(180)
    if not isinstance(scorer, DeepEmbeddedValidation | CircularValidation):  # one splits by row, one learns in order
        assert scorer(fitted, X[shuffled], y[shuffled], domain[shuffled]) == pytest.approx(found)
    for bad in ((X[:90], y[:90], domain[:90]), (X, y[:5], domain), (X[90:], y[90:], domain[90:])):
        with pytest.raises(BadInput):
            scorer(fitted, *bad)


def test_scores_are_skadas() -> None:
    metrics = pytest.importorskip("skada.metrics", reason="skada is not installed")
    X, y, domain, _ = _worlds(1)
    pipe = Pipeline([("classify", Routed().fit(X, y, domain))])
    fitted = pipe.steps[0][1]
    before = sklearn.get_config()["enable_metadata_routing"]
    sklearn.set_config(enable_metadata_routing=True)
    try:
        weighted = fitted.set_score_request(sample_weight=True, sample_domain=True, allow_source=True)

        fitted.set_predict_proba_request(sample_domain=True, allow_source=True)

        def theirs(scorer: Any, estimator: Any) -> float:
            return float(scorer._score(None, estimator, X, y, sample_domain=domain))

        assert PredictionEntropy()(fitted, X, y, domain) == pytest.approx(
            theirs(metrics.PredictionEntropyScorer(), fitted), abs=1e-6
        )
        assert ImportanceWeighted(1.0)(fitted, X, y, domain) == pytest.approx(
            theirs(metrics.ImportanceWeightedScorer(), weighted)
        )
        assert DeepEmbeddedValidation(3)(fitted, X, y, domain) == pytest.approx(
            theirs(metrics.DeepEmbeddedValidation(loss_func=_column, random_state=3), pipe), rel=1e-3
        )
        assert CircularValidation()(fitted, X, y, domain) == pytest.approx(theirs(metrics.CircularValidation(), fitted))
    finally:
        sklearn.set_config(enable_metadata_routing=before)


def test_weighted_scores_are_nearer_to_the_target_where_only_inputs_shift() -> None:
    """P(y | x) is one, and the rule is right left of 0 alone: the source lies there, the target on both sides."""
    errors = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        x = np.concatenate([rng.normal(-0.5, 1, 400), rng.normal(0.5, 1, 400)])[:, None]
        truth = ((x[:, 0] > 0) ^ (x[:, 0] > 1)).astype(int)
        domain = np.repeat([1, -1], 400)
        rule = LogisticRegression().fit([[-1.0], [1.0]], [0, 1])
        target = (rule.predict(x[400:]) == truth[400:]).mean()
        plain = (rule.predict(x[:400]) == truth[:400]).mean()
        weighted = ImportanceWeighted()(rule, x, np.where(domain > 0, truth, -1), domain)
        errors.append((abs(weighted - target), abs(plain - target)))
    ours, unweighted = np.mean(errors, axis=0)
    assert ours < 0.5 * unweighted


def test_a_search_of_scikit_learn_chooses_without_target_labels() -> None:
    from sklearn.model_selection import GridSearchCV, ShuffleSplit

    X, y, domain, truth = _worlds(2)
    with sklearn.config_context(enable_metadata_routing=True):
        adapter = create("coral").set_fit_request(sample_domain=True)
        split = ShuffleSplit(3, test_size=0.3, random_state=0)
        grid = {"C": [1e-6, 1.0]}
        search = GridSearchCV(adapter, grid, scoring=DeepEmbeddedValidation(), cv=split)
        search.fit(X, y, sample_domain=domain)
    assert search.best_params_ == {"C": 1.0}
    assert (search.predict(X[90:]) == truth[90:]).mean() > 0.6


def test_deep_validation_weighs_by_the_hidden_layer() -> None:
    X, y, domain, _ = _worlds(3)
    fitted = create("ddc", epochs=2).fit(X, y, sample_domain=domain)
    assert fitted.hidden(X).shape == (180, 256)
    found = DeepEmbeddedValidation()(fitted, X, y, domain)
    fitted.hidden = lambda rows: np.asarray(rows)
    assert found != DeepEmbeddedValidation()(fitted, X, y, domain)
