"""Stored terms as RDF terms and back, and the one RDF modelling of weight and source.

Every graph of a store is a named graph ``urn:kgmm:<name>``. A fact whose weight is not 1 or whose source is
known carries an RDF 1.2 annotation in the same graph::

    c:knife r:UsedFor c:cutting {| kgmm:weight 2.5 ; kgmm:source "/d/conceptnet/4/en" |} .

An export says the same in RDF 1.1, with an ``rdf:Statement`` named ``urn:kgmm:fact/…``.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import quote

import pyoxigraph as ox
import xxhash

from kgmm.language.names import CONCEPTNET, LOCAL, from_iri, iri, is_iri, is_literal, unusable

#: Prefixes that every query may use without declaring them.
PREFIXES = {
    "c": f"{CONCEPTNET}/c/en/",
    "cn": f"{CONCEPTNET}/c/",
    "r": f"{CONCEPTNET}/r/",
    "kgmm": LOCAL,
    "s": f"{LOCAL}/s/",
    "scene": f"{LOCAL}scene/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
}
WEIGHT = ox.NamedNode(f"{LOCAL}weight")
SOURCE = ox.NamedNode(f"{LOCAL}source")
#: where the IRIs lie that stand for facts
FACT = f"{LOCAL}fact/"
REIFIES = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#reifies")
#: RDF 1.1's own way to speak of a statement: type, then subject, predicate and object
TYPE = ox.NamedNode(f"{PREFIXES['rdf']}type")
STATEMENT = ox.NamedNode(f"{PREFIXES['rdf']}Statement")
PARTS = tuple(ox.NamedNode(f"{PREFIXES['rdf']}{part}") for part in ("subject", "predicate", "object"))
_DOUBLE = ox.NamedNode("http://www.w3.org/2001/XMLSchema#double")
_BLANK = "_:"
#: The name of a blank node read from a file, with the file's mark, and what an export puts before any other name.
SCOPED, UNSCOPED = re.compile("b[0-9a-f]{10}x.+"), "b0000000000x"
_OTHER = f"{LOCAL}iri:"  #: marks an IRI that nothing tells from a word, such as a relative one

Node = ox.NamedNode | ox.BlankNode
Object = ox.NamedNode | ox.BlankNode | ox.Literal
Statement = tuple[str, str, str, str, float, str]  #: graph, subject, predicate, object, weight, source


class NotRdf(ValueError):
    """A term that RDF cannot say, or a part of RDF that a store cannot hold."""


@lru_cache(maxsize=1 << 17)
def node(term: str) -> Node:
    """Return the RDF node of a stored subject, object or graph name.

    >>> str(node("/c/en/dog"))
    '<http://conceptnet.io/c/en/dog>'
    """
    if term.startswith(_BLANK) and not unusable(term):
        return ox.BlankNode(term[2:])
    return _named(full_iri(term))


@lru_cache(maxsize=1 << 14)
def predicate(term: str) -> ox.NamedNode:
    """Return the RDF predicate of a stored relation."""
    return _named(full_iri(term, predicate=True))


def _named(text: str) -> ox.NamedNode:
    try:
        return ox.NamedNode(text)
    except ValueError:  # a relative IRI, which rdflib allows: RDF needs a scheme before it
        return ox.NamedNode(_OTHER + quote(text))


def full_iri(term: str, predicate: bool = False) -> str:
    """Return the IRI of a stored term; inverse of :func:`node_term` and :func:`predicate_term`."""
    return term[len(_OTHER) :] if term.startswith(_OTHER) else iri(term, predicate=predicate)


def literal(term: str) -> ox.Literal:
    """Return the RDF literal of a stored literal; NotRdf if *term* is no literal in N-Triples form."""
    try:
        quad = next(iter(ox.parse(f"<x:s> <x:p> {term} .", ox.RdfFormat.N_TRIPLES)))
    except (SyntaxError, StopIteration) as error:
        raise NotRdf(f"{term[:80]!r} is no literal") from error
    if not isinstance(quad.object, ox.Literal):
        raise NotRdf(f"{term[:80]!r} is no literal")
    return quad.object


def value(term: str) -> Object:
    """Return the RDF term of a stored object; a literal an older version took, which RDF cannot write, is a text."""
    try:
        return literal(term) if is_literal(term) else node(term)
    except NotRdf:
        return ox.Literal(term)


@lru_cache(maxsize=1 << 17)
def node_term(text: str) -> str:
    """Return the stored term of an IRI that is subject, object or graph; NotRdf if nothing would be left of it."""
    if text.startswith(f"{CONCEPTNET}/r/") or (text.startswith(f"{LOCAL}urn:") and not text.startswith(LOCAL * 2)):
        return text  # as a node a relation keeps its IRI: "UsedFor" there would be another thing
    if not text:
        return _OTHER  # the empty relative IRI, which rdflib allows
    term = from_iri(text)
    if not term or term.startswith(('"', _BLANK)):
        raise NotRdf(f"<{text[:80]}> is no usable name")
    return _OTHER + text if term == text and not is_iri(text) else term


@lru_cache(maxsize=1 << 14)
def predicate_term(text: str) -> str:
    """Return the stored relation of a predicate's IRI: bare for ConceptNet's, the IRI itself for others."""
    if text.startswith(LOCAL):
        return text
    term = from_iri(text)
    if not term or term.startswith('"'):
        raise NotRdf(f"<{text[:80]}> is no usable relation")
    return _OTHER + text if term == text and iri(text, predicate=True) != text else term


def term_of(rdf: object) -> str:
    """Return the stored term of an RDF node or literal; NotRdf for triple terms, which a store does not hold."""
    if isinstance(rdf, ox.NamedNode):
        return node_term(rdf.value)
    if isinstance(rdf, ox.Literal):
        return str(rdf)
    if isinstance(rdf, ox.BlankNode):
        return f"_:{rdf.value}"
    raise NotRdf("a triple term can only carry kgmm:weight and kgmm:source annotations")


def weight_literal(weight: float) -> ox.Literal:
    """Return a weight as an xsd:double, written shortest."""
    return ox.Literal(repr(float(weight)), datatype=_DOUBLE)


def reifier_iri(graph: str, subject: str, relation: str, obj: str) -> str:
    """Return the IRI that stands for one fact in its annotations."""
    key = "\0".join((graph, subject, relation, obj))
    return f"{FACT}{xxhash.xxh3_64_hexdigest(key.encode(errors='replace'))}"


def quads(fact: Statement, annotated: bool = True) -> Iterator[ox.Quad]:
    """Yield a fact as quads: the statement, then its annotation if it says more than the defaults."""
    graph, subject, relation, obj, weight, source = fact
    name, s, p, o = node(graph), node(subject), predicate(relation), value(obj)
    yield ox.Quad(s, p, o, name)
    if not annotated or (weight == 1.0 and not source):
        return
    reifier = ox.NamedNode(reifier_iri(*fact[:4]))
    yield ox.Quad(reifier, REIFIES, ox.Triple(s, p, o), name)
    if weight != 1.0:
        yield ox.Quad(reifier, WEIGHT, weight_literal(weight), name)
    if source:
        yield ox.Quad(reifier, SOURCE, ox.Literal(source), name)
