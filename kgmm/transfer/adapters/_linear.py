"""Methods that make features first, and learn a linear classifier on them."""

from abc import abstractmethod
from typing import Any

import numpy as np

from kgmm.transfer.base import Adapter, Floats, Ints


class Linear(Adapter):
    """Logistic regression on features that both domains made.

    Args:
        weight: 0 leaves the features as they are: the source only.
        C: inverse strength of the ridge.
    """

    def __init__(self, weight: float = 1.0, C: float = 0.01, seed: int = 0) -> None:
        self.weight = weight
        self.C = C
        self.seed = seed

    def _learn(self, source: Floats, labels: Ints, target: Floats) -> None:
        from sklearn.linear_model import LogisticRegression

        if self.weight > 0 and len(target):
            source = self.made(source, target)
        self.classifier_: Any = LogisticRegression(C=self.C, max_iter=500).fit(source, labels)

    @abstractmethod
    def made(self, source: Floats, target: Floats) -> Floats:
        """Return the source's new features, and keep how rows of the target get theirs."""

    def of_target(self, rows: Floats) -> Floats:
        """Return the new features of rows of the target."""
        return rows

    def _probabilities(self, rows: Floats) -> Floats:
        adapted = hasattr(self, "adapted_")
        return np.asarray(self.classifier_.predict_proba(self.of_target(rows) if adapted else rows))
