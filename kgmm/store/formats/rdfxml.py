"""RDF in XML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyoxigraph as ox

from kgmm.store.formats._base import ReadOptions, Rejects
from kgmm.store.formats._rdf import read_document

NAME = "rdf-xml"
SUFFIXES = (".rdf", ".xml", ".owl")


def sniff(path: Path, head: bytes) -> float:
    """Look for the RDF namespace in XML."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text.startswith(b"<") or not re.match(rb"<[?!A-Za-z]", text):
        return 0.0
    return 0.97 if b"http://www.w3.org/1999/02/22-rdf-syntax-ns#" in text and b"xmlns" in text else 0.0


def read(path: Path, options: ReadOptions) -> Iterator[pa.RecordBatch | Rejects]:
    """Yield the file's statements.

    Raises:
        BadInput: at the first syntax error, naming its line.
    """
    return read_document(path, options, ox.RdfFormat.RDF_XML)
