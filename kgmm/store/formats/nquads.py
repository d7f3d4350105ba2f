"""RDF in N-Quads, one a line (W3C, RDF 1.1, 2014, https://www.w3.org/TR/n-quads/); annotations of RDF 1.2."""

from pathlib import Path

from kgmm.store.formats._rdf import read_lines
from kgmm.store.formats.ntriples import share

NAME = "nquads"
SUFFIXES = (".nq", ".nquads")


def sniff(path: Path, head: bytes) -> float:
    """Look for lines of four terms and a dot, some perhaps of three."""
    triples, quads = share(head)
    return 0.98 * (triples + quads) if quads and triples + quads >= 0.5 else 0.0


read = read_lines
