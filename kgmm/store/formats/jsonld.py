"""RDF in JSON-LD.

W3C, JSON-LD 1.1 (2020), https://www.w3.org/TR/json-ld11/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyoxigraph as ox

from kgmm.store.formats._base import ReadOptions, Rejects
from kgmm.store.formats._json import items, outline
from kgmm.store.formats._rdf import read_document

NAME = "json-ld"
SUFFIXES = (".jsonld", ".json")
_KEYWORDS = frozenset({"@context", "@id", "@graph", "@type", "@value"})
#: What no IRI holds (RFC 3987): JSON-LD's algorithms drop a statement with such a name without a word.
_NO_IRI = re.compile(r"[\x00-\x20<>\"{}|\\^`]")
_MAPS = frozenset({"@language", "@index", "@id", "@type"})


def sniff(path: Path, head: bytes) -> float:
    """Look for JSON with JSON-LD's keywords."""
    shape = outline(head)
    if shape is None:
        return 0.0
    return 0.97 if any(key in _KEYWORDS for depth in shape.keys for key in depth) else 0.0


def read(path: Path, options: ReadOptions) -> Iterator[pa.RecordBatch | Rejects]:
    """Yield the file's statements, and what JSON-LD's own algorithms drop: names that are no IRIs, unknown properties.

    Raises:
        BadInput: at the first syntax error, naming its line.
    """
    yield from read_document(path, options, ox.RdfFormat.JSON_LD)
    terms: dict[str, Any] = {}
    for key, value, _ in items(path):
        for context in _contexts({key: value} if key else value):
            terms.update(context)
    rejects = Rejects([], [], [])
    for key, value, line in items(path):
        for reason, raw in _dropped({key: value} if key else value, terms):
            rejects.add(line, reason, str(raw))
    if rejects.lines:
        yield rejects


def _contexts(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the contexts in a part of a document; one that lies elsewhere counts as naming every property."""
    if isinstance(value, list):
        yield from chain.from_iterable(map(_contexts, value))
    elif isinstance(value, dict):
        told = value.get("@context", [])
        for context in told if isinstance(told, list) else [told]:
            yield context if isinstance(context, dict) else {"@vocab": context}
        yield from chain.from_iterable(_contexts(part) for key, part in value.items() if key != "@context")


def _dropped(value: Any, terms: dict[str, Any], keys_are_names: bool = True) -> Iterator[tuple[str, Any]]:
    """Yield why parts of a document say nothing, and the part."""
    if isinstance(value, list):
        for part in value:
            yield from _dropped(part, terms, keys_are_names)
    if not isinstance(value, dict):
        return
    for key, part in value.items():
        about = terms.get(key)
        kind = about.get("@type") if isinstance(about, dict) else None
        if key == "@context" or kind == "@json":
            continue
        if "@id" in (key, about, kind) or "@type" in (key, about):
            names = [name for name in (part if isinstance(part, list) else [part]) if isinstance(name, str)]
            yield from ((f"{name[:40]!r} is no IRI", value) for name in names if _NO_IRI.search(name))
        elif keys_are_names and not key.startswith("@") and not {key, "@vocab"} & terms.keys() and ":" not in key:
            yield f"property {key[:40]!r} is in no context", value
        container = about.get("@container", ()) if isinstance(about, dict) else ()
        held = {container} if isinstance(container, str) else set(container)
        yield from _dropped(part, terms, not held & _MAPS)
