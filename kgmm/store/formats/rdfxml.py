"""RDF in XML (W3C, RDF 1.1 XML Syntax, 2014, https://www.w3.org/TR/rdf-syntax-grammar/)."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

import pyarrow as pa
import pyoxigraph as ox

from kgmm.errors import BadInput
from kgmm.store.formats._base import ReadOptions, Rejects
from kgmm.store.formats._rdf import read_document
from kgmm.store.formats._stream import BLOCK, open_stream
from kgmm.store.rdf.depth import DEPTH_LIMIT

NAME = "rdf-xml"
SUFFIXES = (".rdf", ".xml", ".owl")
ENTITY_LIMIT = 256  #: Longest entity: enough for any namespace, and one that a text names often stays bounded.
TEXT_LIMIT = 16 << 20  #: Most text of one element: as much as Oxigraph takes in other syntaxes.


def sniff(path: Path, head: bytes) -> float:
    """Look for the RDF namespace in XML."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text.startswith(b"<") or not re.match(rb"<[?!A-Za-z]", text):
        return 0.0
    return 0.97 if b"http://www.w3.org/1999/02/22-rdf-syntax-ns#" in text and b"xmlns" in text else 0.0


def read(path: Path, options: ReadOptions) -> Iterator[pa.RecordBatch | Rejects]:
    """Yield the file's statements; BadInput at its first syntax error, or if it could fill the memory or take hours."""
    malformed = _looked_through(path)
    try:
        yield from read_document(path, options, ox.RdfFormat.RDF_XML)
    except BadInput as error:  # the parser of RDF does not say where
        raise BadInput(path, error.reason, error.line or malformed) from error


def _looked_through(path: Path) -> int | None:
    """Return the first line that is no XML, None if there is none.

    Refuses entities made of entities, of which a few lines expand to gigabytes ("billion laughs"), long ones, and
    elements in elements so deep that parsing takes time by the square.
    """
    parser, depth, length = expat.ParserCreate(), 0, 0

    def refuse(reason: str) -> NoReturn:
        raise BadInput(path, reason, parser.CurrentLineNumber)

    def declared(name: str, is_parameter: bool, value: str | None, *_: object) -> None:
        if value is not None and ("&" in value or len(value) > ENTITY_LIMIT):
            refuse(f"entity {name[:40]!r} holds other entities or more than {ENTITY_LIMIT} characters")

    def says(text: str) -> None:
        nonlocal length
        length += len(text)
        if length > TEXT_LIMIT:
            refuse(f"an element holds more than {TEXT_LIMIT} characters")

    def begins(*_: object) -> None:
        nonlocal depth, length
        depth, length = depth + 1, 0
        if depth > DEPTH_LIMIT:
            refuse(f"elements lie more than {DEPTH_LIMIT} deep in each other")

    def ends(*_: object) -> None:
        nonlocal depth, length
        depth, length = depth - 1, 0

    parser.buffer_text, parser.buffer_size, parser.CharacterDataHandler = True, 1 << 16, says
    parser.EntityDeclHandler, parser.StartElementHandler, parser.EndElementHandler = declared, begins, ends
    with open_stream(path) as stream:
        try:
            while block := stream.read(BLOCK):
                parser.Parse(block, False)
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            return error.lineno
    return None
