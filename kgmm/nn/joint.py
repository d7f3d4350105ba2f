"""Joint graphs in a batch, and what every network on them does the same: embed nodes, pool them, score graphs, point at nodes."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn
from torch_geometric.utils import softmax


@dataclass
class JointBatch:
    """B joint graphs as one graph of N nodes and E edges without an edge between any two of them.

    Each graph has one question node. Made by :func:`kgmm.graph.joint.batch`.
    """

    x: Tensor  #: (N, d) vectors of the nodes' words
    kind: Tensor  #: (N,) int64 node types
    relevance: Tensor  #: (N,) cosine with the question, in [-1, 1]
    boxes: Tensor  #: (N, 4) centre, width, height of objects; 0 for other nodes
    edges: Tensor  #: (2, E) int64 sources and targets
    relation: Tensor  #: (E,) int64 relation types; ways back are types of their own
    weight: Tensor  #: (E,)
    graph: Tensor  #: (N,) int64 which graph a node is of, ascending
    question: Tensor  #: (B,) int64 node of each graph's question
    choice: Tensor  #: (M,) int64 nodes of the choices, ascending
    #: (N,) bool: seen objects, and concepts; (E,) bool: what a scene states, and what knowledge states
    objects: Tensor
    concepts: Tensor
    seen: Tensor
    known: Tensor

    def __len__(self) -> int:
        return len(self.question)

    def to(self, device: torch.device | str) -> JointBatch:
        """Return the batch on another device."""
        return JointBatch(*(getattr(self, f.name).to(device) for f in fields(self)))


class NodeInput(nn.Module):
    r"""First states: :math:`h_i = \mathrm{GELU}(W x_i + W_b b_i)`, those of questions from the text's own vector.

    Shapes:
        batch, text (B, d) or None for the question nodes' own → (N, D).
    """

    def __init__(self, text: int, dim: int) -> None:
        super().__init__()
        self.node, self.asked, self.box = nn.Linear(text, dim), nn.Linear(text, dim), nn.Linear(4, dim, bias=False)

    def forward(self, batch: JointBatch, text: Tensor | None = None) -> Tensor:
        """Return the states."""
        h = self.node(batch.x) + self.box(batch.boxes)
        asked = self.asked(batch.x[batch.question] if text is None else text)
        return nn.functional.gelu(h.index_copy(0, batch.question, asked))


class AttentionPool(nn.Module):
    r"""Nodes of each graph pooled by what is asked: :math:`g = \sum_i a_i W_v h_i`, :math:`a = \mathrm{softmax}((W_q z)^\top W_k h_i/\sqrt D)`.

    Shapes:
        h (N, D), text (B, d), graph (N,), mask (N,) bool → pooled (B, D), 0 where a graph has no node of *mask*,
        attention (N,), 0 outside the mask.
    """

    def __init__(self, text: int, dim: int) -> None:
        super().__init__()
        self.query, self.key, self.value = nn.Linear(text, dim), nn.Linear(dim, dim), nn.Linear(dim, dim)

    def forward(self, h: Tensor, text: Tensor, graph: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return pooled nodes and attention."""
        rows = mask.nonzero().squeeze(1)
        kept, at = h[rows], graph[rows]
        logits = (self.query(text)[at] * self.key(kept)).sum(-1) / h.shape[-1] ** 0.5
        a = softmax(logits, at, num_nodes=len(text))
        pooled = h.new_zeros(len(text), h.shape[-1]).index_add(0, at, a.unsqueeze(-1) * self.value(kept))
        return pooled, h.new_zeros(len(h)).index_copy(0, rows, a)


def _scorer(width: int, dim: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, dim), nn.GELU(), nn.Dropout(dropout), nn.Linear(dim, 1))


class GraphScore(nn.Module):
    r"""One score a graph, an MLP of :math:`[z; h_z; g]` (QA-GNN), for graphs of one choice each.

    Shapes:
        h (N, D), text z (B, d), batch → scores (B,), pooling attention (N,).
    """

    def __init__(self, text: int, dim: int, dropout: float = 0.2) -> None:
        super().__init__()
        self.pool, self.score = AttentionPool(text, dim), _scorer(text + 2 * dim, dim, dropout)

    def forward(self, h: Tensor, text: Tensor, batch: JointBatch) -> tuple[Tensor, Tensor]:
        """Return scores and attention."""
        others = torch.ones_like(batch.graph, dtype=torch.bool).index_fill(0, batch.question, False)
        g, attention = self.pool(h, text, batch.graph, others)
        return self.score(torch.cat([text, h[batch.question], g], -1)).squeeze(-1), attention


class Pointer(nn.Module):
    r"""One logit a node, an MLP of :math:`[h_i; h_z; z; x_i ∘ z]`: over choices' nodes it scores them, over concepts it answers.

    Shapes:
        h (N, D), text z (B, d), batch, nodes (M,) int64 → logits (M,).
    """

    def __init__(self, text: int, dim: int, dropout: float = 0.2) -> None:
        super().__init__()
        self.score = _scorer(2 * dim + 2 * text, dim, dropout)

    def forward(self, h: Tensor, text: Tensor, batch: JointBatch, nodes: Tensor) -> Tensor:
        """Return logits; a softmax over those of one graph is the caller's (:func:`torch_geometric.utils.softmax`)."""
        z = text[batch.graph[nodes]]
        alike = batch.x[nodes] * z * z.shape[-1] ** 0.5
        asked = h[batch.question][batch.graph[nodes]]
        logits: Tensor = self.score(torch.cat([h[nodes], asked, z, alike], -1)).squeeze(-1)
        return logits
