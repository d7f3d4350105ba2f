"""Relational graph convolution over typed edges, such as those of a store's view (R-GCN, Schlichtkrull 2018)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch_geometric.nn import MessagePassing


class RelationalGraphConv(MessagePassing):
    r"""Mix each node with the mean of its neighbours, relation by relation.

    :math:`h_i = W_0 x_i + \sum_r \frac1{\sum_{j∈N_r(i)} a_{ij}} \sum_{j∈N_r(i)} a_{ij} W_r x_j + b`, with
    :math:`W_r = \sum_b c_{rb} V_b` (basis decomposition), so that rare relations share what common ones learn.

    Shapes:
        x (N, d_in), edge_index (2, E), edge_type (E,) int64, weight (E,) or None → (N, d_out).
    """

    def __init__(self, in_dim: int, out_dim: int, relations: int, bases: int = 8) -> None:
        super().__init__(aggr="add", node_dim=0)
        bases = min(bases, relations)
        self.basis = nn.Parameter(torch.empty(bases, in_dim, out_dim))
        self.mixture = nn.Parameter(torch.empty(relations, bases))
        self.root = nn.Linear(in_dim, out_dim)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        for basis in self.basis.data:
            nn.init.xavier_uniform_(basis)
        nn.init.xavier_uniform_(self.mixture)
        self.root.reset_parameters()

    def forward(
        self, x: Tensor, edge_index: Tensor, edge_type: Tensor, weight: Tensor | None = None
    ) -> Tensor:
        """Return the new node features; see the class for shapes."""
        weight = x.new_ones(edge_index.shape[1]) if weight is None else weight
        group = edge_index[1] * len(self.mixture) + edge_type
        total = x.new_zeros(len(x) * len(self.mixture)).index_add(0, group, weight)
        share = weight / total[group].clamp(min=1e-12)
        mixture = self.mixture[edge_type] * share.unsqueeze(-1)
        gathered: Tensor = self.propagate(edge_index, x=x, mixture=mixture, size=(len(x), len(x)))
        out: Tensor = self.root(x) + torch.einsum("nbd,bdo->no", gathered, self.basis)
        return out

    def message(self, x_j: Tensor, mixture: Tensor) -> Tensor:
        """Return each edge's source weighted for every basis: (E, bases, d_in)."""
        return mixture.unsqueeze(-1) * x_j.unsqueeze(1)
