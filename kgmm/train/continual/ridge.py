"""Ridge regression onto classes that is fed task by task and equals one fit on all of them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from kgmm.train.continual.base import Samples


class Ridge:
    r"""A linear layer in closed form: :math:`W = (G + λ n I)^{-1} C` with :math:`G = Σ φ φ^T`, :math:`C = Σ φ y^T`.

    φ are features with a 1 at their end, y has 1 for the right class and −1 for the others, n counts the samples. G, C and n
    are sums, so that tasks one after another give what all at once give (analytic class-incremental learning, Zhuang et al.
    2022); a class that comes later was a −1 for all samples before.

    Args:
        ridge: λ.

    Example:
        >>> x, y = torch.tensor([[0.0], [1.0]]), torch.tensor([0, 1])
        >>> apart, once = Ridge(1e-3), Ridge(1e-3)
        >>> once.add(x, y, 2)
        >>> for i in range(2):
        ...     apart.add(x[i : i + 1], y[i : i + 1], i + 1)
        >>> bool(torch.allclose(apart.solve()[0], once.solve()[0]))
        True
    """

    def __init__(self, ridge: float) -> None:
        self.ridge = ridge
        self.samples = 0
        self.gram: Tensor = torch.zeros(0, 0, dtype=torch.float64)
        self.cross: Tensor = torch.zeros(0, 0, dtype=torch.float64)

    def add(self, features: Tensor, labels: Tensor, classes: int) -> None:
        """Add samples: features (n, w), labels (n,) below *classes*, the number of classes there are by now."""
        rows = torch.cat([features.detach().cpu().double(), torch.ones(len(features), 1, dtype=torch.float64)], 1)
        if not self.gram.numel():
            self.gram = rows.new_zeros(rows.shape[1], rows.shape[1])
            self.cross = rows.new_zeros(rows.shape[1], 0)
        new = classes - self.cross.shape[1]
        if new > 0:  # what a new class's −1 of all samples before comes to is the features' sum, G's last column
            self.cross = torch.cat([self.cross, -self.gram[:, -1:].expand(-1, new)], 1)
        right = -torch.ones(len(rows), self.cross.shape[1], dtype=torch.float64)
        right[torch.arange(len(rows)), labels.cpu()] = 1.0
        self.gram = self.gram + rows.T @ rows
        self.cross = self.cross + rows.T @ right
        self.samples += len(rows)

    def solve(self) -> tuple[Tensor, Tensor]:
        """Return weights (classes, w) and biases (classes,); the bias is not shrunk."""
        shrink = torch.full((len(self.gram),), self.ridge * self.samples, dtype=torch.float64)
        shrink[-1] = 1e-9 * self.samples
        solution = np.linalg.solve((self.gram + shrink.diag()).numpy(), self.cross.numpy())
        found = torch.from_numpy(solution)
        return found[:-1].T.contiguous(), found[-1].clone()

    def state(self) -> Samples:
        """Return the sums."""
        return {"gram": self.gram, "cross": self.cross.contiguous(), "samples": torch.tensor(self.samples)}

    def restore(self, state: Samples) -> None:
        """Take back what :meth:`state` returned."""
        self.gram, self.cross, self.samples = state["gram"], state["cross"], int(state["samples"])
