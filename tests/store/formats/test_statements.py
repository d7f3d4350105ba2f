"""What RDF says of statements: annotations of RDF 1.2 in our words and others', graphs as sources, Wikidata's statements."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgmm.store import LocalStore

PREFIXES = """@prefix e: <http://example.org/> . @prefix prov: <http://www.w3.org/ns/prov#> . @prefix kgmm: <urn:kgmm:> .
@prefix schema: <http://schema.org/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
"""
E = "http://example.org/"


@pytest.fixture
def kb(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "kb")


def load(kb: LocalStore, text: str, name: str = "a.ttl", **how: bool) -> int:
    path = kb.path.parent / name
    path.write_text(PREFIXES + text)
    return kb.load(path, **how).rejected  # type: ignore[arg-type]


def test_annotations_in_our_words_and_others_are_assertions(kb: LocalStore) -> None:
    text = """e:bonn e:capitalOf e:germany {| schema:startDate "1949-05"^^xsd:gYearMonth ; schema:endDate "1990"^^xsd:gYear ;
          prov:wasAttributedTo e:ann ; prov:wasDerivedFrom <http://example.org/doc> ; e:unknown "kept" |}
        {| kgmm:contributor "bob" ; kgmm:confidence 0.5 ; kgmm:weight 2.0 |} .
        e:book dct:creator e:someone . << e:x e:y e:z >> prov:wasAttributedTo e:quoted ."""
    assert load(kb, text) == 1, "what is only quoted is no fact"
    ann, bob = sorted(
        kb.assertions((f"{E}bonn", f"{E}capitalOf", f"{E}germany")), key=lambda one: -len(one.contributor)
    )
    assert (ann.contributor, ann.source, ann.valid, ann.method) == (f"{E}ann", f"{E}doc", ("1949-05", "1990"), "loaded")
    assert (bob.contributor, bob.confidence, bob.fact.weight, bob.valid) == ("bob", 0.5, 2.0, None)
    assert kb.count(f"{E}book", "http://purl.org/dc/terms/creator") == 1, "of a thing it is a fact"
    assert kb.count(None, f"{E}unknown") == 1 and kb.count(f"{E}x") == 0


def test_what_is_said_against_a_statement_does_not_state_it(kb: LocalStore) -> None:
    assert load(kb, '<< e:a e:b e:c >> kgmm:polarity -1 ; kgmm:contributor "eve" . e:d e:e e:f .') == 0
    assert [one.polarity for one in kb.assertions((f"{E}a", f"{E}b", f"{E}c"))] == [-1] and len(kb) == 1


def test_a_value_that_cannot_be_is_rejected_alone(kb: LocalStore) -> None:
    text = """e:a e:b e:c {| kgmm:validFrom "soon" |} . e:a e:b e:d {| kgmm:confidence 7 |} . e:a e:b e:f {| kgmm:polarity 3 |} .
        e:a e:b e:g {| schema:startDate "2001" ; schema:endDate "1999" |} . e:a e:b e:h {| prov:wasAttributedTo [] |} ."""
    assert load(kb, text) == 5 and len(kb) == 5 and kb.check() == []


def test_the_bare_fact_of_a_statement_made_twice_is_one(kb: LocalStore) -> None:
    assert load(kb, 'e:a e:b e:c . e:a e:b e:c {| schema:startDate "2001"^^xsd:gYear |} .') == 0
    assert kb.count(f"{E}a", at="1990") == 0 and kb.count(f"{E}a", at="2005") == 1


def test_graphs_are_sources_if_asked_for(kb: LocalStore, tmp_path: Path) -> None:
    text = "e:g1 { e:a e:b e:c . } e:g2 { e:a e:b e:c . e:d e:e e:f . } <urn:kgmm:mine> { e:d e:e e:f . }"
    assert load(kb, text, "a.trig", references=True) == 0
    assert kb.graphs() == {"facts": 2, "mine": 1}
    assert {one.source for one in kb.assertions((f"{E}a", f"{E}b", f"{E}c"))} == {f"{E}g1", f"{E}g2"}
    assert kb.withdraw(source=f"{E}g2") == 2 and kb.count(f"{E}a") == 1
    plain = LocalStore(tmp_path / "plain")
    load(plain, text, "a.trig")
    assert plain.graphs() == {f"{E}g2": 2, f"{E}g1": 1, "mine": 1} and not plain.opened.state.said


WIKIDATA = """@prefix wd: <http://www.wikidata.org/entity/> . @prefix wds: <http://www.wikidata.org/entity/statement/> .
@prefix p: <http://www.wikidata.org/prop/> . @prefix ps: <http://www.wikidata.org/prop/statement/> .
@prefix pq: <http://www.wikidata.org/prop/qualifier/> . @prefix pqv: <http://www.wikidata.org/prop/qualifier/value/> .
@prefix pr: <http://www.wikidata.org/prop/reference/> . @prefix wdt: <http://www.wikidata.org/prop/direct/> .
@prefix wdref: <http://www.wikidata.org/reference/> . @prefix wdv: <http://www.wikidata.org/value/> .
@prefix wikibase: <http://wikiba.se/ontology#> . @prefix prov: <http://www.w3.org/ns/prov#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
wd:Q183 rdfs:label "Germany"@en ; wdt:P36 wd:Q64 ; wdt:P30 wd:Q46 ; p:P36 wds:Q183-1, wds:Q183-2, wds:Q183-3 .
wds:Q183-1 a wikibase:Statement ; wikibase:rank wikibase:NormalRank ; ps:P36 wd:Q586 ; pq:P582 "1990-10-02T00:00:00Z"^^xsd:dateTime ;
  pq:P580 "1949-01-01T00:00:00Z"^^xsd:dateTime ; pqv:P580 wdv:1 ; prov:wasDerivedFrom wdref:a , wdref:b .
wds:Q183-2 a wikibase:Statement , wikibase:BestRank ; wikibase:rank wikibase:PreferredRank ; ps:P36 wd:Q64 ;
  pq:P580 "1990-10-03T00:00:00Z"^^xsd:dateTime ; pq:P1552 wd:Q1 .
wds:Q183-3 a wikibase:Statement ; wikibase:rank wikibase:DeprecatedRank ; ps:P36 wd:Q90 .
wdref:a a wikibase:Reference ; pr:P248 wd:Q36578 ; pr:P854 <http://example.org/page> . wdref:b pr:P143 wd:Q328 .
wdv:1 a wikibase:TimeValue ; wikibase:timeValue "1949-01-01T00:00:00Z"^^xsd:dateTime ; wikibase:timePrecision 9 .
"""


def test_wikidata_s_statements_ranks_times_and_references(kb: LocalStore) -> None:
    assert load(kb, WIKIDATA) == 0
    wd, wdt = "http://www.wikidata.org/entity/", "http://www.wikidata.org/prop/direct/"
    bonn = kb.assertions((f"{wd}Q183", f"{wdt}P36", f"{wd}Q586"))
    assert {one.source for one in bonn} == {"http://example.org/page", f"{wd}Q328"}
    assert {one.valid for one in bonn} == {("1949", "1990-10-02")}, "as exact as Wikidata knows it"
    (berlin,) = kb.assertions((f"{wd}Q183", f"{wdt}P36", f"{wd}Q64"))
    assert berlin.valid == ("1990-10-03", None), "the truthy statement says no more than this"
    (paris,) = kb.assertions((f"{wd}Q183", f"{wdt}P36", f"{wd}Q90"))
    assert paris.polarity == -1
    assert [f.object for f in kb.find(f"{wd}Q183", f"{wdt}P36", at="1960")] == [f"{wd}Q586"]
    assert kb.count(f"{wd}Q183", f"{wdt}P30", f"{wd}Q46") == 1 and kb.count(f"{wd}Q183", object='"Germany"@en') == 1
    assert kb.count(f"{wd}statement/Q183-2") == 1, "another qualifier stays a fact about the statement"
    assert kb.count() == 6 and kb.check() == []


def test_one_direct_statement_in_two_graphs_is_two_facts(kb: LocalStore) -> None:
    text = "@prefix wd: <http://www.wikidata.org/entity/> . @prefix wdt: <http://www.wikidata.org/prop/direct/> .\n"
    load(kb, text + "e:g { wd:Q1 wdt:P1 wd:Q2 } e:h { wd:Q1 wdt:P1 wd:Q2 }", "a.trig")
    assert kb.graphs() == {f"{E}g": 1, f"{E}h": 1}
