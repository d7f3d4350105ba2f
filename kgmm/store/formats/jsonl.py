"""JSON lines (https://jsonlines.org): an object a fact or assertion, with subject, predicate and object, and what is said of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from kgmm.errors import BadInput
from kgmm.language.names import is_literal
from kgmm.store.assertion import checked_confidence, keys_of, unwritable
from kgmm.store.facts import no_name
from kgmm.store.formats._base import ReadOptions, Rejects
from kgmm.store.formats._rows import Rows, rows_of, weight_of
from kgmm.store.formats._stream import lines
from kgmm.store.formats._table import as_graph, as_node, as_relation, columns_named
from kgmm.store.times import span

NAME = "jsonl"
SUFFIXES = (".jsonl", ".ndjson")
#: what an object may say of its fact beside weight and graph
FIELDS = ("source", "contributor", "polarity", "confidence", "from", "to", "method", "licence", "text", "rests_on")
_SIDES = {"for": 1, "against": -1, "1": 1, "-1": -1}


def sniff(path: Path, head: bytes) -> float:
    """Look for objects with subject, predicate and object, one a line."""
    text = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").lstrip()
    if not text.startswith("{"):
        return 0.0
    first = text.split("\n", 1)[0]
    try:
        found = json.loads(first)
    except (ValueError, RecursionError):
        return 0.0
    named = isinstance(found, dict) and {"subject", "predicate", "object"} <= set(_named(tuple(found)).values())
    return 0.95 if named and "@context" not in found and all(not isinstance(v, dict) for v in found.values()) else 0.0


def read(path: Path, options: ReadOptions) -> Iterator[pa.RecordBatch | Rejects]:
    """Yield the facts and what is said of them; a line that is no such object is rejected alone."""
    return rows_of(lines(path, options.progress), partial(_add, options=options), asserting=True)


@lru_cache(1 << 10)
def _named(keys: tuple[str, ...]) -> dict[str, str]:
    """Return what the keys of an object stand for: our names as they are, others as the heading of a table may name them."""
    ours = {"subject", "predicate", "object", "weight", "graph", *FIELDS}
    if {"subject", "predicate", "object"} <= set(keys):
        return {key: key for key in keys if key in ours}
    found = dict(zip(keys, columns_named(list(keys)), strict=True))
    return {key: key if key in FIELDS and not name else name for key, name in found.items() if name or key in FIELDS}


def _add(rows: Rows, text: str, options: ReadOptions) -> None:
    try:
        found = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("no JSON object")
    given = {name: found[key] for key, name in _named(tuple(found)).items() if found[key] is not None}
    ends = [_text(given, name) for name in ("subject", "predicate", "object")]
    if not all(end.strip() for end in ends):
        raise ValueError("it needs a subject, a predicate and an object")
    lang = options.lang or "en"
    subject, relation, target = as_node(ends[0], lang), as_relation(ends[1]), as_node(ends[2], lang)
    if is_literal(subject):
        raise ValueError(f"the subject {subject[:40]} is a literal")
    graph = as_graph(_text(given, "graph")) or None
    if reason := no_name(graph or ""):
        raise ValueError(reason)
    weight = weight_of(str(given["weight"])) if "weight" in given else 1.0
    surface = _text(given, "text") or None
    rows.add(subject, relation, target, weight, graph, _text(given, "source"), surface, _said(given))


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name, "")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{name} is no text: {json.dumps(value)[:40]}")
    value = str(value)
    if reason := unwritable(value):
        raise ValueError(f"{name}: {reason}")
    return value


def _said(given: dict[str, Any]) -> dict[str, Any]:
    """Return what an object says of its fact as columns; ValueError if a value cannot be used."""
    said: dict[str, Any] = {n: text for n in ("contributor", "method", "licence") if (text := _text(given, n))}
    try:
        held = span((_text(given, "from") or None, _text(given, "to") or None))
        said |= {n: b for n, b in (("valid_from", held.start), ("valid_to", held.end)) if b is not None}
        if "confidence" in given:
            said["confidence"] = checked_confidence(given["confidence"])
        if "rests_on" in given:
            if not isinstance(given["rests_on"], list):
                raise BadInput("rests_on", "no list of facts")
            keys = keys_of([tuple(map(str, key)) for key in given["rests_on"] if isinstance(key, list)])
            said["rests_on"] = json.dumps(keys, ensure_ascii=False)
    except BadInput as error:
        raise ValueError(f"{error.source}: {error.reason}") from None
    if "polarity" in given:
        side = re.sub(r"\.0$", "", str(given["polarity"]))
        if side not in _SIDES:
            raise ValueError(f"polarity {side[:40]!r} is neither for nor against")
        said["polarity"] = -1 if _SIDES[side] < 0 else None
    return said
