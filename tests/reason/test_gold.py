"""Sixty questions about photographs, written before the reasoner was tuned, over the bundled knowledge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kgmm.knowledge import KnowledgeStore
from kgmm.language.words import normal
from kgmm.store import Fact
from kgmm.trace import Answer

ROOT = Path(__file__).parents[2]
QUESTIONS = json.loads((ROOT / "tests/gold/questions.json").read_text())


@pytest.fixture(scope="module")
def answers(bundled_kb: KnowledgeStore) -> list[tuple[dict[str, Any], Answer]]:
    return [(q, bundled_kb.ask(ROOT / q["scene"], q["question"], choices=q.get("choices"))) for q in QUESTIONS]


def right(question: dict[str, Any], answer: Answer) -> bool:
    if question["answers"] is None or answer.text is None:
        return question["answers"] is None and answer.text is None
    return normal(answer.text) in {normal(a) for a in question["answers"]}


def test_there_are_sixty_questions_of_every_kind() -> None:
    assert len(QUESTIONS) == 60
    assert {q["kind"] for q in QUESTIONS} >= {
        "count",
        "comparison",
        "negation",
        "two-hop",
        "attribute",
        "relation",
        "multiple choice",
        "unanswerable",
        "other end",
    }


def test_all_are_answered_right(answers: list[tuple[dict[str, Any], Answer]]) -> None:
    assert [(q["id"], q["question"], str(a)) for q, a in answers if not right(q, a)] == []


def test_every_answer_comes_with_a_citation_and_every_abstention_with_a_reason(
    answers: list[tuple[dict[str, Any], Answer]],
) -> None:
    for question, answer in answers:
        absent = answer.text in ("0", "no")  # what is not there has no fact to cite
        assert answer.trace.citations or absent if answer else answer.trace.abstained, question["id"]


def test_every_citation_is_in_the_store_or_the_scene(
    bundled_kb: KnowledgeStore, answers: list[tuple[dict[str, Any], Answer]]
) -> None:
    for _, a in answers:
        scene = {(s, p, o) for s, p, o, _ in a.trace.scene.facts()} if a.trace.scene else set()
        for c in a.trace.citations:
            key = (c.fact.subject, c.fact.predicate, c.fact.object)
            if c.role != "boxes":
                assert key in scene if c.kind == "scene" else len(bundled_kb.find(*key)) > 0, (a.trace.question, key)


def test_an_answer_falls_when_all_that_supports_it_is_taken_away(bundled_kb: KnowledgeStore) -> None:
    scene = ROOT / "graphs/scenes/coffee.json"
    answer = bundled_kb.ask(scene, "Which object is used for stirring?")
    assert answer.text == "spoon"
    taken: set[Fact] = set()
    while answer.text == "spoon":
        knowledge = {c.fact for c in answer.trace.citations if c.kind == "knowledge"}
        assert knowledge and not knowledge & taken, "it stands on facts that are gone, or on none"
        taken |= knowledge
        answer = answer.trace.without(*knowledge)
    assert 1 <= len(taken) <= 20


def test_a_penguin_does_not_inherit_flying(tmp_path: Path) -> None:
    import kgmm

    kb = kgmm.open(tmp_path / "kb")
    kb.add(
        [
            kgmm.Fact("penguin", "IsA", "bird"),
            kgmm.Fact("robin", "IsA", "bird"),
            kgmm.Fact("bird", "CapableOf", "fly"),
            kgmm.Fact("penguin", "NotCapableOf", "fly"),
        ]
    )
    scene = kgmm.SceneGraph("zoo", (kgmm.SceneObject("o1", "penguin"), kgmm.SceneObject("o2", "robin")))
    assert kb.ask(scene, "Can the penguin fly?").text == "no"
    flying = kb.ask(scene, "Which bird can fly?")
    assert flying.text == "robin"
    assert ("/c/en/robin", "IsA", "/c/en/bird") in {
        (c.fact.subject, c.fact.predicate, c.fact.object) for c in flying.trace.citations
    }
