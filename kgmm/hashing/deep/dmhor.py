"""DMHOR: deep multi-modal hashing with orthogonal regularization, in the spirit of Wang et al. (IJCAI 2015)."""

from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kgmm.hashing.deep._nets import TRAINING, Batch, NetHasher, Pairs, classification
from kgmm.hashing.features import MODALITIES, Modality
from kgmm.progress import Progress

#: orthonormal weights leave sums too small for tanh to come near ±1; mAP on held-out training pairs of Wiki with 32
#: and 128 bits without it: .25/.43 and .24/.38, with it .26/.60 and .25/.52
SCALE = 4.0


class DMHOR(NetHasher):
    """One auto-encoder of both modalities whose joint layer is the code, with orthogonal weights.

    Each pass reconstructs both inputs: from both, from the image alone and from the text alone (the other's part
    of the joint layer is zero). Orthogonal weights make the codes' bits nearly uncorrelated, as the paper
    proves (their outputs are multiplied by :data:`SCALE`); ``hard=True`` retracts them after every step, so that
    ‖W'W - I‖ is rounding error, ``hard=False`` adds γ Σ ‖W'W - I‖² as the paper does. Layers are pretrained as
    auto-encoders, not Boltzmann machines. Where labels are given, they are classified from the code (``classify=0``
    leaves the paper's unsupervised method). Unified codes are those of both inputs.

    Options:
        orthogonal: weight γ; hard: exact constraint.
        agree: weight of the single-modality codes' distance to the joint code; classify: of the labels.
    """

    name = "dmhor"
    DEFAULTS: ClassVar = dict(TRAINING, orthogonal=0.1, hard=True, agree=3.0, classify=3.0, decay=0.0, dropout=0.2)

    def _build(self, dims: dict[str, int]) -> nn.ModuleDict:
        hidden = self.options["hidden"]
        nets: dict[str, nn.Module] = {}
        for kind in MODALITIES:
            nets[f"{kind}_in"] = nn.Linear(dims[kind], hidden)
            nets[f"{kind}_joint"] = nn.Linear(hidden, self.bits)
            nets[f"{kind}_out"] = nn.Linear(self.bits, hidden)
            nets[f"{kind}_back"] = nn.Linear(hidden, dims[kind])
        if dims["labels"]:
            nets["label"] = nn.Linear(self.bits, dims["labels"])
        if self.options["hard"]:
            for kind in MODALITIES:
                for layer in ("in", "joint"):
                    nn.init.orthogonal_(cast(nn.Linear, nets[f"{kind}_{layer}"]).weight)
        return nn.ModuleDict(nets)

    def weights(self) -> list[Tensor]:
        """Return the constrained weight matrices, those of the two encoders."""
        names = (f"{kind}_{layer}" for kind in MODALITIES for layer in ("in", "joint"))
        return [cast(nn.Linear, self.nets[name]).weight for name in names]

    def _hash(self, x: Tensor, modality: Modality) -> Tensor:
        """Return one modality's part of the joint layer before its activation."""
        drop = F.dropout(torch.relu(self.nets[f"{modality}_in"](x)), self.options["dropout"], self.nets.training)
        return cast(Tensor, SCALE * self.nets[f"{modality}_joint"](drop))

    def _joint(self, image: Tensor, text: Tensor) -> Tensor:
        return self._hash(image, "image") + self._hash(text, "text")

    def _rebuilt(self, h: Tensor, kind: str) -> Tensor:
        return cast(Tensor, self.nets[f"{kind}_back"](torch.relu(self.nets[f"{kind}_out"](h))))

    def _train(self, data: Pairs, progress: Progress) -> None:
        def alone(batch: Batch) -> Tensor:
            self._retract()
            total = torch.zeros(())
            for kind in MODALITIES:
                h = torch.tanh(self._hash(batch.view(kind), kind))
                total = total + F.mse_loss(self._rebuilt(h, kind), batch.view(kind))
            return total + self._penalty()

        def loss(batch: Batch) -> Tensor:
            self._retract()
            o = self.options
            parts = {k: self._hash(batch.view(k), k) for k in MODALITIES}
            both = parts["image"] + parts["text"]
            total = self._penalty()
            for h in (torch.tanh(both), torch.tanh(parts["image"]), torch.tanh(parts["text"])):
                for kind in MODALITIES:
                    total = total + 0.5 * F.mse_loss(self._rebuilt(h, kind), batch.view(kind))
                if batch.labels.shape[1] and o["classify"]:
                    total = total + o["classify"] * classification(self.nets["label"](h), batch.labels)
            joint = torch.tanh(both).detach()
            for part in parts.values():
                total = total + o["agree"] * F.mse_loss(torch.tanh(part), joint)
            return total

        self._descend(data, self.nets.parameters(), alone, progress, "auto-encoders", epochs=5)
        self._descend(data, self.nets.parameters(), loss, progress, "networks")
        self._retract()

    def _retract(self) -> None:
        """Bring the weights back to orthogonal ones after a step, by QR, under the exact constraint."""
        if not self.options["hard"]:
            return
        with torch.no_grad():
            for w in self.weights():
                tall = w.T if w.shape[0] <= w.shape[1] else w
                q, r = torch.linalg.qr(tall)
                q = q * torch.where(torch.diagonal(r) < 0, -1.0, 1.0)
                w.copy_(q.T if w.shape[0] <= w.shape[1] else q)

    def _penalty(self) -> Tensor:
        """Return γ Σ ‖W'W - I‖² over the encoders' weights, 0 under the exact constraint."""
        if self.options["hard"]:
            return torch.zeros(())
        return cast(Tensor, self.options["orthogonal"] * sum(orthogonality_gap(w) for w in self.weights()))


def orthogonality_gap(w: Tensor) -> Tensor:
    """Return ‖WW' - I‖² or ‖W'W - I‖², whichever is smaller in size."""
    gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    return ((gram - torch.eye(len(gram))) ** 2).sum()


METHOD = DMHOR
