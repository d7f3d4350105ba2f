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

        self.adapted_ = self.weight > 0 and len(target) > 0
        if self.adapted_:
            source = self.made(source, target)
        self.classifier_: Any = LogisticRegression(C=self.C, max_iter=500).fit(source, labels)

    @abstractmethod
    def made(self, source: Floats, target: Floats) -> Floats:
        """Return the source's new features, and keep how rows of the target get theirs."""

    def of_target(self, rows: Floats) -> Floats:
        """Return the new features of rows of the target."""
        return rows

    def _probabilities(self, rows: Floats) -> Floats:
        return np.asarray(self.classifier_.predict_proba(self.of_target(rows) if self.adapted_ else rows))


class Stacked(Linear):
    """Rows and layers above them, each made of the one below; each domain's mean is taken off what was made."""

    layers: int
    SCALE = 0.3  #: features are of about this size when they enter, where tanh is nearly straight

    @abstractmethod
    def layer(self, level: Floats) -> Any:
        """Return a layer learned from both domains' rows of the level below."""

    @abstractmethod
    def up(self, level: Floats, layer: Any) -> Floats:
        """Return the rows one layer above."""

    def made(self, source: Floats, target: Floats) -> Floats:
        """Return the source's features and all layers' above it."""
        self.stack_: list[Any] = []
        level = self.SCALE * np.vstack([source, target])
        for _ in range(self.layers):
            self.stack_.append(self.layer(level))
            level = self.up(level, self.stack_[-1])
        self.mean_ = self._levels(target).mean(axis=0)
        found = self._levels(source)
        return np.asarray(found - found.mean(axis=0))

    def of_target(self, rows: Floats) -> Floats:
        """Return rows and all layers above them, the target's mean taken off."""
        return np.asarray(self._levels(rows) - self.mean_)

    def _levels(self, rows: Floats) -> Floats:
        levels = [self.SCALE * rows]
        for layer in self.stack_:
            levels.append(self.up(levels[-1], layer))
        return np.hstack(levels)
