"""Tab-separated text parsed by the block: columns at once where all is well, line by line where not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl

from kgmm.errors import BadInput
from kgmm.progress import Progress
from kgmm.store.formats._base import Rejects
from kgmm.store.formats._rows import RAW
from kgmm.store.formats._stream import LINE_LIMIT, open_stream

#: Decompressed bytes parsed at once: large enough for both cores, small enough for bounded memory.
SIZE = 32 << 20
#: Returns why a line cannot be used, or an empty string.
Check = Callable[[list[str]], str]


class Block(NamedTuple):
    """Some whole lines of a file and the number of the first."""

    first: int
    data: bytes


def blocks(path: Path, progress: Progress, size: int = SIZE) -> Iterator[Block | Rejects]:
    """Yield a file as blocks of whole lines; a line that outgrows a block is rejected.

    Raises:
        BadInput: if the file is UTF-16 or its compression is damaged.
    """
    first, rest = 1, b""
    with open_stream(path, progress) as stream:
        while True:
            parts, wanted = [rest], size
            while wanted > 0 and (part := stream.read(wanted)):
                parts.append(part)
                wanted -= len(part)
            data = b"".join(parts)
            if first == 1:
                if data.startswith((b"\xff\xfe", b"\xfe\xff")):
                    raise BadInput(path, "is UTF-16; convert it first: iconv -f UTF-16 -t UTF-8")
                data = data.removeprefix(b"\xef\xbb\xbf")
            ended = wanted > 0
            cut = len(data) if ended else data.rfind(b"\n") + 1
            if cut == 0 and not ended:
                yield Rejects([first], [f"line is longer than {LINE_LIMIT} bytes"], [_text(data[:RAW])])
                rest = _skip_line(stream)
                first += 1
                continue
            block, rest = data[:cut], data[cut:]
            if block:
                yield Block(first, block)
            first += block.count(b"\n")
            if ended:
                return


def _skip_line(stream: object) -> bytes:
    while part := stream.read(SIZE):  # type: ignore[attr-defined]
        at = part.find(b"\n")
        if at >= 0:
            return bytes(part[at + 1 :])
    return b""


def parse(block: Block, columns: int, optional: int, check: Check) -> tuple[pl.DataFrame, Rejects | None]:
    """Parse a block into text columns ``0 … columns + optional - 1`` (absent ones null).

    Rows that lack a column, hold too many, or fail *check* come back as rejects.
    """
    frame = _fast(block.data, columns, optional)
    if frame is not None:
        return frame, None
    return careful(block, columns, optional, check)


def _fast(data: bytes, columns: int, optional: int) -> pl.DataFrame | None:
    """Parse a block in which every line is well formed, or return None."""
    lines = data.count(b"\n") + (not data.endswith(b"\n"))
    if b"\0" in data or b"\r" in data:
        return None
    try:
        frame = pl.read_csv(
            data,
            has_header=False,
            separator="\t",
            quote_char=None,
            schema={str(i): pl.String for i in range(columns + optional)},
            missing_columns="insert" if optional else "raise",
        )
    except pl.exceptions.PolarsError:
        return None
    if frame.height != lines:
        return None
    bad = frame.select(pl.any_horizontal(pl.col(str(i)).is_null() for i in range(columns)).any()).item()
    return None if bad else frame


def careful(block: Block, columns: int, optional: int, check: Check) -> tuple[pl.DataFrame, Rejects | None]:
    """Parse a block line by line, as :func:`parse` does where a line is malformed."""
    numbers: list[int] = []
    reasons: list[str] = []
    raw: list[str] = []
    good: list[list[str | None]] = []
    width = columns + optional
    for number, line in enumerate(block.data.split(b"\n"), block.first):
        line = line.removesuffix(b"\r")
        if not line.strip():
            continue
        fields = _text(line).split("\t") if len(line) <= LINE_LIMIT else []
        reason = _problem(line, fields, columns, width) or check(fields)
        if reason:
            numbers.append(number)
            reasons.append(reason)
            raw.append(_text(line[:RAW]))
        else:
            good.append([*(f or None for f in fields), *[None] * (width - len(fields))])
    schema = {str(i): pl.String for i in range(width)}
    frame = pl.DataFrame(good, schema=schema, orient="row")
    return frame, Rejects(numbers, reasons, raw) if numbers else None


def _problem(line: bytes, fields: list[str], columns: int, width: int) -> str:
    if len(line) > LINE_LIMIT:
        return f"line is longer than {LINE_LIMIT} bytes"
    if b"\0" in line:
        return "holds a NUL byte"
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"not UTF-8 at byte {error.start + 1}"
    if not columns <= len(fields) <= width:
        expected = str(columns) if columns == width else f"{columns} to {width}"
        return f"expected {expected} columns, found {len(fields)}"
    empty = [i + 1 for i in range(columns) if not fields[i].strip()]
    return f"column {empty[0]} is empty" if empty else ""


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
