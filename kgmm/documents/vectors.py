"""Vectors of passages by the text encoder, in whole numbers: 384 bytes a passage.

Each passage is read by itself, so that its vector depends on nothing else, whatever was read with it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from kgmm.documents import scoring
from kgmm.progress import Progress, silent

Vectors = NDArray[np.int8]

ENCODER = "minilm"
MOST = 2000  #: characters of a passage that are read; the encoder reads 256 tokens of them


def encoded(rows: Iterable[tuple[str, str, int]], total: int, progress: Progress | None = None) -> Vectors:
    """Return the vectors of passages, each with its text, title and place, shape (P, dim), on all cores but at most four."""
    from kgmm.encode.text import text_encoder

    encoder = text_encoder(ENCODER)
    out = np.empty((total, encoder.dim), np.int8)

    def vector(row: tuple[str, str, int]) -> Vectors:
        text, title, _ = row
        return whole(encoder.encode([f"{title}. {text[:MOST]}" if title else text[:MOST]])[0])

    with ThreadPoolExecutor(min(os.cpu_count() or 1, 4)) as cores:
        for at, made in enumerate(cores.map(vector, rows)):
            out[at] = made
            (progress or silent)(at + 1, total, "vectors")
    return out


def whole(vector: NDArray[np.float32]) -> Vectors:
    """Return a vector's direction in whole numbers from -127 to 127.

    >>> whole(np.array([0.5, -1.0, 0.001], np.float32)).tolist()
    [64, -127, 0]
    """
    made: Vectors = np.rint(vector * (127 / max(float(np.abs(vector).max()), 1e-9))).astype(np.int8)
    return made


def checksum() -> str:
    """Return what tells the encoder's weights from others, whose vectors are not compared."""
    from kgmm.encode.text import text_encoder

    return text_encoder(ENCODER).checksum.partition("-")[0]


def cosines(vectors: Vectors, text: str) -> NDArray[np.float64]:
    """Return the cosines of passages' vectors with a text's, (P,)."""
    from kgmm.encode.text import text_encoder
    from kgmm.encode.vectors import query_vector

    made: NDArray[np.float64] = scoring.cosines(vectors, whole(query_vector(text_encoder(ENCODER), text)))
    return made
