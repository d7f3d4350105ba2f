"""RDF in JSON-LD.

W3C, JSON-LD 1.1 (2020), https://www.w3.org/TR/json-ld11/
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pyoxigraph as ox

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


read = partial(read_document, syntax=ox.RdfFormat.JSON_LD)
