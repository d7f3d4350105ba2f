"""The dictionary of a store: every term has a number that never changes, both ways by mapped files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray
from xxhash import xxh64_hexdigest, xxh64_intdigest

from kgmm.errors import StoreCorrupt
from kgmm.files import publish
from kgmm.store.index import stamps
from kgmm.store.index.mapped import SMALL, mapped, mapping, view

if TYPE_CHECKING:
    import polars as pl

FILL = 0.6  #: the hash table grows when more of it is filled
FEWEST_SLOTS = 1 << 10
MANY = 200_000  #: from so many terms on, loading compiled code pays


class Terms:
    """Terms and their ids, as of one version of a store.

    Three files: the terms' bytes one after the other, where each starts, and an open-addressing hash table
    (XXH64, linear probing) from bytes to id + 1. They only grow, so an older reader keeps its view: it ignores
    ids that are not below its own length.

    Example:
        >>> terms.name(terms.id("/c/en/dog"))                                          # doctest: +SKIP
        '/c/en/dog'
    """

    def __init__(self, folder: Path, count: int) -> None:
        self._folder, self._count = folder, count
        self._data = mapping(f"{folder}/blob")  # slices as bytes, a copy that costs less than a view
        self._blob = np.frombuffer(self._data, np.uint8)
        self._offsets = mapped(f"{folder}/offsets", np.uint64, count + 1)
        self._slots = mapped(f"{folder}/slots", np.uint32)
        self._mask = len(self._slots) - 1
        if self._mask < 0 or len(self._slots) & self._mask or int(self._offsets[count]) > len(self._blob):
            raise ValueError(f"{folder}: the files of the dictionary do not fit together")
        self._bytes, self._at, self._slot = (view(a) for a in (self._blob, self._offsets, self._slots))

    def __len__(self) -> int:
        return self._count

    def id(self, name: str) -> int | None:
        """Return a term's id, or None if the store does not have it."""
        key = name.encode("utf-8", "surrogatepass")
        slot, mask, at = self._slot, self._mask, self._at
        probe = xxh64_intdigest(key) & mask
        while found := slot[probe]:
            if found <= self._count and self._data[at[found - 1] : at[found]] == key:
                return found - 1
            probe = (probe + 1) & mask
        return None

    def ids(self, terms: Iterable[str]) -> NDArray[np.int64]:
        """Return the ids of *terms*, -1 where unknown."""
        found = (self.id(name) for name in terms)
        return np.fromiter((-1 if i is None else i for i in found), np.int64)

    def name(self, term: int) -> str:
        """Return the term of an id.

        Raises:
            IndexError: if there is no such id.
        """
        if not 0 <= term < self._count:
            raise IndexError(f"no term {term}, the store has {self._count}")
        return self._data[self._at[term] : self._at[term + 1]].decode("utf-8", "surrogatepass")

    def bytes_of(self, term: int) -> memoryview:
        """Return the bytes of a term, without copying them."""
        return self._bytes[self._at[term] : self._at[term + 1]]

    @property
    def arrays(self) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
        """All terms' bytes one after the other, and where each begins."""
        return self._blob, self._offsets

    @property
    def slots(self) -> NDArray[np.uint32]:
        """The hash table, from a term's XXH64 by linear probing to its id + 1."""
        return self._slots

    def checksum(self) -> str:
        """Return a checksum of the terms and their places, empty where they are too many to compare it on opening."""
        size = int(self._offsets[self._count])
        return xxh64_hexdigest(self._data[:size] + self._offsets.tobytes()) if size <= SMALL else ""

    def verify(self) -> None:
        """Look whether every term is in the hash table, by its hash where :meth:`checksum` is empty.

        Many terms are only looked at if their files were written to by others since they were last found whole.

        Raises:
            ValueError: if one is not.
        """
        if int(self._offsets[self._count]) <= SMALL:
            filled = self._slots[(self._slots > 0) & (self._slots <= self._count)]
            found = bool(np.bincount(filled, minlength=self._count + 1)[1:].all())
        elif stamps.changed(self._folder, now := stamps.taken(self._folder), self._count):
            from kgmm.store.index import kernels

            found = kernels.reachable(self._blob, self._offsets, self._slots, self._count)
            if found:
                stamps.keep(self._folder, now, self._count)
        else:
            return
        if not found:
            raise ValueError(f"{self._folder}: the dictionary is damaged")

    def texts(self) -> pl.Series:
        """Return all terms in the order of their ids as a column of strings.

        Raises:
            StoreCorrupt: if they are not UTF-8.
        """
        import polars as pl

        buffers = [None, pa.py_buffer(self._offsets.view(np.int64)), pa.py_buffer(self._blob)]
        column = pa.Array.from_buffers(pa.large_string(), self._count, buffers)
        try:
            column.validate(full=True)
        except pa.ArrowInvalid as error:
            raise StoreCorrupt(f"{self._folder}: {error}; run: kgmm check") from None
        return pl.Series(column)

    def names(self, ids: ArrayLike) -> list[str]:
        """Return the terms of an array of ids."""
        data, at = self._bytes, self._at
        return [str(data[at[i] : at[i + 1]], "utf-8", "surrogatepass") for i in self._checked(ids).tolist()]

    def is_literal(self, ids: ArrayLike) -> NDArray[np.bool_]:
        """Tell which ids are literals."""
        starts = self._offsets[self._checked(ids)].astype(np.int64)
        return np.asarray(self._blob[starts] == ord('"')) if len(starts) else np.zeros(0, bool)

    def _checked(self, ids: ArrayLike) -> NDArray[np.int64]:
        array = np.asarray(ids).astype(np.int64, copy=False)
        if array.size and (int(array.min()) < 0 or int(array.max()) >= self._count):
            bad = array[(array < 0) | (array >= self._count)][0]
            raise IndexError(f"no term {bad}, the store has {self._count}")
        return array


