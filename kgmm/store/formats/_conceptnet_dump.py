"""ConceptNet's dump at full speed, undecoded: as :mod:`kgmm.store.formats.conceptnet`, which a test holds it to."""

import mmap
import os
import re
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kgmm.progress import Progress
from kgmm.store.formats import _conceptnet_scan as scan
from kgmm.store.formats._base import Rejects
from kgmm.store.formats._stream import blocks
from kgmm.store.index.spans import FEW, Few, Spans, texts

BLOCK = 8 << 20  #: bytes of text parsed at once
_WHY = {
    scan.COLUMNS: "expected 5 columns",
    scan.RELATION: "relation does not start with /r/",
    scan.CONCEPT: "start or end is no concept",
    scan.JSON: "fifth column is no JSON object",
    scan.WEIGHT: "weight is not a number",
    scan.NUL: "holds a NUL byte",
}


class Parsed(NamedTuple):
    """What became of a block: its lines, its statements, and the lines that cannot be used with the reason."""

    lines: int
    spans: Spans
    bad: list[tuple[int, str, str]]


def read(path: Path, lang: str | None, progress: Progress) -> Iterator[Spans | Rejects]:
    """Yield a dump's statements block by block, parsed ahead on another thread."""
    ahead: deque[Future[Parsed]] = deque()
    first = 1
    with ThreadPoolExecutor(2, thread_name_prefix="kgmm-parse") as parsers:
        source = _mapped_blocks(path, progress) if _is_plain(path) else _streamed_blocks(path, progress)
        more = True
        while True:
            while more and len(ahead) < 3:
                block = next(source, None)
                if block is None:
                    more = False
                elif isinstance(block, Rejects):
                    yield block
                    first += 1
                else:
                    ahead.append(parsers.submit(_parsed, block, lang))
            if not ahead:
                return
            lines, spans, bad = ahead.popleft().result()
            yield spans
            if bad:
                yield Rejects([first + at for at, _, _ in bad], [why for _, why, _ in bad], [raw for _, _, raw in bad])
            first += lines


def _is_plain(path: Path) -> bool:
    """Tell whether a file is text without compression, in UTF-8."""
    with path.open("rb") as file:
        magic = file.read(6)
    return not magic.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\xff\xfe", b"\xfe\xff"))


def _mapped_blocks(path: Path, progress: Progress) -> Iterator[memoryview]:
    """Yield a plain file as blocks of whole lines without copying it."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        text = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    view, at = memoryview(text), 3 if text[:3] == b"\xef\xbb\xbf" else 0
    while at < size:
        cut = text.find(b"\n", min(at + BLOCK, size)) + 1 or size
        yield view[at:cut]
        at = cut
        progress(at, size, path.name)


def _streamed_blocks(path: Path, progress: Progress) -> Iterator[memoryview | Rejects]:
    """Yield a compressed file as blocks of whole lines, decompressed ahead on a thread."""
    with ThreadPoolExecutor(1, thread_name_prefix="kgmm-read") as reader:
        source = blocks(path, progress, BLOCK)
        coming = reader.submit(next, source, None)
        while (block := coming.result()) is not None:
            coming = reader.submit(next, source, None)
            yield block if isinstance(block, Rejects) else memoryview(block.data)


def _parsed(block: memoryview, lang: str | None) -> Parsed:
    data = np.frombuffer(block, np.uint8)
    most = scan.count_lines(data)
    begins, ends = np.empty((5, most), np.int64), np.empty((5, most), np.int64)
    weight, status = np.empty(most), np.empty(most, np.uint8)
    lines = np.empty(most, np.int64)
    packed, hashes = np.empty(len(data), np.uint8), np.empty((2, most), np.uint64)
    codes, firsts, counts = np.empty((2, most), np.uint8), np.empty((2, FEW), np.int64), np.empty(2, np.int64)
    home = np.frombuffer(f"/c/{lang}/".encode() if lang else b"", np.uint8)
    kept = begins, ends, weight, status, lines, packed, hashes, codes, firsts, counts
    count, beyond_ascii = scan.parse_dump(data, len(data), home, *kept)
    status = status[:count]
    bounds = np.append(lines[:count], len(data))
    _round_long_weights(block, bounds, weight, status)
    unusable = (status != scan.FINE) & (status != scan.SKIPPED)
    why = {int(at): _WHY[int(status[at])] for at in np.flatnonzero(unusable)}
    if beyond_ascii:
        why |= _not_utf8(block, bounds)
    fine = status == scan.FINE
    fine[list(why)] = False
    rows = slice(0, count) if fine.all() else np.flatnonzero(fine)
    begins, ends = np.ascontiguousarray(begins[:, rows]), np.ascontiguousarray(ends[:, rows])
    few = {3 * i: _few(codes[i][rows], firsts[i][: counts[i]], rows, int(counts[i])) for i in (0, 1)}
    if why:  # what was numbered may be in none of the rows that are left
        few = {field: _few_again(data, begins[field], ends[field]) for field in few}
    surface = texts(data, begins[4], ends[4])
    spans = Spans(data, packed, begins, ends, weight[rows], surface, np.ascontiguousarray(hashes[:, rows]), few)
    bad = [(at, why[at], _raw(block[bounds[at] : bounds[at + 1]])) for at in sorted(why)]
    return Parsed(count, spans, bad)


def _few(codes: NDArray[np.uint8], firsts: NDArray[np.int64], rows: Any, count: int) -> Few | None:
    """Return numbers given while parsing, for the rows that are left."""
    if count < 0:
        return None
    return Few(codes, firsts if isinstance(rows, slice) else np.searchsorted(rows, firsts))


def _few_again(data: NDArray[np.uint8], begins: NDArray[np.int64], ends: NDArray[np.int64]) -> Few | None:
    codes, firsts = np.empty(len(begins), np.uint8), np.empty(FEW, np.int64)
    count = scan.number_few(data, begins, ends, codes, firsts)
    return None if count < 0 else Few(codes, firsts[:count])


def _raw(line: memoryview) -> str:
    return str(line[:500], "utf-8", "replace").rstrip("\r\n")


def _round_long_weights(data: memoryview, bounds: NDArray[np.int64], weight: Any, status: Any) -> None:
    """Let Python read the weights that need more care than the kernel takes, such as 1e-05."""
    for at in np.flatnonzero(status == scan.WEIGHT).tolist():
        found = re.search(rb'"weight":\s*(-?[0-9][0-9.eE+-]*)', data[bounds[at] : bounds[at + 1]])
        try:
            weight[at] = float(found[1]) if found else np.nan
        except ValueError:
            continue
        if np.isfinite(weight[at]):
            status[at] = scan.FINE


def _not_utf8(data: memoryview, bounds: NDArray[np.int64]) -> dict[int, str]:
    """Return which lines are not UTF-8, and why."""
    try:
        str(data, "utf-8")
        return {}
    except UnicodeDecodeError:
        found = {}
        for at in range(len(bounds) - 1):
            try:
                str(data[bounds[at] : bounds[at + 1]], "utf-8")
            except UnicodeDecodeError as error:
                found[at] = f"not UTF-8 at byte {error.start + 1}"
        return found
