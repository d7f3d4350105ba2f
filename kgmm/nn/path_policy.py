"""A policy that walks a knowledge graph to the answer of a question (Das et al., MINERVA, ICLR 2018).

Nodes and relations are read by the vectors of their names, so that those never seen have a place; relations that were learned from have
a learned part too, and nodes where they are few. Of step t, with question relation q, start node x₀, node x and history h:

    e(r) = A v(r) + d(direction) + own(r)        n(x) = P v(x) + own(x)
    h_t  = GRU(h_(t-1), [e(r_t); n(x_t)])
    s    = MLP([e(q); n(x₀); h_t; n(x_t); onehot(t)])
    π(a) = softmax over ways a of  s · [e(r_a); n(x_a)] / √d + w(q, t) · f_a

f_a are the :data:`FEATURES` of a way: numbers that its caller counts.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

#: what a way is told by beside the vectors: log(1 + weight), whether its relation is the one asked, the same turned round, whether
#: it leads back, cosine of its target with the start, log(1 + how often the target answers the relation asked)
FEATURES = 6
HOPS = 3  #: steps of a walk at most


class PathPolicy(nn.Module):
    """Logits of the ways from where walks are.

    Args:
        relations: number of relations learned from; number 0 stands for all others, 1 for stopping.
        text: length of the vectors of names.
        size: of embeddings and history.
        entities: number of nodes with a learned part; number 0 stands for all others.
        dropout: share of the embeddings' numbers left out in training.
    """

    def __init__(
        self, relations: int, text: int = 384, size: int = 48, entities: int = 0, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.settings: dict[str, Any] = {"relations": relations, "text": text, "size": size}
        self.settings |= {"entities": entities, "dropout": dropout}
        self.size = size
        self.dropout = nn.Dropout(dropout)
        self.named = nn.Linear(text, size, bias=False)
        self.direction = nn.Embedding(2, size)
        self.own = nn.Embedding(2 * (relations + 2), size)
        self.node = nn.Linear(text, size, bias=False)
        self.history = nn.GRUCell(2 * size, size)
        self.state = nn.Sequential(nn.Linear(4 * size + HOPS, 2 * size), nn.ReLU(), nn.Linear(2 * size, 2 * size))
        self.weigh = nn.Linear(size + HOPS, FEATURES)
        for table in (self.direction, self.own):
            nn.init.normal_(table.weight, std=0.1)
        with torch.no_grad():
            self.own.weight[:2] = 0
        if entities:
            self.places = nn.Embedding(entities + 1, size)
            nn.init.normal_(self.places.weight, std=0.1)

    def relation(self, vectors: Tensor, number: Tensor, turned: Tensor) -> Tensor:
        """Return e(r), (c, size), of relations' name vectors (c, text), numbers and directions (0, 1), (c,) each."""
        known = (number > 0).float()[:, None]
        found: Tensor = self.named(vectors) + self.direction(turned) + known * self.own(2 * number + turned)
        return self.dropout(found)  # type: ignore[no-any-return]

    def place(self, vectors: Tensor, number: Tensor) -> Tensor:
        """Return n(x), (m, size), of nodes' name vectors (m, text) and numbers (m,)."""
        found: Tensor = self.node(vectors)
        if self.settings["entities"]:
            found = found + (number > 0).float()[:, None] * self.places(number)
        return self.dropout(found)  # type: ignore[no-any-return]

    def begin(self, count: int) -> Tensor:
        """Return the history of *count* walks that have not begun, (count, size)."""
        return torch.zeros(count, self.size, device=self.node.weight.device)

    def went(self, history: Tensor, relation: Tensor, node: Tensor) -> Tensor:
        """Return the history after a step by a relation to a node, embedded, (n, size) each."""
        found: Tensor = self.history(torch.cat([relation, node], 1), history)
        return found

    def forward(
        self,
        step: int,
        question: Tensor,
        start: Tensor,
        history: Tensor,
        node: Tensor,
        tables: tuple[Tensor, Tensor],
        ways: tuple[Tensor, Tensor],
        features: Tensor,
        there: Tensor,
    ) -> Tensor:
        """Return log-probabilities of ways, (n, k).

        Args:
            step: from 0 to :data:`HOPS` - 1.
            question, start, history, node: embedded, (n, size) each.
            tables: embedded relations (c, size) and nodes (m, size).
            ways: rows of those tables, (n, k) each.
            features: (n, k, :data:`FEATURES`).
            there: (n, k) which ways there are.
        """
        at = torch.zeros(len(question), HOPS, device=question.device)
        at[:, step] = 1
        state = self.state(torch.cat([question, start, history, node, at], 1)) / self.size**0.5
        score = _products(state[:, : self.size], tables[0], ways[0])
        score = score + _products(state[:, self.size :], tables[1], ways[1])
        score = score + torch.einsum("nf,nkf->nk", self.weigh(torch.cat([question, at], 1)), features)
        found: Tensor = score.masked_fill(~there, -1e9).log_softmax(1)
        return found


def _products(state: Tensor, table: Tensor, at: Tensor) -> Tensor:
    """Return the products of states (n, d) with rows *at* (n, k) of a table, by all products where the table is small."""
    if len(table) <= 4 * at.shape[1]:
        return torch.gather(state @ table.T, 1, at)
    return torch.einsum("nd,nkd->nk", state, table[at])
