"""Domain-adversarial networks (Ganin et al., JMLR 2016): features that a classifier of domains cannot tell apart."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kgmm.transfer.network import AdaptedNetwork


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, share: float) -> Tensor:
        """Return the rows."""
        ctx.share = share
        return rows.view_as(rows)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Return the gradient with its sign changed."""
        return -ctx.share * gradient, None


def reversed_gradient(rows: Tensor, share: float) -> Tensor:
    """Return rows as they are, whose gradient comes back times -*share*.

    Example:
        >>> x = torch.ones(1, requires_grad=True)
        >>> reversed_gradient(x, 2.0).sum().backward()
        >>> x.grad.tolist()
        [-2.0]
    """
    found = _Reversal.apply(rows, share)  # type: ignore[no-untyped-call]
    assert isinstance(found, Tensor)
    return found


class DANN(AdaptedNetwork):
    """A second network tells domains apart from the hidden layer, which is trained against it."""

    def extra(self, width: int, classes: int) -> nn.Module:
        """Return the network that tells domains apart."""
        return nn.Sequential(nn.Linear(width, 128), nn.ReLU(), nn.Linear(128, 1))

    def penalty(self, source: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor], share: float) -> Tensor:
        """Return the loss of telling domains apart, at full weight for who tells and *share* against the features."""
        told = self.extra_(reversed_gradient(torch.cat([source[0], target[0]]), share)).ravel()
        truth = torch.cat([torch.ones(len(source[0])), torch.zeros(len(target[0]))]).to(told.device)
        return F.binary_cross_entropy_with_logits(told, truth)


METHOD = DANN
