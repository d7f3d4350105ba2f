"""CMDVH: binary codes of a fusion network, then a variational network a modality, in the spirit of Liong et al. (ICCV 2017)."""

from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from kgmm.hashing.deep._nets import TRAINING, Batch, NetHasher, Pairs, binary, classification, mlp
from kgmm.hashing.features import MODALITIES, Modality
from kgmm.progress import Progress


class CMDVH(NetHasher):
    """Cross-modal deep variational hashing.

    Step 1 learns a fusion network F and codes B alternately: ‖B - F‖² and the labels classified from F, then
    B = sgn(F). Step 2 learns, a modality, mean μ and variance of a latent code z: ‖B - μ‖² and the same
    classification of a sampled z (reparameterized), plus KL(q(z|x) ‖ N(0, I)). Queries take sgn(μ). The
    paper's loss weights are not public; ours are options. Unified codes are B.

    Options:
        quantize: weight of ‖B - F‖² and ‖B - μ‖²; kl: weight of the divergence; classify: of the labels.
    """

    name = "cmdvh"
    supervised = True
    DEFAULTS: ClassVar = {**TRAINING, "quantize": 1.0, "kl": 0.01, "classify": 1.0}

    def _build(self, dims: dict[str, int]) -> nn.ModuleDict:
        hidden, dropout, c = self.options["hidden"], self.options["dropout"], self.bits
        fusion, label = mlp([dims["image"] + dims["text"], hidden, c], dropout), nn.Linear(c, dims["labels"])
        own: dict[str, nn.Module] = {k: mlp([dims[k], hidden, 2 * c], dropout) for k in MODALITIES}
        return nn.ModuleDict({"fusion": fusion, "label": label, **own})

    def _hash(self, x: Tensor, modality: Modality) -> Tensor:
        return cast(Tensor, self.nets[modality](x)[:, : self.bits])

    def _joint(self, image: Tensor, text: Tensor) -> Tensor:
        return cast(Tensor, self.nets["fusion"](torch.cat([image, text], 1)))

    def _train(self, data: Pairs, progress: Progress) -> None:
        o = self.options

        def fuse(batch: Batch) -> Tensor:
            f = torch.tanh(self._joint(batch.image, batch.text))
            told = o["classify"] * classification(self.nets["label"](f), batch.labels)
            return cast(Tensor, told + o["quantize"] * ((binary(f) - f) ** 2).mean())

        first = [*self.nets["fusion"].parameters(), *self.nets["label"].parameters()]
        self._descend(data, first, fuse, progress, "fusion network")
        self.nets["fusion"].eval()

        def single(batch: Batch) -> Tensor:
            with torch.no_grad():
                b = binary(self._joint(batch.image, batch.text))
            total = torch.zeros(())
            for kind in MODALITIES:
                mu, log_variance = self.nets[kind](batch.view(kind)).chunk(2, 1)
                z = mu + torch.randn_like(mu) * (0.5 * log_variance.clamp(-8, 8)).exp()
                kl = 0.5 * (log_variance.clamp(-8, 8).exp() + mu**2 - 1 - log_variance.clamp(-8, 8)).mean()
                total = total + o["quantize"] * ((b - mu) ** 2).mean() + o["kl"] * kl
                total = total + o["classify"] * classification(self.nets["label"](z), batch.labels)
            return total

        second = [p for k in MODALITIES for p in self.nets[k].parameters()]
        self._descend(data, second, single, progress, "modality networks")


METHOD = CMDVH
