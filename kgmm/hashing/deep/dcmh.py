"""DCMH: deep cross-modal hashing, likelihood of label similarity from both networks (Jiang & Li, CVPR 2017)."""

from typing import ClassVar

import torch
from torch import Tensor

from kgmm.hashing.deep._nets import TRAINING, Batch, NetHasher, Pairs, pairwise_nll, shared
from kgmm.hashing.features import MODALITIES
from kgmm.progress import Progress


class DCMH(NetHasher):
    """Two networks f, g whose outputs F, G over the training set explain which pairs share a label.

    Minimizes -Σ (S_ij Θ_ij - log(1 + e^Θ_ij)) + γ(‖B - F‖² + ‖B - G‖²) + η(‖F'1‖² + ‖G'1‖²) with Θ = ½F'G and
    B = sgn(F + G), one step on f and one on g a batch against the outputs remembered of all items.
    Here every term is a mean. The paper's CNN-F and 8192-unit text network are networks with one hidden layer
    on features. Unified codes are B.

    Options:
        gamma: weight γ of quantization; eta: weight η of balanced bits.
    """

    name = "dcmh"
    supervised = True
    DEFAULTS: ClassVar = {**TRAINING, "gamma": 0.1, "eta": 0.1}

    def _train(self, data: Pairs, progress: Progress) -> None:
        o = self.options
        outputs = {k: 0.1 * torch.randn(len(data), self.bits) for k in MODALITIES}

        def loss(batch: Batch) -> Tensor:
            pool = torch.randperm(len(data))[:4096]
            s = shared(batch.labels, data.labels[pool])
            b = torch.sign(outputs["image"][batch.rows] + outputs["text"][batch.rows])
            total = torch.zeros(())
            for kind, other in (MODALITIES, MODALITIES[::-1]):
                out = self.nets[kind](batch.view(kind))
                outputs[kind][batch.rows] = out.detach()
                total = total + pairwise_nll(0.5 * out @ outputs[other][pool].T, s)
                total = total + o["gamma"] * ((b - out) ** 2).mean() + o["eta"] * (out.mean(0) ** 2).mean()
            return total

        self._descend(data, self.nets.parameters(), loss, progress, "networks")

    def _joint(self, image: Tensor, text: Tensor) -> Tensor:
        return self._hash(image, "image") + self._hash(text, "text")


METHOD = DCMH
