"""Answers to choose from as tensors that KDMN reads beside the memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from kgmm.language.words import normal
from kgmm.nn.answers import end_logits
from kgmm.nn.kdmn import KDMN, FactBatch
from kgmm.reason.kdmn.tensors import WordTable


@dataclass(frozen=True)
class Offered:
    """Answers to choose from, C for each of B questions."""

    vectors: Tensor  #: (B, C, w) mean word vectors
    mask: Tensor  #: (B, C) bool, those there are
    says: Tensor  #: (B, C, 2 N) bool, which ends of the memory's facts say each

    def to(self, device: torch.device | str) -> Offered:
        """Return them on another device."""
        return Offered(self.vectors.to(device), self.mask.to(device), self.says.to(device))


def offer(choices: Sequence[str], texts: Sequence[str], words: WordTable, ends: int) -> Offered:
    """Return one question's choices as a network reads them.

    Args:
        choices: as they were given.
        texts: normalized answer of each of the memory's ends, at most *ends*.
        words: word vectors.
        ends: 2 N that the memory is padded to.
    """
    said = [normal(choice) for choice in choices]
    vectors = torch.from_numpy(np.stack([words.phrase(text) for text in said]))
    says = torch.zeros(len(said), ends, dtype=torch.bool)
    for i, text in enumerate(said):
        says[i, : len(texts)] = torch.tensor([text == t for t in texts], dtype=torch.bool)
    return Offered(vectors[None], torch.ones(1, len(said), dtype=torch.bool), says[None])


def choose(model: KDMN, batch: FactBatch, offered: Offered) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Run a network that reads the choices.

    Returns:
        The scores of the choices (B, C), and as :class:`~kgmm.nn.kdmn.KDMN` does: pointer, null, attention.
    """
    pointer, null, attention, state = model(batch, offered.vectors, offered.mask)
    share = end_logits(pointer, null).softmax(1)[:, :-1]
    pointed = (share.unsqueeze(1) * offered.says).sum(-1)
    scores = model.chosen(batch, state, offered.vectors, offered.mask, pointed)
    return scores, pointer, null, attention
