"""Files read by mapping them into memory: as arrays, and as memory whose items read fast one by one."""

import mmap
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

SMALL = 1 << 18  #: bytes of a file up to which its checksum is compared on opening; larger ones wait for a check


def view(array: NDArray[Any]) -> memoryview:
    """Return an array's memory, whose items read faster one by one than the array's."""
    return memoryview(array)  # type: ignore[arg-type]


def mapped(path: str | Path, dtype: DTypeLike, count: int | None = None) -> NDArray[Any]:
    """Map the first *count* items of a file (all by default) read-only, reading none; ValueError if it is shorter."""
    data = mapping(path)
    wanted = len(data) if count is None else count * np.dtype(dtype).itemsize
    if len(data) < wanted:
        raise ValueError(f"{path} has {len(data)} bytes, {wanted} are expected")
    return np.frombuffer(data, dtype, count=-1 if count is None else count)


def mapping(path: str | Path) -> mmap.mmap | bytes:
    """Map a file for reading."""
    file = os.open(path, os.O_RDONLY)
    try:
        return mmap.mmap(file, size, access=mmap.ACCESS_READ) if (size := os.fstat(file).st_size) else b""
    finally:
        os.close(file)
