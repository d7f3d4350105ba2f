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

    Where it is told of which task a sample is, each task has rows of its own, which are fitted to its samples and stay.

    Args:
        ridge: λ; None to choose it on samples held out.
    """

    closed = True

    def __init__(self, ridge: float | None = None) -> None:
        self.fit = Ridge(ridge)

    @torch.no_grad()
    def after(self, work: Work) -> None:
        """Add the task's samples and solve for the last layer anew; for a task's own rows alone where it has some."""
        of = cast(HeadWork, work)
        training = of.model.training
        of.model.eval()
        fit = self.fit if of.own is None else Ridge(self.fit.ridge)
        rows = torch.arange(of.head.out_features) if of.own is None else torch.tensor(of.own)
        samples = all_of(work)
        for some in torch.split(torch.arange(work.size), TOGETHER):
            part = some_of(samples, some)
            labels = of.labels(part)
            fit.add(of.features(part), labels if of.own is None else torch.searchsorted(rows, labels), len(rows))
        of.model.train(training)
        weights, biases = fit.solve()
        of.head.weight[rows] = weights.to(of.head.weight)
        of.head.bias[rows] = biases.to(of.head.bias)

    def state(self) -> Samples:
        """Return the sums of the closed form."""
        return self.fit.state()

    def restore(self, state: Samples) -> None:
        """Take them back."""
        self.fit.restore(state)


METHOD = FrozenFeatures
