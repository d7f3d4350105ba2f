"""Vectors of names, kept by what they say: one encoding a name for all data sets and runs that share a folder."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import xxhash
from numpy.typing import NDArray

from kgmm.complete.models import Floats
from kgmm.encode.cache import CHUNK, VectorCache, encode_cached
from kgmm.encode.text import text_encoder
from kgmm.progress import Progress, silent


def name_vectors(names: Sequence[str], folder: str | Path | None = None, progress: Progress = silent) -> Floats:
    """Return one unit vector a name (MiniLM), (n, 384); underscores are read as spaces.

    Args:
        names: of entities.
        folder: where vectors are kept and found again; nowhere by default.
        progress: told of names.

    Example:
        >>> vectors = name_vectors(["ice_cream", "ice cream", "car"])
        >>> bool(np.allclose(vectors[0], vectors[1])), vectors.shape
        (True, (3, 384))
    """
    encoder = text_encoder("minilm")
    said = [name.replace("_", " ") for name in names]
    order = sorted(range(len(said)), key=lambda at: (len(said[at]), said[at]))  # texts of one length run together
    out = np.empty((len(said), encoder.dim), np.float32)
    cache = VectorCache(folder, encoder.dim, encoder.checksum) if folder is not None else None
    for low in range(0, len(order), CHUNK):
        part = order[low : low + CHUNK]
        texts = [said[at] for at in part]
        if cache is None:
            out[part] = encoder.encode(texts)
        else:
            keys = np.array([xxhash.xxh3_64_intdigest(text.encode()) for text in texts], np.uint64)
            out[part] = encode_cached(encoder, cache, keys, partial(_chosen, texts))
        progress(min(low + CHUNK, len(order)), len(order), "names")
    return out


def _chosen(texts: list[str], rows: NDArray[np.int64]) -> list[str]:
    return [texts[row] for row in rows]
