"""KDMN: a dynamic memory network over retrieved facts (Li, Su, Zhu 2017, arXiv:1712.00733)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from kgmm.nn.chain import ChainedMemory, StatePointer
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
    #: (B, L, w) and (B, L): word vectors of the question in order, for networks that read them
    asked: Tensor | None = None
    asked_mask: Tensor | None = None

    def to(self, device: torch.device | str) -> FactBatch:
        """Return the batch on another device."""
        return self._each(lambda value: value.to(device))

    def take(self, rows: Tensor | slice) -> FactBatch:
        """Return some of the questions."""
        return self._each(lambda value: value[rows])

    def _each(self, change: Callable[[Tensor], Tensor]) -> FactBatch:
        values: dict[str, Any] = {k: None if v is None else change(v) for k, v in self.__dict__.items()}
        return FactBatch(**values)


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

    That pointer can do without the episodes. With *pointer* ``state`` there is no way around them: the memory is a
    :class:`~kgmm.nn.chain.ChainedMemory`, and its :class:`~kgmm.nn.chain.StatePointer` reads the last state and what the
    last episode attended to. It is for questions that need two facts.

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
        pointer: ``facts`` or ``state``.
        keys: width of what ends are known by, where the state points.

    Raises:
        ValueError: if there is no such pointer.
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
        pointer: str = "facts",
        keys: int = 64,
    ) -> None:
        super().__init__()
        if pointer not in ("facts", "state"):
            raise ValueError(f"a pointer reads facts or the state, not {pointer!r}")
        self.episodes = episodes
        self.dropout = nn.Dropout(dropout)
        self.query, self.facts = nn.Linear(words + sentence, dim), FactEncoder(words, dim)
        self.sentence, self.product = nn.Linear(sentence, dim), nn.Linear(sentence, product)
        prior, looks = product + features, max(episodes, 1)
        self.chain: ChainedMemory | None = None
        if pointer == "state":
            self.chain = ChainedMemory(dim, words, end_features, looks, prior, keys, dropout)
            self.pointer = StatePointer(dim, keys)
        else:
            self.memory: EpisodicMemory = EpisodicMemory(dim, looks, dim, context, prior, dropout)
            self.given, self.end = nn.Linear(2 * dim + prior, dim), nn.Linear(end_features, dim, bias=False)
            self.read = nn.Sequential(nn.ReLU(), nn.Dropout(dropout), nn.Linear(dim, 1))
            self.direct = nn.Linear(end_features, 1, bias=False)
            self.side = nn.Linear(sentence, 1)
        self.null = nn.Linear(dim, 1)
        self.vocabulary = VocabularyHead(answers, dim, words, sentence, dropout) if answers else None
        self.choice = ChoiceHead(dim, words, sentence, dropout) if choices else None
        self.offered = nn.Linear(words, dim, bias=False) if choices else None

    def forward(
        self, batch: FactBatch, offered: Tensor | None = None, offered_mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return pointer logits, null logits, attention and last state."""
        pointer, null, looks, state = self.looks(batch, offered, offered_mask)
        return pointer, null, looks.sum(-1), state

    def looks(
        self, batch: FactBatch, offered: Tensor | None = None, offered_mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the same, the attention by ends, (B, T, N, 2), where the state points; else (B, T, N, 1)."""
        image = masked_mean(batch.seen, batch.seen_mask)
        asked = self.query(self.dropout(torch.cat([image, batch.question], -1)))
        if self.offered is not None and offered is not None and offered_mask is not None:
            asked = asked + self.offered(self.dropout(masked_mean(offered, offered_mask)))
        query = torch.tanh(asked)
        blur = (
            self.dropout if self.chain is None else nn.Identity()
        )  # of what is this wide it takes a fifth of the time
        memory = self.facts(batch.steps, batch.mask) + torch.tanh(self.sentence(blur(batch.sentences)))
        memory = memory * batch.mask.unsqueeze(-1)
        joint = batch.sentences * batch.question.unsqueeze(1) * batch.question.shape[-1] ** 0.5
        prior = torch.cat([torch.relu(self.product(blur(joint))), batch.features], -1)
        looked = self._looked if self.chain is None else self._chained
        pointer, state, attention = looked(batch, memory, query, prior)
        pointer = pointer.masked_fill(~batch.mask.unsqueeze(-1), torch.finfo(pointer.dtype).min)
        return pointer, self.null(state).squeeze(-1), attention, state

    def _chained(self, batch: FactBatch, memory: Tensor, query: Tensor, prior: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return pointer, state and attention where the state points; ValueError for a batch without words."""
        if batch.asked is None or batch.asked_mask is None:
            raise ValueError("this KDMN reads the question's words, and the batch has none")
        assert self.chain is not None
        keys = self.chain.keys(batch.steps[:, :, ::2], batch.mask)
        if self.episodes:
            words = (batch.asked, batch.asked_mask)
            state, carried, logits, attention = self.chain(memory, query, batch.mask, prior, keys, batch.ends, *words)
            last = logits[:, -1]
        else:
            state, share = _pooled(memory, query, batch.mask)
            carried, last = masked_mean(keys.mean(2), batch.mask), torch.zeros_like(keys[..., 0])
            attention = (share / 2).unsqueeze(-1).expand(*share.shape, 2)
        return self.pointer(state, carried, last, memory, keys), state, attention

    def _looked(self, batch: FactBatch, memory: Tensor, query: Tensor, prior: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return pointer, state and attention where the pointer reads facts with the question as well."""
        if self.episodes:
            state, logits, attention = self.memory(memory, query, batch.mask, prior)
            fact_logit = logits[:, -1]
        else:
            state, attention = _pooled(memory, query, batch.mask)
            fact_logit = torch.zeros_like(attention[:, 0])
        given = self.given(torch.cat([memory, state.unsqueeze(1).expand_as(memory), prior], -1))
        read = self.read(given.unsqueeze(2) + self.end(batch.ends)).squeeze(-1)
        pointer = fact_logit.unsqueeze(-1) + read + self.direct(batch.ends).squeeze(-1)
        asks_seen = self.side(batch.question * batch.question.shape[-1] ** 0.5).unsqueeze(1)
        return pointer + asks_seen * (2 * batch.ends[..., 0] - 1), state, attention.unsqueeze(-1)

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


def _pooled(memory: Tensor, query: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return state and attention where the memory's mean takes the episodes' place."""
    share = mask / mask.sum(1, keepdim=True).clamp(min=1)
    return query + masked_mean(memory, mask), share.unsqueeze(1)
