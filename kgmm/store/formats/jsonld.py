"""RDF in JSON-LD."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyoxigraph as ox

from kgmm.store.formats._base import ReadOptions, Rejects
from kgmm.store.formats._json import outline
from kgmm.store.formats._rdf import read_document

NAME = "json-ld"
SUFFIXES = (".jsonld", ".json")
_KEYWORDS = frozenset({"@context", "@id", "@graph", "@type", "@value"})


def sniff(path: Path, head: bytes) -> float:
    """Look for JSON with JSON-LD's keywords."""
    shape = outline(head)
    if shape is None:
        return 0.0
    return 0.97 if any(key in _KEYWORDS for depth in shape.keys for key in depth) else 0.0


def read(path: Path, options: ReadOptions) -> Iterator[pa.RecordBatch | Rejects]:
    """Yield the file's statements.

    Raises:
        BadInput: at the first syntax error, naming its line.
    """
    return read_document(path, options, ox.RdfFormat.JSON_LD)
