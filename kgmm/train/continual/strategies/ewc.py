"""Elastic weight consolidation (Kirkpatrick et al., PNAS 2017)."""

from __future__ import annotations

import torch
from torch import Tensor

from kgmm.train.continual.base import Samples, Strategy, Work

SAMPLES = 200  #: of a task, for the Fisher information


class ElasticWeights(Strategy):
    r"""Loss :math:`L(θ) + \frac{λ}{2} Σ_t Σ_i F_{t,i} (θ_i - θ^*_{t,i})^2`, one penalty a task, F the diagonal Fisher.

    :math:`F_{t,i}` is the mean over samples of :math:`(∂ \log p(y|x) / ∂θ_i)^2` at :math:`θ^*_t` with the labels y of the
    data (the empirical Fisher). The sum over tasks is one quadratic: :math:`\bar F_i (θ_i - c_i)^2` and a constant, which is
    left out, with :math:`\bar F = Σ_t F_t`, :math:`c = Σ_t F_t θ^*_t / \bar F`; so two tensors a weight are kept, whatever the
    number of tasks.

    Args:
        weight: λ.
    """

    def __init__(self, weight: float = 3000.0) -> None:
        self.weight = weight
        self.fisher: Samples = {}
        self.centre: Samples = {}

    def loss(self, work: Work, rows: Tensor) -> Tensor:
        """Return the loss with the penalty."""
        loss = super().loss(work, rows)
        return loss + self.penalty(work) if self.fisher and self.weight else loss

    def penalty(self, work: Work) -> Tensor:
        """Return λ/2 Σ F (θ − c)²; rows that grew since are free."""
        parts = []
        for name, values in work.model.named_parameters():
            if name in self.fisher:
                fisher, centre = (kept[name].to(values.device) for kept in (self.fisher, self.centre))
                known = values[: len(fisher)] if values.dim() else values
                parts.append((fisher * (known - centre).square()).sum())
        return 0.5 * self.weight * torch.stack(parts).sum()

    def after(self, work: Work) -> None:
        """Add the task's Fisher information."""
        for name, fisher in fisher_of(work).items():
            here = work.model.get_parameter(name).detach().cpu()
            before = self.fisher.get(name)
            old, centre = torch.zeros_like(fisher), here.clone()
            if before is not None:
                where = tuple(slice(side) for side in before.shape)
                old[where], centre[where] = before, self.centre[name]
            total = old + fisher
            self.centre[name] = torch.where(total > 0, (old * centre + fisher * here) / total.clamp(min=1e-38), here)
            self.fisher[name] = total

    def state(self) -> Samples:
        """Return Fisher information and centres."""
        kept = {f"fisher.{k}": v for k, v in self.fisher.items()}
        return kept | {f"centre.{k}": v for k, v in self.centre.items()}

    def restore(self, state: Samples) -> None:
        """Take them back."""
        self.fisher = {k.removeprefix("fisher."): v for k, v in state.items() if k.startswith("fisher.")}
        self.centre = {k.removeprefix("centre."): v for k, v in state.items() if k.startswith("centre.")}


def fisher_of(work: Work, samples: int = SAMPLES) -> Samples:
    """Return the empirical Fisher information's diagonal of a task, by weights' names; evenly spaced samples stand for all."""
    model, training = work.model, work.model.training
    named = [(name, values) for name, values in model.named_parameters() if values.requires_grad]
    total = {name: torch.zeros_like(values, device="cpu") for name, values in named}
    rows = torch.linspace(0, work.size - 1, min(samples, work.size)).round().long()
    model.eval()
    for row in rows:
        loss = work.loss_on(work.take(row[None]))
        gradients = torch.autograd.grad(loss, [values for _, values in named], allow_unused=True)
        for (name, _), gradient in zip(named, gradients, strict=True):
            if gradient is not None:
                total[name] += gradient.detach().cpu().square()
    model.train(training)
    return {name: values / len(rows) for name, values in total.items()}


METHOD = ElasticWeights
