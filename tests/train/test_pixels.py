"""Shipped networks answer about pictures, and say when they cannot."""

from __future__ import annotations

import pytest

import kgmm
from kgmm.data import easy_vqa
from kgmm.reason.pixels import WEIGHTS
from kgmm.scene import SceneGraph

SHIPPED = sorted(p.parent.name.removeprefix("easy-vqa-") for p in WEIGHTS.glob("easy-vqa-*/config.json"))


@pytest.fixture(scope="module")
def kb(tmp_path_factory):
    return kgmm.open(tmp_path_factory.mktemp("kb") / "kb")


@pytest.mark.parametrize("name", [n for n in SHIPPED if n in ("modules", "graph", "conventional")])
def test_shipped_networks_answer_from_pixels(name, kb):
    pytest.importorskip("easy_vqa")
    asked = easy_vqa.load_questions("test")[:60]
    hits = 0
    for q in asked:
        scene = SceneGraph(
            f"e{q.image}", image=str(easy_vqa.image_path("test", q.image)), width=64, height=64
        )
        answer = kb.ask(scene, q.question, reasoner=name)
        hits += answer.text == q.answer
        assert answer.trace.model
    assert hits >= 57


@pytest.mark.skipif("modules" not in SHIPPED, reason="no weights are shipped yet")
def test_questions_of_other_kinds_are_not_guessed_at(kb):
    pytest.importorskip("easy_vqa")
    scene = SceneGraph("e0", image=str(easy_vqa.image_path("test", 0)), width=64, height=64)
    answer = kb.ask(scene, "Who painted this?", reasoner="modules")
    assert not answer and "cannot read" in answer.trace.abstained
    assert not kb.ask(SceneGraph("none"), "is there a red shape?", reasoner="modules")
