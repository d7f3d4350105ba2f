"""ConceptNet-100K: relation, head, tail by tabs (Li et al., ACL 2016; https://home.ttic.edu/~kgimpel/commonsense.html)."""

from functools import partial
from pathlib import Path

from kgmm.store.formats._table import layout, read_table

NAME = "conceptnet100k"
SUFFIXES = (".txt", ".tsv")


def sniff(path: Path, head: bytes) -> float:
    """Look for lines of three to five columns, the relation in its place."""
    found = layout(head)
    return found.sure if found is not None and not found.header and found.columns[0] == "predicate" else 0.0


read = partial(read_table, relation_first=True)
