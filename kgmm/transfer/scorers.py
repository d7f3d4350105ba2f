r"""Scores of adapters that read no target label, to choose options by; higher is better, as scikit-learn has it.

Each is called as ``scorer(estimator, X, y, sample_domain)`` with all rows, as ``fit`` is; where ``sample_domain`` is
below 0 ``y`` is not read. Scikit-learn's searches pass ``sample_domain`` on where metadata routing is enabled.

Importance weights estimate the risk of the rule for target rows from source rows, $E_t \ell = E_s w \ell$ with
$w = p_t / p_s$, so source rows are predicted as though they were the target's; they should not have been learned from.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils.metadata_routing import MetadataRequest

from kgmm.errors import BadInput

Floats = NDArray[np.float64]
LEAST = 1e-15  #: probabilities below are this, where their logarithm is taken

__all__ = ["CircularValidation", "DeepEmbeddedValidation", "ImportanceWeighted", "PredictionEntropy", "Scorer"]


class Scorer(ABC):
    """A score of a fitted classifier from source rows with labels and target rows without."""

    def __call__(self, estimator: Any, X: ArrayLike, y: ArrayLike, sample_domain: ArrayLike) -> float:
        """Return the score; BadInput if rows of either domain are missing, or shapes do not fit."""
        rows, labels, domain = np.asarray(X), np.asarray(y), np.asarray(sample_domain)
        if rows.ndim != 2 or labels.shape != (len(rows),) or domain.shape != (len(rows),):
            raise BadInput("scorer", f"rows of shape {rows.shape}, labels {labels.shape}, domains {domain.shape}")
        source = domain > 0
        if source.all() or not source.any():
            raise BadInput("scorer", "needs rows of the source and of the target")
        return float(self._score(estimator, rows[source], labels[source], rows[~source]))

    @abstractmethod
    def _score(self, estimator: Any, source: Floats, labels: NDArray[Any], target: Floats) -> float:
        """Return the score."""

    def get_metadata_routing(self) -> MetadataRequest:
        """Tell scikit-learn's searches that ``sample_domain`` is asked for."""
        request = MetadataRequest(owner=type(self).__name__)
        request.score.add_request(param="sample_domain", alias=True)
        return request


@dataclass(frozen=True)
class PredictionEntropy(Scorer):
    """Minus the mean over target rows and classes of -p log p (Morerio et al., ICLR 2018).

    A classifier that is sure of the same class everywhere scores best: choose among strengths of one method, not more.

    Example:
        >>> from sklearn.dummy import DummyClassifier
        >>> even = DummyClassifier(strategy="prior").fit([[0], [1]], [0, 1])
        >>> round(PredictionEntropy()(even, [[0], [1]], [0, -1], [1, -1]), 4)
        -0.3466
    """

    def _score(self, estimator: Any, source: Floats, labels: NDArray[Any], target: Floats) -> float:
        chances = estimator.predict_proba(target)
        return float(np.mean(chances * np.log(np.maximum(chances, LEAST))))


@dataclass(frozen=True)
class ImportanceWeighted(Scorer):
    """The share of source rows that are told right, rows weighted by target density over source density.

    Sugiyama, Krauledat, Müller (JMLR 2007). Densities of many features cannot be estimated: without *bandwidth* the
    weights are the odds of a logistic regression between the domains instead.

    Args:
        bandwidth: of Gaussian kernel densities; 1 is skada's default.
    """

    bandwidth: float | None = None

    def _score(self, estimator: Any, source: Floats, labels: NDArray[Any], target: Floats) -> float:
        if self.bandwidth is None:
            weights = _odds(source, target, source)
        else:
            from sklearn.neighbors import KernelDensity

            here, there = (KernelDensity(bandwidth=self.bandwidth).fit(rows) for rows in (source, target))
            weights = np.exp(there.score_samples(source) - here.score_samples(source))
        if not weights.sum() > 0:
            weights = np.ones(len(source))
        return float(np.average(estimator.predict(source) == labels, weights=weights))


@dataclass(frozen=True)
class DeepEmbeddedValidation(Scorer):
    """Minus the target risk estimated from a third of the source, with a control variate (You et al., ICML 2019).

    Weights are the odds of a logistic regression between the target and the other two thirds, on the estimator's
    ``hidden(rows)`` if it has that, otherwise on the rows; the loss is the cross entropy.

    Args:
        seed: of the split.
    """

    seed: int = 0

    def _score(self, estimator: Any, source: Floats, labels: NDArray[Any], target: Floats) -> float:
        from sklearn.model_selection import train_test_split

        if len(source) < 6:
            raise BadInput("scorer", f"{len(source)} source rows cannot be split in three")
        seen, held, _, truth = train_test_split(source, labels, test_size=0.33, random_state=self.seed)
        features = getattr(estimator, "hidden", np.asarray)
        weights = _odds(features(seen), features(target), features(held))
        chances = np.clip(estimator.predict_proba(held), LEAST, 1 - LEAST)
        known = np.asarray(estimator.classes_)
        told = truth[:, None] == known[None]
        loss = np.where(told.any(axis=1), -np.log(np.where(told, chances, 1.0)).sum(axis=1), -np.log(LEAST))
        weighted = weights * loss
        spread = np.var(weights, ddof=1)
        control = -np.cov(weighted, weights)[0, 1] / spread if spread > 0 else 0.0
        return float(-(weighted.mean() + control * weights.mean() - control))


@dataclass(frozen=True)
class CircularValidation(Scorer):
    """Balanced accuracy on the source of a copy that learned from the target with the labels told for it.

    Bruzzone & Marconcini (IEEE TPAMI 2010). It costs a fit.
    """

    def _score(self, estimator: Any, source: Floats, labels: NDArray[Any], target: Floats) -> float:
        from sklearn.metrics import balanced_accuracy_score

        told = np.asarray(estimator.predict(target))
        if len(np.unique(told)) < 2:
            return float(balanced_accuracy_score(labels, np.full(len(labels), told[0])))
        classes, coded = np.unique(told, return_inverse=True)
        domain = np.repeat([-1, 1], [len(source), len(target)])
        masked = np.concatenate([np.full(len(source), -1), coded])
        back = clone(estimator).fit(np.vstack([source, target]), masked, sample_domain=domain)
        return float(balanced_accuracy_score(labels, classes[back.predict(source)]))


def _odds(source: Floats, target: Floats, rows: Floats) -> Floats:
    """Return target density over source density at some rows, as a logistic regression between the domains has it."""
    from sklearn.linear_model import LogisticRegression

    domain = np.repeat([1, 0], [len(source), len(target)])
    chances = LogisticRegression(max_iter=500).fit(np.vstack([source, target]), domain).predict_proba(rows)
    return np.asarray(len(source) / len(target) * chances[:, 0] / np.maximum(chances[:, 1], LEAST))
