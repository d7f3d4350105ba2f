"""Spark jobs over a store's table give the local engine's numbers."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from kgmm.errors import UnknownConcept
from kgmm.graph import view
from kgmm.store import Fact, LocalStore
from kgmm.store.table import spark as jobs

pytest.importorskip("pyspark", reason="PySpark is not installed (pip install 'kgmm[spark]')")
if shutil.which("java") is None:
    pytest.skip("Spark needs Java 17", allow_module_level=True)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    chance = random.Random(7)
    store = LocalStore(tmp_path_factory.mktemp("kb") / "kb")
    ends = [(chance.randrange(40), chance.randrange(40)) for _ in range(90)]
    store.add([Fact(f"n{a}", chance.choice(["IsA", "UsedFor"]), f"n{b}", chance.choice([0.5, 1, 2])) for a, b in ends])
    store.add([Fact("n1", "label", '"a literal"'), Fact("n1", "IsA", "leaf")])
    store.remove("n2")
    return store


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    found = jobs.session()
    yield found
    found.stop()


def test_a_version_is_read_from_its_files(spark: Any, kb: LocalStore) -> None:
    now = {tuple(r) for r in jobs.statements(spark, kb.path).select("subject", "predicate", "object").collect()}
    assert now == {(f.subject, f.predicate, f.object) for f in kb.find()}
    past = LocalStore(kb.path, version=1)
    assert jobs.statements(spark, kb.path, version=1).count() == len(past) > 0


@pytest.mark.parametrize("directed", [False, True])
def test_walk_gives_the_local_numbers(directed: bool, spark: Any, kb: LocalStore) -> None:
    seeds = {"n1": 2.0, "n3": 1.0}
    found = jobs.walk(jobs.statements(spark, kb.path), seeds, restart=0.5, tol=1e-6, directed=directed)
    scores = {row.node: row.score for row in found.collect()}
    local = view(kb, directed=directed).walk(seeds, restart=0.5)
    for concept in local.view.concepts:
        assert scores.get(concept, 0.0) == pytest.approx(local[concept], abs=2e-6)


def test_k_hop_gives_what_a_search_finds(spark: Any, kb: LocalStore) -> None:
    reached = {"/c/en/n1"}
    facts = [f for f in kb.find() if not f.object.startswith('"')]
    for _ in range(2):
        reached |= {e for f in facts if reached & {f.subject, f.object} for e in (f.subject, f.object)}
    found = jobs.k_hop(jobs.statements(spark, kb.path), "n1", hops=2)
    expected = {(f.subject, f.predicate, f.object) for f in facts if {f.subject, f.object} <= reached}
    assert {(r.subject, r.predicate, r.object) for r in found.collect()} == expected


def test_an_unknown_seed_is_told(spark: Any, kb: LocalStore) -> None:
    with pytest.raises(UnknownConcept):
        jobs.walk(jobs.statements(spark, kb.path), "nowhere")
