"""Adapted networks as training problems: a source with labels, a target without, heads over features or whole networks."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import torch
from torch import Tensor

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
        **options: the method's own.
    """

    metric = "passes"

    def __init__(
        self,
        method: str,
        source: Domain,
        target: Domain,
        *,
        epochs: int,
        seed: int = 0,
        picture: tuple[int, int, int] | None = None,
        **options: Any,
    ) -> None:
        if method not in deep_methods():
            raise KgmmError(f"no network {method!r}; there are: {', '.join(deep_methods())}")
        classes, coded = np.unique(source.labels, return_inverse=True)
        if len(classes) < 2:
            raise BadInput(source.name, f"has one class, {classes[0]}; a classifier needs two")
        order = np.random.default_rng(seed).permutation(len(coded))
        kept = len(coded) // 10
        rows = torch.as_tensor(scaled(source.features), dtype=torch.float32)
        labels = torch.as_tensor(coded)
        self.dev: tuple[Tensor, Tensor] = rows[order[:kept]], labels[order[:kept]]
        self.train: tuple[Tensor, Tensor] = rows[order[kept:]], labels[order[kept:]]
        self.target: Tensor = torch.as_tensor(scaled(target.features), dtype=torch.float32)
        self.truth: Any = np.searchsorted(classes, target.labels) if len(target.labels) else None
        if self.truth is not None:
            self.truth = np.where(np.isin(target.labels, classes), self.truth, -1)
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
