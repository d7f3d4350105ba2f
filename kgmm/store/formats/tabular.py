"""Tables of facts: subject, relation, object and perhaps weight and source, by tabs or commas.

Commas and quotes as in RFC 4180 (2005), tabs as IANA's text/tab-separated-values has them (1993).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from kgmm.store.formats._base import ReadOptions, Rejects
from kgmm.store.formats._stream import head as head_of
from kgmm.store.formats._table import layout, layout_of, read_table

NAME = "tabular"
SUFFIXES = (".tsv", ".csv", ".txt")


def sniff(path: Path, head: bytes) -> float:
    """Look for lines of three to five columns, the relation in its place."""
    found = layout(head)
    return found.sure if found is not None and (found.header or found.columns[0] != "predicate") else 0.0


def read(path: Path, options: ReadOptions) -> Iterator[pa.RecordBatch | Rejects]:
    """Yield the facts; a line that cannot be used is rejected alone.

    Raises:
        BadInput: if the file is no such table, is UTF-16, or its compression is damaged.
    """
    found = layout_of(path, head_of(path))
    return read_table(path, options, found.columns, found.separator, found.header)
