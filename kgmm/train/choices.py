"""What KDMN learns to answer with beside pointing: a vocabulary of training answers, and answers to choose from."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from kgmm.nn.kdmn import KDMN, FactBatch
from kgmm.reason.kdmn.choices import Offered, choose
from kgmm.reason.kdmn.tensors import WordTable
from kgmm.train.memories import Example

TOGETHER = 128  #: questions measured at a time


def frequent(answers: Sequence[str], size: int) -> list[str]:
    """Return the *size* most frequent answers, of equally frequent ones the first in the alphabet.

    >>> frequent(["dog", "cat", "dog", "ant"], 2)
    ['dog', 'ant']
    """
    counts = Counter(answers)
    return sorted(counts, key=lambda a: (-counts[a], a))[:size]


def places(part: list[Example], vocabulary: Sequence[str]) -> Tensor:
    """Return where in the vocabulary each question's answer is, (Q,) int64; -1 if it is not."""
    at = {text: i for i, text in enumerate(vocabulary)}
    return torch.tensor([at.get(e.answer, -1) for e in part], dtype=torch.long)


class Choices:
    """*count* answers to choose from for each question of a part; the right one is the first, for no position is read.

    A question that came with choices keeps them. For any other, wrong ones are drawn, half of what its own memory says,
    half of *wrong*, the right answers to other questions. *ends* is the 2 N that memories are padded to.
    """

    def __init__(self, part: list[Example], words: WordTable, count: int, ends: int, wrong: Sequence[str]) -> None:
        known: dict[str, int] = {}

        def number(text: str) -> int:
            return known.setdefault(text, len(known))

        self.count = count
        self._wrong = torch.tensor([number(t) for t in wrong], dtype=torch.long)
        self._right = torch.tensor([number(e.answer) for e in part], dtype=torch.long)
        self._ends = torch.full((len(part), ends), -1, dtype=torch.long)
        self._given = torch.full((len(part), count), -1, dtype=torch.long)
        for i, e in enumerate(part):
            self._ends[i, : len(e.texts)] = torch.tensor([number(t) for t in e.texts], dtype=torch.long)
            others = [number(t) for t in dict.fromkeys(e.choices) if t != e.answer][: count - 1]
            if others:
                self._given[i, : len(others) + 1] = torch.tensor([int(self._right[i]), *others])
        self._vectors = torch.from_numpy(np.stack([words.phrase(text) for text in known]))

    def draw(self, rows: Tensor, generator: torch.Generator | None = None) -> Offered:
        """Return choices of some questions; the wrong ones are drawn anew unless they came with the question."""
        shape = (len(rows), self.count - 1)
        right, ends = self._right[rows], self._ends[rows]
        size = (ends >= 0).sum(1, keepdim=True)
        near = ends.gather(1, (torch.rand(shape, generator=generator) * size).long())
        far = self._wrong[torch.randint(len(self._wrong), shape, generator=generator)]
        own = (torch.rand(shape, generator=generator) < 0.5) & (size > 0)
        drawn = torch.cat([right.unsqueeze(1), torch.where(own, near, far)], 1)
        given = self._given[rows]
        ids = torch.where(given[:, :1] >= 0, given, drawn)
        mask = ids >= 0
        mask[:, 1:] &= ids[:, 1:] != right.unsqueeze(1)
        says = (ids.unsqueeze(2) == ends.unsqueeze(1)) & mask.unsqueeze(2)
        return Offered(self._vectors[ids.clamp(min=0)] * mask.unsqueeze(-1), mask, says)


def choice_loss(model: KDMN, batch: FactBatch, offered: Offered) -> Tensor:
    """Return the mean cross-entropy of the right choice, which is the first."""
    scores = choose(model, batch, offered)[0].float()
    return F.cross_entropy(scores, torch.zeros(len(scores), dtype=torch.long, device=scores.device))


@torch.no_grad()
def choice_accuracy(model: KDMN, batch: FactBatch, choices: Choices) -> float:
    """Return how often the right choice has the highest score; the wrong ones are the same at every call."""
    device, right = next(model.parameters()).device, 0
    generator = torch.Generator().manual_seed(0)
    for rows in torch.split(torch.arange(len(batch.mask)), TOGETHER):
        offered = choices.draw(rows, generator).to(device)
        right += int((choose(model, batch.take(rows).to(device), offered)[0].argmax(1) == 0).sum())
    return right / max(len(batch.mask), 1)
