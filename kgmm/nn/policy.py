"""A retrieval policy: which k facts of a pool a memory holds, learned from the answer's reward alone.

Facts are drawn without replacement by Gumbel top-k (Kool, van Hoof, Welling 2019), which samples from the
Plackett-Luce model; the policy follows REINFORCE (Williams 1992) with the other samples' mean reward as baseline.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn

from kgmm.nn.kdmn import KDMN, FactBatch


def gumbel_top_k(logits: Tensor, mask: Tensor, k: int, noise: bool = True) -> Tensor:
    """Draw *k* facts (at most N) without replacement, each by the softmax of what is left; the k best without *noise*.

    *logits* and *mask* (real facts) are (B, N); the result is (B, k) int64 in the order drawn, padding last.
    """
    scores = logits.detach()
    if noise:
        scores = scores - torch.empty_like(scores).exponential_().clamp(min=1e-20).log()
    return scores.masked_fill(~mask, torch.finfo(scores.dtype).min).topk(k, dim=1).indices


def draw_log_probability(logits: Tensor, mask: Tensor, drawn: Tensor) -> Tensor:
    r"""Return the log probability (B,) of an ordered draw (B, k) under the Plackett-Luce model.

    :math:`\log π(i_1 … i_k) = \sum_j [s_{i_j} - \log \sum_{i ∉ \{i_1 … i_{j-1}\}} \exp s_i]`; logits *s* and mask are
    (B, N), padding that was drawn counts nothing.
    """
    lowest = torch.finfo(logits.dtype).min
    total, left = logits.new_zeros(len(logits)), mask.clone()
    for j in range(drawn.shape[1]):
        at = drawn[:, j : j + 1]
        rest = logits.masked_fill(~left, lowest)
        step = (rest.gather(1, at) - rest.logsumexp(1, keepdim=True)).squeeze(1)
        total = total + torch.where(mask.gather(1, at).squeeze(1), step, torch.zeros_like(step))
        left = left.scatter(1, at, False)
    return total


def reinforce(log_probability: Tensor, reward: Tensor) -> Tensor:
    r"""Return the loss, the mean over questions, whose gradient is the policy gradient's negative estimate.

    :math:`-\frac1m \sum_s (r_s - b_s) \log π_s` over m ≥ 2 draws, (m, B) each, where :math:`b_s` is the mean reward of
    the *other* samples of the same question, so the estimate is unbiased (leave-one-out baseline; Kool et al. 2019). No
    gradient flows through rewards.
    """
    reward = reward.detach()
    baseline = (reward.sum(0, keepdim=True) - reward) / (len(reward) - 1)
    return -((reward - baseline) * log_probability).mean()


def choose(batch: FactBatch, rows: Tensor) -> FactBatch:
    """Return a batch whose memories hold only some facts: rows (B, k) int64."""

    def pick(values: Tensor) -> Tensor:
        index = rows.reshape(*rows.shape, *(1 for _ in values.shape[2:]))
        return values.gather(1, index.expand(*rows.shape, *values.shape[2:]))

    of_facts = ("steps", "sentences", "features", "ends", "mask")
    return replace(batch, **{name: pick(getattr(batch, name)) for name in of_facts})


class FactPolicy(nn.Module):
    r"""Score the facts of a pool; untrained, it is retrieval by cosine.

    :math:`s_i = κ \cos_i + w^\top \mathrm{ReLU}(W [\mathrm{ReLU}(P(q ∘ f_i)); x_i; e_i] + b)`, *w* starting at zero: x
    are the fact's *features*, the cosine first, e the *end_features* of both ends, κ starts at *sharpness*, P projects
    to *product*.

    Shapes:
        :class:`FactBatch` → (B, N) logits.
    """

    def __init__(
        self,
        sentence: int = 384,
        features: int = 8,
        end_features: int = 21,
        product: int = 32,
        hidden: int = 64,
        sharpness: float = 20.0,
    ) -> None:
        super().__init__()
        self.sharpness, self.product = nn.Parameter(torch.tensor(sharpness)), nn.Linear(sentence, product)
        self.hidden = nn.Linear(product + features + 2 * end_features, hidden)
        self.score = nn.Linear(hidden, 1, bias=False)
        nn.init.zeros_(self.score.weight)

    def forward(self, batch: FactBatch) -> Tensor:
        """Return the logits."""
        joint = batch.sentences * batch.question.unsqueeze(1) * batch.question.shape[-1] ** 0.5
        x = torch.cat([torch.relu(self.product(joint)), batch.features, batch.ends.flatten(2)], -1)
        learned: Tensor = self.score(torch.relu(self.hidden(x))).squeeze(-1)
        return self.sharpness * batch.features[..., 0] + learned


class PolicyKDMN(nn.Module):
    """KDMN over the k facts its policy picks of each pool; what was not picked has attention and probability 0.

    Shapes: as :class:`~kgmm.nn.kdmn.KDMN`, over the whole pool.
    """

    def __init__(self, network: KDMN, policy: FactPolicy, k: int) -> None:
        super().__init__()
        self.network, self.policy, self.k = network, policy, k

    def forward(self, batch: FactBatch) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Pick the k best and run the network over them."""
        b, n = batch.mask.shape
        rows = gumbel_top_k(self.policy(batch), batch.mask, min(self.k, n), noise=False)
        pointer, null, attention, state = self.network(choose(batch, rows))
        whole = pointer.new_full((b, n, 2), torch.finfo(pointer.dtype).min)
        whole = whole.scatter(1, rows.unsqueeze(-1).expand(-1, -1, 2), pointer)
        looks = attention.new_zeros(b, attention.shape[1], n)
        looks = looks.scatter(2, rows.unsqueeze(1).expand(-1, attention.shape[1], -1), attention)
        return whole, null, looks, state
