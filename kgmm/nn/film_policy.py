"""A policy that keeps or leaves each moment of a film, learned from how diverse, faithful and to the point the rest is."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kgmm.errors import BadInput
from kgmm.nn.film import FilmJudgement, FilmNetwork, FilmTensors
from kgmm.nn.policy import reinforce


def diversity(features: Tensor, kept: Tensor) -> Tensor:
    r"""Return :math:`\frac1{k(k-1)} \sum_{i≠j} (1 - \cos(x_i, x_j))` over the k moments *kept* (n,) bool; 0 below two."""
    rows = F.normalize(features[kept], dim=1)
    count = len(rows)
    if count < 2:
        return features.new_zeros(())
    together = rows.sum(0).square().sum() - rows.square().sum()  # Σ cos over ordered pairs, without the pairs' matrix
    return 1 - together / (count * (count - 1))


def representativeness(features: Tensor, kept: Tensor) -> Tensor:
    r"""Return :math:`\exp(-\frac1n \sum_t \min_{y\ kept} ‖x_t - x_y‖)`; 0 where nothing is kept."""
    if not kept.any():
        return features.new_zeros(())
    return torch.exp(-torch.cdist(features, features[kept], compute_mode="donot_use_mm_for_euclid_dist").amin(1).mean())


def coverage(entities: Tensor | None, kept: Tensor) -> Tensor:
    """Return the share of the entities *shown* anywhere, columns of (n, e), that a moment kept shows; 0 without any."""
    if entities is None or not entities.any():
        return torch.zeros((), dtype=torch.float64)
    shown = entities.bool()
    return (shown[kept].any(0).sum() / shown.any(0).sum()).double()


class FilmPolicy(FilmNetwork):
    r"""A recurrent network in both directions gives each moment the probability p of being kept.

    Loss: :math:`-\frac1m \sum_s (R_s - b_s) \log π(a_s) + β (\bar p - r)^2` over m draws :math:`a_s ∼
    \mathrm{Bernoulli}(p)`, the baseline :math:`b_s` the mean reward of the other draws, r the *rate*, and the reward
    :math:`R = R_{div} + R_{rep} + λ R_{KB}`: :func:`diversity`, :func:`representativeness`, and :func:`coverage` of the
    entities the query is linked to. No label is needed. With entities a moment's features are joined by the share of
    them that it shows; the baseline and the target of the mean are DR-DSN's but for leaving the own draw out.

    Args:
        in_dim: numbers per moment.
        hidden: units of each direction.
        draws: m, two at least.
        rate: r, the share to keep.
        spread: β.
        knowledge: λ.

    Source: Zhou, Qiao and Xiang, Deep reinforcement learning for unsupervised video summarization with
    diversity-representativeness reward, AAAI 2018; Williams, Simple statistical gradient-following algorithms, 1992.
    """

    def __init__(
        self,
        in_dim: int,
        hidden: int = 64,
        draws: int = 8,
        rate: float = 0.15,
        spread: float = 10.0,
        knowledge: float = 1.0,
    ) -> None:
        super().__init__()
        if draws < 2 or not 0 < rate < 1:
            raise BadInput("policy", f"{draws} draws at a rate of {rate}: need two draws, and a rate between 0 and 1")
        self.in_dim, self.draws, self.rate, self.spread, self.knowledge = in_dim, draws, rate, spread, knowledge
        self.settings = {"in_dim": in_dim, "hidden": hidden, "draws": draws, "rate": rate}
        self.settings |= {"spread": spread, "knowledge": knowledge}
        self.across = nn.GRU(in_dim + 1, hidden, bidirectional=True, batch_first=True, dtype=torch.float64)
        self.score = nn.Linear(2 * hidden, 1, dtype=torch.float64)
        with torch.no_grad():
            self.score.bias.fill_(torch.logit(torch.tensor(rate, dtype=torch.float64)))

    def forward(self, film: FilmTensors) -> Tensor:
        """Return the logits (n,) of keeping each moment."""
        features = film.features.double()
        share = features.new_zeros(len(features), 1)
        if film.entities is not None and film.entities.shape[1]:
            share = film.entities.double().mean(1, keepdim=True)
        logits: Tensor = self.score(self.across(torch.cat([features, share], 1).unsqueeze(0))[0][0]).squeeze(1)
        return logits

    def reward(self, film: FilmTensors, kept: Tensor) -> Tensor:
        """Return what keeping the moments *kept* (n,) bool is worth."""
        features = film.features.double()
        worth = diversity(features, kept) + representativeness(features, kept)
        return worth + self.knowledge * coverage(film.entities, kept)

    def draw(self, logits: Tensor, random: torch.Generator | None = None) -> Tensor:
        """Return *draws* draws (m, n) bool of the moments to keep."""
        chance = torch.rand(self.draws, len(logits), generator=random, dtype=logits.dtype)
        return chance < torch.sigmoid(logits.detach())

    def loss(self, film: FilmTensors, random: torch.Generator | None = None) -> Tensor:
        """The objective above, of draws from *random* (torch's own generator without one)."""
        self.must_fit(film, self.NEEDS)
        logits = self(film)
        return self.surrogate(film, logits, self.draw(logits, random))

    def surrogate(self, film: FilmTensors, logits: Tensor, kept: Tensor) -> Tensor:
        """The objective of given draws (m, n)."""
        rewards = torch.stack([self.reward(film, some) for some in kept])
        likely = -F.binary_cross_entropy_with_logits(
            logits.expand(len(kept), -1), kept.to(logits.dtype), reduction="none"
        )
        missed = (torch.sigmoid(logits).mean() - self.rate).square()
        return reinforce(likely.sum(1).unsqueeze(1), rewards.unsqueeze(1)) + self.spread * missed

    @torch.no_grad()
    def judge(self, film: FilmTensors) -> FilmJudgement:
        """A moment's worth is its probability, a segment's the mean of its moments'."""
        self.must_fit(film, ())
        moments = torch.sigmoid(self(film))
        return FilmJudgement(moments, film.of_segments(moments))
