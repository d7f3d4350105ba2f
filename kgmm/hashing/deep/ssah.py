"""SSAH: self-supervised adversarial hashing, a label network teaches both modalities (Li et al., CVPR 2018)."""

from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kgmm.hashing.deep._nets import TRAINING, Batch, NetHasher, Pairs, binary, judged, mlp, pairwise_nll, shared
from kgmm.hashing.features import MODALITIES, Modality
from kgmm.progress import Progress

Heads = tuple[Tensor, Tensor, Tensor]  #: feature, code in (-1, 1) and label logits


class SSAH(NetHasher):
    """LabelNet, ImageNet and TextNet, each giving a feature, a code (tanh) and labels (sigmoid).

    Each minimizes α·NLL of label similarity on features + γ·NLL on codes + η‖H - B‖² + β‖L̂ - L‖²; image and
    text compare with LabelNet's features and codes. Two discriminators tell a modality's features from
    LabelNet's, and the networks learn to pass. The paper's CNN-F and multi-scale text pooling are networks on
    features here. ``likelihood="squared"`` is what the released code computes: the square of
    sΘ - log(1 + e^Θ) instead of its negative. Unified codes are sgn of all three codes' sum, as B is.

    Options:
        alpha, gamma, eta, beta: the weights α, γ, η, β; those of η and β are ours (the paper's, 1e-4, leave codes
            that follow no label on features).
        adversarial: weight of passing the discriminators; likelihood: ``nll`` or ``squared``; feature: its length.
    """

    name = "ssah"
    supervised = True
    DEFAULTS: ClassVar = dict(
        TRAINING, alpha=1.0, gamma=1.0, eta=1.0, beta=5.0, adversarial=0.01, likelihood="nll", feature=256
    )

    def _build(self, dims: dict[str, int]) -> nn.ModuleDict:
        o, kinds = self.options, {"image": dims["image"], "text": dims["text"], "label": dims["labels"]}
        nets: dict[str, nn.Module] = {}
        for kind, size in kinds.items():
            nets[kind] = mlp([size, o["hidden"], o["feature"]], o["dropout"] if kind != "label" else 0.0)
            nets[f"{kind}_code"] = nn.Linear(o["feature"], self.bits)
            nets[f"{kind}_label"] = nn.Linear(o["feature"], dims["labels"])
            if kind != "label":
                nets[f"{kind}_judge"] = mlp([o["feature"], o["feature"], o["feature"] // 2, 1])
        return nn.ModuleDict(nets)

    def _hash(self, x: Tensor, modality: Modality) -> Tensor:
        return cast(Tensor, self.nets[f"{modality}_code"](torch.tanh(self.nets[modality](x))))

    def _heads(self, x: Tensor, kind: str) -> Heads:
        """Return feature, code in (-1, 1) and label logits."""
        feature = torch.tanh(self.nets[kind](x))
        return feature, torch.tanh(self.nets[f"{kind}_code"](feature)), self.nets[f"{kind}_label"](feature)

    def _fit_term(self, theta: Tensor, s: Tensor) -> Tensor:
        if self.options["likelihood"] == "squared":
            return ((s * theta - F.softplus(theta)) ** 2).mean()
        return pairwise_nll(theta, s)

    def _supervised(self, heads: Heads, teacher: Heads, batch: Batch) -> Tensor:
        """Return one network's loss against LabelNet's features and codes of the same batch."""
        o, s = self.options, shared(batch.labels, batch.labels)
        feature, code, logits = heads
        scale = 8 / o["feature"], 8 / self.bits  # keeps Θ within ±8 whatever the length
        total = o["alpha"] * self._fit_term(scale[0] * feature @ teacher[0].T, s)
        total = total + o["gamma"] * self._fit_term(scale[1] * code @ teacher[1].T, s)
        total = total + o["eta"] * ((code - binary(teacher[1])) ** 2).mean()
        return cast(Tensor, total + o["beta"] * ((torch.sigmoid(logits) - batch.labels) ** 2).sum(1).mean())

    def _train(self, data: Pairs, progress: Progress) -> None:
        judges, networks = self._parameters("judge")
        tell = torch.optim.Adam(judges, lr=self.options["rate"] / 3)

        def loss(batch: Batch) -> Tensor:
            label = self._heads(batch.labels, "label")
            total = self._supervised(label, label, batch)
            fixed = (label[0].detach(), label[1].detach(), label[2].detach())
            heads = {k: self._heads(batch.view(k), k) for k in MODALITIES}
            judged(((self.nets[f"{k}_judge"], fixed[0], h[0]) for k, h in heads.items()), tell)
            for kind, own in heads.items():
                passed = F.softplus(-self.nets[f"{kind}_judge"](own[0])).mean()
                total = total + self._supervised(own, fixed, batch) + self.options["adversarial"] * passed
            return total

        self._descend(data, networks, loss, progress, "networks")


METHOD = SSAH
