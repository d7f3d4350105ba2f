"""QA-GNN: relation-aware graph attention whose messages know node types and relevance (Yasunaga et al., NAACL 2021)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch_geometric.utils import softmax

from kgmm.nn.joint import JointBatch
from kgmm.nn.sparse import EdgeRows, dots, sums


@dataclass
class TypedEdges:
    """Edges among N nodes, each of one of K kinds, as products along them read them."""

    target: Tensor  #: (E,)
    ends: EdgeRows  #: source → target
    kinds: EdgeRows  #: source → kind
    heard: EdgeRows  #: target → kind

    @classmethod
    def of(cls, edge_index: Tensor, kind: Tensor, nodes: int, kinds: int) -> TypedEdges:
        """Return edges (2, E) of kinds (E,)."""
        source, target = edge_index
        rows = (source, target, nodes, nodes), (source, kind, nodes, kinds), (target, kind, nodes, kinds)
        return cls(target, *(EdgeRows.of(*given) for given in rows))


class RelationAttention(nn.Module):
    r"""One layer of QA-GNN.

    .. math::
        m_{st} = f_m(h_s, u_s, r_{st}), \quad q_s = f_q(h_s, u_s, ρ_s), \quad k_t = f_k(h_t, u_t, ρ_t, r_{st})

        α_{st} = \mathrm{softmax}_{s ∈ N_t ∪ \{t\}}(q_s^\top k_t / \sqrt D), \quad h_t' = f_n(\sum_s α_{st} m_{st}) + h_t

    :math:`f_m, f_q, f_k` are linear: what they make of nodes and of relations is computed once for each node and each kind
    of edge, and added. :math:`f_n` has two layers, with layer normalization where the authors have batch normalization,
    so that a question's score does not depend on those beside it.

    Shapes:
        h (N, D); u (N, U) types; rho (N, U) relevance; r (K, D) kinds of edges; edges, a loop at every node among them
        → h' (N, D), α (E,).
    """

    def __init__(self, dim: int, side: int, dropout: float) -> None:
        super().__init__()
        self.message_of, self.message_by = nn.Linear(dim + side, dim), nn.Linear(dim, dim, bias=False)
        self.query = nn.Linear(dim + 2 * side, dim)
        self.key_of, self.key_by = nn.Linear(dim + 2 * side, dim), nn.Linear(dim, dim, bias=False)
        self.update_with = nn.Sequential(
            nn.Linear(dim, dim), nn.LayerNorm(dim), nn.ReLU(), nn.Linear(dim, dim), nn.Dropout(dropout)
        )

    def forward(self, h: Tensor, u: Tensor, rho: Tensor, r: Tensor, edges: TypedEdges) -> tuple[Tensor, Tensor]:
        """Return the nodes' next states and the attention."""
        side = torch.cat([h, u, rho], -1)
        query = self.query(side)
        logits = dots(query, self.key_of(side), edges.ends) + dots(query, self.key_by(r), edges.kinds)
        alpha = softmax(logits / h.shape[-1] ** 0.5, edges.target, num_nodes=len(h))
        sent = self.message_of(torch.cat([h, u], -1))
        heard = sums(alpha, sent, edges.ends.turned) + sums(alpha, self.message_by(r), edges.heard)
        return self.update_with(heard) + h, alpha


class QAGNN(nn.Module):
    r"""L layers of :class:`RelationAttention` over joint graphs.

    :math:`r_{st} = f_r(e_{st}, u_s, u_t)` of two layers, :math:`u` the embedded node type, :math:`ρ` the embedded relevance.
    Every node hears itself by a relation of its own.

    Shapes:
        h (N, D), batch → h (N, D), attention (L, E + N): the batch's edges, then each node to itself.

    Args:
        kinds, relations: numbers of node types, and of relation types with those of ways back.
        dim, layers, dropout: D, L and the share of states that training leaves out; 200, 5 and 0.2 in the paper.

    Raises:
        IndexError: if a batch has a node or relation type beyond these.
    """

    def __init__(self, kinds: int, relations: int, dim: int = 200, layers: int = 5, dropout: float = 0.2) -> None:
        super().__init__()
        side = dim // 2
        self.kinds, self.relations = kinds, relations
        self.kind = nn.Embedding(kinds, side)
        self.relevance = nn.Sequential(nn.Linear(1, side), nn.GELU(), nn.Linear(side, side))
        #: the first layer of f_r, which reads three one-hot vectors, is the sum of their embeddings
        self.relation, self.source, self.target = (nn.Embedding(n, dim) for n in (relations + 1, kinds, kinds))
        self.edge = nn.Sequential(nn.ReLU(), nn.Linear(dim, dim))
        self.layers = nn.ModuleList(RelationAttention(dim, side, dropout) for _ in range(layers))
        self.drop = nn.Dropout(dropout)

    def forward(self, h: Tensor, batch: JointBatch) -> tuple[Tensor, Tensor]:
        """Return the nodes' last states and the attention of every layer."""
        loops = torch.arange(len(h), device=h.device).expand(2, -1)
        edges = torch.cat([batch.edges, loops], 1)
        relation = torch.cat([batch.relation, batch.relation.new_full((len(h),), self.relations)])
        s, t = batch.kind[edges]
        code, kind = torch.unique((relation * self.kinds + s) * self.kinds + t, return_inverse=True)
        ends = code // self.kinds % self.kinds, code % self.kinds
        e = self.relation(code // self.kinds**2)
        r = self.edge(e + self.source(ends[0]) + self.target(ends[1]))
        u, rho = self.kind(batch.kind), self.relevance(batch.relevance.unsqueeze(-1))
        joined, attention = TypedEdges.of(edges, kind, len(h), len(r)), []
        for layer in self.layers:
            h, alpha = layer(self.drop(h), u, rho, r, joined)
            attention.append(alpha)
        return h, torch.stack(attention) if attention else h.new_zeros(0, edges.shape[1])
