"""Trusty URIs of RDF graphs: an IRI that ends in a checksum of what is said under it, so that nobody can change it unseen.

Kuhn & Dumontier, Making Digital Artifacts on the Web Verifiable and Reliable, TKDE 2015; module RA of
https://github.com/trustyuri/trustyuri-spec: statements are sorted with the checksum left out of their IRIs, SHA-256.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache

import pyoxigraph as ox

from kgmm.store.rdf.terms import NotRdf

PLACEHOLDER = " "  #: what stands for the checksum while it is worked out: no IRI holds it
_CODE = re.compile(r"(?<![A-Za-z0-9_-])RA[A-Za-z0-9_-]{43}(?=[#/.]?$)")


def code_of(iri: str) -> str:
    """Return the checksum at the end of a trusty URI; an empty string if it is none.

    >>> code_of("http://example.org/np/RA" + "x" * 43), code_of("http://example.org/np1")
    ('RAxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '')
    """
    found = _CODE.search(iri)
    return found[0] if found else ""


def checksum(quads: Iterable[tuple[str, str, str, str | ox.Literal]], code: str = PLACEHOLDER) -> str:
    """Return the checksum of statements.

    Args:
        quads: graph, subject, predicate and object; IRIs as texts.
        code: what stands in their IRIs for the checksum itself.

    Raises:
        NotRdf: if there are none.
    """
    lines = {
        tuple(_key(part.replace(code, PLACEHOLDER)) if isinstance(part, str) else _literal(part) for part in quad)
        for quad in quads
    }
    if not lines:
        raise NotRdf("there are no statements to sum up")
    text = b"".join(b"".join(part[-1] for part in line) for line in sorted(lines))
    return "RA" + base64.urlsafe_b64encode(hashlib.sha256(text).digest()).decode().rstrip("=")


@lru_cache(1 << 12)
def _key(iri: str) -> tuple[int, bytes, bytes]:
    """Return what an IRI is sorted by, before any literal, and its line."""
    return 0, iri.encode(), f"{iri}\n".encode()


def _literal(value: ox.Literal) -> tuple[int, bytes, int, bytes, bytes]:
    """Return what a literal is sorted by (text, those with a language first, language or type), and its line."""
    language, text = value.language, value.value
    kind = language.lower() if language is not None else value.datatype.value
    mark = "@" if language is not None else "^"
    shown = text.replace("\\", "\\\\").replace("\n", "\\n")
    return 1, text.encode(), int(language is None), kind.encode(), f"{mark}{kind} {shown}\n".encode()
