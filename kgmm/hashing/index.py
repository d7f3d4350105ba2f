"""Nearest binary codes by Hamming distance: FAISS indexes chosen by size."""

from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kgmm.errors import BadInput, KgmmError, needed
from kgmm.files import whole
from kgmm.hashing.base import Codes

#: up to here every code is compared (exact; 1 M codes of 128 bits take milliseconds); beyond, a graph is followed
FLAT = 4_000_000


class CodeIndex:
    """An index of packed binary codes, shape (n, bytes).

    Its *kind* is ``flat`` (exact), ``hnsw`` (approximate, for many millions) or ``auto``: by size.

    Raises:
        MissingExtra: if FAISS is not installed.
        KgmmError: if codes are not packed bytes or the kind is unknown.

    Example:
        >>> index = CodeIndex(np.array([[0b0000], [0b0011], [0b1111]], np.uint8))
        >>> index.search(np.array([[0b0001]], np.uint8), k=2)[0].tolist()
        [[0, 1]]
    """

    def __init__(self, codes: ArrayLike, kind: str = "auto") -> None:
        packed = _packed(codes)
        faiss = _faiss()
        if kind == "auto":
            kind = "flat" if len(packed) <= FLAT else "hnsw"
        bits = 8 * packed.shape[1]
        if kind not in ("flat", "hnsw"):
            raise KgmmError(f"no index of kind {kind!r}; there are auto, flat and hnsw")
        self.index: Any = faiss.IndexBinaryFlat(bits) if kind == "flat" else faiss.IndexBinaryHNSW(bits, 16)
        if kind == "hnsw":
            self.index.hnsw.efConstruction, self.index.hnsw.efSearch = 80, 128
        self.index.add(packed)

    def __len__(self) -> int:
        return int(self.index.ntotal)

    @property
    def bits(self) -> int:
        """Length of a code."""
        return int(self.index.d)

    def search(self, queries: ArrayLike, k: int = 10) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return rows and Hamming distances of the *k* codes nearest to each query, shape (queries, min(k, n)) each.

        Raises:
            KgmmError: if the queries have another length or *k* is not positive.
        """
        if k < 1:
            raise KgmmError(f"k must be positive, not {k}")
        distances, rows = self.index.search(self._fitting(queries), min(k, max(len(self), 1)))
        return rows, distances

    def radius(self, query: ArrayLike, distance: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return rows and distances, shape (found,), of all codes within a Hamming distance of one query, nearest first.

        Raises:
            KgmmError: if it is not one query, or of another length.
        """
        one = self._fitting(np.atleast_2d(np.asarray(query)))
        if len(one) != 1:
            raise KgmmError(f"radius takes one query, shape (bytes,) or (1, bytes), not {len(one)}; ask one by one")
        reach = min(256, len(self))
        if not reach:
            return np.empty(0, np.int64), np.empty(0, np.int32)
        while True:  # the nearest come first, so looking further stops at the first one outside
            rows, distances = self.search(one, reach)
            if reach == len(self) or distances[0, -1] > distance:
                inside = distances[0] <= distance
                return rows[0][inside], distances[0][inside]
            reach = min(4 * reach, len(self))

    def save(self, path: str | Path) -> None:
        """Write the index, whole or not at all."""
        with whole(Path(path)) as draft:
            _faiss().write_index_binary(self.index, str(draft))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read an index; BadInput if the file is none."""
        made = cls.__new__(cls)
        try:
            made.index = _faiss().read_index_binary(str(path))
        except RuntimeError as error:
            raise BadInput(path, f"not an index of binary codes: {str(error).splitlines()[0]}") from error
        return made

    def _fitting(self, queries: ArrayLike) -> Codes:
        packed = _packed(queries)
        if 8 * packed.shape[1] != self.bits:
            raise KgmmError(f"the index has codes of {self.bits} bits, the query {8 * packed.shape[1]}")
        return packed


def _packed(codes: ArrayLike) -> Codes:
    array = np.asarray(codes)
    if array.ndim != 2 or array.dtype != np.uint8 or array.shape[1] == 0:
        raise KgmmError(f"codes must be packed bytes of shape (n, bytes), not {array.dtype} of shape {array.shape}")
    return np.ascontiguousarray(array)


def _faiss() -> Any:
    with needed("faiss", "hashing"):
        import faiss
    return faiss
