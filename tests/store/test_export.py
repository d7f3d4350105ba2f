"""What a store writes it reads back, and a file is whole or not there."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgmm.errors import BadInput
from kgmm.language import names
from kgmm.store import Fact, LocalStore
from kgmm.store.rdf.terms import node, node_term, predicate, predicate_term
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


@pytest.mark.parametrize("ending", ["nq", "nq.gz", "trig", "parquet"])
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


@pytest.mark.parametrize("ending", ["ttl", "nt", "tsv"])
def test_one_graph_comes_back(ending: str, kb: LocalStore, tmp_path: Path) -> None:
    kb.export(tmp_path / f"out.{ending}", graph="facts")
    again = LocalStore(tmp_path / "again")
    assert again.load(tmp_path / f"out.{ending}", graph="facts").rejected == 0
    assert set(again.find()) == {f for f in FACTS if f.graph == "facts"}


def test_turtle_is_written_for_people(kb: LocalStore, tmp_path: Path) -> None:
    kb.export(tmp_path / "out.ttl", graph="facts")
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
