"""The own SPARQL engine: it answers as Oxigraph does, sees additions at once, and stops in time."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

from kgmm.store import Fact, LocalStore
from kgmm.store.rdf.terms import PREFIXES
from kgmm.store.sparql import process
from kgmm.store.sparql.engine.algebra import Unsupported
from kgmm.store.sparql.engine.parser import parse
from kgmm.store.sparql.query import query
from kgmm.store.sparql.text import QueryTimeout, QueryTooLarge

TYPED = '"{}"^^<http://www.w3.org/2001/XMLSchema#integer>'
FACTS = [
    Fact("knife", "UsedFor", "cutting", 2.5, source="/d/conceptnet/4/en"),
    Fact("saw", "UsedFor", "cutting"),
    Fact("knife", "IsA", "tool"),
    Fact("saw", "IsA", "tool"),
    Fact("tool", "IsA", "artifact"),
    Fact("knife", "label", '"Messer"@de'),
    Fact("knife", "Price", TYPED.format(12)),
    Fact("saw", "Price", TYPED.format(30)),
    Fact("/s/kitchen", "Depicts", "knife", graph="scene/kitchen"),
    Fact("/s/garage", "Depicts", "saw", graph="scene/garage"),
    Fact("saw", "UsedFor", "cutting", 0.5, graph="mine"),
]
QUERIES = [
    "SELECT * { ?s ?p ?o }",
    "SELECT ?s ?l { ?s r:UsedFor c:cutting OPTIONAL { ?s r:label ?l } }",
    "SELECT ?s { ?s r:UsedFor c:cutting . ?s r:Price ?w FILTER(?w * 2 > 24) }",
    "SELECT * { { ?s r:IsA ?o } UNION { ?s r:UsedFor ?o } ?s r:Price ?w }",
    "SELECT * { ?s r:IsA c:tool MINUS { ?s r:label ?l } }",
    "SELECT * { ?s r:IsA ?o FILTER NOT EXISTS { ?s r:Price ?w } }",
    "SELECT * { OPTIONAL { ?s r:label ?l } ?s r:IsA ?o }",
    "SELECT ?s ?o { ?s r:IsA+ ?o }",
    "SELECT ?s ?o { ?s (r:IsA|^r:Depicts)* ?o }",
    "SELECT ?scene { ?scene r:Depicts/r:UsedFor c:cutting }",
    "SELECT ?g ?s { GRAPH ?g { ?s r:UsedFor ?o } }",
    "SELECT ?s FROM kgmm:mine { ?s r:UsedFor ?o }",
    "SELECT ?s FROM NAMED kgmm:mine { GRAPH ?g { ?s r:UsedFor ?o } }",
    "SELECT ?o (COUNT(*) AS ?n) (SUM(?w) AS ?all) (AVG(?w) AS ?mean) { ?s r:IsA ?o ; r:Price ?w } GROUP BY ?o",
    "SELECT ?o (MIN(?w) AS ?least) (GROUP_CONCAT(DISTINCT ?o) AS ?t) { ?s r:IsA ?o ; r:Price ?w } GROUP BY ?o",
    "SELECT ?s ?t { VALUES ?s { c:knife c:saw } ?s r:label ?l BIND(CONCAT(STR(?l), '!') AS ?t) }",
    "SELECT ?s { { SELECT ?s (MAX(?w) AS ?m) { ?s r:Price ?w } GROUP BY ?s } ?s r:label ?l FILTER REGEX(?l, '^m', 'i') }",
    "SELECT ?p { c:knife ?p ?o . r:UsedFor ?q ?x }",
    "SELECT DISTINCT ?p { ?s ?p ?o FILTER(?p IN (r:IsA, r:UsedFor)) }",
    "ASK { c:tool r:IsA c:knife }",
    "SELECT ?a ?b { VALUES ?a { c:nowhere c:knife } ?a r:IsA* ?b }",
    "SELECT ?a ?b { ?a (r:IsA?|r:label/r:x)+ ?b . VALUES ?b { c:nowhere c:tool } }",
    "SELECT ?a FROM kgmm:mine { VALUES ?a { c:tool c:knife c:cutting } ?a r:IsA* ?b }",
]


@pytest.fixture
def kb(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "kb")
    store.add(FACTS)
    return store


def rows(found: object) -> object:
    return found if isinstance(found, bool) else Counter(found.rows)  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", QUERIES)
def test_answers_are_those_of_oxigraph(kb: LocalStore, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = query(kb, text, engine="oxigraph")
    monkeypatch.setattr(process.Engine, "run", None)  # the own engine must not ask Oxigraph
    assert rows(query(kb, text, engine="own")) == rows(expected)


def test_what_is_added_and_removed_is_seen_at_once_and_nothing_is_written(kb: LocalStore) -> None:
    text = "SELECT ?s { ?s r:IsA c:tool }"
    assert len(query(kb, text, engine="own")) == 2  # type: ignore[arg-type]
    kb.add([Fact("axe", "IsA", "tool"), Fact("axe", "IsA", "tool", graph="mine")])
    kb.remove("saw", "IsA", "tool")
    found = query(kb, text, engine="own")
    assert sorted(found.column("s")) == ["/c/en/axe", "/c/en/knife"]  # type: ignore[union-attr]
    assert not list(kb.cache_dir("sparql").iterdir())


def test_a_limit_reads_no_more_than_it_takes(tmp_path: Path) -> None:
    with LocalStore(tmp_path / "kb") as kb:
        kb.add([Fact(f"n{i}", "RelatedTo", f"n{i * 7 % 3000}") for i in range(3000)])
        product = "SELECT * { ?a r:RelatedTo ?b . ?c r:RelatedTo ?d . ?e r:RelatedTo ?f . ?g r:RelatedTo ?h } LIMIT 5"
        begun = time.monotonic()
        assert len(query(kb, product, engine="own", timeout=20)) == 5  # type: ignore[arg-type]
        assert time.monotonic() - begun < 5


def test_a_product_ends_in_time_or_at_its_memory(tmp_path: Path) -> None:
    with LocalStore(tmp_path / "kb") as kb:
        kb.add([Fact(f"n{i}", "RelatedTo", f"n{i * 7 % 3000}") for i in range(3000)])
        product = (
            "SELECT (COUNT(?g) AS ?n) { ?a r:RelatedTo ?b . ?c r:RelatedTo ?d . ?e r:RelatedTo ?f . ?g r:RelatedTo ?h }"
        )
        begun = time.monotonic()
        with pytest.raises((QueryTimeout, QueryTooLarge)):
            query(kb, product, engine="own", timeout=1, memory=1 << 30)
        assert time.monotonic() - begun < 3
        with pytest.raises(QueryTooLarge):
            query(kb, "SELECT * { ?a ?b ?c . ?d ?e ?f } ORDER BY ?a", engine="own", timeout=30, memory=1 << 26)


def test_annotations_are_seen(kb: LocalStore) -> None:
    found = query(kb, "SELECT ?w { c:knife r:UsedFor c:cutting {| kgmm:weight ?w |} }", engine="own")
    assert found.to_polars()["w"].to_list() == [2.5]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text", ["SELECT ?s { ?s ?p }", "SELECT ?s { x:a ?p ?o }", "SELECT * { ?a ?b ?c } GROUP BY ?a"]
)
def test_what_is_misspelled_is_not_guessed(text: str) -> None:
    with pytest.raises(Unsupported):
        parse(text, PREFIXES)
