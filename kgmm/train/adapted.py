"""Adapted networks as training problems: a source with labels, a target without, heads over features or whole networks."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kgmm.data.domains import Domain
from kgmm.errors import BadInput, KgmmError
from kgmm.train.fit import Problem
from kgmm.transfer import create, deep_methods
from kgmm.transfer.base import scaled
from kgmm.transfer.network import AdaptedNetwork
from kgmm.transfer.trained import Trainable

DEFAULTS = (30, 64, 1e-3, 5e-4)  #: epochs, batch, rate, weight decay


class AdaptedProblem(Problem):
    """An adapter's network on two domains, for :func:`kgmm.train.fit.fit`.

    An epoch passes the larger domain. Target rows are drawn by chance, so that nothing of the files' order tells which
    rows are alike; no target label is read while it learns, and the last epoch is kept: none is chosen by a figure. Its
    figures: ``passes`` over the data, ``source_accuracy`` on a tenth of the source kept out, ``target_entropy`` of what is told
    of the target, in nats, and, where the target has labels, ``target_accuracy``, which only tells.

    Args:
        method: of :func:`kgmm.transfer.deep_methods`.
        epochs: of the whole training, along which the distance's weight grows.
        picture: channels, height and width of the pictures that rows are; None for features.
        known: classes that a training before has learned, whose outputs come first.
        **options: the method's own.
    """

    metric = "passes"
    own: list[int] | None = None  #: no output is one training's alone: nobody tells of which a sample is

    def __init__(
        self,
        method: str,
        source: Domain,
        target: Domain,
        *,
        epochs: int,
        seed: int = 0,
        picture: tuple[int, int, int] | None = None,
        known: Sequence[Any] = (),
        **options: Any,
    ) -> None:
        if method not in deep_methods():
            raise KgmmError(f"no network {method!r}; there are: {', '.join(deep_methods())}")
        own = np.unique(source.labels)
        if len(own) < 2 and not known:
            raise BadInput(source.name, f"has one class, {own[0]}; a classifier needs two")
        if known and {type(one) for one in known} != {type(own[0].item())}:
            raise BadInput(
                source.name, f"labels such as {own[0]!r} are of another kind than {known[0]!r}, learned before"
            )
        classes = np.array([*known, *(one for one in own.tolist() if one not in set(known))])
        at = {name: number for number, name in enumerate(classes.tolist())}
        coded = np.array([at[label] for label in source.labels.tolist()], np.int64)
        order = np.random.default_rng(seed).permutation(len(coded))
        kept = len(coded) // 10
        rows = torch.as_tensor(scaled(source.features), dtype=torch.float32)
        labels = torch.as_tensor(coded)
        self.dev: tuple[Tensor, Tensor] = rows[order[:kept]], labels[order[:kept]]
        self.train: tuple[Tensor, Tensor] = rows[order[kept:]], labels[order[kept:]]
        self.target: Tensor = torch.as_tensor(scaled(target.features), dtype=torch.float32)
        self.truth: Any = (
            np.array([at.get(label, -1) for label in target.labels.tolist()]) if len(target.labels) else None
        )
        self.old: int = len(known)
        self.size: int = max(len(self.train[0]), len(self.target))
        self.total: int = epochs * self.size
        torch.manual_seed(seed)
        adapter: AdaptedNetwork = create(method, seed=seed, picture_shape=picture, **options)
        adapter.picture_ = picture
        adapter.build(rows.shape[1], len(classes))
        self.adapter = adapter
        self.model: Trainable = Trainable(adapter)
        self.config: dict[str, Any] = {
            "name": method,
            "data": f"{source.name} to {target.name}",
            "seed": seed,
            "features": rows.shape[1],
            "width": adapter.width,
            "weight": adapter.weight,
            "picture": None if picture is None else list(picture),
            "checksum": _checksum(source, target),
            "about": f"Tells the {len(classes)} classes of {source.name} in {target.name}, whose labels it did not see.",
        }
        self.vocabulary: dict[str, Any] = {"classes": classes.tolist()}

    def loss(self, rows: Tensor) -> Tensor:
        """Return the loss of a batch, and count it; which target rows go with it is drawn from torch's own generator."""
        device = self.model.seen.device
        own = rows % len(self.train[0])
        others = torch.randint(len(self.target), (len(rows),))
        share = self.adapter.share(int(self.model.seen) / self.total)
        there = self.target[others].to(device) if share > 0 else None
        self.model.seen += len(rows)
        with torch.autocast(device.type, enabled=False):  # differences of kernels are too small for 16 bits
            return self.adapter.loss(self.train[0][own].to(device), self.train[1][own].to(device), there, share)

    growing = ("layers.scores.weight", "layers.scores.bias")

    @property
    def head(self) -> nn.Linear:
        """The last layer."""
        return self.adapter.layers_.scores

    def take(self, rows: Tensor) -> dict[str, Tensor]:
        """Return samples of the source; an epoch's numbers beyond its size begin anew."""
        return {"x": self.train[0][rows % len(self.train[0])], "y": self.train[1][rows % len(self.train[0])]}

    def loss_on(self, samples: dict[str, Tensor]) -> Tensor:
        """Return the cross entropy of samples with labels."""
        device = self.model.seen.device
        return F.cross_entropy(self.model.layers(samples["x"].to(device))[1], samples["y"].to(device))

    def outputs(self, model: nn.Module, samples: dict[str, Tensor]) -> list[Tensor]:
        """Return the scores of the classes that were learned before."""
        scores: Tensor = model.get_submodule("layers")(samples["x"].to(self.model.seen.device))[1]
        return [scores[:, : self.old]]

    def features(self, samples: dict[str, Tensor]) -> Tensor:
        """Return the hidden layer."""
        hidden: Tensor = self.model.layers(samples["x"].to(self.model.seen.device))[0]
        return hidden

    def labels(self, samples: dict[str, Tensor]) -> Tensor:
        """Return the classes."""
        return samples["y"]

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Return the figures."""
        told = self._scores(self.target)
        entropy = -(told.softmax(1) * told.log_softmax(1)).sum(1).mean()
        figures = {"passes": int(self.model.seen) / self.size, "target_entropy": float(entropy)}
        if len(self.dev[0]):
            figures["source_accuracy"] = float((self._scores(self.dev[0]).argmax(1) == self.dev[1]).float().mean())
        if self.truth is not None:
            figures["target_accuracy"] = float(np.mean(told.argmax(1).numpy() == self.truth))
        return figures

    def _scores(self, rows: Tensor) -> Tensor:
        device = self.model.seen.device
        parts = [self.model.layers(part.to(device))[1].cpu() for part in torch.split(rows, 2048)]
        return torch.cat(parts)


def _checksum(*domains: Domain) -> str:
    """Return a checksum of what is learned from: a resumed run must not go on with other data."""
    digest = hashlib.blake2b(digest_size=8)
    for part in (domains[0].features, domains[0].labels, *(domain.features for domain in domains[1:])):
        digest.update(repr((part.shape, part.dtype.str)).encode() + np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()
