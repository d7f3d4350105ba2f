"""What a strategy of learning on works upon, and what all strategies share."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

Samples = dict[str, Tensor]  #: training samples by parts, each (n, …)


class Work(Protocol):
    """A task at hand: a network and samples to learn from."""

    size: int  #: number of training samples

    @property
    def model(self) -> nn.Module:
        """The network."""

    def loss(self, rows: Tensor) -> Tensor:
        """Return the loss of some training samples without any strategy."""

    def take(self, rows: Tensor) -> Samples:
        """Return some training samples, on the CPU."""

    def loss_on(self, samples: Samples) -> Tensor:
        """Return the mean loss of samples, of this task or of one before; an average of negative log likelihoods."""

    def outputs(self, model: nn.Module, samples: Samples) -> list[Tensor]:
        """Return a model's logits of samples, (n, k) for each softmax it has; more of them later come last."""


class HeadWork(Work, Protocol):
    """A task whose network ends in one linear layer over features."""

    own: (
        list[int] | None
    )  #: rows of the last layer that are this task's alone, where it is told of which task a sample is

    @property
    def head(self) -> nn.Linear:
        """The last layer."""

    def features(self, samples: Samples) -> Tensor:
        """Return what the last layer reads, (n, w)."""

    def labels(self, samples: Samples) -> Tensor:
        """Return the row of the last layer that is right for each sample, (n,)."""


class Strategy:
    """Plain fine-tuning, and what strategies replace of it.

    A task is learned by :meth:`before`, gradient steps on :meth:`loss` over :meth:`rows` rows, and :meth:`after`.
    """

    closed: bool = False  #: whether the last layer is solved for in :meth:`after` and nothing is learned by gradients

    def before(self, work: Work) -> None:
        """Get ready for a task; the network has grown already and its new rows are untrained."""

    def rows(self, work: Work) -> int:
        """Return the number of samples that an epoch passes."""
        return work.size

    def loss(self, work: Work, rows: Tensor) -> Tensor:
        """Return the loss of a batch."""
        return work.loss(rows)

    def after(self, work: Work) -> None:
        """Keep what the next task must not undo."""

    def state(self) -> Samples:
        """Return all that was kept, as tensors."""
        return {}

    def restore(self, state: Samples) -> None:
        """Take back what :meth:`state` returned."""


def joined(parts: list[Samples]) -> Samples:
    """Return samples one after another; parts that are wider in some are padded with zeros at the end.

    >>> joined([{"x": torch.ones(1, 2)}, {"x": torch.ones(1, 3)}])["x"].tolist()
    [[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]]
    """
    found = {}
    for name in parts[0]:
        shapes = [part[name].shape[1:] for part in parts]
        widest = [max(sizes) for sizes in zip(*shapes, strict=True)]
        found[name] = torch.cat([_padded(part[name], widest) for part in parts])
    return found


def _padded(values: Tensor, sizes: list[int]) -> Tensor:
    if list(values.shape[1:]) == sizes:
        return values
    wide = values.new_zeros(len(values), *sizes)
    wide[tuple(slice(side) for side in values.shape)] = values
    return wide


def count(samples: Samples) -> int:
    """Return how many samples there are."""
    return len(next(iter(samples.values()))) if samples else 0
