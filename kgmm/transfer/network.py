"""The networks that deep adapters share: a body, a softmax, and a loss of its own for the domains.

The body is one hidden layer over given features, or convolutions over small pictures (:mod:`kgmm.nn.small_pictures`).
"""

import itertools
from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn import functional as F

from kgmm.errors import BadInput, BadRows
from kgmm.nn.devices import pick_device
from kgmm.nn.small_pictures import SmallPictures
from kgmm.transfer.base import Adapter, Floats, Ints, scaled, told

DROPOUT, DECAY, RATE, BATCH = 0.5, 5e-4, 1e-3, 64
Shape = tuple[int, int, int]


class Layers(nn.Module):
    """Hidden layer and scores: (n, d) in, (n, width) and (n, classes) out; *picture* is the shape of pictures, if rows are."""

    def __init__(self, features: int, width: int, classes: int, picture: Shape | None = None) -> None:
        super().__init__()
        dense = nn.Sequential(nn.Linear(features, width), nn.ReLU(), nn.Dropout(DROPOUT)) if picture is None else None
        self.hidden: nn.Module = dense or SmallPictures(picture, width, DROPOUT)  # type: ignore[arg-type]
        self.scores: nn.Linear = nn.Linear(width, classes)

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return the hidden layer and the scores before the softmax."""
        hidden = self.hidden(rows)
        return hidden, self.scores(hidden)


class AdaptedNetwork(Adapter):
    r"""A network that minimizes the source's cross entropy and *weight* times a distance of the domains.

    The distance counts little at first: its weight is $\frac{2}{1 + e^{-10 p}} - 1$ times *weight*, the rate of Adam
    $\eta / (1 + 10 p)^{0.75}$, p from 0 to 1 over the training (Ganin et al., JMLR 2016).

    Rows are features, (n, d), or pictures, (n, height, width) or (n, channels, height, width): pictures pass convolutions.
    After :meth:`fit`: ``picture_`` is the pictures' (channels, height, width), None for features.

    Args:
        weight: of the distance; 0 is the same network on the source only.
        width: of the hidden layer.
        epochs: passes over the larger domain.
        seed: everything random follows from it.
        picture_shape: (height, width) or (channels, height, width) of the pictures whose pixels the features are.
        device: ``cpu``, ``cuda``, or ``auto``: a GPU if there is one.
    """

    def __init__(
        self,
        weight: float = 1.0,
        width: int = 256,
        epochs: int = 30,
        seed: int = 0,
        picture_shape: Sequence[int] | None = None,
        device: str = "cpu",
    ) -> None:
        self.weight = weight
        self.width = width
        self.epochs = epochs
        self.seed = seed
        self.picture_shape = picture_shape
        self.device = device

    def distance(self, source: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor]) -> Tensor:
        """Return how far apart the domains are, from each one's hidden layer and scores."""
        raise NotImplementedError

    def penalty(self, source: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor], share: float) -> Tensor:
        """Return what the domains' distance adds to the loss when it weighs *share*."""
        return share * self.distance(source, target)

    def extra(self, width: int, classes: int) -> nn.Module:
        """Return what else is trained, for the distance."""
        return nn.Identity()

    def build(self, features: int, classes: int) -> None:
        """Make the networks anew, for rows of so many features."""
        self.layers_ = Layers(features, self.width, classes, self.picture_)
        self.extra_ = self.extra(self.width, classes)

    def share(self, done: float) -> float:
        """Return what the distance weighs when a part *done*, 0 to 1, of the training is over."""
        return self.weight * float(2 / (1 + np.exp(-10 * done)) - 1)

    def loss(self, source: Tensor, labels: Tensor, target: Tensor | None, share: float) -> Tensor:
        """Return the loss of a batch of source rows with labels, and of target rows if the distance counts."""
        here = self.layers_(source)
        loss = F.cross_entropy(here[1], labels)
        return loss if target is None else loss + self.penalty(here, self.layers_(target), share)

    def _rows(self, X: ArrayLike, reset: bool) -> Floats:
        """Return rows of features; pictures lose their shape, which is kept the first time and compared afterwards."""
        shape = tuple(getattr(X, "shape", ()))
        seen = (1, *shape[1:]) if len(shape) == 3 else shape[1:] if len(shape) == 4 else None
        if seen is not None:
            X = np.asarray(X).reshape(shape[0], prod(shape[1:]))
        if not reset and seen is not None and seen != self.picture_:
            raise BadRows("X", f"pictures of {told(seen)}, expected {told(self.picture_)}")
        rows = super()._rows(X, reset)
        if reset:
            self.picture_: Shape | None = self._picture(seen, rows.shape[1])
        return rows

    def _picture(self, seen: tuple[int, ...] | None, features: int) -> Shape | None:
        if self.picture_shape is None:
            found = seen
        else:
            sides = tuple(self.picture_shape)
            if len(sides) not in (2, 3) or not all(isinstance(side, int | np.integer) and side > 0 for side in sides):
                raise BadInput("picture_shape", f"{self.picture_shape!r}; expected (height, width) or (channels, …)")
            found = tuple(int(side) for side in ((1, *sides) if len(sides) == 2 else sides))
            if prod(found) != features or seen not in (None, found):
                given = f"{features} features" if seen is None else f"pictures of {told(seen)}"
                raise BadRows("X", f"{given}, where picture_shape says {told(found)}")
        return None if found is None else (found[0], found[1], found[2])

    def _learn(self, source: Floats, labels: Ints, target: Floats) -> None:
        device = pick_device(self.device)
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(self.seed)
            self._train(source, labels, target, device)

    def _train(self, source: Floats, labels: Ints, target: Floats, device: torch.device) -> None:
        self.build(source.shape[1], len(self.classes_))
        self.layers_.to(device)
        self.extra_.to(device)
        random = np.random.default_rng(self.seed)
        xs, ys, xt = (
            torch.as_tensor(part, dtype=kind, device=device)
            for part, kind in zip((source, labels, target), KINDS, strict=True)
        )
        parameters = [*self.layers_.parameters(), *self.extra_.parameters()]
        optimizer = torch.optim.Adam(parameters, RATE, weight_decay=DECAY)
        steps = max(1, -(-max(len(xs), len(xt)) // BATCH))
        own, others = _batches(len(xs), random), _batches(len(xt), random)
        for step in range(self.epochs * steps):
            done = step / (self.epochs * steps)
            for group in optimizer.param_groups:
                group["lr"] = RATE / (1 + 10 * done) ** 0.75
            rows, share = next(own), self.share(done)
            there = xt[next(others)] if share > 0 and len(xt) else None
            loss = self.loss(xs[rows], ys[rows], there, share)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        self.layers_.cpu().eval()
        self.extra_.cpu()

    def hidden(self, X: ArrayLike) -> Floats:
        """Return the hidden layer of rows, (n, width)."""
        return self._outputs(scaled(self.checked(X)))[0]

    def _probabilities(self, rows: Floats) -> Floats:
        return self._outputs(rows)[1]

    def _outputs(self, rows: Floats) -> tuple[Floats, Floats]:
        """Return the hidden layer and the probabilities of scaled rows."""
        found = []
        with torch.no_grad():
            for part in torch.split(torch.as_tensor(rows, dtype=torch.float32), TOGETHER):
                hidden, scores = self.layers_(part)
                found.append((hidden.double().numpy(), scores.softmax(1).double().numpy()))
        hiddens, chances = zip(*found, strict=True)
        return np.concatenate(hiddens), np.concatenate(chances)


KINDS = (torch.float32, torch.int64, torch.float32)
TOGETHER = 4096  #: rows that are told at a time


def _batches(count: int, random: np.random.Generator) -> Iterator[Any]:
    """Yield batches of rows without end, each pass over all in a new order, the last filled up from the next pass."""
    if not count:
        return
    rows = itertools.chain.from_iterable(random.permutation(count).tolist() for _ in itertools.count())
    while True:
        yield torch.as_tensor(list(itertools.islice(rows, BATCH)))
