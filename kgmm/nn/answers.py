"""From a pointer over fact ends to a distribution over answers: ends that say the same add up."""

from __future__ import annotations

import torch
from torch import Tensor


def answer_logits(ends: Tensor, group: Tensor, answers: int) -> Tensor:
    r"""Add up the probability of all ends that give the same answer, in logarithms.

    :math:`s_a = \log \sum_{e: g(e) = a} \exp(s_e)`; an answer that no end gives has the lowest finite number.

    Args:
        ends: (B, E) logits or log probabilities of ends.
        group: (B, E) int64, the answer of each end; a negative one belongs to none.
        answers: A, number of answers.

    Returns:
        (B, A) logits of answers, in the scale of *ends*.

    Example:
        >>> logits = torch.log(torch.tensor([[0.3, 0.4, 0.3]]))
        >>> answer_logits(logits, torch.tensor([[0, 1, 0]]), 2).exp().round(decimals=2).tolist()
        [[0.6000000238418579, 0.4000000059604645]]
    """
    real = group >= 0
    lowest = torch.finfo(ends.dtype).min
    top = ends.masked_fill(~real, lowest).amax(1, keepdim=True).detach().clamp(min=lowest / 2)
    weight = (ends - top).masked_fill(~real, lowest / 2).exp()
    total = ends.new_zeros(len(ends), answers).scatter_add(1, group.clamp(min=0), weight)
    # the inner where keeps the gradient of log(0) out of the outer one
    given = total > 0
    return torch.where(given, torch.where(given, total, torch.ones_like(total)).log() + top, lowest)
