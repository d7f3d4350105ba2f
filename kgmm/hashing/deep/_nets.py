"""What hashing by neural networks shares: standardized batches, small networks, a seeded training loop."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from kgmm.hashing.base import Hasher, pack
from kgmm.hashing.features import BATCH, MODALITIES, Array, Modality, batches
from kgmm.nn.threads import one_thread
from kgmm.progress import Progress

#: options of every network method; the papers' image networks read pixels, ours read features
TRAINING: dict[str, Any] = {"epochs": 40, "hidden": 512, "batch": 128, "rate": 1e-3, "dropout": 0.5, "decay": 1e-4}

MAX_STEPS = 20_000  #: upper bound on steps of one training stage, so that epochs over millions of pairs end


@dataclass(frozen=True)
class Batch:
    """Standardized features and labels (no column if none are given) of some training pairs, the *rows* of all."""

    rows: Tensor
    image: Tensor
    text: Tensor
    labels: Tensor

    def view(self, modality: str) -> Tensor:
        """Return one modality's features."""
        return self.image if modality == "image" else self.text


Loss = Callable[[Batch], Tensor]


class NetHasher(Hasher):
    """A method whose hash functions are networks on features.

    Subclasses build what more they need in ``_build`` and train ``self.nets`` in ``_train``; ``_hash`` gives the real
    values whose signs are a modality's bits, by default ``self.nets[modality](x)``. Features are standardized; those
    that are never negative, such as histograms, get a square root first. Every method has the options of
    :data:`TRAINING` (epochs are of each stage) beside its own.
    """

    has_unified: ClassVar[bool] = True
    DEFAULTS: ClassVar[dict[str, Any]] = TRAINING
    nets: nn.ModuleDict

    def _build(self, dims: dict[str, int]) -> nn.ModuleDict:
        """Return all networks, given the numbers of features and labels; one hashing network per modality by default."""
        hidden, dropout = self.options["hidden"], self.options["dropout"]
        return nn.ModuleDict({kind: mlp([dims[kind], hidden, self.bits], dropout) for kind in MODALITIES})

    def _train(self, data: Pairs, progress: Progress) -> None:
        raise NotImplementedError

    def _hash(self, x: Tensor, modality: Modality) -> Tensor:
        return cast(Tensor, self.nets[modality](x))

    def _joint(self, image: Tensor, text: Tensor) -> Tensor:
        """Return the real values of a pair's joint code."""
        return torch.tanh(self._hash(image, "image")) + torch.tanh(self._hash(text, "text"))

    def _fit(self, image: Array, text: Array, labels: Array, progress: Progress) -> None:
        for kind, x in zip(MODALITIES, (image, text), strict=True):
            self._standardize(kind, x)
        self.fitted["labels"] = labels.shape[1]
        data = Pairs(self, image, text, labels)
        with torch.random.fork_rng(devices=[]), one_thread():
            torch.manual_seed(self.seed)
            self.nets = self._build(self.fitted)
            self.nets.train()
            self._train(data, progress)
            self.nets.eval()
        self.arrays.update({f"net.{k}": v.detach().numpy().copy() for k, v in self.nets.state_dict().items()})
        with torch.no_grad():
            parts = data.batches(torch.arange(len(image)), BATCH)
            joint = [pack(self._joint(part.image, part.text).numpy()) for part in parts]
        self.arrays["unified"] = np.concatenate(joint)

    def _standardize(self, kind: Modality, x: Array) -> None:
        root = all(bool((part >= 0).all()) for part in batches(x))
        self.fitted[f"{kind}.root"] = root
        total, square = np.zeros((2, x.shape[1]))
        for part in batches(x):
            part = np.sqrt(part) if root else part
            total += part.sum(0)
            square += (part**2).sum(0)
        center = total / len(x)
        spread = np.sqrt(np.maximum(square / len(x) - center**2, 0))
        floor = max(float(spread.max()) * 1e-3, 1e-12)
        self.arrays[f"{kind}.mean"] = center
        self.arrays[f"{kind}.scale"] = np.where(spread > floor, 1 / np.maximum(spread, floor), 0.0)

    def standardized(self, x: NDArray[np.floating], kind: str) -> Tensor:
        """Return rows of raw features as the networks read them."""
        part = np.asarray(x, np.float64)
        part = np.sqrt(np.maximum(part, 0)) if self.fitted[f"{kind}.root"] else part
        part = (part - self.arrays[f"{kind}.mean"]) * self.arrays[f"{kind}.scale"]
        return torch.from_numpy(part.clip(-10, 10).astype(np.float32))

    def _project(self, x: NDArray[np.floating], modality: Modality) -> NDArray[np.floating]:
        out = [np.empty((0, self.bits), np.float32)]
        with torch.no_grad():
            for start in range(0, len(x), 8192):
                part = np.asarray(x[start : start + 8192])
                scores = self._hash(self.standardized(part, modality), modality).numpy()
                scores[~np.isfinite(part).all(1)] = np.nan
                out.append(scores)
        return np.concatenate(out)

    def restore(self, fitted: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Take over what an earlier fit learned."""
        super().restore(fitted, arrays)
        self.nets = self._build(self.fitted)
        state = {k: torch.from_numpy(v.copy()) for k, v in arrays.items() if k.startswith("net.")}
        self.nets.load_state_dict({k.removeprefix("net."): v for k, v in state.items()})
        self.nets.eval()

    def _parameters(self, word: str) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """Return the parameters of the networks whose names hold a word, and those of all others."""
        own = [p for name, net in self.nets.items() if word in name for p in net.parameters()]
        return own, [p for name, net in self.nets.items() if word not in name for p in net.parameters()]

    def _descend(
        self, data: Pairs, trained: Iterable[nn.Parameter], loss: Loss, progress: Progress, what: str, epochs: int = 0
    ) -> None:
        """Minimize *loss* over shuffled batches by Adam, its rate falling to zero along a cosine."""
        size = int(self.options["batch"])
        steps = max(1, min((epochs or int(self.options["epochs"])) * -(-len(data) // size), MAX_STEPS))
        optimizer = torch.optim.Adam(trained, lr=self.options["rate"], weight_decay=self.options["decay"])
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        done = 0
        while done < steps:
            for batch in data.batches(torch.randperm(len(data)), size):
                if done == steps:
                    break
                optimizer.zero_grad()
                loss(batch).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
                done += 1
                if done % 10 == 0 or done == steps:
                    progress(done, steps, what)


class Pairs:
    """Training pairs, standardized batch by batch as they are read."""

    def __init__(self, hasher: NetHasher, image: Array, text: Array, labels: Array) -> None:
        self.hasher, self.image, self.text = hasher, image, text
        self.labels = torch.from_numpy(labels.astype(np.float32))

    def __len__(self) -> int:
        return len(self.image)

    def batches(self, order: Tensor, size: int) -> Iterable[Batch]:
        """Yield batches of pairs in the given order; a last batch of one pair is left out in training."""
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            views = (("image", self.image), ("text", self.text))
            image, text = (self.hasher.standardized(x[rows.numpy()], kind) for kind, x in views)
            yield Batch(rows, image, text, self.labels[rows])


def mlp(sizes: list[int], dropout: float = 0.0) -> nn.Sequential:
    """Return linear layers with ReLU (and dropout) between them."""
    layers: list[nn.Module] = []
    for i, (a, b) in enumerate(itertools.pairwise(sizes)):
        layers.append(nn.Linear(a, b))
        if i < len(sizes) - 2:
            layers += [nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers)


def shared(a: Tensor, b: Tensor) -> Tensor:
    """Return S: 1 where two items share a label, 0 elsewhere, shape (len(a), len(b))."""
    return ((a @ b.T) > 0).float()


def binary(x: Tensor) -> Tensor:
    """Return signs as +1 and -1, zero counting as positive, as a target without gradient."""
    return torch.where(x >= 0, 1.0, -1.0).detach()


def judged(cases: Iterable[tuple[nn.Module, Tensor, Tensor]], tell: torch.optim.Optimizer) -> None:
    """Take one step of discriminators, each given with real vectors and with made ones that it is to tell from them."""
    tell.zero_grad()
    for judge, real, made in cases:
        told = F.softplus(-judge(real)).mean() + F.softplus(judge(made.detach())).mean()
        told.backward()  # type: ignore[no-untyped-call]
    tell.step()


def pairwise_nll(theta: Tensor, s: Tensor) -> Tensor:
    """Return the mean of -(sΘ - log(1 + e^Θ)); softplus does not overflow."""
    return (F.softplus(theta) - s * theta).mean()


def classification(logits: Tensor, labels: Tensor) -> Tensor:
    """Return cross-entropy against the item's labels, spread evenly over them."""
    share = labels / labels.sum(1, keepdim=True).clamp(min=1)
    return -(share * F.log_softmax(logits, 1)).sum(1).mean()
