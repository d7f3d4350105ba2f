"""RDF with named graphs in TriG (W3C, RDF 1.1, 2014, https://www.w3.org/TR/trig/), annotations as in RDF 1.2."""

from functools import partial
from pathlib import Path

import pyoxigraph as ox

from kgmm.store.formats._rdf import read_document
from kgmm.store.formats._sniff_turtle import turtle_family

NAME = "trig"
SUFFIXES = (".trig",)


def sniff(path: Path, head: bytes) -> float:
    """Look for prefixes or a statement, and named graphs in braces."""
    return turtle_family(path, head).trig


read = partial(read_document, syntax=ox.RdfFormat.TRIG)
