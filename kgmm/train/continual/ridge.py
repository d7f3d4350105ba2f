"""Ridge regression onto classes that is fed task by task and equals one fit on all of them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from kgmm.train.continual.base import Samples

SHRINKS: tuple[float, ...] = tuple(10.0 ** (half / 2) for half in range(-6, 3))  #: λ that are tried where none is given
USUAL = 4  #: of those, where the search begins: .1
HELD = 5  #: every fifth sample judges λ


class Sums:
    """What a fit needs of samples: G = Σ φ φᵀ, C = Σ φ yᵀ and their number."""

    def __init__(self) -> None:
        self.samples = 0
        self.gram: Tensor = torch.zeros(0, 0, dtype=torch.float64)
        self.cross: Tensor = torch.zeros(0, 0, dtype=torch.float64)

    def add(self, rows: Tensor, labels: Tensor, classes: int) -> None:
        """Add samples, rows (n, w + 1) with a 1 at their end."""
        if not self.gram.numel():
            self.gram = rows.new_zeros(rows.shape[1], rows.shape[1])
            self.cross = rows.new_zeros(rows.shape[1], 0)
        new = classes - self.cross.shape[1]
        if new > 0:  # what a new class's −1 of all samples before comes to is the features' sum, G's last column
            self.cross = torch.cat([self.cross, -self.gram[:, -1:].expand(-1, new)], 1)
        right = -torch.ones(len(rows), self.cross.shape[1], dtype=torch.float64)
        right[torch.arange(len(rows)), labels] = 1.0
        self.gram = self.gram + rows.T @ rows
        self.cross = self.cross + rows.T @ right
        self.samples += len(rows)

    def without(self, others: Sums) -> Sums:
        """Return the sums less some of their samples."""
        rest = Sums()
        rest.gram, rest.cross = self.gram - others.gram, self.cross - others.cross
        rest.samples = self.samples - others.samples
        return rest

    def solve(self, ridge: float) -> Tensor:
        """Return weights and, in the last row, biases, (w + 1, classes); biases are not shrunk."""
        shrink = torch.full((len(self.gram),), ridge * self.samples, dtype=torch.float64)
        shrink[-1] = 1e-9 * self.samples
        return torch.from_numpy(np.linalg.solve((self.gram + shrink.diag()).numpy(), self.cross.numpy()))

    def error(self, weights: Tensor) -> float:
        """Return the squared error of weights on the samples, summed over samples and classes."""
        classes = self.cross.shape[1]
        fitted = (weights * (self.gram @ weights - 2 * self.cross)).sum()
        return float(fitted) + self.samples * classes  # y² is 1 everywhere

    def state(self) -> Samples:
        """Return the sums."""
        return {"gram": self.gram, "cross": self.cross.contiguous(), "samples": torch.tensor(self.samples)}

    def restore(self, state: Samples) -> None:
        """Take back what :meth:`state` returned."""
        self.gram, self.cross, self.samples = state["gram"], state["cross"], int(state["samples"])


class Ridge:
    r"""A linear layer in closed form: :math:`W = (G + λ n I)^{-1} C` with :math:`G = Σ φ φ^T`, :math:`C = Σ φ y^T`.

    φ are features with a 1 at their end, y has 1 for the right class and −1 for the others, n counts the samples. G, C and n
    are sums, so that tasks one after another give what all at once give (analytic class-incremental learning, Zhuang et al.
    2022); a class that comes later was a −1 for all samples before.

    λ, if none is given, is the one of :data:`SHRINKS` whose fit on four fifths of the samples has the smallest squared error on the
    last, every fifth: both parts are sums, so that this too needs no sample of before and is the same at once. (Generalized
    cross validation is not used: with more features than samples it chose next to no λ at all.)

    Args:
        ridge: λ; None to choose it.

    Example:
        >>> x, y = torch.tensor([[0.0], [1.0]]), torch.tensor([0, 1])
        >>> apart, once = Ridge(1e-3), Ridge(1e-3)
        >>> once.add(x, y, 2)
        >>> for i in range(2):
        ...     apart.add(x[i : i + 1], y[i : i + 1], i + 1)
        >>> bool(torch.allclose(apart.solve()[0], once.solve()[0]))
        True
    """

    def __init__(self, ridge: float | None = None) -> None:
        self.ridge = ridge
        self.all, self.held = Sums(), Sums()

    def add(self, features: Tensor, labels: Tensor, classes: int) -> None:
        """Add samples: features (n, w), labels (n,) below *classes*, the number of classes there are by now."""
        rows = torch.cat([features.detach().cpu().double(), torch.ones(len(features), 1, dtype=torch.float64)], 1)
        labels = labels.cpu()
        judging = (torch.arange(len(rows)) + self.all.samples) % HELD == HELD - 1
        self.all.add(rows, labels, classes)
        if self.ridge is None:
            self.held.add(rows[judging], labels[judging], classes)

    def chosen(self) -> float:
        """Return λ: the one given, or else the best on the samples held out."""
        if self.ridge is not None:
            return self.ridge
        if not self.held.samples:
            return SHRINKS[USUAL]
        learned = self.all.without(self.held)
        errors: dict[int, float] = {}

        def error(place: int) -> float:
            if place not in errors:
                errors[place] = self.held.error(learned.solve(SHRINKS[place]))
            return errors[place]

        here = USUAL
        while True:  # downhill from the usual one: half as many fits as all of them
            best = min((place for place in (here, here + 1, here - 1) if 0 <= place < len(SHRINKS)), key=error)
            if best == here:
                return SHRINKS[here]
            here = best

    def solve(self) -> tuple[Tensor, Tensor]:
        """Return weights (classes, w) and biases (classes,); the bias is not shrunk."""
        found = self.all.solve(self.chosen())
        return found[:-1].T.contiguous(), found[-1].clone()

    def state(self) -> Samples:
        """Return the sums."""
        held = {f"held.{name}": part for name, part in self.held.state().items()}
        return {**self.all.state(), **(held if self.ridge is None else {})}

    def restore(self, state: Samples) -> None:
        """Take back what :meth:`state` returned."""
        self.all.restore(state)
        if self.ridge is None:
            self.held.restore({k.removeprefix("held."): v for k, v in state.items() if k.startswith("held.")})
