"""What is said of facts in the own engine: weights, sources and assertions are what Oxigraph finds in a copy of them."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from kgmm.store import Fact, LocalStore
from kgmm.store.rdf.terms import reifier_iri
from kgmm.store.sparql import process
from kgmm.store.sparql.query import query

FACTS = [
    Fact("knife", "UsedFor", "cutting", 2.5, source="/d/conceptnet/4/en"),
    Fact("saw", "UsedFor", "cutting"),
    Fact("axe", "UsedFor", "cutting", 0.5),
    Fact("knife", "IsA", "tool", source="me"),
    Fact("knife", "label", '"Messer"@de', 2.0),
    Fact("saw", "UsedFor", "cutting", 0.5, graph="mine"),
    Fact("knife", "UsedFor", "cutting", 2.5, graph="mine", source="you"),
]
KNIFE = reifier_iri("facts", "/c/en/knife", "UsedFor", "/c/en/cutting")
QUERIES = [
    "SELECT * { ?s r:UsedFor c:cutting {| kgmm:weight ?w |} }",
    "SELECT ?s ?w { ?s ?p ?o {| kgmm:weight ?w |} FILTER(?w > 1) }",
    "SELECT ?s ?src { ?s ?p ?o {| kgmm:source ?src |} }",
    "SELECT ?s ?w { ?s r:UsedFor ?o OPTIONAL { << ?s r:UsedFor ?o >> kgmm:weight ?w } }",
    "SELECT ?g ?s ?w { GRAPH ?g { << ?s ?p ?o >> kgmm:weight ?w } }",
    "SELECT * { << c:knife r:UsedFor c:cutting ~ ?r >> ?p ?v }",
    "SELECT * { ?s ?p ?o ~ ?r }",
    "SELECT * { ?r rdf:reifies <<( ?s ?p ?o )>> }",
    "SELECT * { ?r rdf:reifies ?t }",
    "SELECT * { ?r rdf:reifies ?t . ?r kgmm:weight ?w FILTER(SUBJECT(?t) = c:knife) }",
    "SELECT ?p ?o ?w { ?r rdf:reifies ?t ; kgmm:weight ?w BIND(PREDICATE(?t) AS ?p) BIND(OBJECT(?t) AS ?o) }",
    "SELECT * { ?r rdf:reifies <<( c:knife r:UsedFor c:cutting )>> }",
    "SELECT * { VALUES ?t { <<( c:knife r:UsedFor c:cutting )>> } ?r rdf:reifies ?t }",
    "SELECT ?r { BIND(TRIPLE(c:axe, r:UsedFor, c:cutting) AS ?t) ?r rdf:reifies ?t }",
    "SELECT ?s { ?r kgmm:weight '0.5'^^xsd:double ; rdf:reifies <<( ?s ?p ?o )>> }",
    'SELECT ?s { ?r kgmm:source "me" ; rdf:reifies <<( ?s ?p ?o )>> }',
    f"SELECT * {{ <{KNIFE}> ?p ?o }}",
    f"SELECT ?s {{ <{KNIFE}> rdf:reifies <<( ?s ?p ?o )>> }}",
    "SELECT (COUNT(*) AS ?n) { ?r ?p ?o FILTER(STRSTARTS(STR(?p), 'urn:kgmm:')) }",
    "SELECT (SUM(?w) AS ?all) { ?s r:UsedFor ?o {| kgmm:weight ?w |} }",
    "SELECT ?s ?w FROM kgmm:mine { ?s ?p ?o {| kgmm:weight ?w |} }",
    "SELECT ?s ?w FROM NAMED kgmm:mine { GRAPH ?g { ?s ?p ?o {| kgmm:weight ?w |} } }",
    "SELECT ?s ?w { GRAPH kgmm:facts { ?s ?p ?o {| kgmm:weight ?w |} } }",
    "SELECT ?x { ?x kgmm:weight|r:IsA ?y }",
    "SELECT ?s ?x { ?r rdf:reifies <<( ?s r:IsA ?o )>> . ?r (kgmm:source|kgmm:weight)* ?x }",
    "CONSTRUCT { ?o r:HasUse ?s {| kgmm:weight ?w |} } WHERE { ?s r:UsedFor ?o {| kgmm:weight ?w |} FILTER(?w = 0.5) }",
    "ASK { << c:saw r:UsedFor c:cutting >> kgmm:source ?x }",
    "SELECT * { ?s r:UsedFor ?o {| kgmm:weight ?w |} {| kgmm:source ?v |} }",
    "SELECT ?s { ?s r:UsedFor ?o FILTER NOT EXISTS { ?s r:UsedFor ?o {| kgmm:weight ?w |} } }",
    "SELECT ?s { ?s r:UsedFor ?o MINUS { ?s r:UsedFor ?o {| kgmm:source ?w |} } }",
]
OF_ASSERTIONS = [
    "SELECT * { c:germany r:CapitalOf ?city {| kgmm:contributor ?who |} }",
    "SELECT * { c:germany r:CapitalOf ?city ~ ?r {| ?p ?v |} }",
    "SELECT ?who ?s ?o { ?r rdf:reifies <<( ?s r:Eats ?o )>> ; kgmm:polarity -1 ; kgmm:contributor ?who }",
    "SELECT ?s ?o ?from { ?s ?p ?o {| kgmm:begins ?from |} FILTER(?from < '1980-01-01T00:00:00Z'^^xsd:dateTime) }",
    "SELECT ?g ?r ?s ?o { GRAPH ?g { ?r rdf:reifies <<( ?s ?p ?o )>> } }",
    "SELECT ?r ?p ?v { ?r rdf:reifies ?t ; ?p ?v FILTER(isTRIPLE(?t) && !isTRIPLE(?v)) }",
    "SELECT ?c { ?r kgmm:confidence ?c FILTER(?c >= 0.5) }",
    "SELECT ?s { ?r kgmm:contributor 'ann' ; rdf:reifies <<( ?s ?p ?o )>> }",
]


def rows(found: object) -> object:
    if isinstance(found, bool):
        return found
    return Counter(tuple(map(shown, row)) for row in found.rows)  # type: ignore[attr-defined]


def shown(term: str | None) -> str | None:
    """Return a term; Oxigraph writes doubles anew, and blank nodes are called otherwise."""
    if term is None or term.startswith("_:"):
        return term and "_:"
    return re.sub(r'"([^"]*)"(?=\^\^<[^>]*#double>)', lambda found: str(float(found[1])), term)


def compared(kb: LocalStore, text: str, monkeypatch: pytest.MonkeyPatch, **how: object) -> object:
    expected = query(kb, text, engine="oxigraph", annotations=True, **how)  # type: ignore[arg-type]
    with monkeypatch.context() as patched:
        patched.setattr(process.Engine, "run", None)  # the own engine must not ask Oxigraph
        found = query(kb, text, annotations=True, **how)  # type: ignore[arg-type]
    assert rows(found) == rows(expected)
    return found


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    store = LocalStore(tmp_path_factory.mktemp("said") / "kb")
    store.add(FACTS[:4])
    store.compact()
    store.add([*FACTS[4:], Fact("gone", "UsedFor", "cutting", 3.0)])
    store.remove("gone")
    return store


@pytest.fixture(scope="module")
def disputed(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    store = LocalStore(tmp_path_factory.mktemp("said") / "kb")
    store.add(FACTS)
    store.add(("germany", "CapitalOf", "bonn"), contributor="ann", valid=("1949", "1990"), confidence=0.5)
    store.add(("germany", "CapitalOf", "bonn"), contributor="bob", valid=("1949-05-23", None))
    store.compact()
    store.add(("germany", "CapitalOf", "berlin"), contributor="ann", valid=("1990", None))
    store.add(("cow", "Eats", "stone"), contributor="carl", polarity="against")
    store.add(("knife", "IsA", "tool"), contributor="dora", polarity="against")
    return store


@pytest.mark.parametrize("text", QUERIES)
def test_weights_and_sources_are_those_of_a_copy(kb: LocalStore, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    compared(kb, text, monkeypatch)


@pytest.mark.parametrize("text", QUERIES + OF_ASSERTIONS)
def test_assertions_are_those_of_a_copy(disputed: LocalStore, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    compared(disputed, text, monkeypatch)
    compared(disputed, text, monkeypatch, at="1960")


def test_a_reifier_that_facts_speak_of_is_the_same_term(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalStore(tmp_path / "kb") as kb:
        kb.add(FACTS)
        file = tmp_path / "checked.nt"
        file.write_text(f"<{KNIFE}> <http://conceptnet.io/r/CheckedBy> <http://conceptnet.io/c/en/ann> .\n")
        kb.load(file)
        text = "SELECT ?s ?w { ?r r:CheckedBy c:ann ; kgmm:weight ?w ; rdf:reifies <<( ?s ?p ?o )>> }"
        assert len(compared(kb, text, monkeypatch)) == 1  # type: ignore[arg-type]


def test_a_withdrawn_assertion_is_not_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalStore(tmp_path / "kb") as kb:
        kb.add(("dog", "IsA", "animal"), contributor="ann")
        kb.add(("dog", "IsA", "animal"), contributor="bob")
        kb.withdraw(contributor="ann")
        text = "SELECT ?who { c:dog r:IsA c:animal {| kgmm:contributor ?who |} }"
        assert compared(kb, text, monkeypatch).column("who") == ['"bob"']  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { <<( ?s ?p ?o )>> ?q ?v }",
        "SELECT * { << ?s ?p ?o > kgmm:weight ?w }",
        "SELECT * { ?s r:IsA/r:IsA ?o {| kgmm:weight ?w |} }",
        "SELECT * { ?s ?p ?o {| kgmm:weight ?w }",
    ],
)
def test_misspelled_annotations_are_refused(kb: LocalStore, text: str) -> None:
    with pytest.raises(Exception, match="query:1"):
        query(kb, text)
