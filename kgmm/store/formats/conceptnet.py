"""ConceptNet's dump, parsed by columns: assertion, relation, start, end, and JSON with weight, data set, surface.

Speer, Chin & Havasi, ConceptNet 5.5, AAAI 2017; https://github.com/commonsense/conceptnet5/wiki/Downloads
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from kgmm.language import names
from kgmm.store.formats._base import ReadOptions, Rejects
from kgmm.store.formats._blocks import batches
from kgmm.store.formats._rows import Rows, rows_of, schema_of, weight_of
from kgmm.store.formats._stream import lines

if TYPE_CHECKING:
    from kgmm.store.index.spans import Spans

NAME = "conceptnet"
SUFFIXES = (".csv", ".tsv")
COMPILED = 20 << 20  #: a dump larger than this (in bytes, perhaps compressed) is parsed by compiled code


def sniff(path: Path, head: bytes) -> float:
    """Look for lines of assertion, relation, two concepts and JSON."""
    lines = [line.split(b"\t") for line in head.split(b"\n")[:-1][:50] or [head] if line.strip()]
    lines = lines[len(lines) > 1 and b"/" not in lines[0][0] :]  # a heading
    good = sum(len(f) == 5 and f[1].startswith(b"/r/") and f[2].startswith(b"/c/") for f in lines)
    return 0.99 * good / len(lines) if good else 0.0


def _check(fields: list[str]) -> str:
    if not fields[1].startswith("/r/") or len(fields[1]) < 4:
        return f"relation {fields[1][:40]!r} does not start with /r/"
    for end in fields[2:4]:
        if not end.startswith("/c/") and (not names.is_iri(end) or names.unusable(end)):
            return f"{end[:40]!r} is neither a concept /c/… nor an IRI"
    try:
        about = json.loads(fields[4])
        weight_of(json.dumps(about.get("weight", 1.0)))
    except (ValueError, AttributeError) as error:
        return str(error) if str(error).startswith("weight") else "fifth column is no JSON object"
    return ""


def read(path: Path, options: ReadOptions) -> Iterator[pa.RecordBatch | Spans | Rejects]:
    """Yield the dump's assertions block by block; malformed lines are rejected alone.

    ``options.lang`` keeps the assertions both of whose ends are in that language (an end that is a web
    address counts as any language). Large dumps are parsed by compiled code.

    Raises:
        BadInput: if the file is UTF-16 or its compression is damaged.
    """
    if options.references:
        return _with_references(path, options)
    if path.is_file() and path.stat().st_size > COMPILED:
        from kgmm.store.formats import _conceptnet_dump as dump

        return dump.read(path, options.lang, options.progress)
    return by_columns(path, options)


def _with_references(path: Path, options: ReadOptions) -> Iterator[pa.RecordBatch | Rejects]:
    """Yield an assertion for each of a line's ``sources``, with its contributor, how it was come by, and licence."""

    def add(rows: Rows, text: str) -> None:
        fields = text.split("\t")
        if len(fields) != 5:
            raise ValueError(f"expected 5 columns, found {len(fields)}")
        if reason := _check(fields):
            raise ValueError(reason)
        home = f"/c/{options.lang}/"
        if options.lang and not all(end.startswith(home) or not end.startswith("/c/") for end in fields[2:4]):
            return
        about = json.loads(fields[4])
        fact = (fields[2], fields[1][3:], fields[3], weight_of(json.dumps(about.get("weight", 1.0))), None)
        source, surface = _text(about.get("dataset")), _text(about.get("surfaceText")) or None
        sources = [one for one in about.get("sources") or [] if isinstance(one, dict)] or [{}]
        for one in sources:
            how = _text(one.get("activity") or one.get("process")) or "loaded"
            said = {"contributor": _text(one.get("contributor")), "method": how, "licence": _text(about.get("license"))}
            rows.add(*fact, source, surface, said)

    return rows_of(lines(path, options.progress), add, asserting=True)


def _text(value: object) -> str:
    """Return what is a text, of a whole one, without what no column holds."""
    return value.encode(errors="replace").decode().translate(_CONTROLS) if isinstance(value, str) else ""


_CONTROLS = dict.fromkeys((0x00, 0x1E, 0x1F), " ")


def by_columns(path: Path, options: ReadOptions) -> Iterator[pa.RecordBatch | Rejects]:
    """Yield the assertions parsed by columns, without compiled code."""
    return batches(path, options.progress, 5, 0, _check, partial(_statements, options.lang))


def _weight() -> pl.Expr:
    text = pl.col("4").str.extract(r'"weight":\s*(-?[0-9][0-9.eE+-]*)', 1)
    return text.cast(pl.Float64, strict=False)


def _wrong() -> pl.Expr:
    """Return which rows have no relation, concept or JSON where they belong, or no usable weight."""
    ends = [
        pl.col(c).str.starts_with("/c/") | pl.col(c).str.contains(r"^[a-z]+://[^\s<>\"{}|\\^`]+$") for c in ("2", "3")
    ]
    shape = pl.col("1").str.starts_with("/r/") & (pl.col("1").str.len_bytes() > 3) & ends[0] & ends[1]
    about = pl.col("4").str.starts_with("{") & pl.col("4").str.ends_with("}")
    weighed = _weight().is_finite().fill_null(False)
    return ~shape | ~about | (pl.col("4").str.contains('"weight"', literal=True) & ~weighed)


def _statements(lang: str | None, frame: pl.DataFrame, checked: bool) -> list[pa.RecordBatch]:
    if not checked and frame.select(_wrong().any()).item():
        raise ValueError("a value is wrong")
    if lang is not None:
        home = f"/c/{lang}/"
        ours = [pl.col(c).str.starts_with(home) | ~pl.col(c).str.starts_with("/c/") for c in ("2", "3")]
        frame = frame.filter(ours[0] & ours[1])
    found = frame.select(
        subject=pl.col("2"),
        predicate=pl.col("1").str.slice(3),
        object=pl.col("3"),
        weight=_weight().fill_null(1.0),
        source=pl.col("4").str.extract(r'"dataset":\s*"([^"\\]*)"', 1).fill_null(""),
        surface=pl.col("4").str.extract(r'"surfaceText":\s*"((?:[^"\\]|\\.)*)"', 1),
    )
    escaped = found["surface"].filter(found["surface"].str.contains("\\", literal=True)).unique()
    if not escaped.is_empty():
        plain = pl.Series([_unescaped(text) for text in escaped], dtype=pl.String)
        found = found.with_columns(surface=pl.col("surface").replace(escaped, plain))
    return list(found.to_arrow().combine_chunks().cast(schema_of(found.columns)).to_batches())


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"')).encode(errors="replace").decode()
    except ValueError:
        return text
