"""KDMN: a dynamic memory network over retrieved facts (Li, Su, Zhu 2017, arXiv:1712.00733)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from kgmm.nn.kdmn_answers import ChoiceHead, VocabularyHead
from kgmm.nn.mask import masked_mean
from kgmm.nn.memory import EpisodicMemory


@dataclass
class FactBatch:
    """Questions with their memories, padded to the same number N of facts.

    Shapes: B questions, N facts, S seen concepts, w word width, s sentence width.
    """

    question: Tensor  #: (B, s) sentence vector of the question
    #: (B, S, w) and (B, S): what the picture shows, as mean word vectors
    seen: Tensor
    seen_mask: Tensor
    steps: Tensor  #: (B, N, 3, w) mean word vectors of subject, relation, object
    sentences: Tensor  #: (B, N, s) sentence vector of the fact
    #: (B, N, f) features of the fact, and (B, N, 2, e) of its two ends
    features: Tensor
    ends: Tensor
    mask: Tensor  #: (B, N) bool, real facts

    def to(self, device: torch.device | str) -> FactBatch:
        """Return the batch on another device."""
        return FactBatch(*(value.to(device) for value in self.__dict__.values()))

    def take(self, rows: Tensor | slice) -> FactBatch:
        """Return some of the questions."""
        return FactBatch(*(value[rows] for value in self.__dict__.values()))


class FactEncoder(nn.Module):
    r"""Encode a fact as the last state of an LSTM over its three phrases.

    :math:`C_i^{(t)} = \mathrm{LSTM}(L[w_i^t], C_i^{(t-1)}),\ t = 1, 2, 3`, memory :math:`M = [C_i^{(3)}]`; each step
    is the mean of its phrase's word vectors, which the caller provides.

    Shapes:
        steps (B, N, 3, d_in), mask (B, N) → memory (B, N, d), zero where masked.
    """

    def __init__(self, in_dim: int, dim: int) -> None:
        super().__init__()
        self.recurrent = nn.LSTM(in_dim, dim, batch_first=True)

    def forward(self, steps: Tensor, mask: Tensor) -> Tensor:
        """Return the memory; only real facts are encoded."""
        memory = steps.new_zeros(*mask.shape, self.recurrent.hidden_size)
        if mask.any():
            _, (last, _) = self.recurrent(steps[mask])
            memory[mask] = last[0].to(memory.dtype)
        return memory


class KDMN(nn.Module):
    r"""Encode facts, attend to them in T episodes, and point at an end of one.

    Query :math:`q = \tanh(W_1[f(I); f(Q)] + b_1)`; memory :math:`M_i` = LSTM over the fact's three phrases plus a
    projection of the fact's sentence vector; episodes as in :class:`~kgmm.nn.memory.EpisodicMemory`, whose attention
    also reads the fact's features and the projected product of both sentence vectors. The pointer's logit of an end is
    the last episode's attention logit plus a reading of the end given fact and state, plus or minus (the end is seen or
    not) how far the question asks for a seen thing; the null logit, a reading of the state, competes with all ends and
    means *no supporting fact here*.

    Beside the pointer it may name an answer of a vocabulary (:meth:`named`), and score answers to choose from
    (:meth:`chosen`), which the query then reads as well: :math:`q = \tanh(W_1[f(I); f(Q); f(A)] + b_1)`, where
    :math:`f(A)` is the choices' mean.

    Shapes:
        :class:`FactBatch`, offered (B, C, w) and their mask (B, C) or None → pointer logits (B, N, 2), null logit (B,),
        attention (B, T, N), state (B, d).

    Args:
        words, sentence: widths of word and sentence vectors.
        features, end_features: numbers of features of a fact and of an end.
        dim, product: widths of memory, query and state, and of the projected product of question and fact.
        episodes: T; 0 is the ablation that pools the memory's mean instead of attending.
        context, dropout: ``sum`` or ``gru``; everywhere.
        answers: size of the vocabulary; 0 for a pointer alone.
        choices: whether it reads and scores answers to choose from.
    """

    def __init__(
        self,
        words: int = 50,
        sentence: int = 384,
        features: int = 8,
        end_features: int = 8,
        dim: int = 64,
        product: int = 32,
        episodes: int = 2,
        context: str = "sum",
        dropout: float = 0.3,
        answers: int = 0,
        choices: bool = False,
    ) -> None:
        super().__init__()
        self.episodes = episodes
        self.dropout = nn.Dropout(dropout)
        self.query, self.facts = nn.Linear(words + sentence, dim), FactEncoder(words, dim)
        self.sentence, self.product = nn.Linear(sentence, dim), nn.Linear(sentence, product)
        prior = product + features
        self.memory: EpisodicMemory = EpisodicMemory(dim, max(episodes, 1), dim, context, prior, dropout)
        self.given, self.end = nn.Linear(2 * dim + prior, dim), nn.Linear(end_features, dim, bias=False)
        self.read = nn.Sequential(nn.ReLU(), nn.Dropout(dropout), nn.Linear(dim, 1))
        self.direct = nn.Linear(end_features, 1, bias=False)
        self.side, self.null = nn.Linear(sentence, 1), nn.Linear(dim, 1)
        self.vocabulary = VocabularyHead(answers, dim, words, sentence, dropout) if answers else None
        self.choice = ChoiceHead(dim, words, sentence, dropout) if choices else None
        self.offered = nn.Linear(words, dim, bias=False) if choices else None

    def forward(
        self, batch: FactBatch, offered: Tensor | None = None, offered_mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return pointer logits, null logits, attention and last state."""
        image = masked_mean(batch.seen, batch.seen_mask)
        asked = self.query(self.dropout(torch.cat([image, batch.question], -1)))
        if self.offered is not None and offered is not None and offered_mask is not None:
            asked = asked + self.offered(self.dropout(masked_mean(offered, offered_mask)))
        query = torch.tanh(asked)
        memory = self.facts(batch.steps, batch.mask) + torch.tanh(self.sentence(self.dropout(batch.sentences)))
        memory = memory * batch.mask.unsqueeze(-1)
        joint = batch.sentences * batch.question.unsqueeze(1) * batch.question.shape[-1] ** 0.5
        prior = torch.cat([torch.relu(self.product(self.dropout(joint))), batch.features], -1)
        if self.episodes:
            state, logits, attention = self.memory(memory, query, batch.mask, prior)
            fact_logit = logits[:, -1]
        else:
            share = batch.mask / batch.mask.sum(1, keepdim=True).clamp(min=1)
            state, attention = query + masked_mean(memory, batch.mask), share.unsqueeze(1)
            fact_logit = torch.zeros_like(share)
        given = self.given(torch.cat([memory, state.unsqueeze(1).expand_as(memory), prior], -1))
        read = self.read(given.unsqueeze(2) + self.end(batch.ends)).squeeze(-1)
        pointer = fact_logit.unsqueeze(-1) + read + self.direct(batch.ends).squeeze(-1)
        asks_seen = self.side(batch.question * batch.question.shape[-1] ** 0.5).unsqueeze(1)
        pointer = pointer + asks_seen * (2 * batch.ends[..., 0] - 1)
        pointer = pointer.masked_fill(~batch.mask.unsqueeze(-1), torch.finfo(pointer.dtype).min)
        return pointer, self.null(state).squeeze(-1), attention, state

    def named(self, batch: FactBatch, state: Tensor) -> Tensor:
        """Return the logits of the vocabulary's answers, (B, answers); none if the network has no vocabulary."""
        if self.vocabulary is None:
            return state.new_zeros(len(state), 0)
        logits: Tensor = self.vocabulary(state, masked_mean(batch.seen, batch.seen_mask), batch.question)
        return logits

    def chosen(self, batch: FactBatch, state: Tensor, offered: Tensor, mask: Tensor, pointed: Tensor) -> Tensor:
        """Return one score for each answer to choose from, (B, C); ValueError if the network was made without choices.

        *state* (B, d) is the last of a run that read the choices, *offered* (B, C, w) their mean word vectors, *mask*
        (B, C) bool, *pointed* (B, C) the probability of the facts' ends that say each.
        """
        if self.choice is None:
            raise ValueError("this KDMN was made with choices=False and scores none")
        image = masked_mean(batch.seen, batch.seen_mask)
        scores: Tensor = self.choice(state, image, batch.question, offered, mask, pointed)
        return scores
