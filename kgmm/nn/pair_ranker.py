"""Ranking (fact, answering end) pairs for a question: what the question looks for, compared with what facts say.

The question alone goes through a BERT whose matrices get low-rank corrections (LoRA; Hu et al., ICLR 2022). From its
vector come four looks: for the fact, for the answering end, for the other end, and for the seen thing behind it. Each is
compared with vectors of the text encoder, which a store computes once and keeps, so that thousands of facts cost one
short sentence and a few matrix products (late interaction, after Khattab & Zaharia, SIGIR 2020, with one vector a text).
Only corrections and heads are weights of this model; the BERT is the text encoder's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from kgmm.errors import KgmmError

_MATRICES = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)
#: looks: fact, answer, given end, seen thing; and how much each cosine counts before training
LOOKS, SCALES = 4, (8.0, 4.0, 4.0, 2.0)


@dataclass
class Pairs:
    """Candidates of one question; vectors are the text encoder's, zero where it has not read a text.

    Attributes:
        fact, subject, object, near: (n, D) vectors of the phrase, of both ends and of the seen thing it was reached from.
        relation: (n,) numbers of relations.
        features: (n, 2, F) what else describes each end as the answer; end 0 is the subject.
        seen: (n, 2) 1 for ends that are seen.
    """

    fact: Tensor
    subject: Tensor
    object: Tensor
    near: Tensor
    relation: Tensor
    features: Tensor
    seen: Tensor


class QuestionReader(nn.Module):
    """A BERT with low-rank corrections; a question's vector is the mean of its tokens', of unit length.

    Args:
        base: the BERT's weights, as :func:`bert` returns them; shared, not saved.
        config: its configuration.
        rank: of the corrections; one matrix of (m, n) gets rank × (m + n) weights.
        precision: in which matrices are multiplied.
    """

    def __init__(
        self,
        base: dict[str, Tensor],
        config: dict[str, float],
        rank: int = 16,
        precision: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.heads, self.depth = int(config["num_attention_heads"]), int(config["num_hidden_layers"])
        self.dim, self.epsilon = int(config["hidden_size"]), config["layer_norm_eps"]
        self.precision = precision
        self._base = base
        self._merged: dict[str, Tensor] | None = None
        self.down, self.up = nn.ParameterDict(), nn.ParameterDict()
        for name in self._matrices():
            out, into = base[f"{name}.weight"].shape
            key = name.replace(".", "_")
            self.down[key] = nn.Parameter(torch.randn(rank, into) / into**0.5)
            self.up[key] = nn.Parameter(torch.zeros(out, rank))

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Token ids and 1 for real tokens, both (n, length), to unit vectors (n, D)."""
        w = self._base
        x = (
            F.embedding(ids, w["embeddings.word_embeddings.weight"])
            + w["embeddings.position_embeddings.weight"][: ids.shape[1]]
            + w["embeddings.token_type_embeddings.weight"][0]
        )
        x = self._norm(x, "embeddings.LayerNorm")
        bias = torch.zeros(mask.shape).masked_fill(mask == 0, -1e9)[:, None, None]
        for layer in range(self.depth):
            prefix = f"encoder.layer.{layer}."
            x = self._norm(x + self._attend(x, bias, prefix), prefix + "attention.output.LayerNorm")
            inner = F.gelu(self._linear(x, prefix + "intermediate.dense"))
            x = self._norm(x + self._linear(inner, prefix + "output.dense"), prefix + "output.LayerNorm")
        real = mask.unsqueeze(-1).to(x.dtype)
        return F.normalize((x * real).sum(1) / real.sum(1).clamp(min=1), dim=1)

    def train(self, mode: bool = True) -> QuestionReader:
        """Switch to training or, with the corrections merged into the matrices once, to reading."""
        self._merged = None
        return super().train(mode)

    def _matrices(self) -> list[str]:
        return [f"encoder.layer.{layer}.{matrix}" for layer in range(self.depth) for matrix in _MATRICES]

    def _attend(self, x: Tensor, bias: Tensor, prefix: str) -> Tensor:
        n, length, _ = x.shape
        q, k, v = (
            self._linear(x, f"{prefix}attention.self.{part}").view(n, length, self.heads, -1).transpose(1, 2)
            for part in ("query", "key", "value")
        )
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype))
        return self._linear(
            mixed.transpose(1, 2).reshape(n, length, self.dim), prefix + "attention.output.dense"
        )

    def _linear(self, x: Tensor, name: str) -> Tensor:
        kind = self.precision
        bias = self._base[f"{name}.bias"]
        return F.linear(x.to(kind), self._matrix(name).to(kind), bias.to(kind))

    def _matrix(self, name: str) -> Tensor:
        if self.training:
            return self._corrected(name)
        if self._merged is None:
            with torch.no_grad():
                self._merged = {
                    name: self._corrected(name).to(self.precision).detach() for name in self._matrices()
                }
        return self._merged[name]

    def _corrected(self, name: str) -> Tensor:
        key = name.replace(".", "_")
        corrected: Tensor = self._base[f"{name}.weight"] + self.up[key] @ self.down[key]
        return corrected

    def _norm(self, x: Tensor, name: str) -> Tensor:
        w = self._base
        out: Tensor = F.layer_norm(
            x.float(), (self.dim,), w[f"{name}.weight"], w[f"{name}.bias"], self.epsilon
        )
        return out


