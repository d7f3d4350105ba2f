"""RDF with named graphs in TriG."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyoxigraph as ox

from kgmm.store.formats._base import ReadOptions, Rejects
from kgmm.store.formats._rdf import read_document
from kgmm.store.formats._turtle import turtle_family

NAME = "trig"
SUFFIXES = (".trig",)


def sniff(path: Path, head: bytes) -> float:
    """Look for prefixes or a statement, and named graphs in braces."""
    return turtle_family(path, head).trig


def read(path: Path, options: ReadOptions) -> Iterator[pa.RecordBatch | Rejects]:
    """Yield the file's statements.

    Raises:
        BadInput: at the first syntax error, naming its line.
    """
    return read_document(path, options, ox.RdfFormat.TRIG)
