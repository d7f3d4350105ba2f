"""R-GCN, the plain network over typed edges (Schlichtkrull et al., ESWC 2018): PyG's layer, its sums taken basis by basis."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch_geometric.nn import RGCNConv

from kgmm.nn.joint import JointBatch
from kgmm.nn.sparse import EdgeRows, sums


class BasisConv(RGCNConv):  # type: ignore[misc]  # PyG has no types
    r"""PyG's ``RGCNConv`` with bases, the same function: :math:`\sum_r \bar h_i^r W_r = \sum_b (\sum_r a_{rb} \bar h_i^r) B_b`.

    One product a basis in the place of one a relation: with 64 relations and 8 bases it takes a fifth of the time.

    Shapes:
        x (N, D), edges target → source, relation (E,), share (E,) one over the node's edges of that relation → (N, D).
    """

    def forward(self, x: Tensor, edges: EdgeRows, relation: Tensor, share: Tensor) -> Tensor:
        """Return the next states, before the activation."""
        out = x @ self.root + self.bias
        for a, basis in zip(self.comp.unbind(1), self.weight, strict=True):
            out = out + sums(a[relation] * share, x, edges) @ basis
        return cast(Tensor, out)


class RGCN(nn.Module):
    r"""L layers :math:`h_i' = \mathrm{ReLU}(W_0 h_i + \sum_r \frac{1}{|N_i^r|}\sum_{j∈N_i^r} W_r h_j)`, :math:`W_r = \sum_b a_{rb} B_b`.

    It knows relations, and nothing of node types, relevance or what is asked beyond the question's own node.

    Shapes:
        h (N, D), batch → h (N, D), no attention (0, E + N): as :class:`kgmm.nn.qagnn.QAGNN`.

    Args:
        relations: number of relation types with those of ways back.
        dim, layers, bases, dropout: D, L, B and the share of states that training leaves out.
    """

    def __init__(self, relations: int, dim: int = 200, layers: int = 3, bases: int = 8, dropout: float = 0.2) -> None:
        super().__init__()
        self.relations = relations
        self.layers = nn.ModuleList(BasisConv(dim, dim, relations, num_bases=bases) for _ in range(layers))
        self.drop = nn.Dropout(dropout)

    def forward(self, h: Tensor, batch: JointBatch) -> tuple[Tensor, Tensor]:
        """Return the nodes' last states."""
        source, target = batch.edges
        edges = EdgeRows.of(target, source, len(h), len(h))
        of = target * self.relations + batch.relation
        _, at, count = torch.unique(of, return_inverse=True, return_counts=True)
        share = 1 / count[at].to(h.dtype)
        for layer in self.layers:
            h = layer(self.drop(h), edges, batch.relation, share).relu()
        return h, h.new_zeros(0, batch.edges.shape[1] + len(h))
