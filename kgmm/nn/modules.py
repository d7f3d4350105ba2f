r"""Neural modules: small differentiable maps on the nodes of a scene graph (Andreas 2016; N2NMN, Hu 2017).

A module reads attentions over nodes in [0, 1] and returns an attention, or a value: a number, a truth in [0, 1], or
logits over words. Words (``red``, ``left_of``) enter as ids with an embedding. Shapes: nodes (B, N, d), mask (B, N),
attention (B, N), word (B,), edges (B, N, N, e), ``edges[b, i, j]`` describing j as seen from i.
"""

import torch
from torch import Tensor, nn

LIMIT, SHARPNESS = 8.0, 6.0  #: bound of a word's logit, and how steeply two numbers are compared


def bounded(score: Tensor) -> Tensor:
    """Keep logits within ± :data:`LIMIT`, smoothly: a module that is sure and wrong still learns."""
    return LIMIT * torch.tanh(score / LIMIT)


class Find(nn.Module):
    r"""Attend to nodes of which a word holds: :math:`a_i = σ(B(e_{word}^\top \mathrm{MLP}(v_i) + b_{word}))`.

    The MLP has one hidden layer of ReLU, and :math:`B(s) = 8 \tanh(s / 8)` is :func:`bounded`. Hu et al. 2017 have one
    product, without MLP and bound; one word's colour and place in a picture need the former to be told apart.
    """

    def __init__(self, node_dim: int, words: int, hidden: int) -> None:
        super().__init__()
        self.node = nn.Sequential(nn.Linear(node_dim, hidden), nn.ReLU(), nn.Linear(hidden, hidden))
        self.word, self.bias = nn.Embedding(words, hidden), nn.Embedding(words, 1)

    def forward(self, nodes: Tensor, mask: Tensor, word: Tensor) -> Tensor:
        """Return the attention of *word*, 0 at padding."""
        return self.every(nodes, mask)[torch.arange(len(nodes), device=nodes.device), :, word]

    def every(self, nodes: Tensor, mask: Tensor) -> Tensor:
        """Return the attention of all words at once: (B, N, words)."""
        return torch.sigmoid(self.scores(nodes)) * mask.unsqueeze(-1)

    def scores(self, nodes: Tensor) -> Tensor:
        """Return the logits of all words, which :func:`query` reads an attribute from: (B, N, words)."""
        return bounded(self.node(nodes) @ self.word.weight.T + self.bias.weight.squeeze(-1))


class Relate(nn.Module):
    r"""Attend to nodes that stand in a relation to attended ones: :math:`a'_j = \max_{i≠j} a_i\, σ(B(f_{rel}(u_{ij})))`.

    :math:`f_{rel}(u) = e_{rel}^\top \mathrm{MLP}(u) + b_{rel}`, an MLP of two ReLU layers, and B is :func:`bounded`.
    """

    def __init__(self, edge_dim: int, words: int, hidden: int) -> None:
        super().__init__()
        self.edge = nn.Sequential(nn.Linear(edge_dim, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU())
        self.word, self.bias = nn.Embedding(words, hidden), nn.Embedding(words, 1)

    def forward(self, attention: Tensor, edges: Tensor, mask: Tensor, word: Tensor) -> Tensor:
        """Return the attention of what is related; no node is related to itself."""
        holds = self.every(edges)[torch.arange(len(edges), device=edges.device), :, :, word]
        return follow(attention, holds, mask)

    def every(self, edges: Tensor) -> Tensor:
        """Return for all words at once how far they hold of each pair: (B, N, N, words), 0 from a node to itself."""
        score = self.edge(edges) @ self.word.weight.T + self.bias.weight.squeeze(-1)
        other = ~torch.eye(edges.shape[1], dtype=torch.bool, device=edges.device)
        return torch.sigmoid(bounded(score)) * other.unsqueeze(-1)


class Same(nn.Module):
    r"""Attend to other nodes that share an attended node's attribute (same colour, same shape).

    :math:`a'_j = \max_{i≠j} a_i \sum_c p_c(v_i) p_c(v_j)`, p the distribution over the attribute's values.
    """

    def forward(self, attention: Tensor, distribution: Tensor, mask: Tensor) -> Tensor:
        """Return the attention; *distribution* is (B, N, C), rows sum to one."""
        alike = distribution @ distribution.transpose(1, 2)
        other = ~torch.eye(mask.shape[1], dtype=torch.bool, device=mask.device)
        return follow(attention, alike * other, mask)


def follow(attention: Tensor, holds: Tensor, mask: Tensor) -> Tensor:
    r"""Move attention along pairs: :math:`a'_j = \max_i a_i h_{ij}`, 0 at padding."""
    return (attention.unsqueeze(-1) * holds).amax(1) * mask


def both(a: Tensor, b: Tensor) -> Tensor:
    """And: the smaller attention at each node."""
    return torch.minimum(a, b)


def either(a: Tensor, b: Tensor) -> Tensor:
    """Or: the larger attention at each node."""
    return torch.maximum(a, b)


def without(a: Tensor, b: Tensor) -> Tensor:
    """Except: attended by a and not by b."""
    return torch.minimum(a, 1 - b)


def count(attention: Tensor) -> Tensor:
    """Return the expected number of attended nodes: (B, N) → (B,)."""
    return attention.sum(-1)


def exist(attention: Tensor) -> Tensor:
    """Return how far some node is attended: (B, N) → (B,)."""
    return attention.amax(-1)


def compare(a: Tensor, b: Tensor, how: str) -> Tensor:
    """Return the truth of a comparison of two numbers: ``greater``, ``less`` or ``equal``, each (B,) → (B,).

    >>> compare(torch.tensor([3.0]), torch.tensor([2.0]), "greater").round().item()
    1.0
    """
    if how == "equal":
        return torch.exp(-SHARPNESS * (a - b).square())
    difference = a - b if how == "greater" else b - a
    return torch.sigmoid(SHARPNESS * (difference - 0.5))


def query(attention: Tensor, scores: Tensor) -> Tensor:
    r"""Read an attribute of the attended nodes: logits over its values :math:`\sum_i a_i s_i / \sum_i a_i`.

    The scores are those :class:`Find` gives the values' words, so what is learned by finding red things serves to
    say that a thing is red: (B, N), (B, N, values) → (B, values).
    """
    share = attention / attention.sum(1, keepdim=True).clamp(min=1e-6)
    return (share.unsqueeze(-1) * scores).sum(1)
