"""Two traces of one question: what changed, and why."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kgmm.knowledge import KnowledgeStore
from kgmm.scene import SceneGraph, SceneObject
from kgmm.store import Fact
from kgmm.trace import Trace
from kgmm.trace.diff import diff

DESK = SceneGraph("desk", (SceneObject("o1", "knife"), SceneObject("o2", "lamp")))
CUTS = Fact("knife", "UsedFor", "cutting")


@pytest.fixture
def kb(tmp_path: Path) -> KnowledgeStore:
    store = KnowledgeStore(tmp_path / "kb")
    store.add([CUTS, Fact("lamp", "UsedFor", "light")])
    return store


def asked(kb: KnowledgeStore, reasoner: str = "explicit") -> Trace:
    return kb.ask(DESK, "Which object is used for cutting?", reasoner=reasoner).trace


def test_a_trace_does_not_differ_from_itself(kb: KnowledgeStore) -> None:
    found = diff(asked(kb), asked(kb))
    assert not found and not found.why and not found.settings
    assert str(found).startswith("the same answer: knife")


def test_two_versions_differ_by_the_fact_removed(kb: KnowledgeStore) -> None:
    then = asked(kb)
    kb.remove("knife", "UsedFor", "cutting")
    kb.add(Fact("lamp", "UsedFor", "cutting"))
    found = diff(then, asked(kb))
    assert found.answer == ("knife", "lamp")
    assert found.settings["store_version"] == (then.store_version, kb.version)
    assert CUTS in found.cited[0] and Fact("lamp", "UsedFor", "cutting") in found.cited[1]
    assert found.why[0] == "'knife is used for cutting' is not in the second's memory"
    assert "  - cites knife is used for cutting" in str(found)


def test_a_fact_that_lost_is_found_by_its_place_in_the_other_memory(kb: KnowledgeStore) -> None:
    trace = asked(kb)
    found = diff(trace, replace(trace, answer="lamp", citations=[]))
    assert any("of the second's memory" in reason for reason in found.why)


def test_two_reasoners_are_named_and_their_steps_part(kb: KnowledgeStore) -> None:
    found = diff(asked(kb), asked(kb, "kdmn"))
    assert found.settings["reasoner"] == ("explicit", "kdmn")
    assert any(reason.startswith("the steps part at") for reason in found.why)


def test_a_difference_is_json(kb: KnowledgeStore) -> None:
    then = asked(kb)
    kb.remove("knife", "UsedFor", "cutting")
    data = json.loads(json.dumps(diff(then, asked(kb)).to_dict()))
    assert data["answer"][0] == "knife" and data["cited"][0][-1]["object"] == "/c/en/cutting"
