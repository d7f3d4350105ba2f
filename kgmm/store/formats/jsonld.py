"""RDF in JSON-LD (W3C, JSON-LD 1.1, 2020, https://www.w3.org/TR/json-ld11/)."""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyoxigraph as ox

from kgmm.errors import BadInput
from kgmm.store.formats._base import ReadOptions, Rejects
from kgmm.store.formats._json import items, outline
from kgmm.store.formats._rdf import read_document

NAME = "json-ld"
SUFFIXES = (".jsonld", ".json")
_KEYWORDS = frozenset({"@context", "@id", "@graph", "@type", "@value"})
#: What no IRI holds (RFC 3987): JSON-LD's algorithms drop a statement with such a name without a word.
_NO_IRI = re.compile(r"[\x00-\x20<>\"{}|\\^`]")
NAME_LIMIT = 4096  #: Longest name of a node, property or vocabulary.
_MAPS = frozenset({"@language", "@index", "@id", "@type"})


def sniff(path: Path, head: bytes) -> float:
    """Look for JSON with JSON-LD's keywords."""
    shape = outline(head)
    if shape is None:
        return 0.0
    return 0.97 if any(key in _KEYWORDS for depth in shape.keys for key in depth) else 0.0


def read(path: Path, options: ReadOptions) -> Iterator[pa.RecordBatch | Rejects]:
    """Yield the file's statements, and what JSON-LD's own algorithms drop: names that are no IRIs, unknown properties.

    The file is looked through before it is parsed: the parser holds all statements of a node at once, each name in full.

    Raises:
        BadInput: at the first syntax error, naming its line, or if it could fill the memory or end the process.
    """
    terms: dict[str, Any] = {}
    for key, value, line in items(path):
        for context in _contexts({key: value} if key else value):
            if any(len(text) > NAME_LIMIT for text in _texts(context)):
                raise BadInput(path, f"a context holds a name of more than {NAME_LIMIT} characters", line)
            terms.update(context)
    for key, value, line in items(path):
        for name in _names({key: value} if key else value, terms):
            if len(name) > NAME_LIMIT:
                raise BadInput(path, f"{name[:40]!r} is a name of more than {NAME_LIMIT} characters", line)
    yield from read_document(path, options, ox.RdfFormat.JSON_LD)
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


def _texts(value: Any) -> Iterator[str]:
    """Yield the strings in a part of a document, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        yield from value if isinstance(value, dict) else ()
        yield from chain.from_iterable(map(_texts, value.values() if isinstance(value, dict) else value))


def _names(value: Any, terms: dict[str, Any]) -> Iterator[str]:
    """Yield the properties and the names of nodes in a part of a document."""
    if isinstance(value, list):
        yield from chain.from_iterable(_names(part, terms) for part in value)
    elif isinstance(value, dict):
        for key, part in value.items():
            if key != "@context":
                yield key
                yield from _texts(part) if "@id" in (key, terms.get(key)) else _names(part, terms)


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
