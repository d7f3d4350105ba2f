"""Episodic memory: attend to facts several times, each time knowing what the last look gave (DMN+, KDMN)."""

import torch
from torch import Tensor, nn

from kgmm.nn.mask import masked_softmax


class AttentionGRU(nn.Module):
    r"""GRU over facts whose update gate is the fact's attention (DMN+, Xiong et al. 2016, Eq. 11-12).

    :math:`h_i = α_i ∘ \tilde h_i + (1 - α_i) ∘ h_{i-1}`, the last :math:`h` is the context.

    Shapes:
        memory (B, N, d), attention (B, N), zero at padding → context (B, d).
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.reset_in, self.reset_state = nn.Linear(dim, dim), nn.Linear(dim, dim, bias=False)
        self.new_in, self.new_state = nn.Linear(dim, dim), nn.Linear(dim, dim, bias=False)

    def forward(self, memory: Tensor, attention: Tensor) -> Tensor:
        """Return the state after the last fact; a fact of attention 0 leaves the state as it was."""
        reset_in, new_in = self.reset_in(memory), self.new_in(memory)
        state = memory.new_zeros(len(memory), self.dim)
        for i in range(memory.shape[1]):
            reset = torch.sigmoid(reset_in[:, i] + self.reset_state(state))
            new = torch.tanh(new_in[:, i] + reset * self.new_state(state))
            gate = attention[:, i : i + 1]
            state = gate * new + (1 - gate) * state
        return state


class EpisodicMemory(nn.Module):
    r"""T episodes of attention over a memory of facts, with untied weights (KDMN, section 3.4).

    :math:`z_i = [M_i∘q;\ M_i∘m^{(t-1)};\ |M_i-q|;\ |M_i-m^{(t-1)}|]`,
    :math:`α = \mathrm{softmax}_i(w^\top\tanh(W_2 z_i+b_2))`, :math:`c^{(t)} = \sum_i α_i M_i` (or an attention GRU),
    :math:`m^{(t)} = \mathrm{ReLU}(W_3[m^{(t-1)}; c^{(t)}; q] + b_3)`, :math:`m^{(0)} = q`. The attention's layer, *dim*
    wide by default, may read *prior* further features of each fact; *context* is ``sum`` or ``gru``.

    Shapes:
        memory (B, N, d), query (B, d), mask (B, N) bool, prior (B, N, p) or None →
        episode state (B, d), attention logits (B, T, N), attention (B, T, N).
    """

    def __init__(
        self,
        dim: int,
        episodes: int = 2,
        hidden: int | None = None,
        context: str = "sum",
        prior: int = 0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        hidden = hidden or dim
        self.episodes, self.context, self.prior = episodes, context, prior
        self.hidden: nn.ModuleList = nn.ModuleList(nn.Linear(4 * dim + prior, hidden) for _ in range(episodes))
        self.score: nn.ModuleList = nn.ModuleList(nn.Linear(hidden, 1, bias=False) for _ in range(episodes))
        self.update: nn.ModuleList = nn.ModuleList(nn.Linear(3 * dim, dim) for _ in range(episodes))
        self.readers = nn.ModuleList(AttentionGRU(dim) for _ in range(episodes)) if context == "gru" else None
        self.dropout: nn.Dropout = nn.Dropout(dropout)

    def forward(
        self, memory: Tensor, query: Tensor, mask: Tensor, prior: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Run the episodes; see the class for shapes."""
        state, q, logits, weights = query, query.unsqueeze(1), [], []
        for t in range(self.episodes):
            m = state.unsqueeze(1)
            z = self.dropout(torch.cat([memory * q, memory * m, (memory - q).abs(), (memory - m).abs()], -1))
            if prior is not None:
                z = torch.cat([z, prior], -1)
            logit = self.score[t](torch.tanh(self.hidden[t](z))).squeeze(-1)
            attention = masked_softmax(logit, mask)
            if self.readers is not None:
                context = self.readers[t](memory, attention)
            else:
                context = (attention.unsqueeze(-1) * memory).sum(1)
            state = torch.relu(self.update[t](torch.cat([state, context, query], -1)))
            logits.append(logit)
            weights.append(attention)
        return state, torch.stack(logits, 1), torch.stack(weights, 1)
