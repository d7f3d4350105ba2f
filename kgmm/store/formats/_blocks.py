"""Tab-separated text parsed by the block: columns at once where all is well, line by line where not."""

from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa

from kgmm.progress import Progress
from kgmm.store.formats._base import Rejects
from kgmm.store.formats._stream import Block, blocks, lines_of

SIZE = 32 << 20  #: Decompressed bytes parsed at once: large enough for both cores, small enough for bounded memory.
Check = Callable[[list[str]], str]  #: Returns why a line cannot be used, or an empty string.
#: Turns text columns into statements, given whether each row was checked.
Convert = Callable[[pl.DataFrame, bool], list[pa.RecordBatch]]


def batches(
    path: Path, progress: Progress, columns: int, optional: int, check: Check, convert: Convert, comments: bool = False
) -> Iterator[pa.RecordBatch | Rejects]:
    """Yield a file's statements block by block, from text columns ``0 … columns + optional - 1`` (absent ones null).

    Rows that lack a column, hold too many, or fail *check* come back as rejects. *convert* raises ValueError where a
    value of rows that were not checked is wrong. With *comments*, lines that begin with # are none. Raises as
    :func:`~kgmm.store.formats._stream.blocks`.
    """
    for block in blocks(path, progress, SIZE):
        if isinstance(block, Rejects):
            yield block
            continue
        try:
            yield from convert(_fast(block.data, columns, optional), False)
        except ValueError:
            frame, rejects = _careful(block, columns, optional, check, comments)
            yield from convert(frame, True)
            if rejects.lines:
                yield rejects


def _fast(data: bytes, columns: int, optional: int) -> pl.DataFrame:
    """Parse a block in which every line is well formed; ValueError if one is not."""
    if b"\0" in data or b"\r" in data:
        raise ValueError("line ends, or bytes that are no text")
    try:
        frame = pl.read_csv(
            data,
            has_header=False,
            separator="\t",
            quote_char=None,
            schema={str(i): pl.String for i in range(columns + optional)},
            missing_columns="insert" if optional else "raise",
        )
    except pl.exceptions.PolarsError as error:
        raise ValueError(str(error)) from error
    empty = frame.select(pl.any_horizontal(pl.col(str(i)).is_null() for i in range(columns)).any()).item()
    if empty or frame.height != data.count(b"\n") + (not data.endswith(b"\n")):
        raise ValueError("lines without a column")
    return frame


def _careful(block: Block, columns: int, optional: int, check: Check, comments: bool) -> tuple[pl.DataFrame, Rejects]:
    """Parse a block line by line."""
    rejects = Rejects([], [], [])
    good: list[list[str | None]] = []
    width = columns + optional
    for number, text, problem in lines_of(block):
        if not text.strip() or (comments and text.startswith("#")):
            continue
        fields = text.split("\t")
        reason = problem or _problem(fields, columns, width) or check(fields)
        if reason:
            rejects.add(number, reason, text)
        else:
            good.append([*(f or None for f in fields), *[None] * (width - len(fields))])
    return pl.DataFrame(good, schema={str(i): pl.String for i in range(width)}, orient="row"), rejects


def _problem(fields: list[str], columns: int, width: int) -> str:
    if not columns <= len(fields) <= width:
        expected = str(columns) if columns == width else f"{columns} to {width}"
        return f"expected {expected} columns, found {len(fields)}"
    empty = [i + 1 for i in range(columns) if not fields[i].strip()]
    return f"column {empty[0]} is empty" if empty else ""
