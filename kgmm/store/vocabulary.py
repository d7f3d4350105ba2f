"""The list of terms in the order of their ids, kept beside the table: with it, ids survive the loss of the index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from kgmm.errors import StoreCorrupt
from kgmm.store.files import sync, sync_folder

#: terms in one file at most
FILE_TERMS = 1 << 20


def write(folder: Path, first: int, new: Sequence[str] | pa.Array) -> None:
    """Append terms with the ids *first*, *first* + 1, …, before the commit that needs them.

    Files left by a writer that died before its commit hold ids from *first* on and are deleted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.suffix == ".tmp" or int(path.stem) >= first:
            path.unlink()
    column = new if isinstance(new, pa.Array | pa.ChunkedArray) else pa.array(new, pa.string())
    for start in range(0, len(column), FILE_TERMS):
        part = column.slice(start, FILE_TERMS)
        path = folder / f"{first + start:012d}.parquet"
        draft = path.with_suffix(".tmp")
        pq.write_table(pa.table({"term": part}), draft, compression="zstd", use_dictionary=False)
        sync(draft)
        draft.replace(path)
    sync_folder(folder)


def read(folder: Path, first: int, stop: int) -> Iterator[list[str]]:
    """Yield the terms with the ids *first* … *stop* in order, a list a file.

    Raises:
        StoreCorrupt: if some are missing.
    """
    paths = {int(path.stem): path for path in folder.glob("*.parquet")}
    begins = sorted(paths)
    at = first
    while at < stop:
        begin = max((b for b in begins if b <= at), default=None)
        terms = _terms(paths[begin]) if begin is not None else []
        if begin is None or begin + len(terms) <= at:
            raise StoreCorrupt(f"{folder}: the terms from number {at} on are missing; run: kgmm check")
        yield terms[at - begin : stop - begin]
        at = min(begin + len(terms), stop)


def _terms(path: Path) -> list[str]:
    try:
        return list(pq.read_table(path, partitioning=None)["term"].to_pylist())
    except (OSError, pa.ArrowException, KeyError) as error:
        raise StoreCorrupt(f"{path}: the list of terms is damaged: {error}; run: kgmm check") from error
