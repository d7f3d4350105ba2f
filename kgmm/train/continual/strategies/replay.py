"""Experience replay from a reservoir (Chaudhry et al. 2019, "tiny episodic memories")."""

from __future__ import annotations

import torch
from torch import Tensor

from kgmm.train.continual.base import Samples, Strategy, Work
from kgmm.train.continual.reservoir import Reservoir


class Replay(Strategy):
    """Each batch goes with as many samples of the tasks before, drawn from a reservoir.

    With t tasks before, the new task's loss weighs 1/(t+1) and theirs t/(t+1) (van de Ven & Tolias 2019).

    Args:
        size: samples that the reservoir keeps, of all tasks together.
    """

    def __init__(self, size: int = 500) -> None:
        self.size = size
        self.tasks = 0
        self.kept = Reservoir(size)

    def loss(self, work: Work, rows: Tensor) -> Tensor:
        """Return the weighed loss of the batch and of samples before."""
        new = super().loss(work, rows)
        if not self.tasks:
            return new
        old = work.loss_on(self.kept.draw(len(rows)))
        return (new + self.tasks * old) / (self.tasks + 1)

    def after(self, work: Work) -> None:
        """Offer the task's samples to the reservoir."""
        self.kept.offer(work)
        self.tasks += 1

    def state(self) -> Samples:
        """Return the reservoir."""
        return {"tasks": torch.tensor(self.tasks), **self.kept.state()}

    def restore(self, state: Samples) -> None:
        """Take it back."""
        self.tasks = int(state["tasks"])
        self.kept.restore(state)


METHOD = Replay
