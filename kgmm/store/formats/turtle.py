"""RDF in Turtle (W3C, RDF 1.1, 2014, https://www.w3.org/TR/turtle/), annotations as in RDF 1.2."""

from functools import partial
from pathlib import Path

import pyoxigraph as ox

from kgmm.store.formats._rdf import read_document
from kgmm.store.formats._sniff_turtle import turtle_family

NAME = "turtle"
SUFFIXES = (".ttl", ".turtle")


def sniff(path: Path, head: bytes) -> float:
    """Look for prefixes or a statement, and no named graphs."""
    return turtle_family(path, head).turtle


read = partial(read_document, syntax=ox.RdfFormat.TURTLE)
