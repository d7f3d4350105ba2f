"""The SPARQL 1.1 protocol: any standard client can ask a store, and change it only where that is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from kgmm.serve.sparql import app
from kgmm.store import Fact, LocalStore

QUERY = "SELECT ?s { ?s r:UsedFor c:cutting } ORDER BY ?s"


@pytest.fixture
def kb(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "kb")
    store.add(
        [Fact("knife", "UsedFor", "cutting"), Fact("saw", "UsedFor", "cutting"), Fact("saw", "label", '"a\\tb"@en')]
    )
    store.add(Fact("/s/x", "Depicts", "saw", graph="scene/x"))
    return store


@pytest.fixture
def client(kb: LocalStore) -> TestClient:
    return TestClient(app(kb, timeout=5, limit=100))


@pytest.mark.parametrize("how", ["get", "form", "direct"])
def test_the_three_ways_to_ask_agree(how: str, client: TestClient) -> None:
    if how == "get":
        answer = client.get("/", params={"query": QUERY})
    elif how == "form":
        answer = client.post("/", data={"query": QUERY})
    else:
        answer = client.post("/", content=QUERY, headers={"content-type": "application/sparql-query"})
    assert answer.headers["content-type"].startswith("application/sparql-results+json")
    found = [b["s"]["value"] for b in answer.json()["results"]["bindings"]]
    assert found == ["http://conceptnet.io/c/en/knife", "http://conceptnet.io/c/en/saw"]


@pytest.mark.parametrize(
    ("accept", "start"),
    [
        ("text/csv", "s\r\nhttp://c"),
        ("text/tab-separated-values", "?s\n<http://c"),
        ("application/sparql-results+xml;q=0.9, text/html", "<?xml"),
        ("text/html, */*;q=0.1", '{"head"'),
    ],
)
def test_answers_come_in_the_form_that_is_accepted(accept: str, start: str, client: TestClient) -> None:
    assert client.get("/", params={"query": QUERY}, headers={"accept": accept}).text.startswith(start)


def test_graphs_and_truth_values_are_answers_too(client: TestClient) -> None:
    built = client.get(
        "/", params={"query": "CONSTRUCT WHERE { c:saw ?p ?o }"}, headers={"accept": "application/n-triples"}
    )
    assert built.text.count("\n") == 2
    assert '"a\\tb"@en' in built.text
    assert client.get("/", params={"query": "ASK { c:saw ?p ?o }"}).json()["boolean"] is True


def test_the_protocol_chooses_graphs(client: TestClient) -> None:
    text = "SELECT ?s { ?s ?p ?o }"
    chosen = client.get("/", params={"query": text, "default-graph-uri": "urn:kgmm:scene/x"}).json()
    assert [b["s"]["value"] for b in chosen["results"]["bindings"]] == ["urn:kgmm:/s/x"]


def test_rdflib_reads_the_endpoint_as_a_client(kb: LocalStore) -> None:
    found = TestClient(app(kb)).get(
        "/", params={"query": "SELECT * { ?s ?p ?o }"}, headers={"accept": "application/sparql-results+json"}
    )
    import io

    from rdflib.query import Result

    assert len(Result.parse(io.BytesIO(found.content), format="json")) == 4


@pytest.mark.parametrize(
    ("status", "call"),
    [
        (400, {"params": {"query": "SELECT {"}}),
        (400, {"params": {"query": "SELECT * { SERVICE <http://x/> {?s ?p ?o} }"}}),
        (406, {"params": {"query": QUERY}, "headers": {"accept": "image/png"}}),
        (405, {"params": {"update": "CLEAR ALL"}}),
    ],
)
def test_refusals_have_the_protocols_status(status: int, call: dict[str, dict[str, str]], client: TestClient) -> None:
    answer = client.get("/", **call)  # type: ignore[arg-type]
    assert answer.status_code == status
    assert answer.text.count("\n") == 1


@pytest.mark.parametrize(
    "call", [{"data": {"query": [QUERY, QUERY]}}, {"params": {"query": QUERY}, "data": {"query": QUERY}}]
)
def test_two_queries_are_not_answered_as_one(call: dict[str, Any], client: TestClient) -> None:
    answer = client.post("/", **call)
    assert answer.status_code == 400 and "not several" in answer.text
    assert client.get("/", params=[("query", QUERY), ("query", QUERY)]).status_code == 400


def test_a_slow_query_is_stopped_and_a_long_answer_cut(kb: LocalStore) -> None:
    kb.add([Fact(f"a{i}", "RelatedTo", f"b{i}") for i in range(300)])
    slow = "SELECT (COUNT(*) AS ?n) { ?a ?p ?b . ?c ?q ?d . ?e ?r ?f . ?g ?h ?i }"
    assert TestClient(app(kb, timeout=0.5)).get("/", params={"query": slow}).status_code == 408
    cut = TestClient(app(kb, limit=10)).get("/", params={"query": "SELECT * { ?s ?p ?o }"})
    assert (len(cut.json()["results"]["bindings"]), cut.headers["kgmm-truncated"]) == (10, "true")


def test_updates_need_leave(kb: LocalStore) -> None:
    update = {"update": "INSERT DATA { c:axe r:UsedFor c:cutting } ; DELETE WHERE { c:knife r:UsedFor ?x }"}
    assert TestClient(app(kb)).post("/", data=update).status_code == 403
    writable = TestClient(app(kb, writable=True))
    assert writable.post("/", data={"update": "LOAD <http://127.0.0.1:9/x>"}).status_code == 403
    assert writable.post("/", data=update).status_code == 204
    kb.refresh()
    assert {f.subject for f in kb.find(None, "UsedFor", "cutting", graph="facts")} == {"/c/en/axe", "/c/en/saw"}
    assert writable.get("/", params={"query": QUERY}).text.count("/c/en/") == 2
