"""KDMN's answers beside the pointer: a word of a vocabulary, and one of several choices (Li, Su, Zhu 2017, 3.5)."""

import torch
from torch import Tensor, nn


class VocabularyHead(nn.Module):
    """Logits of a vocabulary's answers, in one softmax with the pointer's and the null's.

    :math:`v = W [m^{(T)}; f(I); f(Q)] + b`. The joint softmax needs no gate between pointing and naming: the mass of
    the vocabulary's logits is the gate, as the sentinel's is in Merity et al. 2017. An answer that is both an end of a
    fact and in the vocabulary gets both masses (:func:`kgmm.nn.answers.answer_logits`).

    Shapes:
        state (B, d), image (B, w), the mean of word vectors, question (B, s) → (B, answers).
    """

    def __init__(self, answers: int, dim: int, words: int, sentence: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout, self.name = nn.Dropout(dropout), nn.Linear(dim + words + sentence, answers)

    def forward(self, state: Tensor, image: Tensor, question: Tensor) -> Tensor:
        """Return the logits."""
        # a unit vector's numbers are small beside those of state and words
        read = torch.cat([state, image, question * question.shape[-1] ** 0.5], -1)
        logits: Tensor = self.name(self.dropout(read))
        return logits


class ChoiceHead(nn.Module):
    r"""One score for each answer to choose from.

    :math:`s_A = w^\top \mathrm{ReLU}(W [m^{(T)}; f(I); f(Q); f(A)] + b) + \log(\max(p_A, ε))`: what the last state makes
    of a choice, and the pointer's probability of the facts' ends that say it, which keeps the answer to a knowledge
    base swapped in. Padding has the lowest number.

    Shapes:
        state (B, d), image (B, w), question (B, s), offered (B, C, w), mask (B, C) bool, pointed (B, C) in [0, 1]
        → (B, C).

    Args:
        dim, words, sentence, dropout: as of :class:`VocabularyHead`; the layer inside is as wide as the state.
        floor: ε, the probability of a choice that no fact's end says.
    """

    def __init__(self, dim: int, words: int, sentence: int, dropout: float = 0.0, floor: float = 1e-3) -> None:
        super().__init__()
        self.floor, self.dropout = floor, nn.Dropout(dropout)
        self.given, self.offered = nn.Linear(dim + words + sentence, dim), nn.Linear(words, dim, bias=False)
        self.score = nn.Linear(dim, 1, bias=False)

    def forward(
        self, state: Tensor, image: Tensor, question: Tensor, offered: Tensor, mask: Tensor, pointed: Tensor
    ) -> Tensor:
        """Return the scores."""
        read = torch.cat([state, image, question * question.shape[-1] ** 0.5], -1)
        hidden = self.given(self.dropout(read)).unsqueeze(1) + self.offered(self.dropout(offered))
        scores: Tensor = self.score(self.dropout(torch.relu(hidden))).squeeze(-1) + pointed.clamp(min=self.floor).log()
        return scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
