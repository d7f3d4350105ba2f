"""rdflib programs on a store: what rdflib's own store tests ask for, persistence, and rdflib as an oracle.

rdflib's store tests themselves (test_graph, test_graph_context, test_dataset of its source distribution) run against
every registered plug-in; docs/sparql.md says how, and what they gave.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib import BNode, Dataset, Graph, Literal, URIRef
from rdflib.namespace import XSD
from rdflib.term import Node

from kgmm.store import Fact, LocalStore
from kgmm.store.rdflib_store import KgmmStore, node_of, term_of

E = rdflib.Namespace("http://example.org/")
NODES = st.sampled_from(
    [E.a, E.b, URIRef("http://conceptnet.io/c/en/dog"), URIRef("relative"), URIRef("urn:x:y"), BNode("n1")]
)
PREDICATES = st.sampled_from([E.p, URIRef("http://conceptnet.io/r/IsA"), URIRef("likes")])
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
LITERALS = st.one_of(
    TEXT.map(Literal),
    TEXT.map(lambda t: Literal(t, lang="de")),
    TEXT.map(lambda t: Literal(t, datatype=XSD.string)),
    st.sampled_from(["1", "01", "x"]).map(lambda t: Literal(t, datatype=XSD.integer, normalize=False)),
)
TRIPLES = st.tuples(NODES, PREDICATES, st.one_of(NODES, LITERALS))
GRAPHS = st.sampled_from([E.g1, E.g2])


@given(node=st.one_of(NODES, LITERALS))
def test_every_rdflib_term_comes_back(node: Node) -> None:
    back = node_of(term_of(node))
    assert (back, type(back)) == (node, type(node))
    if isinstance(node, Literal):
        assert isinstance(back, Literal)
        assert (str(back), back.datatype, back.language) == (str(node), node.datatype, node.language)


STEP = st.one_of(
    st.tuples(st.just("add"), TRIPLES, GRAPHS),
    st.tuples(st.just("remove"), TRIPLES, GRAPHS),
    st.tuples(st.just("clear"), PREDICATES, GRAPHS),
    st.tuples(st.just("write"), st.none(), st.none()),
)


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(STEP, max_size=12), pattern=st.tuples(*[st.booleans()] * 3), asked=TRIPLES)
def test_it_agrees_with_rdflibs_own_memory(
    steps: list[tuple[str, object, URIRef]], pattern: tuple[bool, ...], asked: tuple[Node, Node, Node]
) -> None:
    ours, memory = Dataset(store="kgmm"), Dataset()
    for kind, what, name in steps:
        for dataset in (ours, memory):
            if kind == "add":
                dataset.graph(name).add(what)  # type: ignore[arg-type]
            elif kind == "remove":
                dataset.graph(name).remove(what)  # type: ignore[arg-type]
            elif kind == "clear":
                dataset.graph(name).remove((None, what, None))  # type: ignore[arg-type]
            else:
                dataset.commit()
    wanted = tuple(t if bound else None for t, bound in zip(asked, pattern, strict=True))
    for name in (E.g1, E.g2):
        assert set(ours.graph(name).triples(wanted)) == set(memory.graph(name).triples(wanted))  # type: ignore[arg-type]
        assert len(ours.graph(name)) == len(memory.graph(name))
    assert set(ours.quads((*wanted, None))) == set(memory.quads((*wanted, None)))  # type: ignore[arg-type]
    ours.close()


def test_what_is_closed_is_there_when_opened_again(tmp_path: Path) -> None:
    graph = Graph(store="kgmm", identifier=E.g)
    graph.open(str(tmp_path / "kb"), create=True)
    graph.add((E.a, E.p, Literal("x", lang="en")))
    graph.close()
    again = Graph(store="kgmm", identifier=E.g)
    again.open(str(tmp_path / "kb"))
    assert list(again) == [(E.a, E.p, Literal("x", lang="en"))]
    with LocalStore(tmp_path / "kb") as kb:
        assert [f.object for f in kb.find("http://example.org/a")] == ['"x"@en']


def test_additions_wait_for_a_commit_and_can_be_forgotten(tmp_path: Path) -> None:
    graph = Graph(store="kgmm", identifier=E.g)
    graph.open(str(tmp_path / "kb"), create=True)
    graph.add((E.a, E.p, E.b))
    assert (E.a, E.p, E.b) in graph
    assert len(LocalStore(tmp_path / "kb")) == 0
    graph.rollback()
    assert (E.a, E.p, E.b) not in graph
    graph.add((E.a, E.p, E.c))
    graph.commit()
    assert len(LocalStore(tmp_path / "kb")) == 1


def test_a_parse_is_one_commit(tmp_path: Path) -> None:
    graph = Graph(store="kgmm", identifier=E.g)
    graph.open(str(tmp_path / "kb"), create=True)
    graph.parse(
        data="".join(f"<http://e.org/{i}> <http://e.org/p> <http://e.org/{i + 1}> .\n" for i in range(2000)),
        format="nt",
    )
    graph.commit()
    assert isinstance(graph.store, KgmmStore)
    assert (graph.store.kb.version, len(graph)) == (1, 2000)


@pytest.fixture
def kb(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "kb")
    store.add([Fact("knife", "UsedFor", "cutting", 2.5), Fact("/s/x", "Depicts", "knife", graph="scene/x")])
    return store


def test_a_graph_without_a_name_shows_the_whole_store(kb: LocalStore) -> None:
    graph = Graph(store="kgmm")
    graph.open(str(kb.path))
    assert len(graph) == 2
    assert (URIRef("http://conceptnet.io/c/en/knife"), None, None) in graph


def test_the_dataset_answers_sparql_as_the_index_does(kb: LocalStore) -> None:
    text = "SELECT ?s { ?s r:Depicts/r:UsedFor c:cutting }"
    assert [str(row[0]) for row in kb.to_rdflib().query(text)] == ["urn:kgmm:/s/x"]
    assert [row["s"] for row in kb.sparql(text)] == ["/s/x"]


def test_the_dataset_is_the_store(kb: LocalStore) -> None:
    dataset = kb.to_rdflib()
    names = {str(g.identifier) for g in dataset.graphs()}
    assert names >= {"urn:kgmm:facts", "urn:kgmm:scene/x"}
    dataset.graph(URIRef("urn:kgmm:mine")).add((E.a, E.p, E.b))
    dataset.commit()
    assert kb.graphs()["mine"] == 1


def test_queries_of_the_plug_in_are_answered_by_the_stores_own_engine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import rdflib.plugins.sparql.processor as theirs

    kb = LocalStore(tmp_path / "kb")
    kb.add([Fact("spoon", "UsedFor", "stirring"), Fact("spoon", "AtLocation", "kitchen")])
    data = kb.to_rdflib()

    def never(*_: object, **__: object) -> None:
        raise AssertionError("rdflib's evaluator was asked")

    monkeypatch.setattr(theirs.SPARQLProcessor, "query", never)
    ask = "SELECT ?o { <http://conceptnet.io/c/en/spoon> <http://conceptnet.io/r/UsedFor> ?o }"
    assert [str(row.o) for row in data.query(ask)] == ["http://conceptnet.io/c/en/stirring"]
    assert bool(data.query("ASK { ?s <http://conceptnet.io/r/AtLocation> ?o }"))
    made = data.query("CONSTRUCT { ?o <urn:x:of> ?s } WHERE { ?s <http://conceptnet.io/r/UsedFor> ?o }")
    assert len(made.graph) == 1
