"""The layout of ConceptNet-100K: relation, head, tail and perhaps weight, by tabs.

Li, Taheri, Tu & Gimpel, Commonsense Knowledge Base Completion, ACL 2016;
https://home.ttic.edu/~kgimpel/commonsense.html
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from kgmm.store.formats._base import ReadOptions, Rejects
from kgmm.store.formats._stream import head as head_of
from kgmm.store.formats._table import layout, layout_of, read_table

NAME = "conceptnet100k"
SUFFIXES = (".txt", ".tsv")


def sniff(path: Path, head: bytes) -> float:
    """Look for lines of three to five columns, the relation in its place."""
    found = layout(head)
    return found.sure if found is not None and not found.header and found.columns[0] == "predicate" else 0.0


def read(path: Path, options: ReadOptions) -> Iterator[pa.RecordBatch | Rejects]:
    """Yield the facts; a line that cannot be used is rejected alone.

    Raises:
        BadInput: if the file is no such table, is UTF-16, or its compression is damaged.
    """
    found = layout_of(path, head_of(path))
    columns = ("predicate", "subject", "object", "weight", "source")
    return read_table(path, options, columns, found.separator, False)
