"""An open question's answer: guessed from a vocabulary by the text, and pointed at in the graph by facts whose relations fit."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kgmm.nn.joint_reader import JointReader, Pieces


@dataclass
class Evidence:
    """What speaks for the answers of B questions: n pieces of evidence."""

    question: Tensor  #: (n,) int64
    answer: Tensor  #: (n,) int64 column: the vocabulary's V, then the question's own E further answers
    kind: Tensor  #: (n,) int64
    weight: Tensor  #: (n,)
    further: Tensor  #: (B,) int64 how many answers beyond the vocabulary each question has

    def to(self, device: torch.device | str) -> Evidence:
        """Return the evidence on another device."""
        return Evidence(*(getattr(self, f.name).to(device) for f in fields(self)))


class OpenNetwork(nn.Module):
    r"""One logit an answer: the logarithm of what members think of it on average.

    Each member says :math:`s\, e_a^\top L t + b_a + \sum_{e ∋ a} g_{k(e)}(t)\, w_e`, t a layer of its own over the text's
    vectors and :math:`e_a` the encoder's vector of answer a, so that rare answers are known by like ones. The sum runs over
    the facts that join answer a to what is asked or seen: of what kind a fact has to be follows from the text. Answers that
    no training question has (not in the vocabulary) have one common bias: facts alone point at them. Training starts with
    facts that count nothing.

    Shapes:
        pieces of B questions (what is asked, the names of what is seen as one text, each name); evidence → logits
        (B, V + E), -∞ where a question has fewer than E further answers.

    Args:
        reader: of the texts.
        answers: V.
        kinds: of evidence; 0: none is read.
        hidden, dropout: width of t, and share of it that training leaves out.
        left_out: share of the text's vectors that training leaves out.
        members: networks that learn on their own.
    """

    vectors: Tensor  #: (V, D) of the answers; zero until they are given

    def __init__(
        self,
        reader: JointReader,
        answers: int,
        kinds: int,
        hidden: int = 512,
        dropout: float = 0.5,
        left_out: float = 0.2,
        members: int = 1,
    ) -> None:
        super().__init__()
        self.reader, self.answers, self.kinds = reader, answers, kinds
        self.register_buffer("vectors", torch.zeros(answers, reader.dim))
        sizes = reader.dim, answers, kinds, hidden
        self.members = nn.ModuleList(_Member(*sizes, dropout, left_out) for _ in range(members))

    def forward(self, pieces: Pieces, evidence: Evidence) -> Tensor:
        """Return logits."""
        shares = self.each(pieces, evidence).log_softmax(-1)
        return shares.logsumexp(0) - math.log(len(shares))

    def each(self, pieces: Pieces, evidence: Evidence) -> Tensor:
        """Return every member's logits, (members, B, V + E)."""
        texts = self.texts(pieces)
        return torch.stack([self._of(cast(_Member, member), texts, evidence) for member in self.members])

    def texts(self, pieces: Pieces) -> Tensor:
        """Return what members read of questions, (B, 5 D): vectors of question, names and their mean, and products with it."""
        z = F.normalize(self.reader(pieces), dim=1)
        first = pieces.counts.cumsum(0) - pieces.counts
        of = torch.arange(len(pieces), device=z.device).repeat_interleave(pieces.counts)
        name = torch.ones(len(z), dtype=torch.bool, device=z.device).index_fill(0, torch.cat([first, first + 1]), False)
        named = F.normalize(z.new_zeros(len(pieces), z.shape[1]).index_add(0, of[name], z[name]), dim=1)
        asked, seen, named = (part * z.shape[1] ** 0.5 for part in (z[first], z[first + 1], named))
        return torch.cat([asked, seen, asked * seen, named, asked * named], 1)

    def _of(self, member: _Member, texts: Tensor, evidence: Evidence) -> Tensor:
        t = member.layer(texts)
        said: Tensor = member.scale * (member.like(t) @ self.vectors.T) + member.bias
        if not self.kinds:
            return said
        most = int(evidence.further.max()) if len(evidence.further) else 0
        there = torch.arange(most, device=said.device) < evidence.further.unsqueeze(1)
        wide = torch.cat([said, member.beyond.expand(len(said), most)], 1)
        worth = member.gate(t)[evidence.question, evidence.kind] * evidence.weight
        wide = wide.index_put((evidence.question, evidence.answer), worth, accumulate=True)
        return torch.cat([wide[:, : self.answers], wide[:, self.answers :].masked_fill(~there, -torch.inf)], 1)


class _Member(nn.Module):
    """The weights of one member, see :class:`OpenNetwork`."""

    def __init__(self, dim: int, answers: int, kinds: int, hidden: int, dropout: float, left_out: float) -> None:
        super().__init__()
        self.layer = nn.Sequential(nn.Dropout(left_out), nn.Linear(5 * dim, hidden), nn.GELU(), nn.Dropout(dropout))
        self.like, self.bias = nn.Linear(hidden, dim), nn.Parameter(torch.zeros(answers))
        self.scale = nn.Parameter(torch.tensor(1.0))
        if kinds:
            self.gate = nn.Linear(hidden, kinds)
            self.beyond = nn.Parameter(torch.tensor(-2.0))
            nn.init.zeros_(self.gate.weight)
            nn.init.zeros_(self.gate.bias)


def build_open(weights: dict[str, Tensor], bert: dict[str, Any], network: dict[str, Any]) -> OpenNetwork:
    """Return a network by its settings, those of the reader under ``reader``, over a BERT that is given."""
    settings = dict(network)
    return OpenNetwork(JointReader(weights, bert, **settings.pop("reader")), **settings)


def soft_loss(logits: Tensor, scores: Tensor) -> Tensor:
    """Return the mean cross-entropy with answers' scores (B, A), each row's share of them; rows without any count nothing.

    >>> soft_loss(torch.tensor([[0.0, 0.0], [3.0, 0.0]]), torch.tensor([[0.6, 0.6], [0.0, 0.0]])).item() < 0.7
    True
    """
    total = scores.sum(1, keepdim=True)
    share = scores / total.clamp(min=1e-6)
    log_p = F.log_softmax(logits, 1).masked_fill(share == 0, 0.0)
    return -(share * log_p).sum() / max(int((total > 0).sum()), 1)
