"""All tasks so far at once: what a network could know that forgets nothing; an upper bound, not a way of learning on."""

from __future__ import annotations

from torch import Tensor

from kgmm.train.continual.base import Samples, Strategy, Work, count, joined
from kgmm.train.continual.reservoir import all_of, some_of


class Joint(Strategy):
    """Every task is learned with all samples of the tasks before it."""

    def __init__(self) -> None:
        self.kept: Samples = {}

    def rows(self, work: Work) -> int:
        """Return the number of samples of all tasks so far."""
        return work.size + count(self.kept)

    def loss(self, work: Work, rows: Tensor) -> Tensor:
        """Return the mean loss of samples of all tasks."""
        new, old = rows[rows < work.size], rows[rows >= work.size] - work.size
        parts = [work.take(new)] if len(new) else []
        parts += [some_of(self.kept, old)] if len(old) else []
        return work.loss_on(joined(parts))

    def after(self, work: Work) -> None:
        """Keep all of the task's samples."""
        self.kept = joined([self.kept, all_of(work)]) if self.kept else all_of(work)

    def state(self) -> Samples:
        """Return all samples so far."""
        return dict(self.kept)

    def restore(self, state: Samples) -> None:
        """Take them back."""
        self.kept = dict(state)


METHOD = Joint
