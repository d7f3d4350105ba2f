"""Ranking (fact, answering end) pairs for a question: what the question looks for, compared with what facts say.

The question alone goes through a BERT whose matrices get low-rank corrections (LoRA; Hu et al., ICLR 2022). From its
vector come four looks: for the fact, for the answering end, for the other end, and for the seen thing behind it. Each is
compared with vectors of the text encoder, which a store computes once and keeps, so that thousands of facts cost one
short sentence and a few matrix products (late interaction, after Khattab & Zaharia, SIGIR 2020, with one vector a text).
Only corrections and heads are weights of this model; the BERT is the text encoder's.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kgmm.nn.bert import Bert, load_bert

_MATRICES = (
    "attention.self.query attention.self.key attention.self.value attention.output.dense intermediate.dense output.dense"
).split()
#: looks: fact, answer, given end, seen thing; and how much each cosine counts before training
LOOKS, SCALES = 4, (8.0, 4.0, 4.0, 2.0)


@dataclass
class Pairs:
    """Candidates of one question; vectors are the text encoder's, zero where it has not read a text."""

    fact: Tensor  #: (n, D) vectors of the phrase, and below of both ends
    subject: Tensor
    object: Tensor
    near: Tensor  #: (n, D) vectors of the seen thing it was reached from
    relation: Tensor  #: (n,) numbers of relations
    features: Tensor  #: (n, 2, F) what else describes each end as the answer; end 0 is the subject
    seen: Tensor  #: (n, 2) 1 for ends that are seen


class Asked(NamedTuple):
    """What questions look for: four looks (Q, 4, D), each relation's end (Q, R, 2), features (Q, F), the unseen (Q,)."""

    looks: Tensor
    relation: Tensor
    gate: Tensor
    unseen: Tensor


class QuestionReader(Bert):
    """A BERT with low-rank corrections, all that is trained and saved: *rank* × (m + n) weights a matrix of (m, n)."""

    def __init__(
        self, weights: dict[str, Tensor], config: dict[str, Any], rank: int = 16, precision: torch.dtype = torch.float32
    ) -> None:
        super().__init__(weights, config, precision)
        self.down, self.up = nn.ParameterDict(), nn.ParameterDict()
        for layer in range(self.depth):
            for matrix in _MATRICES:
                name = f"encoder.layer.{layer}.{matrix}"
                out, into = weights[f"{name}.weight"].shape
                key = name.replace(".", "_")
                self.down[key] = nn.Parameter(torch.randn(rank, into) / into**0.5)
                self.up[key] = nn.Parameter(torch.zeros(out, rank))

    def matrix(self, name: str) -> Tensor:
        """Return the corrected weights (out, in) of one product."""
        key = name.replace(".", "_")
        corrected: Tensor = super().matrix(name) + self.up[key] @ self.down[key]
        return corrected


