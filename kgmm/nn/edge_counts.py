"""The baseline that only counts: how many edges of each relation join which kinds of nodes (after GSC, Wang et al., ICLR 2022)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from kgmm.nn.joint import JointBatch


class EdgeCounts(nn.Module):
    r"""Score a graph linearly: :math:`\sum_c w_c \log(1 + n_c) + b`, :math:`n_c` its edges of each (node type, relation, node type).

    GSC learns a number for each such kind of edge, too, and sums them along two hops; where a network is no better than
    this, it does not reason over the graph.

    Shapes:
        batch → scores (B,).
    """

    def __init__(self, kinds: int, relations: int) -> None:
        super().__init__()
        self.kinds, self.relations = kinds, relations
        self.weight = nn.Embedding(kinds * relations * kinds, 1)
        self.bias = nn.Parameter(torch.zeros(1))
        nn.init.zeros_(self.weight.weight)

    def forward(self, batch: JointBatch) -> Tensor:
        """Return the scores."""
        s, t = batch.kind[batch.edges]
        kind = (s * self.relations + batch.relation) * self.kinds + t
        size = self.weight.num_embeddings
        found, count = torch.unique(batch.graph[batch.edges[0]] * size + kind, return_counts=True)
        worth = self.weight(found % size).squeeze(-1) * count.log1p()
        scores: Tensor = self.bias + worth.new_zeros(len(batch)).index_add(0, found // size, worth)
        return scores
