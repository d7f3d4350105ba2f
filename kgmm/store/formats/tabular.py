"""Tables of facts: subject, relation, object and perhaps weight and source, by tabs or commas.

Commas and quotes as in RFC 4180 (2005), tabs as IANA's text/tab-separated-values has them (1993).
"""

from pathlib import Path

from kgmm.store.formats._table import layout, read_table

NAME = "tabular"
SUFFIXES = (".tsv", ".csv", ".txt")


def sniff(path: Path, head: bytes) -> float:
    """Look for lines of three to five columns, the relation in its place."""
    found = layout(head)
    return found.sure if found is not None and (found.header or found.columns[0] != "predicate") else 0.0


read = read_table
