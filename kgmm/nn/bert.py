"""A BERT in plain torch, from a folder's files: what encodes texts and what a ranker corrects.

One fixed architecture (Devlin et al. 2019) with the mean of its tokens as a text's vector (Reimers and Gurevych 2019).
Libraries that hold it take seconds to import, which a command line feels at every call; the forward pass is tested
against sentence-transformers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from kgmm.errors import KgmmError
from kgmm.nn.mask import masked_mean


class Bert(nn.Module):
    """Token ids to unit vectors. Its weights are given (see :func:`load_bert`), not trained and not saved.

    *weights* bear the names of a BERT's ``model.safetensors`` without ``bert.``, *config* is its ``config.json``;
    matrices are multiplied in *precision*.
    """

    def __init__(
        self, weights: dict[str, Tensor], config: dict[str, Any], precision: torch.dtype = torch.float32
    ) -> None:
        super().__init__()
        sizes = (config[size] for size in ("hidden_size", "num_attention_heads", "num_hidden_layers"))
        self.dim, self.heads, self.depth = map(int, sizes)
        self.epsilon: float = config["layer_norm_eps"]
        self.precision, self._given = precision, weights
        self._products: dict[str, tuple[Tensor, Tensor]] = {}

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Token ids and 1 for real tokens (all, by default), both (n, length), to unit vectors (n, D)."""
        x = self.embed(ids)
        bias = None
        if mask is not None:
            bias = torch.zeros(mask.shape).masked_fill(mask == 0, -1e9)[:, None, None].to(self.precision)
        for layer in range(self.depth):
            x = self.layer(x, bias, layer)
        return F.normalize(x.mean(dim=1) if mask is None else masked_mean(x, mask), dim=1)

    def embed(self, ids: Tensor) -> Tensor:
        """Return what the first layer reads: token ids (n, length) → (n, length, D)."""
        w = self._given
        x = (
            F.embedding(ids, w["embeddings.word_embeddings.weight"])
            + w["embeddings.position_embeddings.weight"][: ids.shape[1]]
            + w["embeddings.token_type_embeddings.weight"][0]
        )
        return self._norm(x, "embeddings.LayerNorm")

    def layer(self, x: Tensor, bias: Tensor | None, layer: int) -> Tensor:
        """Return what a layer makes of (n, length, D); *bias* is added to the attention's logits."""
        prefix = f"encoder.layer.{layer}."
        x = self._norm(x + self._attend(x, bias, prefix), prefix + "attention.output.LayerNorm")
        inner = F.gelu(self._linear(x, prefix + "intermediate.dense"))
        return self._norm(x + self._linear(inner, prefix + "output.dense"), prefix + "output.LayerNorm")

    def train(self, mode: bool = True) -> Bert:
        """Switch to training or to reading, which keeps each matrix as it is multiplied."""
        self._products = {}
        return super().train(mode)

    def matrix(self, name: str) -> Tensor:
        """Return the weights (out, in) of one product; a subclass may correct them."""
        return self._given[f"{name}.weight"]

    def _attend(self, x: Tensor, bias: Tensor | None, prefix: str) -> Tensor:
        """Mix tokens; query, key and value are one product, not three."""
        n, length, _ = x.shape
        parts = [f"{prefix}attention.self.{part}" for part in ("query", "key", "value")]
        q, k, v = self._linear(x, *parts).view(n, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        return self._linear(mixed.transpose(1, 2).reshape(n, length, self.dim), prefix + "attention.output.dense")

    def _linear(self, x: Tensor, *names: str) -> Tensor:
        kept = self._products.get(names[0])
        if kept is None:
            kept = (
                torch.cat([self.matrix(name) for name in names]).to(self.precision),
                torch.cat([self._given[f"{name}.bias"] for name in names]).to(self.precision),
            )
            if not self.training:
                self._products[names[0]] = kept = (kept[0].detach(), kept[1])
        return F.linear(x.to(self.precision), *kept)

    def _norm(self, x: Tensor, name: str) -> Tensor:
        w = self._given
        return F.layer_norm(x.float(), (self.dim,), w[f"{name}.weight"], w[f"{name}.bias"], self.epsilon)


def load_bert(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Load a BERT's weights, in single precision, and configuration; KgmmError if the folder holds none."""
    try:
        config = json.loads((folder / "config.json").read_text())
        weights = load_file(folder / "model.safetensors")
    except OSError as error:
        raise KgmmError(f"{folder}: no BERT ({error})") from error
    return {key.removeprefix("bert."): value.float() for key, value in weights.items()}, config
