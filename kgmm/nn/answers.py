"""From a pointer over fact ends to a distribution over answers: ends that say the same add up."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


def end_logits(pointer: Tensor, null: Tensor, *more: Tensor) -> Tensor:
    """Return the logits that compete: of all ends, the null, and *more* (B, V): (B, N, 2), (B,) → (B, 2 N + 1 + V)."""
    return torch.cat([pointer.flatten(1), null[:, None], *more], 1).float()


def answer_logits(ends: Tensor, group: Tensor, answers: int) -> Tensor:
    r"""Add up the probability of all ends that give the same answer, in logarithms: (B, E) → (B, A), in the same scale.

    :math:`s_a = \log \sum_{e: g(e) = a} \exp(s_e)`; an answer that no end gives has the lowest finite number. *group*
    (B, E) int64 is the answer of each end; a negative one belongs to none.

    >>> logits = torch.log(torch.tensor([[0.3, 0.4, 0.3]]))
    >>> answer_logits(logits, torch.tensor([[0, 1, 0]]), 2).exp().round(decimals=2).tolist()
    [[0.6000000238418579, 0.4000000059604645]]
    """
    real = group >= 0
    lowest = torch.finfo(ends.dtype).min
    top = ends.masked_fill(~real, lowest).amax(1, keepdim=True).detach().clamp(min=lowest / 2)
    weight = (ends - top).masked_fill(~real, lowest / 2).exp()
    total = ends.new_zeros(len(ends), answers).scatter_add(1, group.clamp(min=0), weight)
    # the inner where keeps the gradient of log(0) out of the outer one
    given = total > 0
    return torch.where(given, torch.where(given, total, torch.ones_like(total)).log() + top, lowest)


@dataclass(frozen=True)
class Answers:
    """Which answer each end of each question's memory gives."""

    texts: list[list[str]]  #: each question's distinct answers, in the order in which ends first say them
    group: Tensor  #: (Q, E) int64 position in *texts* of each end; -1 at padding

    @property
    def most(self) -> int:
        """The largest number of answers a question has."""
        return max(1, *map(len, self.texts))

    def mask(self) -> Tensor:
        """Return (Q, A) bool: the answers there are."""
        sizes = torch.tensor([len(t) for t in self.texts]).unsqueeze(1)
        return torch.arange(self.most).unsqueeze(0) < sizes

    def logits(self, ends: Tensor) -> Tensor:
        """Add up (Q, E) logits of ends by answer: (Q, A)."""
        return answer_logits(ends, self.group, self.most)

    def places(self, wanted: Sequence[str]) -> Tensor:
        """Return the (Q,) int64 position of one text for each question, -1 if no end gives it."""
        found = [{t: i for i, t in enumerate(texts)}.get(w, -1) for texts, w in zip(self.texts, wanted, strict=True)]
        return torch.tensor(found, dtype=torch.long)


def group_answers(said: Sequence[Sequence[str]], ends: int) -> Answers:
    """Group what the ends of every question's memory say, padded to *ends* of them.

    >>> group_answers([["cat", "dog", "cat"]], 4).group.tolist()
    [[0, 1, 0, -1]]
    """
    group = torch.full((len(said), ends), -1, dtype=torch.long)
    texts: list[list[str]] = []
    for i, row in enumerate(said):
        at = {t: j for j, t in enumerate(dict.fromkeys(row))}
        group[i, : len(row)] = torch.tensor([at[t] for t in row], dtype=torch.long)
        texts.append(list(at))
    return Answers(texts, group)
