"""Arrays of one thing in one file that appears whole, and is mapped into memory by whoever opens it next.

A line of JSON says what the arrays are and where each lies, with its checksum and that of the line. The arrays are mapped
privately: they can be written to like any other, which changes no file.
"""

from __future__ import annotations

import json
import math
import mmap
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_hexdigest

from kgmm.files import sync_folder, whole
from kgmm.store.index.mapped import view

_MAGIC = b"kgmm arrays 1\n"
_KINDS = ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8")
_LONGEST = 1 << 22  #: bytes of the line
_AT = 64  #: every array begins at a multiple of so many bytes


def write(path: Path, about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays and what is said *about* them (as JSON) to a file that appears whole or not at all.

    Its content is on the disk before it appears. An array that repeats one value (``np.broadcast_to``) is written as that.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "numbers"
        >>> write(path, {"of": "primes"}, {"first": np.array([2, 3, 5])})
        >>> about, arrays = read(path)
        >>> about, arrays["first"].tolist()
        ({'of': 'primes'}, [2, 3, 5])
    """
    parts, listed, end = [], {}, 0
    for name, array in arrays.items():
        repeated = array.ndim == 1 and array.strides == (0,) and len(array) > 1
        part = np.ascontiguousarray(array[:1] if repeated else array)
        kind = part.dtype.str[1:]
        if kind not in _KINDS:
            raise ValueError(f"{name}: arrays of {part.dtype} are not written")
        start = -(-end // _AT) * _AT
        parts.append((start, part))
        listed[name] = [kind, list(array.shape), repeated, start, _checksum(part)]
        end = start + part.nbytes
    line = json.dumps({"about": about, "arrays": listed, "bytes": end}, ensure_ascii=False).encode()
    head = _MAGIC + line + b"\n" + xxh3_64_hexdigest(line).encode() + b"\n"
    begin = -(-len(head) // _AT) * _AT
    with whole(path, durable=True) as draft, draft.open("wb") as file:
        file.write(head)
        for start, part in parts:
            file.seek(begin + start)
            file.write(view(part.reshape(-1).view(np.uint8)))
        file.truncate(begin + end)
    sync_folder(path.parent)


def read(path: Path, check: bool = True) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return what is said of a file's arrays, and the arrays, mapped; with *check* their checksums are compared.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is not such a file, or a broken one.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(handle).st_size
        if size <= len(_MAGIC):
            raise ValueError(f"{path}: too short")
        data = mmap.mmap(handle, size, access=mmap.ACCESS_COPY)
    finally:
        os.close(handle)
    stop = data.find(b"\n", len(_MAGIC), len(_MAGIC) + _LONGEST)
    line = data[len(_MAGIC) : max(stop, 0)]
    if data[: len(_MAGIC)] != _MAGIC or data[stop + 1 : stop + 18] != xxh3_64_hexdigest(line).encode() + b"\n":
        raise ValueError(f"{path}: its first line is damaged")
    begin = -(-(stop + 18) // _AT) * _AT
    said = json.loads(line)
    if begin + said["bytes"] != size:
        raise ValueError(f"{path}: has {size} bytes, {begin + said['bytes']} are expected")
    found = {}
    for name, (kind, shape, repeated, start, checksum) in said["arrays"].items():
        count = 1 if repeated else math.prod(shape)
        if kind not in _KINDS or start < 0 or count < 0 or begin + start + count * int(kind[1:]) > size:
            raise ValueError(f"{path}: {name} does not lie in the file")
        array = np.frombuffer(data, np.dtype(kind), count, begin + start) if count else np.empty(0, kind)
        if check and _checksum(array) != checksum:
            raise ValueError(f"{path}: the checksum of {name} is wrong")
        found[name] = np.broadcast_to(array, shape) if repeated else array.reshape(shape)
    return said["about"], found


def _checksum(array: NDArray[Any]) -> str:
    return xxh3_64_hexdigest(view(array.reshape(-1).view(np.uint8))) if array.size else ""
