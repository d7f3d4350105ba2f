"""A retrieval policy trained by reinforcement: which k facts of a pool KDMN reads, rewarded by its answer.

The policy draws a memory of k facts without replacement; its reward is the probability that KDMN, reading these facts
only, gives the right answer. Network and policy learn together. :data:`RETRIEVALS` beside it choose k facts otherwise.
"""

import torch
from torch import Tensor

from kgmm.nn.answers import end_logits
from kgmm.nn.kdmn import KDMN, FactBatch
from kgmm.nn.policy import FactPolicy, PolicyKDMN, choose, draw_log_probability, gumbel_top_k, reinforce
from kgmm.train.guided.base import Plain
from kgmm.train.kdmn import FvqaProblem, Split, end_loss

#: how the k facts are chosen: ``reinforce`` by the policy; ``supervised`` by the same policy, taught the gold facts;
#: ``cosine`` by nearness to the question
RETRIEVALS = ("reinforce", "supervised", "cosine")


class PolicyProblem(Plain):
    """KDMN reading *k* facts of its pool, a memory of *base*, and the policy that picks them.

    The policy's loss, times *weight*, is REINFORCE's with a leave-one-out baseline over *draws* memories of each
    question. The network learns from the same memories, so what it reads and what the policy picks grow together.
    *retrieval* is one of :data:`RETRIEVALS`.
    """

    name = "kdmn-policy"
    about = "KDMN whose memory is picked by a policy trained by its answers' reward (the survey's III-A)."

    def __init__(
        self,
        base: FvqaProblem,
        split: Split,
        *,
        seed: int = 0,
        k: int = 8,
        retrieval: str = "reinforce",
        draws: int = 2,
        weight: float = 1.0,
    ) -> None:
        super().__init__(base, split, seed=seed)
        if retrieval not in RETRIEVALS:
            raise ValueError(f"no retrieval {retrieval!r}; there are: {', '.join(RETRIEVALS)}")
        self.k: int = k
        self.retrieval = retrieval
        self.draws: int = draws
        self.weight: float = weight
        widths = {width: base.config["network"][width] for width in ("features", "end_features")}
        settings = {"sentence": base.train_batch.question.shape[1], **widths}
        self.policy: FactPolicy = FactPolicy(**settings)
        self.network: KDMN = KDMN(**base.config["network"])
        self.model: PolicyKDMN = PolicyKDMN(self.network, self.policy, k)
        self.config.update(policy=settings, picked=k, retrieval=retrieval, draws=draws)

    def loss(self, rows: Tensor) -> Tensor:
        """Return the network's mean loss over the memories picked, and the policy's."""
        rows = self.split.labelled[rows]
        device = next(self.model.parameters()).device
        batch = self.base.train_batch.take(rows).to(device)
        answers, gold = self.base.right_ends[rows].to(device), self.base.gold_facts[rows].to(device)
        if self.retrieval == "reinforce":
            return self._reinforced(batch, answers, gold)
        scores = self.policy(batch) if self.retrieval == "supervised" else batch.features[..., 0]
        k = min(self.k, batch.mask.shape[1])
        read = self._read(batch, gumbel_top_k(scores, batch.mask, k, noise=False), answers, gold)[0].mean()
        if self.retrieval == "cosine":
            return read
        log_p = scores.masked_fill(~batch.mask, torch.finfo(scores.dtype).min).log_softmax(1)
        on_gold = torch.logsumexp(log_p.masked_fill(gold == 0, -1e9), 1)
        return read - self.weight * torch.where(gold.any(1), on_gold, torch.zeros_like(on_gold)).mean()

    def _reinforced(self, batch: FactBatch, answers: Tensor, gold: Tensor) -> Tensor:
        logits = self.policy(batch)
        k = min(self.k, batch.mask.shape[1])
        drawn = []
        for _ in range(self.draws):
            rows = gumbel_top_k(logits, batch.mask, k)
            read = self._read(batch, rows, answers, gold)
            drawn.append((*read, draw_log_probability(logits, batch.mask, rows)))
        losses, rewards, chances = map(torch.stack, zip(*drawn, strict=True))
        return losses.mean() + self.weight * reinforce(chances, rewards)

    def _read(self, batch: FactBatch, rows: Tensor, answers: Tensor, gold: Tensor) -> tuple[Tensor, Tensor]:
        """Return the network's loss on the facts picked, (B,), and the right answer's probability, (B,)."""
        answers = answers.gather(1, rows.unsqueeze(-1).expand(-1, -1, 2))
        pointer, null, attention, _ = self.network(choose(batch, rows))
        logits = end_logits(pointer, null).log_softmax(1)
        loss = end_loss(logits, attention, answers, gold.gather(1, rows))
        return loss, (logits[:, :-1].exp() * answers.flatten(1)).sum(1).detach()
