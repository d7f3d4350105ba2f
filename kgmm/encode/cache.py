"""Vectors computed once and kept on disk: half precision, memory-mapped, found by 64-bit keys."""

import fcntl
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kgmm.encode.text import Encoder
from kgmm.files import publish

Keys = NDArray[np.uint64]
Vectors = NDArray[np.float32]

CHUNK = 8192  #: Texts encoded between two writes to the cache, so that an interrupted run keeps what it has done.


def fact_keys(subject: ArrayLike, predicate: ArrayLike, object: ArrayLike) -> Keys:
    """Return one 64-bit key a fact, (n,) uint64, mixed from its three term ids, shape (n,) each.

    1 M facts collide with probability 3e-8. The mixing is splitmix64's, one to one (Steele et al., OOPSLA 2014).

    >>> fact_keys([1], [2], [3]) == fact_keys([3], [2], [1])
    array([False])
    """
    key = np.zeros(np.shape(subject), np.uint64)
    for part in (subject, predicate, object):
        key = key ^ (np.asarray(part).astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15))
        key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        key = key ^ (key >> np.uint64(31))
    return key


class VectorCache:
    """Vectors of one model on disk, in a subfolder of *folder* named after its checksum.

    ``vectors.f16`` and ``keys.u64`` only grow; ``index.json``, replaced in one step, says how many rows count. Readers
    in other processes therefore see the rows of some finished :meth:`put`, and a killed writer leaves rows that nobody
    counts and the next writer overwrites. Files that do not fit together are started anew.

    >>> import tempfile
    >>> cache = VectorCache(tempfile.mkdtemp(), dim=2, checksum="abc")
    >>> cache.put(np.array([7], np.uint64), np.array([[0.5, 1.0]], np.float32))
    >>> cache.get(np.array([7, 8], np.uint64))[0].tolist(), len(cache)
    ([True, False], 1)
    """

    def __init__(self, folder: str | Path, dim: int, checksum: str) -> None:
        safe = re.sub(r"[^A-Za-z0-9_.-]", "_", checksum)
        self.folder: Path = Path(folder) / f"{safe}-{dim}"
        self.dim = dim
        self._stamp: tuple[int, ...] | None = None
        self._clear()
        self.folder.mkdir(parents=True, exist_ok=True)

    def _clear(self) -> None:
        self._sorted: Keys = np.empty(0, np.uint64)
        self._rows: NDArray[np.int64] = np.empty(0, np.int64)
        self._vectors: NDArray[np.float16] = np.empty((0, self.dim), np.float16)

    def __len__(self) -> int:
        self._refresh()
        return len(self._sorted)

    def get(self, keys: Keys) -> tuple[NDArray[np.bool_], Vectors]:
        """Return which keys are here, shape (n,), and their vectors, shape (n, dim), zero where absent."""
        self._refresh()
        keys = np.asarray(keys, np.uint64)
        found, rows = self._find(keys)
        if found.all():
            return found, self._vectors[rows].astype(np.float32)
        out = np.zeros((len(keys), self.dim), np.float32)
        out[found] = self._vectors[rows[found]]
        return found, out

    def has(self, keys: Keys) -> NDArray[np.bool_]:
        """Return which keys are here, shape (n,), without reading vectors."""
        self._refresh()
        return self._find(np.asarray(keys, np.uint64))[0]

    def _find(self, keys: Keys) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        if not len(self._sorted):
            return np.zeros(len(keys), bool), np.zeros(len(keys), np.int64)
        at = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
        return self._sorted[at] == keys, self._rows[at]

    def put(self, keys: Keys, vectors: NDArray[np.floating]) -> None:
        """Add vectors (n, dim) under keys (n,); keys already here keep theirs. ValueError if the shapes do not fit."""
        keys, vectors = np.asarray(keys, np.uint64), np.asarray(vectors)
        if vectors.shape != (len(keys), self.dim):
            raise ValueError(f"expected vectors of shape ({len(keys)}, {self.dim}), got {vectors.shape}")
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # one writer at a time, others wait
            self._refresh()
            new, first = np.unique(keys, return_index=True)
            absent = ~self._find(new)[0]
            new, first = new[absent], first[absent]
            if not len(new):
                return
            count = self._counted()
            half = vectors[first].clip(-65504, 65504).astype(np.float16)
            _write_at(self.folder / "vectors.f16", count * self.dim * 2, half.tobytes())
            _write_at(self.folder / "keys.u64", count * 8, new.tobytes())
            entry = {"count": count + len(new), "dim": self.dim, "dtype": "float16"}
            publish(self.folder / "index.json", json.dumps(entry).encode())
        self._refresh()

    def _counted(self) -> int:
        """Return the number of rows that count; 0 if the files are missing, damaged or do not fit."""
        try:
            entry = json.loads((self.folder / "index.json").read_text())
            count, dim = int(entry["count"]), int(entry["dim"])
            keys = (self.folder / "keys.u64").stat().st_size
            vectors = (self.folder / "vectors.f16").stat().st_size
        except (OSError, ValueError, KeyError, TypeError):
            return 0
        return count if dim == self.dim and count >= 0 and keys >= count * 8 and vectors >= count * dim * 2 else 0

    def _refresh(self) -> None:
        """Map the files again if another writer has committed since."""
        try:
            status = (self.folder / "index.json").stat()
        except FileNotFoundError:
            self._stamp = None
            self._clear()
            return
        stamp = (status.st_mtime_ns, status.st_ino, status.st_size)
        if stamp == self._stamp:
            return
        self._clear()
        if count := self._counted():
            keys = np.fromfile(self.folder / "keys.u64", np.uint64, count)
            self._rows = np.argsort(keys, kind="stable")
            self._sorted = keys[self._rows]
            self._vectors = np.memmap(self.folder / "vectors.f16", np.float16, mode="r", shape=(count, self.dim))
        self._stamp = stamp


def _write_at(path: Path, offset: int, data: bytes) -> None:
    """Write bytes at an offset and cut off what lay behind it (rows of a writer that was killed)."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    with os.fdopen(descriptor, "r+b") as stream:
        stream.seek(offset)
        stream.write(data)
        stream.truncate()


def encode_cached(
    encoder: Encoder, cache: VectorCache, keys: Keys, texts_of_missing: Callable[[NDArray[np.int64]], list[str]]
) -> Vectors:
    """Return the vectors of keys, (n, dim) float32 of half precision, encoding and keeping those the cache lacks.

    *texts_of_missing* returns the texts of given positions in *keys*; what is cached is never spelled out.

    >>> import tempfile
    >>> from kgmm.encode.text import text_encoder
    >>> encoder = text_encoder()
    >>> cache = VectorCache(tempfile.mkdtemp(), encoder.dim, encoder.checksum)
    >>> words = ["dog", "cat"]
    >>> keys = np.array([11, 12], np.uint64)
    >>> encode_cached(encoder, cache, keys, lambda rows: [words[r] for r in rows]).shape
    (2, 384)
    """
    keys = np.asarray(keys, np.uint64)
    found, vectors = cache.get(keys)
    if found.all():
        return vectors
    missing = np.flatnonzero(~found)
    missing = missing[np.unique(keys[missing], return_index=True)[1]]
    for start in range(0, len(missing), CHUNK):
        part = missing[start : start + CHUNK]
        cache.put(keys[part], encoder.encode(texts_of_missing(part)))
    left = np.flatnonzero(~found)
    vectors[left] = cache.get(keys[left])[1]
    return vectors
