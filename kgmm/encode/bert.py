"""A BERT sentence encoder in plain torch: loads in a tenth of a second and pads nothing.

Sentence-transformers takes seconds to import, which a command line feels at every call. The default
encoder is one fixed architecture (BERT with mean pooling; Devlin et al. 2019, Reimers and Gurevych 2019),
so its forward pass is written out here and tested against sentence-transformers.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file

from kgmm.encode.precision import fast_precision

#: Token rows in one forward pass: enough to keep two cores busy, few enough to stay in their caches.
TOKENS_PER_BATCH = 4096


def is_plain_bert(folder: Path) -> bool:
    """Tell whether a model folder is BERT weights with mean pooling, which :class:`BertEncoder` can run."""
    config, pooling = folder / "config.json", folder / "1_Pooling" / "config.json"
    needed = (config, pooling, folder / "model.safetensors", folder / "tokenizer.json")
    if not all(file.is_file() for file in needed):
        return False
    settings, pool = json.loads(config.read_text()), json.loads(pooling.read_text())
    return bool(
        settings.get("model_type") == "bert"
        and settings.get("hidden_act") == "gelu"
        and settings.get("position_embedding_type", "absolute") == "absolute"
        and pool.get("pooling_mode_mean_tokens")
        and not pool.get("pooling_mode_cls_token")
    )


class BertEncoder:
    """Mean-pooled BERT embeddings of short texts, rows of unit length.

    Texts of equal token length run together, so that no padding is computed.
    """

    def __init__(self, folder: Path, name: str, checksum: str) -> None:
        from tokenizers import Tokenizer

        config = json.loads((folder / "config.json").read_text())
        self.name, self.checksum = name, checksum
        self.dim: int = config["hidden_size"]
        self.heads: int = config["num_attention_heads"]
        self.layers: int = config["num_hidden_layers"]
        self.epsilon: float = config["layer_norm_eps"]
        limits = folder / "sentence_bert_config.json"
        longest = json.loads(limits.read_text())["max_seq_length"] if limits.is_file() else 512
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(min(longest, config["max_position_embeddings"]))
        self.tokenizer.no_padding()
        weights = load_file(folder / "model.safetensors")
        weights = {key.removeprefix("bert."): value.float() for key, value in weights.items()}
        self.precision = fast_precision()
        self._weights = weights
        self._products = {
            key.removesuffix(".weight"): (value.to(self.precision), weights[bias].to(self.precision))
            for key, value in weights.items()
            if value.dim() == 2 and (bias := key.removesuffix("weight") + "bias") in weights
        }
        self._query_key_value = [self._stacked(layer) for layer in range(self.layers)]

    def _stacked(self, layer: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the three input projections of one layer as one matrix, which is one product not three."""
        prefix = f"encoder.layer.{layer}.attention.self."
        parts = [self._products.pop(prefix + part) for part in ("query", "key", "value")]
        return torch.cat([weight for weight, _ in parts]), torch.cat([bias for _, bias in parts])

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Return one unit vector a text, shape (len(texts), dim)."""
        out = np.empty((len(texts), self.dim), np.float32)
        if not texts:
            return out
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        by_length: dict[int, list[int]] = {}
        for row, tokens in enumerate(ids):
            by_length.setdefault(len(tokens), []).append(row)
        with torch.inference_mode():
            for length, rows in by_length.items():
                step = max(1, TOKENS_PER_BATCH // length)
                for start in range(0, len(rows), step):
                    part = rows[start : start + step]
                    out[part] = self._forward(torch.tensor([ids[row] for row in part])).numpy()
        return out

    def _forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Token ids (n, length), all real tokens, to unit vectors (n, dim)."""
        w = self._weights
        x = (
            F.embedding(ids, w["embeddings.word_embeddings.weight"])
            + w["embeddings.position_embeddings.weight"][: ids.shape[1]]
            + w["embeddings.token_type_embeddings.weight"][0]
        )
        x = self._norm(x, "embeddings.LayerNorm")
        for layer in range(self.layers):
            prefix = f"encoder.layer.{layer}."
            x = self._norm(x + self._attention(x, layer), prefix + "attention.output.LayerNorm")
            inner = F.gelu(self._linear(x, prefix + "intermediate.dense"))
            x = self._norm(x + self._linear(inner, prefix + "output.dense"), prefix + "output.LayerNorm")
        return F.normalize(x.mean(dim=1), dim=1)

    def _attention(self, x: torch.Tensor, layer: int) -> torch.Tensor:
        n, length, _ = x.shape
        stacked = F.linear(x.to(self.precision), *self._query_key_value[layer])
        q, k, v = stacked.view(n, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, length, self.dim)
        return self._linear(mixed, f"encoder.layer.{layer}.attention.output.dense")

    def _linear(self, x: torch.Tensor, name: str) -> torch.Tensor:
        return F.linear(x.to(self.precision), *self._products[name])

    def _norm(self, x: torch.Tensor, name: str) -> torch.Tensor:
        w = self._weights
        return F.layer_norm(x, (self.dim,), w[name + ".weight"], w[name + ".bias"], self.epsilon)
