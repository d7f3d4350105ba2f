"""SCH-GAN: semi-supervised adversarial hashing, a generator picks what misleads (in the spirit of Zhang, Peng & Yuan, 2018)."""

from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kgmm.hashing.deep._nets import TRAINING, Batch, NetHasher, Pairs, mlp, shared
from kgmm.hashing.features import MODALITIES
from kgmm.progress import Progress


class SchGan(NetHasher):
    """Discriminator and generator, both hashing networks; some training pairs may have no label.

    Given a query of one modality the generator picks, by softmax of its code's similarity, items of the other
    modality it holds relevant. The discriminator, whose codes are kept, minimizes a triplet loss: a relevant
    item (same label, or the query's own pair where labels lack) must be nearer than a picked one by a margin.
    The generator is rewarded for fooling it, by policy gradient. Unlabelled rows (all zero) are candidates
    like the others. Network sizes and weights are ours. Unified codes are sgn of both codes' sum.

    Options:
        labelled: share of the training pairs whose labels are used (the first of a seeded shuffle).
        margin: of the triplets, in units of half a bit a bit.
        generator: share of the triplet loss that is on generated pairs.
    """

    name = "sch-gan"
    supervised = True
    DEFAULTS: ClassVar[dict[str, Any]] = {**TRAINING, "labelled": 1.0, "margin": 0.5, "generator": 0.3}

    def _build(self, dims: dict[str, int]) -> nn.ModuleDict:
        hidden, dropout = self.options["hidden"], self.options["dropout"]
        nets = super()._build(dims)
        nets.update({f"{k}_generator": mlp([dims[k], hidden // 2, self.bits], dropout) for k in MODALITIES})
        return nets

    def _train(self, data: Pairs, progress: Progress) -> None:
        known = torch.zeros(len(data), 1)
        known[torch.randperm(len(data))[: max(2, round(self.options["labelled"] * len(data)))]] = 1
        labels = data.labels * known
        generators, networks = self._parameters("generator")
        pick = torch.optim.Adam(generators, lr=self.options["rate"])

        def loss(batch: Batch) -> Tensor:
            own = labels[batch.rows]
            relevant = torch.maximum(shared(own, own), torch.eye(len(own)))
            codes = {k: torch.tanh(self.nets[k](batch.view(k))) for k in MODALITIES}
            total = torch.zeros(())
            for query, item in (MODALITIES, MODALITIES[::-1]):
                distance = (1 - codes[query] @ codes[item].T / self.bits) * 2
                chosen, log_chance = self._pick(batch, query, item, relevant)
                total = total + self._triplets(distance, relevant, chosen, own)
                reward = torch.sigmoid(-distance.detach().gather(1, chosen))
                pick.zero_grad()
                (-(log_chance * (reward - reward.mean())).mean()).backward()  # type: ignore[no-untyped-call]
                pick.step()
            return total

        self._descend(data, networks, loss, progress, "networks")

    def _pick(self, batch: Batch, query: str, item: str, relevant: Tensor) -> tuple[Tensor, Tensor]:
        """Return one item a query that the generator picks among those not known relevant, and its log chance."""
        a, b = (torch.tanh(self.nets[f"{k}_generator"](batch.view(k))) for k in (query, item))
        log_chances = F.log_softmax(4 * a @ b.T / self.bits - 1e4 * relevant, 1)
        chosen = torch.multinomial(log_chances.detach().exp(), 1)
        return chosen, log_chances.gather(1, chosen)

    def _triplets(self, distance: Tensor, relevant: Tensor, chosen: Tensor, own: Tensor) -> Tensor:
        """Return the mean triplet loss over known pairs and over generated ones."""
        positive = (distance * relevant).sum(1, keepdim=True) / relevant.sum(1, keepdim=True)
        # where labels lack, other items are not known to be irrelevant
        sure = (1 - relevant) * (own.sum(1, keepdim=True) > 0) * (own.sum(1) > 0)
        slack = (self.options["margin"] + positive - distance).clamp(min=0)
        known = (slack * sure).sum() / sure.sum().clamp(min=1)
        generated = (self.options["margin"] + positive - distance.gather(1, chosen)).clamp(min=0).mean()
        share = self.options["generator"]
        return cast(Tensor, (1 - share) * known + share * generated)


METHOD = SchGan
