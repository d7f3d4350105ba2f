"""Plain tables of facts: which column is what, and words turned into concepts."""

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pyarrow as pa

from kgmm.errors import BadInput
from kgmm.language.names import CONCEPTNET, LOCAL, concept, is_literal, literal, relation, unusable
from kgmm.language.relations import CONCEPTNET_RELATIONS
from kgmm.store.facts import no_name
from kgmm.store.formats._base import ReadOptions, Rejects
from kgmm.store.formats._blocks import batches
from kgmm.store.formats._rows import Rows, rows_of, schema_of, weight_of
from kgmm.store.formats._stream import Line, head, lines
from kgmm.store.rdf import terms as rdf

#: what a heading may call each column, the likeliest name first; a column's name may end in id, entity and the like
_NAMES = {
    "subject": "subject head start sourcenode from node1 subj sub entity1 arg1 concept1 e1 s h source",
    "predicate": "predicate relation relationship rel pred property verb edge p r label type",
    "object": "object tail end targetnode target to node2 obj entity2 arg2 concept2 e2 o t",
    "weight": "weight score confidence",
    "source": "source dataset provenance",
    "graph": "graph",
    "surface": "surface",
}
_ENDING = re.compile("(?<=[a-z])(?:id|entity|node|name|type)$")
#: A row of commas whose last field begins with a quote that is not closed.
_OPEN = re.compile(r'(?:(?:"(?:[^"]|"")*+"[^,]*+|[^",][^,]*+|),)*+"(?:[^"]|"")*+')
#: What an export puts before a name that a cell cannot hold; the name behind it is escaped.
_OWN_IRIS = (f"{CONCEPTNET}/", LOCAL)
JOINED = 100  #: Most lines a row may go on.
_PLAIN = ("subject", "predicate", "object", "weight", "source")
_RELATION_FIRST = ("predicate", "subject", "object", "weight", "source")


class Layout(NamedTuple):
    """What a table's columns hold, what separates them, and whether its first line names them."""

    columns: tuple[str, ...]
    separator: str
    header: bool
    sure: float


@lru_cache(maxsize=4)
def layout(head: bytes) -> Layout | None:
    """Return the layout of a table of facts by its first lines, or None if it is not one."""
    text = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    first = text.split("\n")
    if len(first) > 1:
        first.pop()
    rows_of = [line.rstrip("\r") for line in first if line.strip() and not line.startswith("#")][:200]
    for separator in ("\t", ","):
        found = _layout(rows_of, separator) if rows_of else None
        if found is not None:
            return found
    return None


def _layout(rows: list[str], separator: str) -> Layout | None:
    split = [row.split(separator) if separator == "\t" else _comma_fields(row) for row in rows]
    split = [fields for fields in split if fields] or [[""]]
    named = columns_named(split[0])
    if {"subject", "predicate", "object"} <= set(named):
        return Layout(named, separator, True, 0.9)
    good = [fields for fields in split if 3 <= len(fields) <= 5 and _numeric(fields)]
    if len(good) < 0.5 * len(split):
        return None
    relations = [sum(_is_relation(f[c]) for f in good) / len(good) for c in (0, 1)]
    columns = _RELATION_FIRST if relations[0] > relations[1] else _PLAIN
    share = len(good) / len(split)
    sure = (0.7 if separator == "\t" else 0.5) + (0.2 if max(relations) > 0.5 else 0.0)
    if separator == "," and max(relations) < 0.5:
        return None  # three commas in a line are no table of facts yet
    middle = split[0][columns.index("predicate")] if len(split) > 1 and len(split[0]) >= 3 else ""
    return Layout(columns, separator, middle.strip(' "').lower() in ("relation", "predicate"), sure * share)


def columns_named(heading: list[str]) -> tuple[str, ...]:
    """Return what the columns of a heading hold, nothing where it cannot be told."""
    told = [re.sub(r"[\W_]+", "", name.lower()) for name in heading]
    short = [_ENDING.sub("", name) for name in told]
    columns = [""] * len(told)
    for column, names in _NAMES.items():
        places = [known.index(name) for known in (told, short) for name in names.split() if name in known]
        for place in [at for at in places if not columns[at]][:1]:
            columns[place] = column
    return tuple(columns)


def _comma_fields(row: str) -> list[str]:
    try:
        return next(csv.reader([row]), [])
    except csv.Error:
        return [row]


def _numeric(fields: list[str]) -> bool:
    if len(fields) == 3:
        return True
    return re.fullmatch(r"\s*-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*", fields[3]) is not None


def _is_relation(text: str) -> bool:
    return text in CONCEPTNET_RELATIONS or (text.startswith(("/r/", "http://", "https://")) and "/c/" not in text)


@lru_cache(maxsize=1 << 18)
def as_node(text: str, lang: str) -> str:
    """Return a cell's subject or object as it is stored; ValueError if it is none."""
    text = text.strip()
    if is_literal(text):
        return literal(text)
    if text.startswith(_OWN_IRIS):
        return rdf.node_term(text)
    reason = unusable(text)
    if text.endswith('"') and text.count('"') == 1:  # a row that was cut at a line end
        reason = f"{text[:40]!r} has a quote without its other half"
    if reason:
        raise ValueError(reason)
    return concept(text, lang)


