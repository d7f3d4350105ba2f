"""Questions as vectors: word embeddings and a GRU, the last state before padding."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class QuestionEncoder(nn.Module):
    """Encode padded token ids.

    Shapes:
        tokens (B, L) int64, 0 is padding → words (B, L, d) of the recurrent layer, question (B, d).

    Args:
        vocabulary: number of token ids, padding and unknown among them.
        embedding: width of word vectors.
        dim: width of the recurrent state.
    """

    def __init__(self, vocabulary: int, embedding: int, dim: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding, padding_idx=0)
        self.recurrent = nn.GRU(embedding, dim, batch_first=True)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return the states of all words, zero at padding, and the last real one."""
        mask = tokens != 0
        states, _ = self.recurrent(self.embedding(tokens))
        last = mask.sum(1).clamp(min=1) - 1
        question = states[torch.arange(len(tokens), device=tokens.device), last]
        return states * mask.unsqueeze(-1), question
