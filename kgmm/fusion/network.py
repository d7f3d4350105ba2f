"""The network behind every level of fusion."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class FusionNet(nn.Module):
    """Two hidden layers and one score a category.

    Args:
        dims: modality -> number of features.
        categories: number of scores.
        hidden: width of both hidden layers together.
        dropout: after each hidden layer.
        own_layers: whether each modality has its own part of the first layer, or one layer reads all features.

    Shapes: modality -> (n, d) in, (n, categories) out.
    """

    def __init__(self, dims: dict[str, int], categories: int, hidden: int, dropout: float, *, own_layers: bool) -> None:
        super().__init__()
        self.kinds = tuple(dims)
        parts = (
            {k: (d, hidden // len(dims)) for k, d in dims.items()}
            if own_layers
            else {"all": (sum(dims.values()), hidden)}
        )
        self.first = nn.ModuleDict({kind: nn.Linear(*shape) for kind, shape in parts.items()})
        width = sum(out for _, out in parts.values())
        self.rest = nn.Sequential(
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(width, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, categories),
        )

    def forward(self, views: dict[str, Tensor]) -> Tensor:
        """Return scores before the softmax."""
        if "all" in self.first:
            found = self.first["all"](torch.cat([views[k] for k in self.kinds], 1))
        else:
            found = torch.cat([self.first[k](views[k]) for k in self.kinds], 1)
        out: Tensor = self.rest(found)
        return out
