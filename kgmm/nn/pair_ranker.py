"""Ranking (fact, answering end) pairs for a question: readable features, and the words of both read together.

The features go through a small network. The words go through a BERT whose matrices get low-rank corrections (LoRA; Hu
et al., ICLR 2022), question and fact in one sequence (a cross-encoder; Nogueira & Cho 2019), with one logit for
each end of the fact. Only the corrections are weights of this model; the BERT is the text encoder's.
"""

from __future__ import annotations

import json
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


class FeatureRanker(nn.Module):
    """A two-layer network over the features of one pair.

    Args:
        features: numbers a pair is described by.
        hidden: units.
        dropout: of the hidden units.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, features: int, hidden: int = 64, dropout: float = 0.1) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("deviation", torch.ones(features))
        self.layers = nn.Sequential(
            nn.Linear(features, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Features (..., F) to logits (...)."""
        out: Tensor = self.layers(((x - self.mean) / self.deviation).clamp(-8, 8))
        return out.squeeze(-1)


class WordRanker(nn.Module):
    """A BERT with low-rank corrections that reads question and fact together.

    Args:
        folder: the BERT's ``config.json`` and ``model.safetensors``.
        rank: of the corrections; one matrix of (m, n) gets rank × (m + n) weights.
        precision: in which matrices are multiplied.

    Raises:
        KgmmError: if the folder holds no such model.
    """

    def __init__(self, folder: Path, rank: int = 16, precision: torch.dtype = torch.float32) -> None:
        super().__init__()
        try:
            config = json.loads((folder / "config.json").read_text())
            weights = load_file(folder / "model.safetensors")
        except OSError as error:
            raise KgmmError(f"{folder}: no BERT to correct ({error})") from error
        weights = {key.removeprefix("bert."): value.float() for key, value in weights.items()}
        self.heads: int = config["num_attention_heads"]
        self.depth: int = config["num_hidden_layers"]
        self.dim: int = config["hidden_size"]
        self.epsilon: float = config["layer_norm_eps"]
        self.precision = precision
        self._base = weights  # no buffers: they are not this model's to save
        self._merged: dict[str, Tensor] | None = None
        self.down, self.up = nn.ParameterDict(), nn.ParameterDict()
        for layer in range(self.depth):
            for matrix in _MATRICES:
                name = f"encoder.layer.{layer}.{matrix}"
                out, into = weights[f"{name}.weight"].shape
                key = name.replace(".", "_")
                self.down[key] = nn.Parameter(torch.randn(rank, into) / into**0.5)
                self.up[key] = nn.Parameter(torch.zeros(out, rank))
        self.head = nn.Linear(2 * self.dim, 2)
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(self.head.bias)

    def forward(self, ids: Tensor, mask: Tensor, segment: Tensor) -> Tensor:
        """Token ids, 1 for real tokens, 1 for the fact's tokens, all (n, length), to logits of both ends (n, 2)."""
        x = self._embed(ids, segment)
        bias = torch.zeros(mask.shape).masked_fill(mask == 0, -1e9)[:, None, None]
        for layer in range(self.depth):
            prefix = f"encoder.layer.{layer}."
            x = self._norm(x + self._attend(x, bias, prefix), prefix + "attention.output.LayerNorm")
            inner = F.gelu(self._linear(x, prefix + "intermediate.dense"))
            x = self._norm(x + self._linear(inner, prefix + "output.dense"), prefix + "output.LayerNorm")
        fact = segment.unsqueeze(-1).to(x.dtype)
        question = mask.unsqueeze(-1).to(x.dtype) - fact
        parts = [(x * part).sum(1) / part.sum(1).clamp(min=1) for part in (question, fact)]
        out: Tensor = self.head(torch.cat(parts, 1))
        return out

    def train(self, mode: bool = True) -> WordRanker:
        """Switch to training or, with the corrections merged into the matrices once, to ranking."""
        self._merged = None
        return super().train(mode)

    def _embed(self, ids: Tensor, segment: Tensor) -> Tensor:
        w = self._base
        x = (
            F.embedding(ids, w["embeddings.word_embeddings.weight"])
            + w["embeddings.position_embeddings.weight"][: ids.shape[1]]
            + F.embedding(segment, w["embeddings.token_type_embeddings.weight"])
        )
        return self._norm(x, "embeddings.LayerNorm")

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
                    name: self._corrected(name).to(self.precision)
                    for layer in range(self.depth)
                    for matrix in _MATRICES
                    for name in (f"encoder.layer.{layer}.{matrix}",)
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
