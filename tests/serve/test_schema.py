"""Generated requests against the published OpenAPI description: no call ends in an error of the server's.

Generated names are in no store, so such calls end at "not found". Half of the calls therefore name what the store has.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgmm.knowledge import KnowledgeStore

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")

CONCEPTS = ["dog", "spoon", "/c/en/person", "ice cream", "http://conceptnet.io/c/en/knife", "water"]
URIS = ["/c/en/dog", "/c/en/spoon", "/c/en", "/c/en/person/n"]
KNOWN = {
    "subject": CONCEPTS,
    "object": CONCEPTS,
    "name": CONCEPTS,
    "a": CONCEPTS,
    "b": CONCEPTS,
    "q": ["dog", "spoom", "gira"],
    "seed": [[c] for c in CONCEPTS] + [CONCEPTS[:3]],
    "relation": [["IsA"], ["UsedFor", "AtLocation"]],
    "predicate": ["IsA", "UsedFor"],
    "text": ["what is a spoon used for", "Dog"],
    "start": URIS,
    "end": URIS,
    "node": URIS,
    "other": URIS,
    "node1": URIS,
    "node2": URIS,
    "rel": ["/r/IsA", "/r/UsedFor"],
    "filter": ["/c/en"],
    "language": ["en"],
    "graph": ["commonsense", "scene/coffee"],
    "scene": ["coffee", "cat"],
    "question": ["Which object is used for stirring?", "What is the cat?"],
    "reasoner": ["default"],
}
PATHS = {
    "/c/{uri}": ["en/dog", "en/spoon"],
    "/r/{uri}": ["IsA", "UsedFor"],
    "/a/{uri}": ["[/r/UsedFor/,/c/en/spoon/,/c/en/eating_soup/]"],
    "/related/{uri}": ["c/en/dog", "list/en/dog,cat@0.5"],
}


def test_no_generated_call_fails_in_the_server(bundled_kb: KnowledgeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from kgmm.serve.app import app

    monkeypatch.setattr("kgmm.serve.conceptnet.SECONDS", 0.2)
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", app(bundled_kb))
    statuses: dict[str, set[int]] = defaultdict(set)
    for result in schema.get_all_operations():
        operation = result.ok()
        check(operation, statuses[f"{operation.method} {operation.path}"])
    assert len(statuses) >= 18
    answered = {name for name, seen in statuses.items() if 200 in seen}
    never = {
        "get /api/trace/{name}",
        "get /api/trace/{name}/verify",
        "get /api/summarize",
        "get /d/{uri}",
        "post /api/facts",
        "delete /api/facts",
    }
    assert set(statuses) - answered <= never, "calls that were only ever refused prove little"


def check(operation: Any, statuses: set[int]) -> None:
    """Make generated calls of one operation, half of them with names the store has."""

    @given(case=operation.as_strategy(), data=st.data())
    @settings(max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    def call(case: Any, data: st.DataObject) -> None:
        if data.draw(st.booleans(), label="known"):
            _name_what_is_known(case, data)
        answer = case.call(headers={"host": "localhost"})
        statuses.add(answer.status_code)
        assert answer.status_code < 500, (answer.request.url, answer.text[:300])

    call()


def _name_what_is_known(case: Any, data: st.DataObject) -> None:
    for p in case.operation.query:
        if p.name in KNOWN and (p.is_required or data.draw(st.booleans(), label=p.name)):
            case.query[p.name] = data.draw(st.sampled_from(KNOWN[p.name]))
    if case.operation.path in PATHS:
        case.path_parameters["uri"] = data.draw(st.sampled_from(PATHS[case.operation.path]))
    if case.operation.path == "/api/ask":
        case.body = {key: data.draw(st.sampled_from(KNOWN[key])) for key in ("question", "scene", "reasoner")}
