"""Kernels on a layer of a network whose widths follow the batch."""

from collections.abc import Sequence

import torch
from torch import Tensor

from kgmm.transfer.discrepancy import gaussian, mmd_of, squared_distances


def layer_kernel(rows: Tensor, multiples: Sequence[float], width: float | None = None) -> Tensor:
    """Return the mean Gaussian kernel of a layer's rows; *width* is half the mean squared distance unless given."""
    if width is None:
        count = len(rows)
        apart = squared_distances(rows.detach(), rows.detach())
        width = max(float(apart.sum()) / max(count * (count - 1), 1) / 2, 1e-12)
    return gaussian(rows, rows, width, multiples)


def layers_mmd(source: Tensor, target: Tensor, multiples: Sequence[float]) -> Tensor:
    """Return the squared MMD (biased) of one layer of two domains."""
    return mmd_of(layer_kernel(torch.cat([source, target]), multiples), len(source))
