"""What a client may not do: name paths, take a bundled scene for the store's own, destroy by a slip, mistype in silence."""

from __future__ import annotations

import contextlib
import contextvars
import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import kgmm
from kgmm import stories
from kgmm.errors import BadInput
from kgmm.knowledge import KnowledgeStore
from kgmm.serve.app import app
from kgmm.serve.limits import Limits, TooSlow

ROOT = Path(__file__).parents[2]
PHOTO = ROOT / "graphs/photos/cat.jpg"
SPOON = {"id": "a", "name": "spoon"}
QUESTION = "Which object is used for stirring?"


def asked(client: TestClient, scene: Any, **more: Any) -> Any:
    return client.post("/api/ask", data={"question": QUESTION, "scene": json.dumps(scene), **more})


def test_a_client_s_scene_shows_no_picture_of_the_server(client: TestClient) -> None:
    scene = {"id": "s", "objects": [{**SPOON, "box": [0, 0, 9, 9]}], "width": 9, "height": 9, "image": str(PHOTO)}
    answer = asked(client, scene).json()
    assert answer["trace"]["scene"]["image"] is None and str(PHOTO) not in json.dumps(answer)
    assert "data:image/jpeg" not in client.get(answer["page"]).text


@pytest.mark.parametrize("folder", [str(ROOT), ".", "kgmm/reason", "/nowhere"])
def test_a_reasoner_is_a_name_and_no_folder_of_the_server(client: TestClient, folder: str) -> None:
    answer = asked(client, {"id": "s", "objects": [SPOON]}, reasoner=folder)
    assert answer.status_code == 400 and "no reasoner" in answer.json()["error"]["details"]


def test_a_story_is_summarized_for_no_picture_of_the_server(tmp_path: Path) -> None:
    with kgmm.open(tmp_path / "kb") as kb:
        story = stories.read(ROOT / "graphs/stories/news.json")
        stories.save(story, kb)
        for path in ("/api/summarize", "/stories"):
            answer = TestClient(app(kb)).get(path, params={"story": story.id, "query": str(PHOTO)})
            assert answer.status_code == 404 and "path is not read" in answer.text


def test_an_update_reads_no_file_of_the_server(tmp_path: Path) -> None:
    (tmp_path / "secret.ttl").write_text("<urn:a> <urn:p> <urn:b> .")
    place = (tmp_path / "secret.ttl").as_uri()
    with kgmm.open(tmp_path / "kb") as kb:
        served = TestClient(app(kb, writable=True))
        for using in (f"USING <{place}>", f"USING NAMED <{place}>"):
            where = "?s ?p ?o" if "NAMED" not in using else f"GRAPH <{place}> {{ ?s ?p ?o }}"
            update = f"INSERT {{ ?s ?p ?o }} {using} WHERE {{ {where} }}"
            assert served.post("/sparql", data={"update": update}).status_code < 500
        assert len(kb) == 0


def test_the_store_s_own_scene_wins_over_a_bundled_one_of_its_name(tmp_path: Path) -> None:
    own = tmp_path / "cat.json"
    own.write_text(json.dumps({"id": "cat", "objects": [SPOON]}))
    with kgmm.open(tmp_path / "kb") as kb:
        kb.load(own)
        kb.load(ROOT / "graphs/scenes/coffee.json")
        served = TestClient(app(kb))
        trace = served.post("/api/ask", data={"question": QUESTION, "scene": "cat"}).json()["trace"]
        assert [o["name"] for o in trace["scene"]["objects"]] == ["spoon"] and trace["scene"]["image"] is None
        assert served.get("/photo/cat").status_code == 404 and served.get("/photo/coffee").status_code == 200
        home = served.get("/").text
        assert "/photo/coffee" in home and "/photo/cat" not in home


def test_nothing_is_destroyed_by_a_part_that_is_empty_unless_all_is_said(tmp_path: Path) -> None:
    with kgmm.open(tmp_path / "kb") as kb:
        kb.add([(f"a{i}", "IsA", f"b{i}") for i in range(5)])
        served = TestClient(app(kb, writable=True))
        whole = {"subject": "a1", "predicate": "IsA", "object": "b1"}
        for part in whole:
            for any_ in ("", "?", "-"):
                refused = served.delete("/api/facts", params={**whole, part: any_})
                assert refused.status_code == 400 and "all=true" in refused.json()["error"]["details"]
        assert served.delete("/api/facts", params={**whole, "graph": ""}).status_code == 400 and len(kb) == 5
        with pytest.raises(BadInput, match="any subject"):
            kb.remove("", "IsA")
        every = served.delete("/api/facts", params={**whole, "subject": "?", "object": "", "all": "true"})
        assert every.json()["removed"] == 5 and len(kb) == 0


