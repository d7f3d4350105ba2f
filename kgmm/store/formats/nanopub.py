"""Nanopublications (https://nanopub.net) in TriG or N-Quads: what they assert, by whom, from what, and their trusty URI checked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyoxigraph as ox

from kgmm.errors import BadInput
from kgmm.store.formats._base import ReadOptions, Rejects
from kgmm.store.formats._rdf import Statements, parsed
from kgmm.store.formats._sniff_turtle import turtle_family
from kgmm.store.formats.ntriples import share
from kgmm.store.rdf import saying
from kgmm.store.rdf import terms as rdf
from kgmm.store.rdf.trusty import checksum, code_of

NAME = "nanopub"
SUFFIXES = (".trig", ".nq")
_NP, _OWL = "http://www.nanopub.org/nschema#", rdf.PREFIXES["owl"]
_PARTS = ("hasAssertion", "hasProvenance", "hasPublicationInfo")
_DENIED = {f"{_OWL}sourceIndividual": 0, f"{_OWL}assertionProperty": 1, f"{_OWL}targetIndividual": 2}
_DENIED |= {f"{_OWL}targetValue": 2}
_GRAPH = "urn:kgmm:graph"
Graphs = dict[str, list[ox.Quad]]


def sniff(path: Path, head: bytes) -> float:
    """Look for the vocabulary of nanopublications in a file of graphs."""
    if _NP.encode() not in head:
        return 0.0
    graphs = turtle_family(path, head).trig or (0.9 if share(head)[1] >= 0.5 else 0.0)
    return 0.99 if graphs else 0.0


def read(path: Path, options: ReadOptions) -> Iterator[pa.RecordBatch | Rejects]:
    """Yield what each nanopublication asserts, with contributor, source, time, method, confidence and licence.

    A file is held in memory as a whole: its graphs may come in any order.

    Raises:
        BadInput: if it cannot be parsed, holds no nanopublication, or one does not say what its trusty URI was made of.
    """
    graphs: Graphs = defaultdict(list)
    for quad in parsed(path, options, _syntax(path)):
        graphs[_iri(quad.graph_name)].append(quad)
    rows = Statements(path, options, named=False)
    heads = [
        q
        for quads in graphs.values()
        for q in quads
        if q.predicate == rdf.TYPE and _iri(q.object) == f"{_NP}Nanopublication"
    ]
    if not heads:
        raise BadInput(path, "no nanopublication is in it")
    for head in heads:
        _take(rows, graphs, head, path)
        yield from rows.flush()
    yield from rows.flush(last=True)


def _syntax(path: Path) -> ox.RdfFormat:
    from kgmm.store.formats._stream import head

    return ox.RdfFormat.N_QUADS if share(head(path))[1] >= 0.5 else ox.RdfFormat.TRIG


def _iri(node: object) -> str:
    return node.value if isinstance(node, ox.NamedNode) else ""


def _take(rows: Statements, graphs: Graphs, head: ox.Quad, path: Path) -> None:
    """Take one nanopublication; one without its parts is rejected."""
    name = _iri(head.subject)
    inside = graphs[_iri(head.graph_name)]
    parts = [
        next((_iri(q.object) for q in inside if q.subject == head.subject and q.predicate.value == _NP + part), "")
        for part in _PARTS
    ]
    if not name or not all(parts) or not all(graphs.get(part) for part in parts):
        rows.reject(0, "a nanopublication without assertion, provenance or publication info", name or str(head.subject))
        return
    assertion, provenance, about = (graphs[part] for part in parts)
    _check(name, [*inside, *assertion, *provenance, *about], path)
    values: saying.Values = {}
    for quad in provenance:
        field = saying.field_of(quad.predicate.value) if _iri(quad.subject) == parts[0] else None
        if field is not None and not isinstance(quad.object, ox.BlankNode):
            values.setdefault(field, []).append(quad.object)
    published: saying.Values = {}
    for quad in about:
        field = saying.field_of(quad.predicate.value) if _iri(quad.subject) == name else None
        if field in ("contributor", "licence", "weight") and not isinstance(quad.object, ox.BlankNode):
            published.setdefault(field, []).append(quad.object)
    graph = next((q.object for q in about if q.predicate.value == _GRAPH and isinstance(q.object, ox.NamedNode)), None)
    ours = graph is not None
    values = {**({} if ours and values.keys() - {"licence"} else published), **values}
    values |= {field: published[field] for field in ("licence", "weight") if field in published}
    if not ours:
        values.setdefault("source", [head.subject])  # nothing else says where it comes from
        values.setdefault("method", [ox.Literal("loaded")])
    _state(rows, assertion, values, graph or ox.DefaultGraph(), name)


def _check(name: str, quads: list[ox.Quad], path: Path) -> None:
    """Check a nanopublication against its trusty URI; BadInput if it says something else. One without is not checked."""
    if not (code := code_of(name)):
        return
    said: list[tuple[str, str, str, str | ox.Literal]] = [
        (
            _text(q.graph_name),
            _text(q.subject),
            q.predicate.value,
            q.object if isinstance(q.object, ox.Literal) else _text(q.object),
        )
        for q in quads
    ]
    if (found := checksum(said, code)) != code:
        raise BadInput(
            path, f"the nanopublication {name} is not what its trusty URI was made of: it sums up to {found}"
        )


def _text(node: object) -> str:
    return str(getattr(node, "value", node))


def _state(rows: Statements, assertion: list[ox.Quad], values: saying.Values, graph: object, name: str) -> None:
    denied: dict[object, dict[int, object]] = {
        q.subject: {}
        for q in assertion
        if q.predicate == rdf.TYPE and _iri(q.object) == f"{_OWL}NegativePropertyAssertion"
    }
    stated: list[tuple[object, str, object, saying.Values]] = []
    for quad in assertion:
        if quad.subject not in denied:
            stated.append((quad.subject, quad.predicate.value, quad.object, values))
        elif quad.predicate.value in _DENIED:
            denied[quad.subject][_DENIED[quad.predicate.value]] = quad.object
    against: saying.Values = {**values, "polarity": [ox.Literal("-1")]}
    for parts in denied.values():
        if len(parts) == 3:
            stated.append((parts[0], _iri(parts[1]), parts[2], against))
        else:
            rows.reject(0, "a negative assertion without its three parts", name)
    for subject, predicate, target, said in stated:
        try:
            for line in saying.lines(said):
                rows.state(subject, predicate, target, graph, line)
        except ValueError as error:
            rows.reject(0, str(error), name)
