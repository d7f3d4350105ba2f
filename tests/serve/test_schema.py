"""Generated requests against the published OpenAPI description: no call ends in an error of the server's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from kgmm.knowledge import KnowledgeStore

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")


def test_no_generated_call_fails_in_the_server(bundled_kb: KnowledgeStore) -> None:
    from kgmm.serve.app import app

    schema = schemathesis.openapi.from_asgi("/api/openapi.json", app(bundled_kb))
    calls: dict[str, int] = {}
    for result in schema.get_all_operations():
        operation = result.ok()
        name = f"{operation.method} {operation.path}"

        failures: list[Any] = []
        check(operation, name, calls, failures)
        assert failures == []
    assert len(calls) >= 18


def check(operation: Any, name: str, calls: dict[str, int], failures: list[Any]) -> None:
    """Make a few generated calls of one operation."""

    @given(case=operation.as_strategy())
    @settings(
        max_examples=8, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )  # fmt: skip
    def call(case: Any) -> None:
        answer = case.call(headers={"host": "localhost"})
        calls[name] = calls.get(name, 0) + 1
        if answer.status_code >= 500:
            failures.append((name, answer.request.url, answer.text[:300]))

    call()
