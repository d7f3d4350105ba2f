"""Facts as vectors: an LSTM over subject, relation, object (KDMN, Li, Su, Zhu 2017, section 3.3)."""

from __future__ import annotations

from torch import Tensor, nn


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
