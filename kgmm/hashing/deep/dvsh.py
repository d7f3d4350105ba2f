"""DVSH: deep visual-semantic hashing, a fused code that each modality learns to reach alone (Cao et al., KDD 2016)."""

from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kgmm.hashing.deep._nets import TRAINING, Batch, NetHasher, Pairs, mlp, shared
from kgmm.hashing.features import MODALITIES
from kgmm.progress import Progress


class DVSH(NetHasher):
    """A fusion network of both views, and one hashing network a view tied to it.

    Minimizes the cosine hinge Σ max(0, μ_c - s_ij cos(h_i, h_j)) with s in {-1, 1}, the bitwise margin
    Σ max(0, μ_b - |h_ik|) and squared distances of the single-view codes to the fused code h. The paper's
    AlexNet and LSTM over words are networks on features here, fused at one step instead of one a word; the
    single-view codes take the hinge too. Unified codes are the fused ones.

    Options:
        cosine_margin: μ_c; bit_margin: μ_b.
        bitwise: weight of the bitwise margin; tie: weight of the distances.
    """

    name = "dvsh"
    supervised = True
    DEFAULTS: ClassVar = {**TRAINING, "cosine_margin": 0.7, "bit_margin": 0.5, "bitwise": 0.1, "tie": 1.0}

    def _build(self, dims: dict[str, int]) -> nn.ModuleDict:
        hidden, dropout = self.options["hidden"], self.options["dropout"]
        nets = super()._build(dims)
        nets.update({f"{k}_in": mlp([dims[k], hidden, hidden], dropout) for k in MODALITIES})
        nets["fusion"] = mlp([hidden, self.bits])
        return nets

    def _joint(self, image: Tensor, text: Tensor) -> Tensor:
        both = self.nets["image_in"](image) + self.nets["text_in"](text)
        return cast(Tensor, self.nets["fusion"](torch.relu(both)))

    def _train(self, data: Pairs, progress: Progress) -> None:
        o = self.options

        def loss(batch: Batch) -> Tensor:
            s = 2 * shared(batch.labels, batch.labels) - 1
            h = torch.tanh(self._joint(batch.image, batch.text))
            near = (o["bit_margin"] - h.abs()).clamp(min=0).mean()
            total: Tensor = cosine_hinge(h, h, s, o["cosine_margin"]) + o["bitwise"] * near
            for kind in MODALITIES:
                own = torch.tanh(self.nets[kind](batch.view(kind)))
                total = total + o["tie"] * ((own - h) ** 2).mean() + cosine_hinge(own, h, s, o["cosine_margin"])
            return total

        self._descend(data, self.nets.parameters(), loss, progress, "networks")


def cosine_hinge(a: Tensor, b: Tensor, s: Tensor, margin: float) -> Tensor:
    """Return the hinge on cosines, similar and dissimilar pairs weighing the same."""
    slack = (margin - s * (F.normalize(a) @ F.normalize(b).T)).clamp(min=0)
    return torch.stack([slack[mask].mean() for mask in (s > 0, s <= 0) if bool(mask.any())]).mean()


METHOD = DVSH
