"""Any query over any store is answered as Oxigraph answers it, rows counted as often as they come."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgmm.store import Fact, LocalStore
from kgmm.store.sparql.query import query
from tests.store.sparql_random import Asked, comparable, facts, oxigraph, queries

#: the engine that is judged, where there is a choice
OWN = {"engine": "own"} if "engine" in inspect.signature(query).parameters else {}


def answered(kb: LocalStore, text: str) -> Any:
    found = query(kb, text, raw=True, timeout=20, **OWN)  # type: ignore[arg-type]
    return found if isinstance(found, bool) else list(found.rows)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(said=facts, asked=st.lists(queries(), min_size=10, max_size=10))
def test_random_queries_are_answered_as_oxigraph_does(
    said: list[Fact], asked: list[Asked], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with LocalStore(tmp_path_factory.mktemp("kb") / "kb") as kb:
        kb.add(said)
        oracle = oxigraph(kb)
        for text, ordered in asked:
            assert comparable(answered(kb, text), ordered) == comparable(oracle(text), ordered), text


def test_the_comparison_sees_a_row_too_many_a_wrong_number_and_another_order() -> None:
    one, two = '"1.0"^^<http://www.w3.org/2001/XMLSchema#decimal>', '"2"^^<http://www.w3.org/2001/XMLSchema#decimal>'
    same: Callable[[Any, Any, bool], bool] = lambda a, b, o: comparable(a, o) == comparable(b, o)  # noqa: E731
    assert same([(one, None)], [(one.replace("1.0", "1"), None)], False)
    assert not same([(one,)], [(one,), (one,)], False)
    assert not same([(one,)], [(one.replace("decimal", "integer").replace("1.0", "1"),)], False)
    assert not same([(one,)], [(two,)], False)
    assert same([(one,), (two,)], [(two,), (one,)], False)
    assert not same([(one,), (two,)], [(two,), (one,)], True)
