"""A trace as RDF joins with the store it came from, and as networkx holds what carries the answer."""

from __future__ import annotations

import rdflib
from rdflib.namespace import PROV

from kgmm.knowledge import KnowledgeStore
from kgmm.language import names
from kgmm.scene import SceneGraph
from kgmm.store import Fact
from kgmm.trace import Answer, Citation, Trace
from kgmm.trace.graphs import VOCABULARY, to_networkx, to_rdf

JOIN = """
SELECT ?s ?p ?o WHERE {
  ?answer prov:wasDerivedFrom ?fact . ?fact rdf:subject ?s ; rdf:predicate ?p ; rdf:object ?o .
  GRAPH ?g { ?s ?p ?o }
}"""


def test_a_query_joins_the_citations_with_the_store(bundled_kb: KnowledgeStore, answers: dict[str, Answer]) -> None:
    trace = answers["inherited"].trace
    data = rdflib.Dataset(default_union=True)
    for s, p, o in to_rdf(trace):
        data.add((s, p, o))
    for c in trace.citations:  # the store's facts of the same subjects, in their own graphs
        for quad in bundled_kb.find(c.fact.subject).to_rdf().quads():
            data.add(quad)
    joined = {(str(s), str(p), str(o)) for s, p, o in data.query(JOIN, initNs={"prov": PROV, "rdf": rdflib.RDF})}
    knowledge = [c.fact for c in trace.citations if c.kind == "knowledge"]
    assert len(knowledge) >= 3
    ends = {(names.iri(f.subject), names.iri(f.predicate, predicate=True), names.iri(f.object)) for f in knowledge}
    assert ends <= joined


def test_a_citation_can_be_asked_of_the_stores_own_sparql(
    bundled_kb: KnowledgeStore, answers: dict[str, Answer]
) -> None:
    graph = to_rdf(answers["seen"].trace)
    rows = graph.query(
        "SELECT ?s ?p ?o WHERE { ?a prov:wasDerivedFrom ?f . ?f rdf:subject ?s ; rdf:predicate ?p ; rdf:object ?o }",
        initNs={"prov": PROV, "rdf": rdflib.RDF},
    )
    found = [bool(bundled_kb.sparql(f"ASK {{ {s.n3()} {p.n3()} {o.n3()} }}")) for s, p, o in rows]
    assert len(found) == len(answers["seen"].trace.citations) and all(found)


def test_literals_keep_their_datatype() -> None:
    year = '"1867"^^<http://www.w3.org/2001/XMLSchema#gYear>'
    graph = to_rdf(Trace("When?", citations=[Citation(Fact("marie curie", "born", year))], answer="1867"))
    [value] = graph.objects(None, rdflib.RDF.object)
    assert isinstance(value, rdflib.Literal) and value.datatype == rdflib.XSD.gYear


def test_two_traces_share_no_answer_node(answers: dict[str, Answer]) -> None:
    both = to_rdf(answers["seen"].trace) + to_rdf(answers["inherited"].trace)
    assert len(set(both.subjects(PROV.wasGeneratedBy, None))) == 2


def test_hostile_names_serialize_and_read_back() -> None:
    name = 'a<b>"c\\ {d}|^`\x00 \u202e e'
    fact = Fact(name, "UsedFor", name)
    trace = Trace(name, SceneGraph(name), citations=[Citation(fact)], answer=name, reasoner=name, store=name)
    again = rdflib.Graph().parse(data=to_rdf(trace).serialize(format="nt"), format="nt")
    assert len(again) == len(to_rdf(trace))


def test_networkx_holds_each_citation_and_chain(answers: dict[str, Answer]) -> None:
    trace = answers["inherited"].trace
    graph = to_networkx(trace)
    for c in trace.citations:
        assert graph.edges[c.fact.subject, c.fact.object, c.fact.predicate]["role"] == c.role
    assert all("label" in data for _, data in graph.nodes(data=True))


def test_the_model_and_score_are_in_the_graph(answers: dict[str, Answer]) -> None:
    trace, own = answers["episodes"].trace, rdflib.Namespace(VOCABULARY)
    graph = to_rdf(trace)
    assert trace.model and str(next(graph.objects(None, own.model))) == trace.model
    assert float(next(graph.objects(None, own.score))) == trace.score