def create(folder: Path) -> None:
    """Write an empty dictionary."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in (("blob", b""), ("offsets", bytes(8)), ("slots", bytes(4 * FEWEST_SLOTS))):
        publish(folder / name, data)
    stamps.keep(folder, stamps.taken(folder))


def append(folder: Path, count: int, new: Sequence[str]) -> None:
    """Add terms with the ids *count*, *count* + 1, …; doing it again after a crash changes nothing."""
    if new:
        with stamps.growing(folder, count, count + len(new)):
            _append(folder, count, new)


def _append(folder: Path, count: int, new: Sequence[str]) -> None:
    encoded = [name.encode("utf-8", "surrogatepass") for name in new]
    lengths = np.fromiter((len(key) for key in encoded), np.uint64, len(encoded))
    start = int(mapped(folder / "offsets", np.uint64, count + 1)[count])
    ends = start + np.cumsum(lengths)
    write_at(folder / "blob", start, b"".join(encoded))
    write_at(folder / "offsets", 8 * (count + 1), ends.astype(np.uint64).tobytes())
    total = count + len(new)
    slots = mapped(folder / "slots", np.uint32)
    if total > FILL * len(slots):
        rebuild_slots(folder, total)
        return
    table = np.memmap(folder / "slots", np.uint32, "r+")
    for i, key in enumerate(encoded, count + 1):
        _claim(table, key, i)


def _claim(table: NDArray[np.uint32], key: bytes, value: int) -> None:
    mask = len(table) - 1
    probe = xxh64_intdigest(key) & mask
    while table[probe] and table[probe] != value:
        probe = (probe + 1) & mask
    table[probe] = value


def rebuild_slots(folder: Path, count: int) -> None:
    """Write the hash table anew, with room to grow."""
    table = np.zeros(slots_for(count), np.uint32)
    blob, offsets = mapped(folder / "blob", np.uint8), mapped(folder / "offsets", np.uint64, count + 1)
    if count < MANY:
        at, data = offsets.tolist(), blob.tobytes()
        for i in range(count):
            _claim(table, data[at[i] : at[i + 1]], i + 1)
    else:
        from kgmm.store.index import kernels

        hashes = np.empty(count, np.uint64)
        kernels.hashes_of(blob, offsets, 0, count, hashes)
        kernels.fill_slots(hashes, count, table)
    publish(folder / "slots", table.tobytes())  # readers of the one before keep theirs


def slots_for(count: int) -> int:
    """Return how many slots a hash table of *count* terms has: a power of two, with room to grow."""
    size = FEWEST_SLOTS
    while count > 0.9 * FILL * size:
        size *= 2
    return size


def write_at(path: Path, start: int, data: bytes | memoryview) -> None:
    """Write *data* at a position that is at or before the file's end."""
    handle = os.open(path, os.O_RDWR)
    try:
        view = memoryview(data)
        while view:
            written = os.pwrite(handle, view, start)
            view, start = view[written:], start + written
    finally:
        os.close(handle)
