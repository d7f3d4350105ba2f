"""Attention over padded rows: a padded slot gets weight 0 and gradient 0."""

import torch
from torch import Tensor


def masked_softmax(scores: Tensor, mask: Tensor | None = None, dim: int = -1) -> Tensor:
    """Return softmax over the slots of *dim* that *mask*, broadcastable, keeps; a row without any is all zero.

    >>> masked_softmax(torch.tensor([1.0, 1.0, 9.0]), torch.tensor([True, True, False])).tolist()
    [0.5, 0.5, 0.0]
    """
    if mask is None:
        return scores.softmax(dim)
    mask = mask.expand_as(scores)
    return scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(dim).masked_fill(~mask, 0.0)


def masked_max(values: Tensor, mask: Tensor) -> Tensor:
    """Return the maximum over slots: values (B, N, d), mask (B, N) → (B, d); 0 where a row has no slot."""
    best = values.masked_fill(~mask.unsqueeze(-1), torch.finfo(values.dtype).min).amax(1)
    return best * mask.any(1, keepdim=True)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Return the mean over slots: values (B, N, d), mask (B, N) → (B, d); 0 where a row has no slot."""
    kept = mask.unsqueeze(-1).to(values.dtype)
    return (values * kept).sum(1) / kept.sum(1).clamp(min=1.0)
