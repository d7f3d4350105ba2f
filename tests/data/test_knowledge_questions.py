"""Questions made from a store are answered by the store."""

from __future__ import annotations

import pytest

import kgmm
from kgmm.data.knowledge_questions import knowledge_questions
from kgmm.scene import SceneGraph, SceneObject


@pytest.fixture
def made(tmp_path):
    from kgmm.store import Fact

    kb = kgmm.open(tmp_path / "kb")
    uses = {
        "knife": "cutting",
        "hammer": "driving nails",
        "pen": "writing",
        "cup": "drinking",
        "lamp": "lighting",
        "bed": "sleeping",
    }
    kb.add([Fact(f"/c/en/{s}", "UsedFor", f"/c/en/{o.replace(' ', '_')}") for s, o in uses.items()])
    scene = SceneGraph("desk", tuple(SceneObject(f"o{i}", n) for i, n in enumerate(("knife", "hammer", "pen", "cup"))))
    return kb, scene, uses


def test_answers_follow_the_store(made):
    kb, scene, uses = made
    found = list(knowledge_questions(kb, [scene], per_scene=8))
    assert {q.seen for q in found} == {True, False}
    for q in found:
        subject, right = kgmm.language.names.label(q.fact.subject), kgmm.language.names.label(q.fact.object)
        assert uses[subject] == right and q.answer == (subject if q.seen else right)
        assert q.answer in q.choices and len(set(q.choices)) == 4
        assert (subject in q.question) != q.seen


def test_same_seed_same_questions(made):
    kb, scene, _ = made
    first, again = (list(knowledge_questions(kb, [scene], seed=2)) for _ in range(2))
    assert first == again


def test_a_question_with_two_right_answers_is_not_asked(made):
    from kgmm.store import Fact

    kb, scene, _ = made
    kb.add([Fact("/c/en/hammer", "UsedFor", "/c/en/cutting")])
    assert not [q for q in knowledge_questions(kb, [scene], per_scene=20) if q.seen and "cutting" in q.question]
