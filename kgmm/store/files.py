"""Files that appear whole or not at all, stay through a power cut, and are read by mapping them."""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


def publish(path: Path, data: bytes, durable: bool = True) -> None:
    """Write a file beside *path* and move it there in one step."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def sync(path: Path) -> None:
    """Wait until a file's content is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Wait until a folder's entries are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def view(array: NDArray[Any]) -> memoryview:
    """Return an array's memory, whose items read faster one by one than the array's."""
    return memoryview(array)  # type: ignore[arg-type]


def mapped(path: Path, dtype: DTypeLike, count: int | None = None) -> NDArray[Any]:
    """Map the first *count* items of a file (all by default) as a read-only array; nothing is read yet.

    Raises:
        ValueError: if the file is shorter.
    """
    data = mapping(path)
    wanted = len(data) if count is None else count * np.dtype(dtype).itemsize
    if len(data) < wanted:
        raise ValueError(f"{path} has {len(data)} bytes, {wanted} are expected")
    return np.frombuffer(data, dtype, count=-1 if count is None else count)


def mapping(path: Path) -> mmap.mmap | bytes:
    """Map a file for reading."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        return mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) if size else b""
