"""Spark's FP-growth over a store's table finds what the local miner finds."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from kgmm import patterns
from kgmm.errors import KgmmError
from kgmm.patterns import spark as jobs
from kgmm.store import LocalStore
from kgmm.store.table.spark import session, statements

pytest.importorskip("pyspark", reason="PySpark is not installed (pip install 'kgmm[spark]')")
if shutil.which("java") is None:
    pytest.skip("Spark needs Java 17", allow_module_level=True)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """Eighty scenes of things that go together, one of nothing known, and one that was removed."""
    chance, store = random.Random(5), LocalStore(tmp_path_factory.mktemp("kb") / "kb")
    for number in range(80):
        things = [t for t in ("cup", "saucer", "spoon", "table", "lamp", "dog") if chance.random() < 0.45]
        things += ["saucer"] if "cup" in things and chance.random() < 0.8 else []
        told = [(f"/s/{number}/{i}", "InstanceOf", thing) for i, thing in enumerate(things)]
        store.add([*told, (f"/s/{number}/a", "on", f"/s/{number}/b")], graph=f"scene/{number}")
    store.add([("cup", "IsA", "vessel")])
    store.remove(graph="scene/7")
    return store


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    found = session()
    yield found
    found.stop()


@pytest.mark.parametrize("support", [8, 0.1, 0.3, 1.0])
def test_sets_and_supports_are_the_local_ones(spark: Any, kb: LocalStore, support: float) -> None:
    rows = jobs.shown(statements(spark, kb.path))
    local = patterns.shown(kb)
    assert rows.count() == len(local) == 79
    wanted = patterns.itemsets(local, support, closed=False)
    found = {frozenset(row.itemsets): row.support for row in jobs.itemsets(rows, support).collect()}
    assert found == pytest.approx(dict(zip(map(frozenset, wanted["itemsets"]), wanted["support"], strict=True)))
    assert len(found) > 10 or support > 0.2


def test_rules_to_one_item_have_the_local_figures(spark: Any, kb: LocalStore) -> None:
    rows = jobs.shown(statements(spark, kb.path))
    wanted = {
        (frozenset(row["antecedents"]), *row["consequents"]): [row["support"], row["confidence"], row["lift"]]
        for row in patterns.rules(patterns.shown(kb), 0.05, 0.6).to_dicts()
        if len(row["consequents"]) == 1
    }
    found = {
        (frozenset(row.antecedents), *row.consequents): [row.support, row.confidence, row.lift]
        for row in jobs.rules(rows, 0.05, 0.6).collect()
    }
    assert len(found) > 5 and found.keys() == wanted.keys()
    for key, figures in wanted.items():
        assert found[key] == pytest.approx(figures)


def test_nothing_and_no_such_kind_are_defined(spark: Any, kb: LocalStore) -> None:
    facts = statements(spark, kb.path)
    assert jobs.itemsets(jobs.shown(facts, "story"), 0.5).count() == 0
    with pytest.raises(KgmmError, match="scenes or stories"):
        jobs.shown(facts, "film")
    with pytest.raises(KgmmError, match="least support"):
        jobs.itemsets(jobs.shown(facts), 0.0)
