r"""A store's facts as a Bayesian prior over KDMN's answers: :math:`p(a \mid x, c) ∝ p_{net}(a \mid x)^{τ}\, p_{KB}(a \mid c)^{β}`.

The prior looks, in the whole store, for facts that join an answer to what the question says; a network's memory holds
60 facts, the store all. How τ, β and the smoothing are fitted is :mod:`kgmm.train.guided.prior`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import torch
from torch import Tensor

from kgmm.language import names
from kgmm.language.words import content, lemmas, normal
from kgmm.nn.answers import Answers, group_answers
from kgmm.nn.posterior import posterior, smoothed
from kgmm.reason.task import Task

#: facts looked at of each answer
MOST = 2_000


@dataclass(frozen=True)
class Prior:
    """A fitted prior: how much the network's word counts, how much the store's, and how smooth that is."""

    power: float = 1.0
    beta: float = 0.0
    alpha: float = 1.0


def fits(end: Sequence[str], said: frozenset[str], rarity: Mapping[str, float]) -> float:
    """Return how well a question says a fact's end: the share of its words that are said, times their rarity.

    A word the rarities lack is as rare as the rarest.
    """
    shared = [w for w in end if w in said]
    if not shared:
        return 0.0
    rarest = 0.0 if all(w in rarity for w in shared) else max(rarity.values(), default=1.0)
    return sum(rarity.get(w, rarest) for w in shared) * len(shared) / len(end)


def reweigh(ends: Tensor, answers: Answers, counts: Tensor, prior: Prior) -> Tensor:
    """Return the log probabilities of KDMN's ends and null after the prior.

    The null keeps its probability, and ends that give the same answer keep their shares of it.

    Args:
        ends: (Q, 2 N + 1) logits, the null's last.
        answers: the questions' answers.
        counts: (Q, A) pseudo-counts.
        prior: fitted.
    """
    log_p = ends.log_softmax(1)
    before, mask = answers.logits(log_p[:, :-1]), answers.mask()
    after = posterior(before, smoothed(counts, mask, prior.alpha), mask, prior.power, prior.beta)
    given = torch.log1p(-log_p[:, -1:].exp().clamp(max=1 - 1e-6))
    gain = (after + given - before).masked_fill(~mask, 0.0)
    each = gain.gather(1, answers.group.clamp(min=0)).masked_fill(answers.group < 0, 0.0)
    return torch.cat([log_p[:, :-1] + each, log_p[:, -1:]], 1)


@dataclass(frozen=True)
class StorePrior:
    """A fitted prior that reads any store at question time."""

    prior: Prior
    rarity: Mapping[str, float]  #: of words, as in training

    @classmethod
    def read(cls, path: Path) -> StorePrior:
        """Read the ``prior.json`` that ``kgmm train kdmn --fusion prior`` writes."""
        known = json.loads(path.read_text(encoding="utf-8"))
        return cls(Prior(known["power"], known["beta"], known["alpha"]), known["rarity"])

    def __call__(self, task: Task, texts: list[str], ends: Tensor) -> Tensor:
        """Weigh the ends of one memory by the facts of the task's store.

        Args:
            task: the question; statements it excludes do not count.
            texts: the answer each end gives, 2 N normalized ones.
            ends: (2 N + 1,) logits, the null's last.

        Returns:
            (2 N + 1,) log probabilities.
        """
        if not texts:
            return ends.log_softmax(0)
        answers = group_answers([texts], len(texts))
        said = frozenset(lemmas(task.question))
        counts = torch.tensor([[self._best(task, text, said) for text in answers.texts[0]]])
        return reweigh(ends.unsqueeze(0), answers, counts, self.prior)[0]

    def _best(self, task: Task, text: str, said: frozenset[str]) -> float:
        node, best = names.concept(text), 0.0
        for f in chain(task.store.find(node, limit=MOST), task.store.find(object=node, limit=MOST)):
            if (f.subject, f.predicate, f.object) not in task.exclude:
                other = f.object if f.subject == node else f.subject
                best = max(best, fits(content(normal(names.label(other))), said, self.rarity))
        return best
