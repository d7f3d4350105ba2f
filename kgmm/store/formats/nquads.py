"""RDF with named graphs in N-Quads: one statement a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from kgmm.store.formats._base import ReadOptions, Rejects
from kgmm.store.formats._rdf import read_lines
from kgmm.store.formats.ntriples import share

NAME = "nquads"
SUFFIXES = (".nq", ".nquads")


def sniff(path: Path, head: bytes) -> float:
    """Look for lines of four terms and a dot, some perhaps of three."""
    triples, quads = share(head)
    return 0.98 * (triples + quads) if quads and triples + quads >= 0.5 else 0.0


def read(path: Path, options: ReadOptions) -> Iterator[pa.RecordBatch | Rejects]:
    """Yield the file's statements; a malformed line is rejected alone.

    Raises:
        BadInput: if the file is UTF-16 or its compression is damaged.
    """
    return read_lines(path, options)
