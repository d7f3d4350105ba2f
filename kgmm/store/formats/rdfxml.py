"""RDF in XML.

W3C, RDF 1.1 XML Syntax (2014), https://www.w3.org/TR/rdf-syntax-grammar/
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pyoxigraph as ox

from kgmm.store.formats._rdf import read_document

NAME = "rdf-xml"
SUFFIXES = (".rdf", ".xml", ".owl")


def sniff(path: Path, head: bytes) -> float:
    """Look for the RDF namespace in XML."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text.startswith(b"<") or not re.match(rb"<[?!A-Za-z]", text):
        return 0.0
    return 0.97 if b"http://www.w3.org/1999/02/22-rdf-syntax-ns#" in text and b"xmlns" in text else 0.0


read = partial(read_document, syntax=ox.RdfFormat.RDF_XML)
