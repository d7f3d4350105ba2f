"""Learning without forgetting: the network before the task teaches the one that learns it (Li & Hoiem, ECCV 2016)."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from kgmm.nn.distill import distillation_loss
from kgmm.train.continual.base import Samples, Strategy, Work

TEMPERATURE = 2.0  #: as in the paper


class Distillation(Strategy):
    """Loss of the new task, and *weight* times the distance from what the network before says of the new task's inputs.

    No sample of a task before is needed: answers that were there before are softened and taught again.

    Args:
        weight: λ of the old answers.
    """

    def __init__(self, weight: float = 1.0) -> None:
        self.weight = weight
        self.teacher: nn.Module | None = None
        self.known: list[int] = []  # outputs of each softmax that was learned

    def before(self, work: Work) -> None:
        """Keep the network as it is now as the teacher."""
        if self.known:
            self.teach(work.model)

    def teach(self, model: nn.Module) -> None:
        """Keep a copy of *model* as the teacher."""
        self.teacher = copy.deepcopy(model).eval().requires_grad_(False)

    def loss(self, work: Work, rows: Tensor) -> Tensor:
        """Return the loss with the distillation's."""
        loss = work.loss(rows)
        if self.teacher is None or not self.weight:
            return loss
        samples = work.take(rows)
        self.teacher.to(loss.device)
        with torch.no_grad():
            taught = [o[:, :n] for o, n in zip(work.outputs(self.teacher, samples), self.known, strict=False)]
        said = work.outputs(work.model, samples)
        far = [
            distillation_loss(student[:, : known.shape[1]], known.softmax(1), TEMPERATURE).mean()
            for known, student in zip(taught, said, strict=False)  # what is new has no teacher
        ]
        return loss + self.weight * torch.stack(far).sum()

    def after(self, work: Work) -> None:
        """Note which outputs have been learned by now: rows that grow later are nobody's answers."""
        with torch.no_grad():
            self.known = [o.shape[1] for o in work.outputs(work.model, work.take(torch.arange(1)))]

    def state(self) -> Samples:
        """Return how many outputs were learned; the teacher of the next task is the network itself."""
        return {"known": torch.tensor(self.known)}

    def restore(self, state: Samples) -> None:
        """Take it back."""
        self.known = state["known"].tolist()


METHOD = Distillation