@pytest.mark.parametrize(
    ("method", "path", "wrong", "near"),
    [
        ("get", "/api/find", "subjct", "subject"),
        ("get", "/api/walk?seed=dog", "limt", "restart"),
        ("get", "/concept", "nam", "name"),
        ("get", "/c/en/spoon", "lmit", "limit"),
        ("get", "/query", "strat", "start"),
        ("get", "/related/c/en/spoon", "filer", "filter"),
        ("get", "/health", "x", "none"),
        ("post", "/api/ask", "choices", "choice"),
        ("post", "/ask", "scen", "scene"),
        ("get", "/sparql?query=ASK{}", "default-graph", "default-graph-uri"),
        ("post", "/sparql?query=ASK{}", "defaultgraph-uri", "default-graph-uri"),
    ],
)
def test_a_mistyped_parameter_is_named(client: TestClient, method: str, path: str, wrong: str, near: str) -> None:
    sent = {"data": {wrong: "x", "question": QUESTION}} if method == "post" and "sparql" not in path else {}
    if "sparql" in path and method == "post":
        sent = {"data": {wrong: "x"}}
    url = path if sent else f"{path}{'&' if '?' in path else '?'}{wrong}=x"
    answer = client.request(method, url, **sent)  # type: ignore[arg-type]
    assert answer.status_code in (400, 422) and repr(wrong) in answer.text.replace("&#39;", "'") and near in answer.text


def test_parameters_of_published_clients_are_no_mistakes(client: TestClient) -> None:
    assert client.get("/c/en/spoon?format=json").status_code == 200
    assert client.get("/sparql?query=ASK{}&format=json&output=json&results=json").status_code == 200


def test_no_host_is_served_that_is_not_this_machine(address: str) -> None:
    import httpx

    for host, status in (("testserver", 421), ("evil.example", 421), ("localhost", 200), ("127.0.0.1", 200)):
        assert httpx.get(f"{address}/health", headers={"host": host}).status_code == status


def test_sparql_is_posted_without_a_detour(address: str) -> None:
    import urllib.request

    from rdflib.plugins.stores.sparqlstore import SPARQLStore

    data = b"query=ASK%20%7B%3Fs%20%3Fp%20%3Fo%7D"
    with urllib.request.urlopen(f"{address}/sparql", data=data) as answer:
        assert answer.url == f"{address}/sparql" and json.load(answer)["boolean"]
    assert bool(SPARQLStore(f"{address}/sparql", method="POST").query("ASK {?s ?p ?o}"))


SCENES: list[dict[str, Any]] = [
    {"objects": [{"id": "a", "name": ""}]},
    {"objects": [{"id": "a", "name": "/"}]},
    {"objects": [{**SPOON, "attributes": [""]}]},
    {"objects": [{**SPOON, "attributes": ["/"]}]},
    {"objects": [SPOON], "tags": [["", 1]]},
    {"objects": [SPOON], "tags": [["/", 1]]},
    {"objects": [SPOON], "tags": [["x", float("nan")]]},
    {"objects": [{**SPOON, "score": 1e400}]},
    {"objects": [{**SPOON, "score": -1}]},
    {"objects": [SPOON], "height": 10**30},
    {"objects": [SPOON], "width": -(10**9)},
    {"objects": [SPOON], "width": 1e400},
    {"objects": [{**SPOON, "box": [0, 0, 1e308, 1e308]}]},
    {"objects": [{**SPOON, "name": "\ud800"}]},
    {"objects": [SPOON], "relations": [{"subject": "a", "predicate": "", "object": "a"}]},
    {"objects": "spoon"},
    {"objects": {"a": SPOON}},
    {"objects": [None]},
    {"objects": [SPOON], "tags": 7},
]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: json.dumps(scene)[:60])
def test_a_scene_that_is_none_is_refused(client: TestClient, scene: dict[str, Any]) -> None:
    answer = asked(client, {"id": "s", **scene})
    assert answer.status_code == 400, answer.text


NAMELESS = """/api/concept?name=/ /api/concept?name= /api/walk?seed=/ /api/neighborhood?seed=/ /api/paths?a=/&b=
    /api/find?subject=/ /api/search?q=/ /c// /c/en/%ED%A0%80 /query?node=/ /relatedness?node1=/&node2=/ /related/c/en/
    /uri?language=en&text=/ /concept?name=/ /walk?seed=/ /find?subject=/ /paths?a=/&b=/ /retrieve?text=/"""


@pytest.mark.parametrize("path", NAMELESS.split())
def test_a_name_that_names_nothing_is_no_error_of_the_server(client: TestClient, path: str) -> None:
    assert client.get(path).status_code < 500


@pytest.mark.parametrize("fact", [["", "IsA", "a"], ["/", "IsA", "a"], ["a", "IsA", "/"], ["a", " ", "b"]])
def test_a_fact_that_says_nothing_is_refused(tmp_path: Path, fact: list[str]) -> None:
    with kgmm.open(tmp_path / "kb") as kb:
        sent = dict(zip(("subject", "predicate", "object"), fact, strict=True))
        answer = TestClient(app(kb, writable=True)).post("/api/facts", json=[sent])
        assert answer.status_code in (400, 422) and len(kb) == 0


