"""Embeddings of texts by a plain BERT such as MiniLM (Wang et al., NeurIPS 2020), loaded in a tenth of a second."""

import json
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from kgmm.nn.bert import Bert, load_bert
from kgmm.nn.threads import one_thread

#: Token rows in one forward pass: enough to keep two cores busy, few enough to stay in their caches.
TOKENS_PER_BATCH = 4096
#: fewer tokens than these, what a question asks for, are read by one thread: two on busy cores cost three times the CPU time
FEW = 3000


def fast_precision() -> torch.dtype:
    """Return bfloat16 where the processor multiplies it natively, else float32.

    Measured on two cores with AMX: MiniLM encodes twice as many phrases a second as in float32, the cosine
    between both results is at least 0.9999.
    """
    native = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return torch.bfloat16 if native else torch.float32


def is_plain_bert(folder: Path) -> bool:
    """Tell whether a model folder is BERT weights with mean pooling, which :class:`BertEncoder` can run."""
    config, pooling = folder / "config.json", folder / "1_Pooling" / "config.json"
    if not all(f.is_file() for f in (config, pooling, folder / "model.safetensors", folder / "tokenizer.json")):
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

    Texts of equal token length run together, so that no padding is computed. Vectors differ a little by *precision*
    (the machine's faster one by default), so that ``checksum`` names it too where it is not float32: vectors kept on
    one machine are not mixed with those of another.
    """

    def __init__(self, folder: Path, name: str, checksum: str, precision: torch.dtype | None = None) -> None:
        weights, config = load_bert(folder)
        precision = precision or fast_precision()
        kind = "" if precision == torch.float32 else f"-{str(precision).removeprefix('torch.')}"
        self.name: str = name
        self.checksum: str = checksum + kind
        self.network: Bert = Bert(weights, config, precision).eval()
        self.dim: int = self.network.dim
        limits = folder / "sentence_bert_config.json"
        longest = json.loads(limits.read_text())["max_seq_length"] if limits.is_file() else 512
        self.tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(min(longest, config["max_position_embeddings"]))
        self.tokenizer.no_padding()

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Return one unit vector a text, shape (len(texts), dim)."""
        out = np.empty((len(texts), self.dim), np.float32)
        if not texts:
            return out
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        by_length: dict[int, list[int]] = {}
        for row, tokens in enumerate(ids):
            by_length.setdefault(len(tokens), []).append(row)
        few = sum(map(len, ids)) < FEW
        with torch.inference_mode(), one_thread() if few else nullcontext():
            for length, rows in by_length.items():
                step = max(1, TOKENS_PER_BATCH // length)
                for start in range(0, len(rows), step):
                    part = rows[start : start + step]
                    out[part] = self.network(torch.tensor([ids[row] for row in part])).numpy()
        return out
