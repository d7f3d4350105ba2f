"""Facts in Parquet (https://parquet.apache.org/docs/file-format/): columns subject, predicate, object, and others."""

import json
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kgmm.errors import BadInput
from kgmm.store.assertion import checked_confidence, keys_of
from kgmm.store.facts import no_name
from kgmm.store.formats._base import ReadOptions, Rejects
from kgmm.store.formats._rows import SAID, SCHEMA
from kgmm.store.formats._table import as_graph, as_node, as_relation
from kgmm.store.times import span

NAME = "parquet"
SUFFIXES = (".parquet",)
#: subjects, objects and graphs that may be wrong or are not as they are stored: literals, blank nodes, IRIs with spaces in them,
#: names of ours, words
_CHECKED = r'^"|^_:|://\S*\s|^urn:kgmm:|^http://conceptnet\.io/|^[^/":]+$'
_NEEDED = ("subject", "predicate", "object")


def sniff(path: Path, head: bytes) -> float:
    """Look for Parquet's mark."""
    return 1.0 if head.startswith(b"PAR1") else 0.0


def read(path: Path, options: ReadOptions) -> Iterator[pa.RecordBatch | Rejects]:
    """Yield the facts, rows without a subject, predicate or object rejected; BadInput if damaged or a column lacks."""
    try:
        with pq.ParquetFile(path) as file:
            known = schema_of_all()
            names = [n for n in known.names if n in file.schema_arrow.names]
            if missing := [n for n in _NEEDED if n not in names]:
                raise BadInput(path, f"has no column {missing[0]!r}")
            first, total = 1, file.metadata.num_rows
            for batch in file.iter_batches(columns=names):
                rows = pa.Table.from_batches([batch.select(names)]).cast(pa.schema([known.field(n) for n in names]))
                yield from _checked(rows, first, options)
                first += batch.num_rows
                options.progress(path.stat().st_size * first // max(total, 1), path.stat().st_size, path.name)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BadInput(path, f"damaged Parquet file: {error}") from error


def schema_of_all() -> pa.Schema:
    """Return the types of all columns that are read: facts, and what is said of them."""
    return pa.schema([*SCHEMA, *SAID])


def _said(rows: pa.Table, whole: Any) -> Any:
    """Return which rows are whole and say nothing of their fact that cannot be."""
    names = [name for name in ("valid_from", "valid_to", "confidence", "rests_on") if name in rows.column_names]
    if not names:
        return whole
    told = {tuple(row) for row in zip(*(rows[name].to_pylist() for name in names), strict=True)}
    wrong = {row for row in told if not _sayable(dict(zip(names, row, strict=True)))}
    if not wrong:
        return whole
    good = [row not in wrong for row in zip(*(rows[name].to_pylist() for name in names), strict=True)]
    return pc.and_(whole, pa.array(good))


def _sayable(said: dict[str, Any]) -> bool:
    try:
        span((said.get("valid_from"), said.get("valid_to")))
        checked_confidence(said.get("confidence"))
        keys_of([tuple(key) for key in json.loads(said.get("rests_on") or "[]")])
    except (BadInput, ValueError, TypeError):
        return False
    return True


def _stored(text: str, column: str) -> str | None:
    """Return a term as it is stored; None if a column cannot hold it."""
    try:
        if column == "graph":
            stored = as_graph(text)
        else:
            stored = as_relation(text) if column == "predicate" else as_node(text, "en")
    except ValueError:
        return None
    return None if column != "object" and no_name(stored) else stored


def _checked(rows: pa.Table, first: int, options: ReadOptions) -> Iterator[pa.RecordBatch | Rejects]:
    filled = (pc.fill_null(pc.greater(pc.utf8_length(rows[name]), 0), False) for name in _NEEDED)
    whole = reduce(pc.and_, filled)
    for name in {*_NEEDED, "graph"} & set(rows.column_names):
        every = name == "predicate"
        told = pc.unique(rows[name] if every else rows[name].filter(pc.match_substring_regex(rows[name], _CHECKED)))
        said = {text: _stored(text, name) for text in told.to_pylist() if text}
        odd = pa.array([text for text, stored in said.items() if stored is None], pa.string())
        whole = pc.and_(whole, pc.invert(pc.is_in(rows[name], odd)))
        usual = {text: stored for text, stored in said.items() if stored not in (None, text)}
        if usual:
            column = pa.array([usual.get(text, text) for text in rows[name].to_pylist()], pa.string())
            rows = rows.set_column(rows.column_names.index(name), name, column)
    whole = _said(rows, whole)
    if "weight" in rows.column_names:
        whole = pc.and_(whole, pc.is_finite(pc.fill_null(rows["weight"], 1.0)))
    if options.graph is not None and "graph" in rows.column_names:
        rows = rows.drop_columns(["graph"])
    yield from rows.filter(whole).combine_chunks().to_batches()
    bad = [i for i, good in enumerate(whole.to_pylist()) if not good]
    if bad:
        raw = [str(rows.slice(i, 1).to_pylist()[0])[:500] for i in bad]
        yield Rejects(
            [first + i for i in bad], ["a column is empty, no term that RDF can write, or not a number"] * len(bad), raw
        )
