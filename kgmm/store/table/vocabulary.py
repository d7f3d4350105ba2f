"""The list of terms in the order of their ids, kept beside the table: with it, ids survive the loss of the index."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from kgmm.errors import StoreCorrupt
from kgmm.files import sync_folder, whole

FILE_TERMS = 1 << 20  #: terms in one file at most
FEW, MANY = 1 << 12, 32  #: files of fewer terms are put together when they are as many


def write(folder: Path, first: int, new: Sequence[str] | pa.Array, drafts: list[Path]) -> None:
    """Append terms with the ids *first*, *first* + 1, …, before the commit that needs them.

    Files left by a writer that died before its commit hold ids from *first* on and are deleted; new ones are noted in
    *drafts*.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drop_from(folder, first)
    column = new if isinstance(new, pa.Array | pa.ChunkedArray) else pa.array(new, pa.string())
    drafts += _write_parts(folder, first, column)


def scattered(folder: Path) -> bool:
    """Tell whether the list lies in more files than it needs."""
    sizes = sorted(_parts(folder))
    return any(after - begin < FILE_TERMS for begin, after in pairwise(sizes))


def drop_from(folder: Path, first: int) -> None:
    """Delete files of terms from id *first* on, which no commit knows."""
    for path in [*folder.glob(".*.tmp"), *(path for begin, path in _parts(folder).items() if begin >= first)]:
        path.unlink()


def _parts(folder: Path) -> dict[int, Path]:
    """Return the files of the list by the number of their first term; whatever else lies there is not ours."""
    return {int(path.stem): path for path in folder.glob("*.parquet") if path.stem.isdecimal()}


def read(folder: Path, first: int = 0, stop: int = 1 << 40) -> Iterator[list[str]]:
    """Yield the terms of ids *first* … *stop*, a list a file; StoreCorrupt if one is damaged or missing between."""
    paths = _parts(folder)
    at = first
    while at < stop:
        begin = max((b for b in paths if b <= at), default=None)
        if begin is not None and not paths[begin].exists():  # merged meanwhile into one that begins earlier
            paths = _parts(folder)
            continue
        terms = _terms(paths[begin]) if begin is not None else []
        if begin is None or begin + len(terms) <= at:
            if any(b > at for b in paths):
                raise StoreCorrupt(f"{folder}: the terms from number {at} on are missing; run: kgmm check")
            return
        yield terms[at - begin : stop - begin]
        at = min(begin + len(terms), stop)


def merge(folder: Path, terms: pa.Array) -> None:
    """Put the whole list into as few files as it needs; interrupted, it leaves files that say the same."""
    paths = set(_parts(folder).values())
    for path in paths - _write_parts(folder, 0, terms):
        path.unlink()


def gather(folder: Path, count: int) -> None:
    """Put the last files of a list of *count* terms into one, if they are many and small; as :func:`merge` does."""
    paths = _parts(folder)
    begins = sorted(paths)
    first = max((at + 1 for at, (begin, after) in enumerate(pairwise(begins)) if after - begin >= FEW), default=0)
    if len(tail := begins[first:]) < MANY:
        return
    terms = [term for part in read(folder, tail[0], count) for term in part]
    for path in {paths[begin] for begin in tail} - _write_parts(folder, tail[0], pa.array(terms, pa.string())):
        path.unlink()


def _write_parts(folder: Path, first: int, terms: pa.Array) -> set[Path]:
    parts = {folder / f"{first + at:012d}.parquet": at for at in range(0, len(terms), FILE_TERMS)}
    for path, at in parts.items():
        with whole(path, durable=True) as draft:
            part = pa.table({"term": terms.slice(at, FILE_TERMS)})
            pq.write_table(part, draft, compression="zstd", use_dictionary=False, write_page_checksum=True)
    sync_folder(folder)
    return set(parts)


def _terms(path: Path) -> list[str]:
    try:
        return list(pq.ParquetFile(path, page_checksum_verification=True).read()["term"].to_pylist())
    except (OSError, pa.ArrowException, KeyError) as error:
        raise StoreCorrupt(f"{path}: the list of terms is damaged: {error}; run: kgmm check") from error
