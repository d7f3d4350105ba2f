"""ConceptNet's dump, parsed by columns: assertion, relation, start, end, and JSON with weight, data set, surface."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa

from kgmm.store.formats._base import ReadOptions, Rejects
from kgmm.store.formats._blocks import Block, blocks, parse

NAME = "conceptnet"
SUFFIXES = (".csv", ".tsv")


def sniff(path: Path, head: bytes) -> float:
    """Look for lines of assertion, relation, two concepts and JSON."""
    lines = [line.split(b"\t") for line in head.split(b"\n")[:-1][:50] or [head] if line.strip()]
    good = sum(len(f) == 5 and f[1].startswith(b"/r/") and f[2].startswith(b"/c/") for f in lines)
    return 0.99 * good / len(lines) if good else 0.0


def _check(fields: list[str]) -> str:
    if not fields[1].startswith("/r/"):
        return f"relation {fields[1][:40]!r} does not start with /r/"
    if not fields[2].startswith("/"):
        return f"start {fields[2][:40]!r} is no concept"
    return "" if fields[4].lstrip().startswith("{") else "fifth column is no JSON object"


def read(path: Path, options: ReadOptions) -> Iterator[pa.RecordBatch | Rejects]:
    """Yield the dump's assertions block by block; malformed lines are rejected alone.

    ``options.lang`` keeps the assertions both of whose ends are in that language (an end that is a web
    address counts as any language).

    Raises:
        BadInput: if the file is UTF-16 or its compression is damaged.
    """
    for block in blocks(path, options.progress):
        if isinstance(block, Rejects):
            yield block
            continue
        frame, rejects = parse(block, 5, 0, _check)
        if rejects:
            yield rejects
        whole = frame.filter(~_wrong())
        if whole.height < frame.height:
            yield _refused(block, frame)
        table = _statements(whole, options.lang).to_arrow()
        yield from table.combine_chunks().cast(_SCHEMA).to_batches()


_SCHEMA = pa.schema(
    [
        ("subject", pa.string()),
        ("predicate", pa.string()),
        ("object", pa.string()),
        ("weight", pa.float64()),
        ("source", pa.string()),
        ("surface", pa.string()),
    ]
)


def _weight() -> pl.Expr:
    text = pl.col("4").str.extract(r'"weight":\s*(-?[0-9][0-9.eE+-]*)', 1)
    return text.cast(pl.Float64, strict=False)


def _wrong() -> pl.Expr:
    """Return which rows have no relation, concept or JSON where they belong, or no usable weight."""
    shape = pl.col("1").str.starts_with("/r/") & pl.col("2").str.starts_with("/")
    return ~(shape & pl.col("4").str.starts_with("{")) | (
        pl.col("4").str.contains('"weight"', literal=True) & ~_weight().is_finite().fill_null(False)
    )


def _refused(block: Block, frame: pl.DataFrame) -> Rejects:
    """Say which lines were refused; they are sought by their text, since this is rare."""
    bad = set(frame.filter(_wrong())["0"].to_list())
    numbers, reasons, raw = [], [], []
    for number, line in enumerate(block.data.decode("utf-8", "replace").split("\n"), block.first):
        fields = line.split("\t")
        if fields[0] in bad and len(fields) == 5:
            numbers.append(number)
            reasons.append(_check(fields) or "weight is not a number")
            raw.append(line[:500])
    return Rejects(numbers, reasons, raw)


def _statements(frame: pl.DataFrame, lang: str | None) -> pl.DataFrame:
    if lang is not None:
        home = f"/c/{lang}/"
        ours = [pl.col(c).str.starts_with(home) | ~pl.col(c).str.starts_with("/c/") for c in ("2", "3")]
        frame = frame.filter(ours[0] & ours[1])
    surface = pl.col("4").str.extract(r'"surfaceText":\s*"((?:[^"\\]|\\.)*)"', 1)
    return frame.select(
        subject=pl.col("2"),
        predicate=pl.col("1").str.slice(3),
        object=pl.col("3"),
        weight=_weight().fill_null(1.0),
        source=pl.col("4").str.extract(r'"dataset":\s*"([^"\\]*)"', 1).fill_null(""),
        surface=surface.str.replace_all('\\"', '"', literal=True),
    )
