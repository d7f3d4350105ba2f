"""A graph learned for each question: which objects of a scene should talk (Norcliffe-Brown et al. 2018)."""

import torch
from torch import Tensor, nn

from kgmm.nn.mask import masked_softmax


class GraphLearner(nn.Module):
    r"""Learn each object's m neighbours given the question.

    :math:`e_n = F([v_n; q])` with two dense ReLU layers, adjacency :math:`E E^\top / \sqrt d`, neighbours N(i) = the m
    largest of row i, :math:`α_{ij}` = softmax over these m. The paper has no :math:`\sqrt d`, the width of e: the
    neighbours are the same without it, but at any width the softmax would soon give all to one.

    Shapes:
        nodes (B, N, d_v), question (B, d_q), mask (B, N) → neighbours (B, N, m) int64, weights (B, N, m), where m is
        at most N; slots that point to padding, and all slots of padded nodes, have weight 0.
    """

    def __init__(self, node_dim: int, question_dim: int, hidden: int = 512, neighbours: int = 16) -> None:
        super().__init__()
        self.neighbours = neighbours
        self.embed: nn.Sequential = nn.Sequential(
            nn.Linear(node_dim + question_dim, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()
        )

    def forward(self, nodes: Tensor, question: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return neighbours and their weights."""
        joint = torch.cat([nodes, question.unsqueeze(1).expand(-1, nodes.shape[1], -1)], -1)
        e = self.embed(joint)
        adjacency = e @ e.transpose(1, 2) / e.shape[-1] ** 0.5
        adjacency = adjacency.masked_fill(~mask.unsqueeze(1), torch.finfo(adjacency.dtype).min)
        top, neighbours = adjacency.topk(min(self.neighbours, nodes.shape[1]), dim=-1)
        real = mask.gather(1, neighbours.flatten(1)).view_as(neighbours) & mask.unsqueeze(-1)
        return neighbours, masked_softmax(top, real)
