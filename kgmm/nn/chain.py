"""Episodes that follow a chain of facts: what a look carries on is the end that it rests on, and the state alone points."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kgmm.nn.mask import masked_mean, masked_softmax


class ChainedMemory(nn.Module):
    r"""T episodes over facts whose ends are known, with untied weights.

    An end has word vectors :math:`e_{ij}` (j: subject, object) and a key, :math:`k_{ij}`, which is :math:`P e_{ij}` less its
    mean over the memory, of unit length. Episode t reads the question's words :math:`h_l` (a GRU's states) with attention
    of its own, looks for an end near what the last episode carried on, and attends to ends of facts:

    .. math::
        q_t = q + \sum_l β_{tl} h_l, \quad n_{ij} = κ_t\, k_{ij}^\top \widehat{(r^{(t-1)} + L_t m^{(t-1)})}

        z_i = [M_i∘q_t;\ M_i∘m^{(t-1)};\ |M_i-q_t|;\ |M_i-m^{(t-1)}|;\ x_i;\ n_i], \quad
        α_{ij} = \mathrm{softmax}_{ij}(w^\top\tanh(W_2 z_i+b_2) + v^\top [f_{ij}; n_{ij}; n_{i\bar j}])

        c^{(t)} = \sum_{ij} α_{ij} M_i, \quad r^{(t)} = \sum_{ij} α_{ij} k_{ij}, \quad
        m^{(t)} = \mathrm{ReLU}(W_3[m^{(t-1)}; c^{(t)}; r^{(t)}; q_t] + b_3)

    with :math:`m^{(0)} = q_1, r^{(0)} = 0`. It is :class:`~kgmm.nn.memory.EpisodicMemory` (KDMN, section 3.4) with keys and
    values apart (Miller et al. 2016) and a part of the question for each episode (Hudson and Manning 2018): a second fact is
    found by the end that it shares with the first, whatever its words. *context*, an identity, gives what an episode carries
    on, :math:`[c; r]`, to hooks.

    Shapes:
        memory (B, N, d), query (B, d), mask (B, N) bool, prior x (B, N, p), keys (B, N, 2, k), features f (B, N, 2, f), asked
        (B, L, w) and asked_mask (B, L) → state (B, d), carried r (B, k), attention logits and attention (B, T, N, 2).
    """

    def __init__(
        self,
        dim: int,
        words: int,
        features: int,
        episodes: int = 2,
        prior: int = 0,
        keys: int = 64,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.episodes = episodes
        self.key, self.read = nn.Linear(words, keys), nn.GRU(words, dim // 2, batch_first=True, bidirectional=True)
        self.word: nn.ModuleList = nn.ModuleList(nn.Linear(dim, 1) for _ in range(episodes))
        self.look: nn.ModuleList = nn.ModuleList(nn.Linear(dim, keys) for _ in range(episodes))
        self.sharpness = nn.Parameter(torch.full((episodes,), 2.0))  #: log κ
        self.hidden: nn.ModuleList = nn.ModuleList(nn.Linear(4 * dim + prior + 2, dim) for _ in range(episodes))
        self.score: nn.ModuleList = nn.ModuleList(nn.Linear(dim, 1, bias=False) for _ in range(episodes))
        self.end: nn.ModuleList = nn.ModuleList(nn.Linear(features + 2, 1) for _ in range(episodes))
        self.update: nn.ModuleList = nn.ModuleList(nn.Linear(3 * dim + keys, dim) for _ in range(episodes))
        self.dropout: nn.Dropout = nn.Dropout(dropout)
        self.context = nn.Identity()

    def keys(self, ends: Tensor, mask: Tensor) -> Tensor:
        """Return what ends are known by: word vectors (B, N, 2, w), mask (B, N) → unit vectors (B, N, 2, k)."""
        keys = self.key(ends)
        return F.normalize(keys - masked_mean(keys.mean(2), mask)[:, None, None], dim=-1)

    def words(self, asked: Tensor, mask: Tensor) -> Tensor:
        """Return the states of the question's words, (B, L, d), those around each read; padding is not."""
        lengths = mask.sum(1).clamp(min=1).cpu()
        packed = nn.utils.rnn.pack_padded_sequence(asked, lengths, batch_first=True, enforce_sorted=False)
        read, _ = self.read(packed)
        return nn.utils.rnn.pad_packed_sequence(read, batch_first=True, total_length=asked.shape[1])[0]

    def forward(
        self,
        memory: Tensor,
        query: Tensor,
        mask: Tensor,
        prior: Tensor,
        keys: Tensor,
        features: Tensor,
        asked: Tensor,
        asked_mask: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Run the episodes; see the class for shapes."""
        words, real = self.words(asked, asked_mask), mask.unsqueeze(-1).expand(*mask.shape, 2).flatten(1)
        state, carried, logits, weights = query, keys.new_zeros(len(keys), keys.shape[-1]), [], []
        for t in range(self.episodes):
            share = masked_softmax(self.word[t](words).squeeze(-1), asked_mask)
            part = query + torch.einsum("bl,bld->bd", share, self.dropout(words))
            state = part if t == 0 else state
            wanted = F.normalize(carried + self.look[t](state), dim=-1)
            near = self.sharpness[t].exp() * torch.einsum("bnjk,bk->bnj", keys, wanted)
            q, m = part.unsqueeze(1), state.unsqueeze(1)
            z = self.dropout(torch.cat([memory * q, memory * m, (memory - q).abs(), (memory - m).abs()], -1))
            fact = self.score[t](torch.tanh(self.hidden[t](torch.cat([z, prior, near], -1))))
            end = self.end[t](torch.cat([features, near.unsqueeze(-1), near.flip(-1).unsqueeze(-1)], -1)).squeeze(-1)
            logit = fact + end
            attention = masked_softmax(logit.flatten(1), real).view_as(logit)
            of_facts = torch.einsum("bnj,bnd->bd", attention, memory)
            context = self.context(torch.cat([of_facts, torch.einsum("bnj,bnjk->bk", attention, keys)], -1))
            carried = context[:, memory.shape[-1] :]
            state = torch.relu(self.update[t](torch.cat([state, context, part], -1)))
            logits.append(logit)
            weights.append(attention)
        return state, carried, torch.stack(logits, 1), torch.stack(weights, 1)


class StatePointer(nn.Module):
    r"""Logits of facts' ends from the last state, and from what the last episode attended to.

    :math:`s_{ij} = a_{ij}^{(T)} + (A m^{(T)})^\top M_i / \sqrt d + κ\, k_{ij}^\top \widehat{(r^{(T)} + B m^{(T)})}`, a the
    attention's logits. What is asked, and how well a fact fits it, reach the answer only through the episodes.

    Shapes:
        state m (B, d), carried r (B, k), attended a (B, N, 2), memory M (B, N, d), keys (B, N, 2, k) → (B, N, 2).
    """

    def __init__(self, dim: int, keys: int = 64) -> None:
        super().__init__()
        self.fact, self.end = nn.Linear(dim, dim), nn.Linear(dim, keys)
        self.sharpness = nn.Parameter(torch.tensor(3.0))  #: log κ

    def forward(self, state: Tensor, carried: Tensor, attended: Tensor, memory: Tensor, keys: Tensor) -> Tensor:
        """Return the logits."""
        of_fact = torch.einsum("bnd,bd->bn", memory, self.fact(state)) / memory.shape[-1] ** 0.5
        of_end = torch.einsum("bnjk,bk->bnj", keys, F.normalize(carried + self.end(state), dim=-1))
        logits: Tensor = attended + of_fact.unsqueeze(-1) + self.sharpness.exp() * of_end
        return logits
