"""What a pointer over fact ends costs: the answer's ends, the gold fact's end, attention on the gold fact."""

from __future__ import annotations

import torch
from torch import Tensor

from kgmm.nn.answers import end_logits
from kgmm.nn.kdmn import KDMN, FactBatch

#: a log probability that stands for none
NEVER = -1e9
#: weight of the attention's part
ATTEND = 0.3


def pointer_loss(
    model: torch.nn.Module, batch: FactBatch, answers: Tensor, gold: Tensor, said: Tensor | None = None
) -> Tensor:
    """Return the loss described at :class:`~kgmm.train.kdmn.FvqaProblem`; answers (B, N, 2), gold (B, N), said (B,)."""
    pointer, null, attention, state = model(batch)
    vocabulary = model.named(batch, state) if isinstance(model, KDMN) else state.new_zeros(len(state), 0)
    logits = end_logits(pointer, null, vocabulary).log_softmax(1)
    word = None
    if said is not None and vocabulary.shape[1]:
        of = logits[:, -vocabulary.shape[1] :].gather(1, said.clamp(min=0).unsqueeze(1)).squeeze(1)
        word = of.masked_fill(said < 0, NEVER)
    return end_loss(logits[:, : -vocabulary.shape[1] or None], attention, answers, gold, word).mean()


def end_loss(logits: Tensor, attention: Tensor, answers: Tensor, gold: Tensor, word: Tensor | None = None) -> Tensor:
    """Return each question's loss, (B,).

    Args:
        logits: (B, 2 N + 1) log probabilities of all ends and the null.
        attention: (B, T, N).
        answers: (B, N, 2) 1 where an end says the gold answer.
        gold: (B, N) 1 for gold facts.
        word: (B,) log probability of the gold answer in the vocabulary, :data:`NEVER` where it is not in it.
    """
    right, cited = answers.flatten(1) > 0, (answers * gold.unsqueeze(-1)).flatten(1) > 0
    none = logits[:, -1] if word is None else torch.where(word > NEVER, word, logits[:, -1])

    def likelihood(mask: Tensor) -> Tensor:
        return torch.logsumexp(logits[:, :-1].masked_fill(~mask, NEVER), 1)

    answered, pointed = right.any(1), cited.any(1)
    by_end = torch.where(answered, likelihood(right), none)
    if word is not None:
        by_end = torch.where(answered & (word > NEVER), torch.logaddexp(by_end, word), by_end)
    by_gold = torch.where(pointed, likelihood(cited), none)
    on_gold = torch.log((attention[:, -1] * gold).sum(1) + 1e-6) * (gold.sum(1) > 0)
    return -(0.5 * by_end + 0.5 * by_gold + ATTEND * on_gold)
