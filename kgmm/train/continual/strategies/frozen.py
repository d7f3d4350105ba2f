"""Frozen features under a last layer in closed form, which forgets nothing: it is the same as one fit on all tasks."""

from __future__ import annotations

from typing import cast

import torch

from kgmm.train.continual.base import HeadWork, Samples, Strategy, Work
from kgmm.train.continual.reservoir import all_of, some_of
from kgmm.train.continual.ridge import Ridge

TOGETHER = 1024  #: samples whose features are computed at a time


class FrozenFeatures(Strategy):
    """No weight below the last layer moves; the last layer is a :class:`~kgmm.train.continual.ridge.Ridge` over all tasks.

    Args:
        ridge: λ; None to choose it on samples held out.
    """

    closed = True

    def __init__(self, ridge: float | None = None) -> None:
        self.fit = Ridge(ridge)

    @torch.no_grad()
    def after(self, work: Work) -> None:
        """Add the task's samples and solve for the last layer anew."""
        of = cast(HeadWork, work)
        training = of.model.training
        of.model.eval()
        samples = all_of(work)
        for rows in torch.split(torch.arange(work.size), TOGETHER):
            part = some_of(samples, rows)
            self.fit.add(of.features(part), of.labels(part), of.head.out_features)
        of.model.train(training)
        weights, biases = self.fit.solve()
        of.head.weight.copy_(weights)
        of.head.bias.copy_(biases)

    def state(self) -> Samples:
        """Return the sums of the closed form."""
        return self.fit.state()

    def restore(self, state: Samples) -> None:
        """Take them back."""
        self.fit.restore(state)


METHOD = FrozenFeatures
