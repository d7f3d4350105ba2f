"""Mucko: question-guided convolution inside the visual, semantic and fact graph, then across them (Zhu et al., IJCAI 2020)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch_geometric.nn import MessagePassing
from torch_geometric.utils import softmax

from kgmm.nn.joint import JointBatch

BOX = 5  #: numbers that say how one box lies to another


def box_relations(boxes: Tensor, pairs: Tensor) -> Tensor:
    """Return how box j lies to box i: ((x_j - x_i) / w_i, (y_j - y_i) / h_i, w_j / w_i, h_j / h_i, area_j / area_i).

    Shapes:
        boxes (n, 4) centre, width, height; pairs (2, e) j, i → (e, 5), all 0 where either has no box.
    """
    j, i = boxes[pairs]
    there = ((j[:, 2:] > 0) & (i[:, 2:] > 0)).all(-1, keepdim=True)
    size = i[:, 2:].clamp(min=1e-6)
    scale = j[:, 2:] / size
    ways = [(j[:, :2] - i[:, :2]) / size, scale, scale.prod(-1, keepdim=True)]
    return torch.cat(ways, -1).masked_fill(~there, 0.0)


def pairs_within(sources: Tensor, targets: Tensor, graphs: int) -> Tensor:
    """Return all pairs (source, target) of one graph: ascending graph numbers (n,) and (m,) → positions (2, pairs).

    >>> pairs_within(torch.tensor([0, 0, 1]), torch.tensor([0, 2]), 3).tolist()
    [[0, 1], [0, 0]]
    """
    count = torch.bincount(sources, minlength=graphs)
    first = count.cumsum(0) - count
    each = count[targets]
    target = torch.arange(len(targets), device=targets.device).repeat_interleave(each)
    nth = torch.arange(len(target), device=targets.device) - (each.cumsum(0) - each).repeat_interleave(each)
    return torch.stack([first[targets[target]] + nth, target])


class GuidedConvolution(MessagePassing):  # type: ignore[misc]  # PyG has no types
    r"""Convolution inside one graph, guided by the question (the paper's intra-modal knowledge selection).

    .. math::
        α_i = \mathrm{softmax}_i(w_a^\top \tanh(W_1 v_i + W_2 q)), \quad v'_j = W_5[v_j; r_{ji}], \quad q'_i = W_6[v_i; q]

        β_{ji} = \mathrm{softmax}_j(w_b^\top \tanh(W_3 v'_j + W_4 q'_i)), \quad m_i = \sum_j β_{ji} v'_j, \quad
        \hat v_i = \mathrm{ReLU}(W_7[m_i; α_i v_i])

    Shapes:
        v (n, D), q (n, d) the question of each node's graph, edge_index (2, e), r (e, R), graph (n,), graphs B
        → v̂ (n, D), α (n,), β (e,).
    """

    def __init__(self, dim: int, relation: int, text: int) -> None:
        super().__init__(aggr="sum")
        self.w1, self.w2, self.wa = nn.Linear(dim, dim), nn.Linear(text, dim, bias=False), nn.Linear(dim, 1)
        self.w5, self.w6 = nn.Linear(dim + relation, dim), nn.Linear(dim + text, dim)
        self.w3, self.w4, self.wb = nn.Linear(dim, dim), nn.Linear(dim, dim, bias=False), nn.Linear(dim, 1)
        self.w7 = nn.Linear(2 * dim, dim)

    def forward(
        self, v: Tensor, q: Tensor, edge_index: Tensor, r: Tensor, graph: Tensor, graphs: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the nodes' next states and the attention over nodes and edges."""
        alpha = softmax(self.wa(torch.tanh(self.w1(v) + self.w2(q))).squeeze(-1), graph, num_nodes=graphs)
        source, target = edge_index
        sent, asked = self.w5(torch.cat([v[source], r], -1)), self.w6(torch.cat([v, q], -1))
        logits = self.wb(torch.tanh(self.w3(sent) + self.w4(asked)[target])).squeeze(-1)
        beta = softmax(logits, target, num_nodes=len(v))
        m = self.propagate(edge_index, sent=sent, beta=beta, size=(len(v), len(v)))
        return self.w7(torch.cat([m, alpha.unsqueeze(-1) * v], -1)).relu(), alpha, beta

    def message(self, sent: Tensor, beta: Tensor) -> Tensor:
        """Return weighted messages, (e, D)."""
        return beta.unsqueeze(-1) * sent


class CrossConvolution(MessagePassing):  # type: ignore[misc]  # PyG has no types
    r"""What fact nodes take from all nodes of another graph: :math:`γ_{ji} = \mathrm{softmax}_j(w_c^\top \tanh(W_8 \hat v_j + W_9[\hat v_i; q]))`.

    Shapes:
        theirs (m, D), ours (n, D), q (n, d), pairs (2, p) theirs, ours → :math:`\sum_j γ_{ji} \hat v_j` (n, D), 0 for
        nodes of no pair, γ (p,).
    """

    def __init__(self, dim: int, text: int) -> None:
        super().__init__(aggr="sum")
        self.w8, self.w9, self.wc = nn.Linear(dim, dim), nn.Linear(dim + text, dim, bias=False), nn.Linear(dim, 1)

    def forward(self, theirs: Tensor, ours: Tensor, q: Tensor, pairs: Tensor) -> tuple[Tensor, Tensor]:
        """Return what each fact node takes, and its attention."""
        source, target = pairs
        joint = self.w8(theirs)[source] + self.w9(torch.cat([ours, q], -1))[target]
        gamma = softmax(self.wc(torch.tanh(joint)).squeeze(-1), target, num_nodes=len(ours))
        m = self.propagate(pairs, x=(theirs, ours), gamma=gamma, size=(len(theirs), len(ours)))
        return m, gamma

    def message(self, x_j: Tensor, gamma: Tensor) -> Tensor:
        """Return weighted messages, (p, D)."""
        return gamma.unsqueeze(-1) * x_j


class Mucko(nn.Module):
    r"""Three graphs of a joint graph: objects by their boxes, objects by what the scene states, concepts by facts.

    Each is convolved once; then T times every concept takes from the other two graphs, gated element by element,
    :math:`\tilde v_i = W(σ(W_g[m^V; m^S; \hat v_i]) ∘ [m^V; m^S; \hat v_i])`, and the concepts are convolved again. Here
    facts are the joint graph's and the semantic graph is the scene's relations and attributes, where the paper has captions.
    Each concept is then an answer or not: :class:`kgmm.nn.joint.Pointer` with :func:`weighted_loss`.

    Shapes:
        h (N, D), batch, text (B, d) → h (N, D) with the concepts' last states, attention by name: ``visual``,
        ``semantic``, ``fact`` (N,), α of the graph's (last) convolution, 0 outside it.

    Args:
        relations: number of relation types with those of ways back.
        text, dim, rounds: d, D and T; 2 in the paper.
    """

    def __init__(self, relations: int, text: int, dim: int = 200, rounds: int = 2) -> None:
        super().__init__()
        self.relation = nn.Embedding(relations, dim)
        self.visual = GuidedConvolution(dim, BOX, text)
        self.semantic, self.fact = (GuidedConvolution(dim, dim, text) for _ in range(2))
        self.from_visual, self.from_semantic = (
            nn.ModuleList(CrossConvolution(dim, text) for _ in range(rounds)) for _ in range(2)
        )
        self.gate, self.join = (nn.ModuleList(nn.Linear(3 * dim, n * dim) for _ in range(rounds)) for n in (3, 1))
        self.again = nn.ModuleList(GuidedConvolution(dim, dim, text) for _ in range(rounds))

    def forward(self, h: Tensor, batch: JointBatch, text: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the nodes' states and what was attended to."""
        count, q = len(batch), text[batch.graph]
        objects, facts = batch.objects.nonzero().squeeze(1), batch.concepts.nonzero().squeeze(1)
        said = batch.objects.index_fill(0, batch.edges[:, batch.seen].flatten(), True).nonzero().squeeze(1)
        place = torch.full_like(batch.graph, -1)

        def among(nodes: Tensor, edges: Tensor) -> Tensor:
            return place.index_copy(0, nodes, torch.arange(len(nodes), device=h.device))[batch.edges[:, edges]]

        near = pairs_within(batch.graph[objects], batch.graph[objects], count)
        near = near[:, near[0] != near[1]]
        given = h[objects], q[objects], near, box_relations(batch.boxes[objects], near), batch.graph[objects], count
        seen, visual, _ = self.visual(*given)
        r = self.relation(batch.relation)
        given = h[said], q[said], among(said, batch.seen), r[batch.seen], batch.graph[said], count
        told, semantic, _ = self.semantic(*given)
        stated, asked, graph = among(facts, batch.known), q[facts], batch.graph[facts]
        v, alpha, _ = self.fact(h[facts], asked, stated, r[batch.known], graph, count)
        to_seen, to_told = (pairs_within(batch.graph[nodes], graph, count) for nodes in (objects, said))
        rounds = zip(self.from_visual, self.from_semantic, self.gate, self.join, self.again, strict=True)
        for from_visual, from_semantic, gate, join, again in rounds:
            both = [from_visual(seen, v, asked, to_seen)[0], from_semantic(told, v, asked, to_told)[0]]
            joint = torch.cat([*both, v], -1)
            v = join(torch.sigmoid(gate(joint)) * joint)
            v, alpha, _ = again(v, asked, stated, r[batch.known], graph, count)
        zero = h.new_zeros(len(h))
        shown = {"visual": (objects, visual), "semantic": (said, semantic), "fact": (facts, alpha)}
        return h.index_copy(0, facts, v), {name: zero.index_copy(0, *pair) for name, pair in shown.items()}


def weighted_loss(logits: Tensor, right: Tensor, positive: float = 0.7) -> Tensor:
    """Return the mean binary cross-entropy of logits (n,) with labels (n,) bool: answers weigh 0.7, others 0.3 (Mucko)."""
    weight = torch.where(right, positive, 1 - positive)
    return nn.functional.binary_cross_entropy_with_logits(logits, right.to(logits.dtype), weight)
