"""RDF in N-Triples, one a line (W3C, RDF 1.1, 2014, https://www.w3.org/TR/n-triples/); annotations of RDF 1.2."""

import re
from pathlib import Path

from kgmm.store.formats._rdf import read_lines

NAME = "ntriples"
SUFFIXES = (".nt", ".ntriples")
_IRI = r"<[^<>\s]*>"
_NODE = rf"(?:{_IRI}|_:\S+)"
_OBJECT = rf'(?:{_NODE}|"(?:[^"\\]|\\.)*"(?:\^\^{_IRI}|@[\w-]+)?|<<.*>>)'
TRIPLE = re.compile(rf"\s*{_NODE}\s*{_IRI}\s*{_OBJECT}\s*\.\s*(?:#.*)?")
QUAD = re.compile(rf"\s*{_NODE}\s*{_IRI}\s*{_OBJECT}\s*{_NODE}\s*\.\s*(?:#.*)?")


def share(head: bytes) -> tuple[float, float]:
    """Return the shares of the first lines that look like a triple, and like a quad."""
    text = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    first = [line for line in text.split("\n")[:50] if line.strip() and not line.startswith("#")]
    if len(head) > 1 and not text.endswith("\n") and len(first) > 1:
        first.pop()
    if not first:
        return 0.0, 0.0
    triples, quads = (sum(p.fullmatch(line.rstrip("\r")) is not None for line in first) for p in (TRIPLE, QUAD))
    return triples / len(first), quads / len(first)


def sniff(path: Path, head: bytes) -> float:
    """Look for lines of three terms and a dot, one a line."""
    triples, quads = share(head)
    return 0.98 * triples if triples >= 0.5 and not quads else 0.0


read = read_lines