def test_what_is_larger_than_a_request_may_be_is_413(client: TestClient) -> None:
    most = Limits()
    many = {"id": "s", "objects": [{"id": str(i), "name": "cup"} for i in range(most.objects + 1)]}
    assert asked(client, many).status_code == 413
    said = " ".join(["spoon"] * (most.words + 1))
    assert client.post("/api/ask", data={"question": said, "scene": "coffee"}).status_code == 413
    assert client.get("/api/retrieve", params={"text": said}).status_code == 413
    words = ",".join(f"w{i}" for i in range(most.terms + 1))
    assert client.get(f"/related/list/en/{words}").status_code == 413


def test_what_takes_longer_than_a_request_has_is_408(bundled_kb: KnowledgeStore) -> None:
    made = app(bundled_kb, limits=Limits(seconds=0.001))
    made.state.service.compiled.add("ask")
    served = TestClient(made)
    slow = asked(served, {"id": "s", "objects": [{"id": str(i), "name": f"cup {i}"} for i in range(150)]})
    assert slow.status_code == 408 and "0.001 s" in slow.json()["error"]["details"]
    again = TestClient(app(bundled_kb))
    assert asked(again, {"id": "s", "objects": [SPOON]}).json()["answer"] == "spoon"


def test_an_update_that_takes_too_long_writes_nothing(tmp_path: Path) -> None:
    with kgmm.open(tmp_path / "kb") as kb:
        kb.add([(f"a{i}", "IsA", f"b{i}") for i in range(300)])
        served = TestClient(app(kb, writable=True, limits=Limits(seconds=1.0)))
        slow = {"update": "INSERT { ?a <urn:p> ?e } WHERE { ?a ?p ?b . ?c ?q ?d . ?e ?r ?f }"}
        assert served.post("/sparql", data=slow).status_code == 408 and len(kb) == 300


def test_half_a_character_is_no_fact(tmp_path: Path) -> None:
    with kgmm.open(tmp_path / "kb") as kb:
        served = TestClient(app(kb, writable=True))
        for place in ("subject", "predicate", "object", "graph", "source"):
            fact = {"subject": "a", "predicate": "IsA", "object": "b", place: "x\ud800"}
            sent = served.post("/api/facts", content=json.dumps([fact]), headers={"content-type": "application/json"})
            assert sent.status_code in (400, 422) and len(kb) == 0


def test_a_query_that_takes_more_memory_or_a_longer_answer_than_it_may_is_413(bundled_kb: KnowledgeStore) -> None:
    served = TestClient(app(bundled_kb, limits=Limits(memory=100_000_000, seconds=30)))
    for query in (
        "SELECT ?a ?d { ?a ?p ?b . ?c ?q ?d } ORDER BY ?d",
        'SELECT (CONCAT(?x, ?x, ?x, ?x) AS ?y) { ?s ?p ?o BIND(REPLACE("' + "x" * 9_999 + '", "x", "yyyyyyy") AS ?x) }',
    ):
        answer = served.get("/sparql", params={"query": query})
        assert answer.status_code == 413 and "bytes" in answer.text, answer.text[:200]
    assert served.get("/sparql", params={"query": "ASK { ?s ?p ?o }"}).json()["boolean"]


def test_one_client_s_questions_delay_another_s_by_one() -> None:
    import asyncio

    from kgmm.serve.limits import Turns

    async def told() -> list[str]:
        turns, order = Turns(10), []

        async def ask(client: str) -> None:
            async with turns.turn(client):
                await asyncio.sleep(0)
                order.append(client)

        await asyncio.gather(*(ask("a") for _ in range(5)), ask("b"), ask("b"))
        assert turns.free == 1 and not turns.lines
        return order

    assert asyncio.run(told()) == ["a", "a", "b", "a", "b", "a", "a"]


def test_work_that_swallows_its_end_is_stopped_all_the_same() -> None:
    def swallowing() -> None:
        try:
            while True:
                pass
        except BaseException:  # as a finalizer would
            pass

    began = time.monotonic()
    with pytest.raises(TooSlow):
        Limits(seconds=0.2).within(lambda: (swallowing(), swallowing()))
    assert time.monotonic() - began < 5


def test_nothing_but_the_work_is_ever_stopped() -> None:
    for i in range(300):  # stopped before it begins, in its midst, at its very end: the caller's thread is left alone
        with contextlib.suppress(TooSlow):
            assert Limits(seconds=i * 1e-6).within(lambda: sum(range(1000))) == 499_500
    assert not [t for t in threading.enumerate() if t.name.endswith("(do)")]


def test_what_the_work_raises_is_raised_and_its_context_is_the_caller_s() -> None:
    with pytest.raises(ZeroDivisionError):
        Limits().within(lambda: 1 // 0)
    kept = contextvars.ContextVar("kept", default=0)
    kept.set(3)
    assert Limits().within(kept.get) == 3
