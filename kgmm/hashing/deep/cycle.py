"""CYC-DGH: cycle-consistent deep generative hashing, in the spirit of Wu, Wang & Shao (TIP 2019)."""

from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kgmm.hashing.deep._nets import TRAINING, Batch, NetHasher, Pairs, classification, judged, mlp
from kgmm.hashing.features import MODALITIES
from kgmm.progress import Progress


class CycleHashing(NetHasher):
    """Each modality is generated from the other through stochastic binary codes, and back.

    x → z ~ Bern(σ(f(x))) → ŷ → x̂ through the other code; minimizes the reconstruction of both modalities from
    each code, the cycle's L1 distance, KL of the bits to Bern(½), and the loss of passing a discriminator of
    generated features. Gradients pass the sampled bits straight through. Architecture and weights are ours, and
    two terms are added: both codes of a pair agree, and where labels are given they are classified from the
    code (``classify=0`` leaves the paper's unsupervised method).

    Options:
        cycle, kl, adversarial, agree, classify: weights.
    """

    name = "cycle"
    DEFAULTS: ClassVar = dict(TRAINING, cycle=0.5, kl=0.01, adversarial=0.02, agree=1.0, classify=1.0)

    def _build(self, dims: dict[str, int]) -> nn.ModuleDict:
        hidden, dropout, c = self.options["hidden"], self.options["dropout"], self.bits
        nets: dict[str, nn.Module] = {}
        for kind in MODALITIES:
            nets[kind] = mlp([dims[kind], hidden, c], dropout)
            nets[f"to_{kind}"] = mlp([c, hidden, dims[kind]])
            nets[f"judge_{kind}"] = mlp([dims[kind], hidden // 4, 1])
        if dims["labels"]:
            nets["label"] = nn.Linear(c, dims["labels"])
        return nn.ModuleDict(nets)

    def _train(self, data: Pairs, progress: Progress) -> None:
        judges, networks = self._parameters("judge")
        tell = torch.optim.Adam(judges, lr=self.options["rate"] / 3)

        def loss(batch: Batch) -> Tensor:
            logits = {k: cast(Tensor, self.nets[k](batch.view(k))) for k in MODALITIES}
            o = self.options
            total = o["agree"] * F.mse_loss(torch.tanh(logits["image"] / 2), torch.tanh(logits["text"] / 2))
            made = {}
            for kind, other in (MODALITIES, MODALITIES[::-1]):
                z = stochastic_bits(logits[kind])
                made[other] = self.nets[f"to_{other}"](z)
                back = self.nets[f"to_{kind}"](stochastic_bits(self.nets[other](made[other])))
                total = total + F.mse_loss(made[other], batch.view(other))
                total = total + F.mse_loss(self.nets[f"to_{kind}"](z), batch.view(kind))
                total = total + o["cycle"] * F.l1_loss(back, batch.view(kind)) + o["kl"] * kl_to_fair(logits[kind])
                if batch.labels.shape[1] and o["classify"]:
                    total = total + o["classify"] * classification(self.nets["label"](z), batch.labels)
            judged(((self.nets[f"judge_{k}"], batch.view(k), fake) for k, fake in made.items()), tell)
            for kind, fake in made.items():
                total = total + o["adversarial"] * F.softplus(-self.nets[f"judge_{kind}"](fake)).mean()
            return cast(Tensor, total)

        self._descend(data, networks, loss, progress, "networks")


def stochastic_bits(logits: Tensor) -> Tensor:
    """Return bits in {-1, 1} drawn with chance σ(logits) of 1; the gradient is that of the mean 2σ - 1."""
    mean = torch.tanh(logits / 2)
    drawn = torch.where(torch.rand_like(mean) < (mean + 1) / 2, 1.0, -1.0)
    return mean + (drawn - mean).detach()


def kl_to_fair(logits: Tensor) -> Tensor:
    """Return the mean KL divergence of the bits from fair coins."""
    p = torch.sigmoid(logits).clamp(1e-6, 1 - 1e-6)
    return (p * (2 * p).log() + (1 - p) * (2 * (1 - p)).log()).mean()


METHOD = CycleHashing
