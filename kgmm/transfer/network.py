"""The network that deep adapters share: one hidden layer and a softmax, with a loss of its own for the domains."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn import functional as F

from kgmm.transfer.base import Adapter, Floats, Ints, scaled

DROPOUT, DECAY, RATE, BATCH = 0.5, 5e-4, 1e-3, 64


class Layers(nn.Module):
    """Hidden layer and scores: (n, d) in, (n, width) and (n, classes) out."""

    def __init__(self, features: int, width: int, classes: int) -> None:
        super().__init__()
        self.hidden: nn.Sequential = nn.Sequential(nn.Linear(features, width), nn.ReLU(), nn.Dropout(DROPOUT))
        self.scores: nn.Linear = nn.Linear(width, classes)

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return the hidden layer and the scores before the softmax."""
        hidden = self.hidden(rows)
        return hidden, self.scores(hidden)


class AdaptedNetwork(Adapter):
    r"""A network that minimizes the source's cross entropy and *weight* times a distance of the domains.

    The distance counts little at first: its weight is $\frac{2}{1 + e^{-10 p}} - 1$ times *weight*, the rate of Adam
    $\eta / (1 + 10 p)^{0.75}$, p from 0 to 1 over the training (Ganin et al., JMLR 2016).

    Args:
        weight: of the distance; 0 is the same network on the source only.
        width: of the hidden layer.
        epochs: passes over the larger domain.
        seed: everything random follows from it.
    """

    def __init__(self, weight: float = 1.0, width: int = 256, epochs: int = 30, seed: int = 0) -> None:
        self.weight = weight
        self.width = width
        self.epochs = epochs
        self.seed = seed

    def distance(self, source: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor]) -> Tensor:
        """Return how far apart the domains are, from each one's hidden layer and scores."""
        raise NotImplementedError

    def penalty(self, source: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor], share: float) -> Tensor:
        """Return what the domains' distance adds to the loss when it weighs *share*."""
        return share * self.distance(source, target)

    def extra(self, width: int, classes: int) -> nn.Module:
        """Return what else is trained, for the distance."""
        return nn.Identity()

    def _learn(self, source: Floats, labels: Ints, target: Floats) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            self._train(source, labels, target)

    def _train(self, source: Floats, labels: Ints, target: Floats) -> None:
        self.layers_ = Layers(source.shape[1], self.width, len(self.classes_))
        self.extra_ = self.extra(self.width, len(self.classes_))
        random = np.random.default_rng(self.seed)
        xs, ys, xt = (
            torch.as_tensor(part, dtype=kind) for part, kind in zip((source, labels, target), KINDS, strict=True)
        )
        parameters = [*self.layers_.parameters(), *self.extra_.parameters()]
        optimizer = torch.optim.Adam(parameters, RATE, weight_decay=DECAY)
        steps = max(1, -(-max(len(xs), len(xt)) // BATCH))
        own, others = _batches(len(xs), random), _batches(len(xt), random)
        for step in range(self.epochs * steps):
            done = step / (self.epochs * steps)
            for group in optimizer.param_groups:
                group["lr"] = RATE / (1 + 10 * done) ** 0.75
            rows, share = next(own), self.weight * float(2 / (1 + np.exp(-10 * done)) - 1)
            here = self.layers_(xs[rows])
            loss = F.cross_entropy(here[1], ys[rows])
            if share > 0 and len(xt):
                loss = loss + self.penalty(here, self.layers_(xt[next(others)]), share)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        self.layers_.eval()

    def hidden(self, X: ArrayLike) -> Floats:
        """Return the hidden layer of rows, (n, width)."""
        with torch.no_grad():
            rows = torch.as_tensor(scaled(self.checked(X)), dtype=torch.float32)
            return np.asarray(self.layers_(rows)[0].double().numpy())

    def _probabilities(self, rows: Floats) -> Floats:
        with torch.no_grad():
            scores = self.layers_(torch.as_tensor(rows, dtype=torch.float32))[1]
        return np.asarray(scores.softmax(1).double().numpy())


KINDS = (torch.float32, torch.int64, torch.float32)


def _batches(count: int, random: np.random.Generator) -> Iterator[Any]:
    """Yield batches of rows without end, each pass over all in a new order, the last filled up from the next pass."""
    if not count:
        return
    rows = itertools.chain.from_iterable(random.permutation(count).tolist() for _ in itertools.count())
    while True:
        yield torch.as_tensor(list(itertools.islice(rows, BATCH)))
