"""Statements as places in a block of text: what a compiled reader hands to the compiled encoding."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kgmm.store.index import kernels

_FIELDS = ("predicate", "subject", "object", "source")
FEW = 128  #: distinct relations or data sets of a block that are numbered while parsing


class Few(NamedTuple):
    """A column of few distinct values: their numbers, and the row in which each comes first."""

    codes: NDArray[np.uint8]
    firsts: NDArray[np.int64]


@dataclass(frozen=True)
class Spans:
    """Statements of a block of text: for relation, start, end and data set where they begin and end.

    Relations and data sets lie in *data*, with numbers where they are few; starts and ends in *packed*, with their hashes.
    """

    data: NDArray[np.uint8]
    packed: NDArray[np.uint8]
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    weight: NDArray[np.float64]
    surface: pa.Array
    hashes: NDArray[np.uint64]
    few: dict[int, Few | None]

    def __len__(self) -> int:
        return len(self.weight)

    def to_batch(self) -> pa.RecordBatch:
        """Return the statements as the reader of a format gives them."""
        places = (self.data, self.packed, self.packed, self.data)
        spans = zip(_FIELDS, places, self.begins, self.ends, strict=False)
        columns = {name: texts(data, begins, ends) for name, data, begins, ends in spans}
        return pa.RecordBatch.from_pydict({**columns, "weight": self.weight, "surface": self.surface})


def texts(data: NDArray[np.uint8], begins: NDArray[np.int64], ends: NDArray[np.int64]) -> pa.Array:
    """Return spans of bytes as an Arrow array of strings, null where a span begins below 0."""
    rows = len(begins)
    room = int(np.where(begins >= 0, ends - begins, 0).sum())
    offsets, out = np.empty(rows + 1, np.int64), np.empty(room, np.uint8)
    used = int(kernels.copy_spans(data, begins, ends, offsets, out))
    present = np.packbits(begins >= 0, bitorder="little")
    buffers = [pa.py_buffer(present), pa.py_buffer(offsets), pa.py_buffer(out[:used])]
    return pa.Array.from_buffers(pa.large_string(), rows, buffers)