class PairRanker(nn.Module):
    """One logit for each end of each candidate fact to be a question's answer.

    logit = Σ sₖ cos(lookₖ(q), textₖ) + relation(q)[r, end] + gate(q)·x − ½ unseen(q) seen + MLP([x; cosines;
    relation(q)[r, end]; unseen(q)]), with x the standardized features of that end, so many *features*, and r of so many
    *relations*. The MLP has *hidden* units. unseen(q) is trained beside the ranking to say whether the question asks
    for what is not in the picture.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self, reader: QuestionReader, features: int, relations: int, hidden: int = 64, dropout: float = 0.3
    ) -> None:
        super().__init__()
        self.reader = reader
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("deviation", torch.ones(features))
        looks = [nn.Linear(reader.dim, reader.dim) for _ in range(LOOKS)]
        for look in looks:
            nn.init.eye_(look.weight)
            nn.init.zeros_(look.bias)
        self.looks: nn.ModuleList = nn.ModuleList(looks)
        self.scales, self.relation = nn.Parameter(torch.tensor(SCALES)), nn.Linear(reader.dim, 2 * relations)
        self.gate, self.unseen = nn.Linear(reader.dim, features), nn.Linear(reader.dim, 1)
        for layer in (self.relation, self.gate, self.unseen):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.layers: nn.Sequential = nn.Sequential(
            nn.Linear(features + LOOKS + 2, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, 1)
        )
        self.dropout: nn.Dropout = nn.Dropout(dropout)

    def forward(self, ids: Tensor, mask: Tensor, pairs: list[Pairs]) -> tuple[list[Tensor], Tensor]:
        """Questions' tokens (Q, length) and each one's candidates, to logits (n, 2) a question and unseen(q) (Q,)."""
        asked = self.read(ids, mask)
        logits = [self.score(Asked(*(part[i] for part in asked)), p) for i, p in enumerate(pairs)]
        return logits, asked.unseen

    def read(self, ids: Tensor, mask: Tensor) -> Asked:
        """Questions' tokens (Q, length) to what they look for, one row a question."""
        read = self.dropout(self.reader(ids, mask))
        looks = torch.stack([F.normalize(look(read), dim=1) for look in self.looks], 1)
        relation = self.relation(read).view(len(read), -1, 2)
        return Asked(looks, relation, self.gate(read), self.unseen(read).squeeze(1))

    def score(self, asked: Asked, p: Pairs) -> Tensor:
        """One question's row and its candidates to logits (n, 2)."""
        (fact, answer, given, near), relation, gate, unseen = asked
        of_fact, of_near = p.fact @ fact, p.near @ near
        ends = ((p.subject, p.object), (p.object, p.subject))
        cosines = torch.stack([torch.stack([of_fact, a @ answer, g @ given, of_near], 1) for a, g in ends], 1)
        end = relation[p.relation].unsqueeze(-1)
        x = ((p.features - self.mean) / self.deviation).clamp(-8, 8)
        mixed: Tensor = self.layers(torch.cat([x, cosines, end, unseen.expand_as(end)], 2))
        return (cosines @ self.scales) + (end + mixed).squeeze(-1) + x @ gate - 0.5 * unseen * p.seen


class Committee(nn.Module):
    """Several rankers of different beginnings over one BERT; their mean logits rank better than any one's.

    *folder* has the BERT's ``config.json`` and ``model.safetensors``, else KgmmError; the rest is of
    :class:`PairRanker` and :class:`QuestionReader`, *precision* that in which the BERT's matrices are multiplied.
    """

    def __init__(
        self,
        folder: Path,
        features: int,
        relations: int,
        *,
        members: int = 3,
        rank: int = 16,
        hidden: int = 64,
        dropout: float = 0.3,
        precision: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        base, config = load_bert(folder)
        self.members: nn.ModuleList = nn.ModuleList(
            PairRanker(QuestionReader(base, config, rank, precision), features, relations, hidden, dropout)
            for _ in range(members)
        )
        #: logistic from an answer's log-probability and its explicit score to how likely it is right
        self.register_buffer("confidence", torch.tensor([1.0, 0.0, 0.0]))

    confidence: Tensor

    def forward(self, ids: Tensor, mask: Tensor, pairs: list[Pairs]) -> list[tuple[list[Tensor], Tensor]]:
        """Return what each member does, see :class:`PairRanker`."""
        return [member(ids, mask, pairs) for member in self.members]

    def rank(self, ids: Tensor, mask: Tensor, pairs: list[Pairs]) -> list[Tensor]:
        """Return the mean of the members' logits, (n, 2) a question."""
        read = self.read(ids, mask)
        return [self.score([Asked(*(part[i] for part in asked)) for asked in read], p) for i, p in enumerate(pairs)]

    def read(self, ids: Tensor, mask: Tensor) -> list[Asked]:
        """Return what each member says that the questions look for."""
        return [member.read(ids, mask) for member in self.members]  # type: ignore[operator]

    def score(self, asked: list[Asked], p: Pairs) -> Tensor:
        """Return the mean of the members' logits (n, 2) for one question."""
        scores = [member.score(a, p) for member, a in zip(self.members, asked, strict=True)]  # type: ignore[operator]
        return torch.stack(scores).mean(0)
