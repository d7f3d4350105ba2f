"""The graph network over a question's joint graph: text and graph read together, and a score for each choice.

A small BERT reads the question with each choice and the few facts that join them (:class:`~kgmm.nn.joint_reader.JointReader`);
its vectors are the first states of the question's and the choices' nodes, among which and the concepts
QA-GNN's attention (Yasunaga et al., NAACL 2021) passes messages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kgmm.nn.joint import JointBatch
from kgmm.nn.joint_reader import JointReader, Pieces
from kgmm.nn.qagnn import QAGNN
from kgmm.nn.rgcn import RGCN

#: what passes messages among the nodes
PASSING = ("qagnn", "rgcn")


@dataclass
class Scored:
    """What the network says of a batch."""

    logits: Tensor  #: (M,) one a choice, questions' choices one behind the other
    attention: Tensor  #: (L, E + N) of every layer, see :class:`~kgmm.nn.qagnn.QAGNN`; (0, 0) without a graph


class GraphNetwork(nn.Module):
    r"""One logit a choice: :math:`s \cos(z, z_c) + \mathrm{MLP}[z_c; z ∘ z_c] + \mathrm{MLP}[h_c; h_q; h_c ∘ h_q]`.

    :math:`z` and :math:`z_c` are the vectors of the question's and the choice's piece of text, :math:`h_q` and
    :math:`h_c` the last states of their nodes. Both MLPs start at zero, so that training starts at the text's cosine.

    Shapes:
        pieces of B questions with M choices in all, batch of their B joint graphs → logits (M,).

    Args:
        reader: of the texts.
        kinds, relations: of the graphs' nodes and edges, with ways back.
        dim, layers: width and depth of the graph's part; no *layers*: the text alone, and batches are not read.
        dropout: share of states that training leaves out.
        passing: what passes messages, one of :data:`PASSING`; only ``qagnn`` gives attention.

    Raises:
        ValueError: if nothing of that name passes messages.
    """

    def __init__(
        self,
        reader: JointReader,
        kinds: int,
        relations: int,
        dim: int = 64,
        layers: int = 3,
        dropout: float = 0.2,
        passing: str = "qagnn",
    ) -> None:
        super().__init__()
        if passing not in PASSING:
            raise ValueError(f"passing {passing!r}; there are {', '.join(PASSING)}")
        self.reader, text = reader, reader.dim
        self.scale = nn.Parameter(torch.tensor(10.0))
        self.by_text = _scorer(2 * text, 128, dropout)
        self.layers = layers
        if layers:
            self.node, self.said = nn.Linear(text, dim), nn.Linear(text, dim)
            self.graph: QAGNN | RGCN = (
                QAGNN(kinds, relations, dim, layers, dropout)
                if passing == "qagnn"
                else RGCN(relations, dim, layers, dropout=dropout)
            )
            self.by_graph = _scorer(3 * dim, dim, dropout)

    def forward(self, pieces: Pieces, batch: JointBatch | None = None) -> Scored:
        """Return logits and attention."""
        vectors = self.reader(pieces)
        first = pieces.counts.cumsum(0) - pieces.counts
        choice = torch.ones(len(vectors), dtype=torch.bool, device=vectors.device).index_fill(0, first, False)
        asked, said = vectors[first].repeat_interleave(pieces.counts - 1, 0), vectors[choice]
        near = asked * said * asked.shape[-1] ** 0.5
        logits = self.scale * F.cosine_similarity(asked, said) + self.by_text(torch.cat([said, near], -1)).squeeze(-1)
        if not self.layers or batch is None:
            return Scored(logits, logits.new_zeros(0, 0))
        h = self.node(batch.x).index_copy(0, batch.question, self.said(vectors[first]))
        h = F.gelu(h.index_copy(0, batch.choice, self.said(said)))
        h, attention = self.graph(h, batch)
        of_choice, of_question = h[batch.choice], h[batch.question].repeat_interleave(pieces.counts - 1, 0)
        graph = self.by_graph(torch.cat([of_choice, of_question, of_choice * of_question], -1)).squeeze(-1)
        return Scored(logits + graph, attention)


def _scorer(width: int, dim: int, dropout: float) -> nn.Sequential:
    last = nn.Linear(dim, 1)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.Dropout(dropout), nn.Linear(width, dim), nn.GELU(), nn.Dropout(dropout), last)


def build(weights: dict[str, Tensor], bert: dict[str, Any], network: dict[str, Any]) -> GraphNetwork:
    """Return a network by its settings, those of the reader under ``reader``, over a BERT that is given."""
    settings = dict(network)
    reader = JointReader(weights, bert, **settings.pop("reader"))
    return GraphNetwork(reader, **settings)