def relation_of(text: str) -> str:
    """Return the stored relation of a cell; ValueError if it is none."""
    name = "_".join(relation(text).split())
    if not name or name.startswith('"') or ("://" in text and unusable(text)):
        raise ValueError(f"{text[:40]!r} is no relation")
    return name


@lru_cache(maxsize=1 << 12)
def as_relation(text: str) -> str:
    """Return a cell's relation as it is stored; ValueError if it is none."""
    text = text.strip()
    if text.startswith(_OWN_IRIS):
        return rdf.predicate_term(text)
    return relation_of(text)


def as_graph(text: str) -> str:
    """Return a cell's graph as it is stored."""
    return rdf.node_term(text) if text.startswith(LOCAL) else text


def read_table(path: Path, options: ReadOptions, relation_first: bool = False) -> Iterator[pa.RecordBatch | Rejects]:
    """Yield a table's facts, a wrong line rejected alone; BadInput if it is no table, UTF-16 or damaged."""
    found = layout(head(path))
    if found is None:
        raise BadInput(path, "expected columns subject, relation, object and perhaps weight")
    columns, separator, header, _ = found
    if relation_first and not header:
        columns = _RELATION_FIRST
    if separator == "\t" and not header and columns[0] in ("subject", "predicate"):
        return _read_fast(path, options, columns)

    def add(rows: Rows, text: str) -> None:
        if text == heading:
            return  # files put one behind the other
        try:
            fields = text.split("\t") if separator == "\t" else next(csv.reader([text], strict=True))
        except (csv.Error, StopIteration) as error:
            raise ValueError(str(error)) from error
        _add(rows, dict(zip(columns, fields, strict=False)), len(fields), len(columns), options)

    stream: Iterator[Line] = lines(path, options.progress)
    if separator == ",":
        stream = _records(stream)
    heading = next((line.text for line in stream if line.text.strip() and line.text[0] != "#"), "") if header else None
    return rows_of(stream, add)


def _records(stream: Iterator[Line]) -> Iterator[Line]:
    """Join lines where a quoted field goes on in the next; a quote that is not closed soon spoils its line alone."""
    waiting: deque[Line] = deque()
    while line := waiting.popleft() if waiting else next(stream, None):
        text, taken = line.text, list[Line]()
        while not line.problem and not text.startswith("#") and _OPEN.fullmatch(text):
            more = waiting.popleft() if waiting else next(stream, None)
            if more is None or len(taken) == JOINED:
                waiting.extendleft(reversed([*taken, *([more] if more else [])]))
                text, line = line.text, line._replace(problem="a quote is not closed")
                break
            taken.append(more)
            text, line = f"{text}\n{more.text}", line._replace(problem=more.problem)
        yield line._replace(text=text)


def _add(rows: Rows, named: dict[str, str], found: int, allowed: int, options: ReadOptions) -> None:
    if not {"subject", "predicate", "object"} <= named.keys() or found > allowed:
        raise ValueError(f"expected 3 to {allowed} columns, found {found}")
    lang = options.lang or "en"
    for part in ("subject", "predicate", "object"):
        if not named[part].strip():
            raise ValueError(f"the {part} is empty")
    graph = named.get("graph") or None
    graph = as_graph(graph) if graph else None
    if reason := no_name(graph or ""):
        raise ValueError(reason)
    if is_literal(subject := as_node(named["subject"], lang)):
        raise ValueError(f"the subject {subject[:40]} is a literal")
    rows.add(
        subject,
        as_relation(named["predicate"]),
        as_node(named["object"], lang),
        weight_of(named["weight"]) if named.get("weight", "").strip() else 1.0,
        graph if options.graph is None else None,
        named.get("source", ""),
        named.get("surface"),
    )


def _read_fast(path: Path, options: ReadOptions, columns: Sequence[str]) -> Iterator[pa.RecordBatch | Rejects]:
    """Parse by the block: each distinct word is turned into a concept once."""

    def check(fields: list[str]) -> str:
        try:
            _add(Rows(), dict(zip(columns, fields, strict=False)), len(fields), 5, options)
        except ValueError as error:
            return str(error)
        return ""

    convert = partial(_batch, columns, options.lang or "en")
    return batches(path, options.progress, 3, 2, check, convert, comments=True)


def _batch(columns: Sequence[str], lang: str, frame: pl.DataFrame, checked: bool) -> list[pa.RecordBatch]:
    frame = frame.rename({str(i): name for i, name in enumerate(columns)})
    if not checked and frame.select(pl.first().str.starts_with("#").any()).item():
        raise ValueError("comment")
    arrays: dict[str, pl.Series] = {}
    for name in ("subject", "predicate", "object"):
        texts = frame[name].unique()
        new = [as_relation(t) if name == "predicate" else as_node(t, lang) for t in texts]
        arrays[name] = frame[name].replace_strict(texts, pl.Series(new, dtype=pl.String))
    given = frame["weight"].str.strip_chars()
    weight = given.cast(pl.Float64, strict=False)
    if ((weight.is_null() & given.is_not_null()) | ~weight.is_finite().fill_null(True)).any():
        raise ValueError("weight")
    arrays["weight"] = weight.fill_null(1.0)
    arrays["source"] = frame["source"].fill_null("")
    return list(pl.DataFrame(arrays).to_arrow().combine_chunks().cast(schema_of(arrays)).to_batches())
