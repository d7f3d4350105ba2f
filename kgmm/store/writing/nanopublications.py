"""Nanopublications: an assertion, where it comes from and who publishes it in graphs of their own, under a trusty URI.

Groth, Gibson & Velterop, The anatomy of a nanopublication, 2010; https://nanopub.net/guidelines/working_draft/. Of a fact that
somebody speaks against, the assertion is OWL's negative one, so that nobody takes it for stated.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import pyoxigraph as ox

from kgmm.errors import BadInput
from kgmm.language.names import LOCAL, is_iri
from kgmm.store.assertion import Assertion
from kgmm.store.handle import Handle
from kgmm.store.rdf import saying
from kgmm.store.rdf import terms as rdf
from kgmm.store.rdf.trusty import PLACEHOLDER, checksum
from kgmm.store.table.delta import versions
from kgmm.store.writing.part import Part

BASE = "https://w3id.org/np/"  #: where nanopublications are usually published
NP = "http://www.nanopub.org/nschema#"
PROV, DCT, OWL = "http://www.w3.org/ns/prov#", "http://purl.org/dc/terms/", rdf.PREFIXES["owl"]
GRAPHS = ("Head", "assertion", "provenance", "pubinfo")
#: what the provenance says of an assertion beside who, from what and how: fields of :data:`kgmm.store.rdf.saying.OWN`
_PLAIN = ("polarity", "confidence", "valid_from", "valid_to", "surface", "rests_on")
NANOPUB_HEAD = "".join(
    f"@prefix {prefix}: <{iri}> .\n"
    for prefix, iri in {"np": NP, "prov": PROV, "dcterms": DCT, "xsd": rdf.PREFIXES["xsd"], "kgmm": LOCAL}.items()
).encode()
Quad = tuple[str, str, str, str | ox.Literal]  #: graph, subject, predicate, object; IRIs as texts


def checked_base(base: str) -> str:
    """Return what trusty URIs may begin with; BadInput if nothing can."""
    if not is_iri(base) or base[-1] not in "/#.:" or PLACEHOLDER in base:
        raise BadInput("base", f"{base[:80]!r} is no IRI that ends in / or #")
    return base


def made(store: Handle) -> str:
    """Return when the version shown was made (ISO 8601)."""
    return next((v["time"] for v in versions(store.places.table) if v["version"] == store.version), "")


def nanopub(part: Part, file: IO[bytes]) -> None:
    """Write a nanopublication an assertion in TriG."""
    for assertions in part.assertions():
        file.writelines(written(said, part.base, part.made).encode() for said in assertions)


def written(said: Assertion, base: str, created: str) -> str:
    """Return an assertion as a nanopublication in TriG.

    Raises:
        ValueError: if a part of it is no IRI: a blank node has no name elsewhere.
    """
    quads = list(_quads(said, base + PLACEHOLDER, created))
    code = checksum(quads)
    parts: dict[str, list[str]] = {}
    for graph, subject, predicate, target in quads:
        shown = str(target) if isinstance(target, ox.Literal) else f"<{target.replace(PLACEHOLDER, code)}>"
        line = f"  <{subject.replace(PLACEHOLDER, code)}> <{predicate}> {shown} .\n"
        parts.setdefault(graph.replace(PLACEHOLDER, code), []).append(line)
    return "\n" + "".join(f"<{graph}> {{\n{''.join(lines)}}}\n" for graph, lines in parts.items())


def _quads(said: Assertion, name: str, created: str) -> Iterator[Quad]:
    head, assertion, provenance, about = (f"{name}#{graph}" for graph in GRAPHS)
    kind = rdf.TYPE.value
    yield head, name, kind, f"{NP}Nanopublication"
    yield head, name, f"{NP}hasAssertion", assertion
    yield head, name, f"{NP}hasProvenance", provenance
    yield head, name, f"{NP}hasPublicationInfo", about
    fact = said.fact
    subject, predicate = _named(rdf.node(fact.subject)), rdf.predicate(fact.predicate).value
    value = rdf.value(fact.object)
    target: str | ox.Literal = value if isinstance(value, ox.Literal) else _named(value)
    if said.polarity > 0:
        yield assertion, subject, predicate, target
    else:
        denial = f"{name}#denial"
        yield assertion, denial, kind, f"{OWL}NegativePropertyAssertion"
        yield assertion, denial, f"{OWL}sourceIndividual", subject
        yield assertion, denial, f"{OWL}assertionProperty", predicate
        yield assertion, denial, f"{OWL}target{'Value' if isinstance(target, ox.Literal) else 'Individual'}", target
    yield provenance, assertion, f"{PROV}wasGeneratedBy", saying.name("method", said.method).value
    if said.contributor:
        yield provenance, assertion, f"{PROV}wasAttributedTo", saying.name("contributor", said.contributor).value
    if said.source:
        yield provenance, assertion, f"{PROV}wasDerivedFrom", saying.name("source", said.source).value
    properties = {node: field for field, node in saying.OWN.items()}
    for node, literal in saying.told(said):
        if properties[node] in _PLAIN:
            yield provenance, assertion, node.value, literal
    yield about, name, f"{DCT}created", ox.Literal(created, datatype=ox.NamedNode(f"{rdf.PREFIXES['xsd']}dateTime"))
    if said.licence:
        yield about, name, f"{DCT}license", saying.name("licence", said.licence).value
    if fact.weight != 1.0:
        yield about, name, saying.OWN["weight"].value, rdf.weight_literal(fact.weight)
    yield about, name, f"{LOCAL}graph", _named(rdf.node(fact.graph))


def _named(node: ox.NamedNode | ox.BlankNode | ox.Literal) -> str:
    if not isinstance(node, ox.NamedNode):
        raise ValueError(f"{node} is a blank node, which has no name elsewhere; export only graphs without: graph=")
    return node.value