class PairRanker(nn.Module):
    """One logit for each end of each candidate fact to be a question's answer.

    logit = Σ sₖ cos(lookₖ(q), textₖ) + relation(q)[r, end] + gate(q)·x − ½ unseen(q) seen + MLP([x; cosines; relation(q)[r,
    end]; unseen(q)]), with x the standardized features of that end. unseen(q) is trained beside the ranking to say
    whether the question asks for what is not in the picture.

    Args:
        reader: of the question.
        features: numbers that describe an end.
        relations: numbers of relations told apart.
        hidden: units of the MLP.
        dropout: of the question's vector and of the hidden units.
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
        self.looks = nn.ModuleList(looks)
        self.scales = nn.Parameter(torch.tensor(SCALES))
        self.relation = nn.Linear(reader.dim, 2 * relations)
        self.gate = nn.Linear(reader.dim, features)
        self.unseen = nn.Linear(reader.dim, 1)
        for layer in (self.relation, self.gate, self.unseen):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.layers = nn.Sequential(
            nn.Linear(features + LOOKS + 2, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, 1)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, ids: Tensor, mask: Tensor, pairs: list[Pairs]) -> tuple[list[Tensor], Tensor]:
        """Questions' tokens (Q, length) and each one's candidates, to logits (n, 2) a question and unseen(q) (Q,)."""
        read = self.dropout(self.reader(ids, mask))
        looks = torch.stack([F.normalize(look(read), dim=1) for look in self.looks], 1)
        relation = self.relation(read).view(len(read), -1, 2)
        gate, unseen = self.gate(read), self.unseen(read).squeeze(1)
        logits = [self._one(looks[i], relation[i], gate[i], unseen[i], p) for i, p in enumerate(pairs)]
        return logits, unseen

    def _one(self, looks: Tensor, relation: Tensor, gate: Tensor, unseen: Tensor, p: Pairs) -> Tensor:
        fact, answer, given, near = looks
        of_fact, of_near = p.fact @ fact, p.near @ near
        cosines = torch.stack(
            [
                torch.stack([of_fact, p.subject @ answer, p.object @ given, of_near], 1),
                torch.stack([of_fact, p.object @ answer, p.subject @ given, of_near], 1),
            ],
            1,
        )
        asked = relation[p.relation].unsqueeze(-1)
        x = ((p.features - self.mean) / self.deviation).clamp(-8, 8)
        mixed: Tensor = self.layers(torch.cat([x, cosines, asked, unseen.expand_as(asked)], 2))
        return (cosines @ self.scales) + (asked + mixed).squeeze(-1) + x @ gate - 0.5 * unseen * p.seen


class Committee(nn.Module):
    """Several rankers of different beginnings over one BERT; their mean logits rank better than any one's.

    Args:
        folder: the BERT's ``config.json`` and ``model.safetensors``.
        features, relations, hidden, dropout, rank: see :class:`PairRanker` and :class:`QuestionReader`.
        members: how many.
        precision: in which the BERT's matrices are multiplied.

    Raises:
        KgmmError: if the folder holds no such model.
    """

    def __init__(
        self, folder: Path, features: int, relations: int, *, members: int = 3, rank: int = 16, hidden: int = 64,
        dropout: float = 0.3, precision: torch.dtype = torch.float32,
    ) -> None:  # fmt: skip
        super().__init__()
        base, config = bert(folder)
        self.members = nn.ModuleList(
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
        return [
            torch.stack(logits).mean(0)
            for logits in zip(*(m for m, _ in self(ids, mask, pairs)), strict=True)
        ]


def bert(folder: Path) -> tuple[dict[str, Tensor], dict[str, float]]:
    """Load a BERT's weights and configuration.

    Raises:
        KgmmError: if the folder holds none.
    """
    try:
        config = json.loads((folder / "config.json").read_text())
        weights = load_file(folder / "model.safetensors")
    except OSError as error:
        raise KgmmError(f"{folder}: no BERT to correct ({error})") from error
    return {key.removeprefix("bert."): value.float() for key, value in weights.items()}, config
