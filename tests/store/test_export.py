"""What a store writes it reads back, and a file is whole or not there."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyoxigraph as ox
import pytest
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st

import kgmm
from kgmm.errors import BadInput
from kgmm.language import names
from kgmm.store import Fact, LocalStore, changes
from kgmm.store.facts import stored_fact
from kgmm.store.rdf.terms import PREFIXES, node, node_term, predicate, predicate_term
from kgmm.store.rdf.text import written_node

FACTS = [
    Fact("dog", "IsA", "animal", 2.5, "facts", "/d/conceptnet/4/en"),
    Fact("dog", "IsA", "animal", 0.5, "mine", 'said "so"\nonce'),
    Fact("/c/en/ice_cream/n", "UsedFor", "/c/de/eis_essen"),
    Fact("dog", "label", '"Hund \\"Rex\\"\\nzwei"@de'),
    Fact("/s/desk/1", "left_of", "/s/desk/2", graph="scene/desk"),
    Fact("http://example.org/a", "http://example.org/p#q", "mailto:a@example.org"),
    Fact("dog", "born", '"1867"^^<http://www.w3.org/2001/XMLSchema#gYear>'),
]


@pytest.fixture
def kb(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "kb")
    store.add(FACTS)
    return store


@pytest.mark.parametrize("ending", ["nq", "nq.gz", "trig", "jsonld", "parquet"])
def test_every_graph_weight_and_source_comes_back(ending: str, kb: LocalStore, tmp_path: Path) -> None:
    report = kb.export(tmp_path / f"out.{ending}")
    assert (report.facts, report.bytes) == (len(FACTS), (tmp_path / f"out.{ending}").stat().st_size)
    again = LocalStore(tmp_path / "again")
    assert again.load(tmp_path / f"out.{ending}").rejected == 0
    assert set(again.find()) == set(FACTS)


@settings(max_examples=200, deadline=None)
@given(word=st.text(st.characters(codec="utf-8"), min_size=1, max_size=8))
def test_every_term_is_a_valid_iri_and_comes_back(word: str) -> None:
    for term in (f"/c/en/{word}", f"scene/{word}"):
        spelled = written_node(term)
        assert spelled == str(node(term))
        (quad,) = ox.parse(f"{spelled} <http://e.org/p> {spelled} .", ox.RdfFormat.N_TRIPLES)
        assert node_term(quad.subject.value) == term  # type: ignore[union-attr]
    if word.strip() and names.relation(word) == word and '"' not in word and ":" not in word:
        assert predicate_term(predicate(word).value) == word


@pytest.mark.parametrize("relation", ["mw:SameAs", "made of", "100%", "a#b", "http://e.org/a%20b"])
def test_relations_of_every_style_come_back(relation: str, tmp_path: Path) -> None:
    kb = LocalStore(tmp_path / "kb")
    kb.add(("a", relation, "b"))
    kb.export(tmp_path / "out.nq")
    again = LocalStore(tmp_path / "again")
    again.load(tmp_path / "out.nq")
    assert list(again.relations()) == [relation]


@pytest.mark.parametrize("ending", ["ttl", "nt", "rdf", "tsv", "csv"])
def test_one_graph_comes_back(ending: str, kb: LocalStore, tmp_path: Path) -> None:
    kb.export(tmp_path / f"out.{ending}", graph="facts")
    again = LocalStore(tmp_path / "again")
    assert again.load(tmp_path / f"out.{ending}", graph="facts").rejected == 0
    assert set(again.find()) == {f for f in FACTS if f.graph == "facts"}


def test_turtle_is_written_for_people(kb: LocalStore, tmp_path: Path) -> None:
    kb.export(tmp_path / "out.ttl", graph="facts", rdf12=True)
    text = (tmp_path / "out.ttl").read_text()
    assert 'c:dog r:IsA c:animal {| kgmm:weight "2.5"^^xsd:double ; kgmm:source "/d/conceptnet/4/en" |} .' in text


def test_an_export_that_fails_leaves_the_file_before_it(kb: LocalStore, tmp_path: Path) -> None:
    path = tmp_path / "out.nq"
    path.write_text("before")

    def stop(done: int, total: int, what: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kb.export(path, progress=stop)
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["out.nq"]


def test_an_unknown_format_is_told_with_those_there_are(kb: LocalStore, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="known: nquads"):
        kb.export(tmp_path / "out.hdt")


@pytest.fixture
def loaded(kb: LocalStore, tmp_path: Path) -> LocalStore:
    """A store with what is hard to write: blank nodes of two files and of none, language tags, control characters."""
    for number, file in enumerate(("_:0", "[]")):
        path = tmp_path / f"{number}.ttl"
        path.write_text(
            f"@prefix e: <http://e.org/> .\n{file} e:has e:o{number}, 'colour'@en-GB, '\\u4e2d'@zh-Hant .\n"
        )
        kb.load(path)
        assert kb.load(path).added == 0
    kb.add([Fact("_:mine", "has", "_:other"), Fact("dog", "says", '"a\0b"'), Fact("dog", "says", '"colour"@en-gb')])
    return kb


@pytest.mark.parametrize("ending", ["nq", "nq.gz", "trig", "jsonld", "parquet", "csv"])
@pytest.mark.parametrize("rdf12", [False, True])
def test_a_stores_own_export_adds_nothing(ending: str, rdf12: bool, loaded: LocalStore, tmp_path: Path) -> None:
    path = tmp_path / f"out.{ending}"
    if rdf12 and ending == "jsonld":
        with pytest.raises(BadInput, match=r"RDF 1\.2"):
            loaded.export(path, rdf12=True)
        return
    loaded.export(path, rdf12=rdf12)
    report = loaded.load(path)
    assert (report.added, report.rejected) == (0, 0)


def test_the_same_content_compressed_adds_nothing(tmp_path: Path) -> None:
    text = b"_:0 <http://e.org/has> <http://e.org/one> .\n"
    (tmp_path / "1.nt").write_bytes(text)
    (tmp_path / "1z.nt.gz").write_bytes(gzip.compress(text))
    kb = LocalStore(tmp_path / "kb")
    assert [kb.load(tmp_path / name).added for name in ("1.nt", "1z.nt.gz")] == [1, 0]


RDF = {"nq": "nquads", "trig": "trig", "jsonld": "json-ld", "nt": "nt", "ttl": "turtle", "rdf": "xml"}


@pytest.mark.parametrize("ending", RDF)
def test_rdflib_reads_every_export(ending: str, loaded: LocalStore, tmp_path: Path) -> None:
    if ending == "rdf":  # XML has no control characters, and a store's file is whole or not there
        with pytest.raises(BadInput, match=r"U\+0000, which XML has not"):
            loaded.export(tmp_path / "out.rdf")
        loaded.remove("dog", "says", '"a\0b"')
    loaded.export(tmp_path / f"out.{ending}")
    graph = rdflib.Dataset(default_union=True)
    graph.parse(tmp_path / f"out.{ending}", format=RDF[ending])
    said = graph.query(
        "SELECT ?w ?source { ?about a rdf:Statement ; rdf:subject c:dog ; rdf:predicate r:IsA ; rdf:object c:animal ;"
        " kgmm:weight ?w . OPTIONAL { ?about kgmm:source ?source } }",
        initNs={name: PREFIXES[name] for name in ("rdf", "c", "r", "kgmm")},
    )
    assert {(float(row.w), str(row.source)) for row in said} == {  # type: ignore[union-attr, arg-type]
        (2.5, "/d/conceptnet/4/en"),
        (0.5, 'said "so"\nonce'),
    }
    statements = {triple[:3] for triple in graph.quads() if not str(triple[0]).startswith("urn:kgmm:fact/")}
    assert len(statements) == len({(f.subject, f.predicate, f.object) for f in loaded.find()})
    if ending in ("nq", "nt", "trig", "ttl"):
        assert "@en-GB" in (tmp_path / f"out.{ending}").read_text()


def test_networkx_reads_the_export_as_graphml(loaded: LocalStore, tmp_path: Path) -> None:
    loaded.remove("dog", "says", '"a\0b"')
    loaded.export(tmp_path / "out.graphml")
    graph = networkx.read_graphml(tmp_path / "out.graphml", force_multigraph=True)
    edges = [(s, d["predicate"], o, d["weight"], d["graph"], d["source"]) for s, o, d in graph.edges(data=True)]
    assert sorted(edges) == sorted(
        (f.subject, f.predicate, f.object, f.weight, f.graph, f.source) for f in loaded.find()
    )


def test_a_relation_that_is_no_xml_name_is_told(tmp_path: Path) -> None:
    kb = LocalStore(tmp_path / "kb")
    kb.add(("a", "100%", "b"))
    with pytest.raises(BadInput, match="does not end in a name"):
        kb.export(tmp_path / "out.rdf")
    assert not (tmp_path / "out.rdf").exists()


ODD = ['"hi"@en_US', '"unterminated', '"a"b"', "_:x y", "http://e.org/a b", '"x"@toolonglanguage', '"x"^^<no iri>']


@pytest.mark.parametrize("term", ODD)
def test_terms_that_rdf_cannot_write_come_in_by_no_door(term: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"is no (literal|blank node|IRI)"):
        Fact("dog", "has", term)
    if not term.startswith("http"):
        with pytest.raises(BadInput, match="is no"):
            Fact("dog", "has", "tail", graph=term)
    facts = {"subject": ["dog", "dog"], "predicate": ["has", "has"], "object": [term, '"tail"@en-GB']}
    (tmp_path / "a.tsv").write_text("".join("\t".join(row) + "\n" for row in zip(*facts.values(), strict=True)))
    (tmp_path / "k.tsv").write_text("node1\tlabel\tnode2\n" + f"Q1\tP1\t{term}\nQ1\tP1\tQ2\n")
    pq.write_table(pa.table(facts), tmp_path / "a.parquet")
    for name in ("a.tsv", "a.parquet", "k.tsv"):
        if name == "k.tsv" and term in ('"a"b"', '"hi"@en_US', '"x"@toolonglanguage', '"x"^^<no iri>'):
            continue  # KGTK's strings have a grammar of their own
        kb = LocalStore(tmp_path / f"kb-{name}")
        report = kb.load(tmp_path / name)
        assert (report.added, report.rejected) == (1, 1), (name, list(kb.find()))
        assert name == "k.tsv" or kb.count(object='"tail"@en-gb') == 1


def test_a_language_has_one_spelling(tmp_path: Path) -> None:
    kb = LocalStore(tmp_path / "kb")
    kb.add([Fact("dog", "says", '"colour"@en-GB'), Fact("dog", "says", '"colour"@en-gb')])
    assert len(kb.find(object='"colour"@EN-gb')) == len(kb) == 1


def test_a_fact_of_an_older_store_that_rdf_cannot_write_spoils_nothing_else(kb: LocalStore, tmp_path: Path) -> None:
    odd = ['"x"^^<http://e.org:port/>', '"hi"@en_US', "_:x y", "http://e.org/a b"]
    changes.add(kb, [stored_fact("/c/en/dog", "has", term, 1.0, "facts", "") for term in odd])
    for seen in (False, True):
        assert len(kb.sparql("SELECT ?o { c:dog r:has ?o }", annotations=seen)) == len(odd)
    kb.export(tmp_path / "out.nq")
    assert rdflib.Dataset().parse(tmp_path / "out.nq", format="nquads")


@pytest.mark.parametrize("name", ['"x"@de', '"x"', "_:x y", "http://e.org/a b", "\ud800"])
def test_what_names_no_graph_is_refused_at_every_door(name: str, kb: LocalStore, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        kb.add(Fact("dog", "IsA", "animal", graph=name))
    (tmp_path / "a.csv").write_text("subject,predicate,object\na,IsA,b\n")
    with pytest.raises(BadInput, match="graph"):
        kb.load(tmp_path / "a.csv", graph=name)
    if name.isascii():
        graphs = ["facts", name]
        row = {"subject": ["/c/en/a", "/c/en/b"], "predicate": ["IsA"] * 2, "object": ["/c/en/c"] * 2, "graph": graphs}
        pq.write_table(pa.table(row), tmp_path / "a.parquet")
        assert kb.load(tmp_path / "a.parquet").rejected == 1
        cells = csv.writer(file := io.StringIO())
        cells.writerows(
            [["subject", "predicate", "object", "graph"], ["b", "IsA", "c", "facts"], ["a", "IsA", "c", name]]
        )
        (tmp_path / "b.csv").write_text(file.getvalue())
        assert kb.load(tmp_path / "b.csv").rejected == 1
    assert name not in {fact.graph for fact in kb.find()} and kb.unwritable() == (0, [])


def test_a_literal_that_names_a_graph_in_an_older_store_spoils_nothing_else(kb: LocalStore, tmp_path: Path) -> None:
    odd = [stored_fact("/c/en/dog", "has", "/c/en/tail", 2.0, name, "") for name in ('"x"@de', "facts")]
    changes.add(kb, odd)
    for seen in (False, True):
        assert len(kb.sparql("SELECT ?g { GRAPH ?g { c:dog r:has ?o } }", annotations=seen)) == 2
    assert kb.unwritable() == (1, odd[:1])
    for ending in ("nq", "trig", "jsonld"):
        kb.export(tmp_path / f"out.{ending}")
        assert LocalStore(tmp_path / ending).load(tmp_path / f"out.{ending}").added == len(kb) - 1


def test_names_of_ours_that_are_no_concepts_come_back_from_tables(tmp_path: Path) -> None:
    names = ["a", "1", "Dog", "x%20y", "r/IsA", "%23a"]
    (tmp_path / "a.nt").write_text("".join(f"<urn:kgmm:{n}> <http://e.org/p> <urn:kgmm:{n}> .\n" for n in names))
    kb = LocalStore(tmp_path / "own")
    kb.load(tmp_path / "a.nt")
    for ending in ("tsv", "csv", "parquet"):
        kb.export(tmp_path / f"out.{ending}")
        assert kb.load(tmp_path / f"out.{ending}").added == 0


@pytest.mark.parametrize("ending", ["tsv", "csv", "parquet"])
def test_a_graph_s_address_stays_what_it_is_in_tables(ending: str, tmp_path: Path) -> None:
    kb = LocalStore(tmp_path / "kb")
    kb.add([Fact("dog", "IsA", "pet", graph=graph) for graph in ("http://conceptnet.io/c/en/a", "http://e.org/g")])
    kb.export(tmp_path / f"out.{ending}")
    assert kb.load(tmp_path / f"out.{ending}").added == 0


def test_words_in_a_parquet_file_become_concepts(tmp_path: Path) -> None:
    rows = {"subject": ["dog", "Ice cream"], "predicate": ["/r/IsA", "used for"], "object": ["animal", '"x"@en']}
    pq.write_table(pa.table(rows), tmp_path / "a.parquet")
    kb = LocalStore(tmp_path / "kb")
    kb.load(tmp_path / "a.parquet")
    assert kb.count("dog", "IsA", "animal") == kb.count("ice cream", "used_for", '"x"@en') == 1


def test_check_names_the_facts_that_rdf_cannot_write(kb: LocalStore, shell: Callable[..., Any]) -> None:
    assert kb.unwritable() == (0, [])
    odd = [stored_fact("/c/en/dog", "has", f'"no end {i}', 2.5, "facts", "me") for i in range(7)]
    odd += [
        stored_fact("_:x y", "has", "/c/en/dog", 1.0, "facts", ""),
        stored_fact("/c/en/dog", '"p', "/c/en/a", 1.0, "facts", ""),
    ]
    changes.add(kb, odd)
    count, first = kb.unwritable(limit=100)
    assert count == len(odd) and set(first) == set(odd)
    ran = shell("check", kb.path)
    assert ran.code == 0 and "9 facts have a term that RDF cannot write" in ran.out and ran.out.count("no end") == 5
    said = json.loads(shell("check", kb.path, "--json").out)
    assert said["repaired"] == [] and said["unwritable"]["count"] == 9 and len(said["unwritable"]["facts"]) == 5


#: names that cells of a table, lines or IRIs cannot hold as they are
AWKWARD = [
    "/c/en/a\tb", "/c/en/a\nb", "/c/en/a\r\nb", "/c/en/a\x0bb", "/c/en/a\u2028b", "/c/en/a\x85b", "/c/de/hund ", "/m/x\ty",
    'a"b"', 'ab"', "a,b", "a\\b", "%41", "/c/en/%09", "a\0b", "urn:kgmm:x", "urn:kgmm:urn:kgmm:x", "#x", "'x'", "http://conceptnet.io/r/IsA",
]  # fmt: skip


@pytest.mark.parametrize("ending", ["nq", "trig", "jsonld", "parquet", "tsv", "csv", "tsv.gz"])
def test_awkward_names_come_back_in_every_format(ending: str, tmp_path: Path) -> None:
    kb = LocalStore(tmp_path / "kb")
    kb.add([Fact("dog", "likes", term) for term in AWKWARD])
    kb.add([Fact(term, "likes", "dog", 1e300) for term in AWKWARD])
    kb.add([Fact("dog", relation, "cat") for relation in ("made of", "p\tq", "p\nq", "urn:kgmm:p", "#p", 'p"', "%41")])
    kb.add([Fact("dog", "IsA", "pet", graph=graph) for graph in ("a\tb", "g\nh", " g ", "urn:kgmm:g", "#g")])
    before = set(kb.find())
    kb.export(tmp_path / f"out.{ending}")
    assert kb.load(tmp_path / f"out.{ending}").added == 0
    fresh = LocalStore(tmp_path / "fresh")
    assert fresh.load(tmp_path / f"out.{ending}").rejected == 0
    assert set(fresh.find()) == before == set(kb.find())


@pytest.mark.parametrize("ending", ["tsv", "csv"])
def test_a_source_that_a_table_cannot_hold_is_told(ending: str, tmp_path: Path) -> None:
    kb = LocalStore(tmp_path / "kb")
    kb.add(Fact("dog", "IsA", "pet", source="one\r\ttwo"))
    with pytest.raises(BadInput, match=r"source 'one.*nquads"):
        kb.export(tmp_path / f"out.{ending}")
    assert not (tmp_path / f"out.{ending}").exists()


def test_weights_beyond_single_precision_stay_finite_and_positive(tmp_path: Path) -> None:
    kb = kgmm.open(tmp_path / "kb")
    kb.add([Fact("dog", "IsA", "pet", 1e300), Fact("cat", "IsA", "pet", 1e-300), Fact("cow", "IsA", "pet", 1e39)])
    assert np.isfinite(kb.columns().weight).all() and (kb.columns().weight > 0).all()
    assert {f.weight for f in kb.find()} == {1e300, 1e-300, 1e39}
    with pytest.raises(BadInput, match=r"its weight is 3\.4.*e\+38"):
        kb.view()
