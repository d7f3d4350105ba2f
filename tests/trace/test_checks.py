"""What a trace claims can be looked up again, and a false claim does not pass."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import kgmm
from kgmm.errors import KgmmError
from kgmm.knowledge import KnowledgeStore
from kgmm.reason.necessary import MOST
from kgmm.scene import SceneGraph, SceneObject
from kgmm.store import Fact
from kgmm.trace import Answer, Citation, Link, Trace
from kgmm.trace.checks import necessary, sufficient, verify

DESK = SceneGraph("desk", (SceneObject("o1", "knife"), SceneObject("o2", "lamp"), SceneObject("o3", "apple")))


@pytest.fixture
def kb(tmp_path: Path) -> KnowledgeStore:
    store = KnowledgeStore(tmp_path / "kb")
    store.add([Fact("knife", "UsedFor", "cutting"), Fact("lamp", "UsedFor", "light")])
    return store


def asked(kb: KnowledgeStore) -> Trace:
    return kb.ask(DESK, "Which object is used for cutting?").trace


@pytest.mark.parametrize("name", ["seen", "inherited", "unknown", "episodes", "counted"])
def test_every_answer_verifies(bundled_kb: KnowledgeStore, answers: dict[str, Answer], name: str) -> None:
    checks = answers[name].trace.verify(bundled_kb)
    assert [c for c in checks if not c.passed] == []
    assert name == "unknown" or {"answer"} < {c.name for c in checks}


def test_an_invented_citation_does_not_pass(kb: KnowledgeStore) -> None:
    trace = asked(kb)
    false = replace(trace, citations=[*trace.citations, Citation(Fact("knife", "UsedFor", "swimming"))])
    assert [c.text for c in verify(false, kb) if not c.passed] == [
        f"knife is used for swimming: not in the store at version {kb.version}"
    ]


def test_an_answer_from_nowhere_does_not_pass(kb: KnowledgeStore) -> None:
    trace = replace(asked(kb), answer="elephant", steps=[])
    assert [c.name for c in verify(trace, kb) if not c.passed] == ["answer"]


def test_an_object_that_is_not_in_the_scene_does_not_pass(kb: KnowledgeStore) -> None:
    trace = asked(kb)
    trace.concepts.append(Link("ghost", "/c/en/ghost", "exact", 1.0, "o9"))
    trace.citations.append(Citation(Fact("/s/desk/o9", "InstanceOf", "/c/en/ghost"), "scene"))
    assert {c.name for c in verify(trace, kb) if not c.passed} == {"objects", "scene"}


def test_a_fact_removed_since_verifies_at_the_traces_version(kb: KnowledgeStore) -> None:
    trace = asked(kb)
    kb.remove("knife", "UsedFor", "cutting")
    checks = trace.verify(kb)
    assert checks[0].name == "version" and all(c.passed for c in checks)
    assert kb.version > trace.store_version


def test_in_another_store_a_citation_is_looked_up_there(kb: KnowledgeStore, tmp_path: Path) -> None:
    with kgmm.open(tmp_path / "other") as other:
        assert [c.name for c in asked(kb).verify(other) if not c.passed] == ["fact"]


def test_without_its_fact_the_answer_changes_and_the_fact_is_not_cited(kb: KnowledgeStore) -> None:
    trace = asked(kb)
    gone = trace.citations[-1]
    answer = trace.without(gone)
    assert trace.answer == "knife" and answer.text != "knife"
    assert gone.fact not in {c.fact for c in answer.trace.citations}
    assert len(kb.find("knife", "UsedFor", "cutting")) == 1  # nothing was written


def test_necessity_and_sufficiency_agree_with_the_store(kb: KnowledgeStore) -> None:
    trace = asked(kb)
    assert necessary(trace) and sufficient(trace)
    kb.add(Fact("knife", "UsedFor", "cutting bread"))
    twice = asked(kb)
    assert twice.without(twice.citations[-1]).text == "knife"  # the other fact carries it


def test_a_trace_from_a_file_must_be_attached_before_it_is_asked_again(kb: KnowledgeStore) -> None:
    trace = asked(kb)
    read = Trace.from_json(trace.to_json())
    assert read.replay is None
    with pytest.raises(KgmmError, match="attach"):
        read.without(read.citations[0])
    again = kb.attach(read)
    assert again.without(again.citations[-1]).text == trace.without(trace.citations[-1]).text


def test_an_attached_trace_is_asked_of_the_same_graphs(kb: KnowledgeStore) -> None:
    kb.add(Fact("lamp", "UsedFor", "cutting"), graph="odd")
    trace = kb.ask(DESK, "Which object is used for cutting?", graphs=["facts"]).trace
    again = kb.attach(Trace.from_json(trace.to_json()))
    for c in trace.citations:
        assert again.without(c).text == trace.without(c).text != "lamp"


def test_the_same_question_follows_the_store_it_is_asked_of(kb: KnowledgeStore, tmp_path: Path) -> None:
    other = KnowledgeStore(tmp_path / "swapped")
    other.add([Fact("lamp", "UsedFor", "cutting"), Fact("knife", "UsedFor", "light")])
    assert asked(other).answer == "lamp"


def test_precomputed_answers_are_those_computed_one_by_one(kb: KnowledgeStore) -> None:
    trace = asked(kb).precompute()
    assert trace.counterfactuals
    for c in trace.counterfactuals:
        assert trace.without(*c.removed).text == c.answer
    assert Trace.from_json(trace.to_json()).counterfactuals == trace.counterfactuals


def test_an_abstention_says_what_is_missing(answers: dict[str, Answer]) -> None:
    answer = answers["unknown"]
    assert not answer and answer.text is None
    assert answer.trace.abstained and not answer.trace.citations
    assert answer.trace.memory  # the nearest facts are there to look at


PETS = [Fact("dog", "UsedFor", "guarding a house"), Fact("dog", "CapableOf", "guard your house")]


@pytest.mark.parametrize("reasoner", ["explicit", "hybrid"])
def test_what_says_the_same_is_cited_too_so_that_the_answer_falls_without(tmp_path: Path, reasoner: str) -> None:
    with KnowledgeStore(tmp_path / "kb") as kb:
        kb.add([*PETS, Fact("cat", "UsedFor", "company"), Fact("lamp", "UsedFor", "light")])
        scene = SceneGraph("yard", tuple(SceneObject(name, name) for name in ("dog", "cat", "lamp")))
        answer = kb.ask(scene, "Which animal can guard a house?", reasoner=reasoner)
        known = {c.fact.object: c.role for c in answer.trace.citations if c.kind == "knowledge"}
        assert answer.text == "dog" and sorted(known.values()) == ["also", "support"]
        assert necessary(answer.trace) and sufficient(answer.trace)
        assert all(check.passed for check in verify(answer.trace, kb))


def test_an_answer_that_stays_whatever_is_taken_away_says_which_facts_keep_it(tmp_path: Path) -> None:
    with KnowledgeStore(tmp_path / "kb") as kb:
        kb.add([Fact("dog", "UsedFor", f"guarding the house of {name}") for name in "abcdefghijkl"])
        scene = SceneGraph("yard", (SceneObject("dog", "dog"),))
        answer = kb.ask(scene, "Which animal is used for guarding the house?", reasoner="hybrid")
        assert len([c for c in answer.trace.citations if c.kind == "knowledge"]) == 1
        remains = answer.trace.steps[-1]
        assert remains.name == "remains" and len(remains.data["facts"]) == MOST
        assert not necessary(answer.trace)
