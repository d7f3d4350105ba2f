"""Facts as N-Quads text, in parts: what the SPARQL index loads and what an export writes."""

from __future__ import annotations

from collections.abc import Iterator

from kgmm.names import iri, is_literal
from kgmm.store.facts import Facts
from kgmm.store.rdfterms import (
    REIFIES,
    SOURCE,
    WEIGHT,
    node,
    predicate,
    reifier_iri,
    weight_literal,
)

#: facts in one part
PART = 1 << 16


def document(facts: Facts, annotated: bool = True, merged: bool = False) -> Iterator[bytes]:
    """Yield facts as N-Quads, annotations right after the statement they are about.

    With *merged*, each statement is also in the default graph, which so holds what any graph does.

    Example:
        >>> print(b"".join(document(kb.find("dog", "IsA"))).decode())                  # doctest: +SKIP
    """
    for start in range(0, len(facts), PART):
        lines = list(_lines(facts, start, min(start + PART, len(facts)), annotated))
        if merged:
            lines += [f"{line.rpartition(' <')[0]} .\n" for line in lines]
        yield "".join(lines).encode(errors="replace")


def _lines(facts: Facts, start: int, stop: int, annotated: bool) -> Iterator[str]:
    columns, weights, source = facts._rows(start, stop)
    name = facts._name
    graphs = {g: written_node(name(g)) for g in set(columns.graph.tolist())}
    kinds = {p: str(predicate(name(p))) for p in set(columns.predicate.tolist())}
    subjects = {s: written_node(name(s)) for s in set(columns.subject.tolist())}
    objects = {o: written(name(o)) for o in set(columns.object.tolist())}
    columns_of = (columns.subject, columns.predicate, columns.object, columns.graph)
    rows = zip(*(c.tolist() for c in columns_of), weights.tolist(), strict=True)
    for i, (s, p, o, g, weight) in enumerate(rows):
        triple, graph = f"{subjects[s]} {kinds[p]} {objects[o]}", graphs[g]
        yield f"{triple} {graph} .\n"
        if not annotated:
            continue
        said = source(i)
        if weight == 1.0 and not said:
            continue
        about = f"<{reifier_iri(name(g), name(s), name(p), name(o))}>"
        yield f"{about} {REIFIES} <<( {triple} )>> {graph} .\n"
        if weight != 1.0:
            yield f"{about} {WEIGHT} {weight_literal(weight)} {graph} .\n"
        if said:
            yield f"{about} {SOURCE} {quoted(said)} {graph} .\n"


def written(term: str) -> str:
    """Return a stored object in N-Triples form."""
    return term if is_literal(term) else written_node(term)


def written_node(term: str) -> str:
    """Return a stored node in N-Triples form."""
    if term.startswith("/c/") and term.isascii():  # most terms: nothing in them that an IRI may not hold
        return f"<{iri(term)}>"
    return str(node(term))


def quoted(text: str) -> str:
    """Return a text as a literal in N-Triples form."""
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(plain, escaped)
    return f'"{text}"'
