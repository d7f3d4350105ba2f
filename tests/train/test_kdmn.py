"""The shipped memory network answers from the store it is given, and shows what it attended to."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import kgmm
from kgmm.nn.kdmn import KDMN
from kgmm.reason.kdmn.memory import spread
from kgmm.reason.kdmn.tensors import END_FEATURES, FEATURES, MemoryInput, WordTable, pack
from kgmm.scene import SceneGraph, SceneObject
from kgmm.store import Fact


def _memory(n, seed=0):
    rng = np.random.default_rng(seed)

    def unit(*shape):
        v = rng.normal(size=shape).astype(np.float32)
        return v / np.linalg.norm(v, axis=-1, keepdims=True)

    triples = [(f"thing{i}", "UsedFor", "cutting bread") for i in range(n)]
    return MemoryInput(
        "What is used for cutting?", ["thing0"], triples, unit(16), unit(n, 16), rng.random((n, 2)).astype(np.float32)
    )


def test_padding_a_memory_changes_no_answer():
    words = WordTable(["thing", "cutting"], np.eye(2))
    net = KDMN(words=2, sentence=16, features=len(FEATURES), end_features=len(END_FEATURES), dim=8).eval()
    alone, _, attention, _ = net(pack([_memory(3)], words))
    beside, null, wide, _ = net(pack([_memory(3), _memory(9, 1), _memory(0, 2)], words))
    assert torch.allclose(alone[0], beside[0, :3], atol=1e-5) and torch.allclose(
        attention[0], wide[0, :, :3], atol=1e-5
    )
    assert wide[2].abs().max() == 0 and torch.isfinite(null).all()


@pytest.mark.parametrize("episodes", [0, 1, 3])
def test_every_ablation_has_gradients_everywhere(episodes):
    words = WordTable(["thing", "cutting"], np.eye(2))
    net = KDMN(words=2, sentence=16, features=len(FEATURES), end_features=len(END_FEATURES), dim=8, episodes=episodes)
    pointer, null, _, _ = net(pack([_memory(4)], words))
    (pointer.sum() + null.sum()).backward()
    used = [n for n, p in net.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0]
    assert {"facts.recurrent.weight_ih_l0", "product.weight", "query.weight", "end.weight"} <= set(used)


def test_every_seen_concept_keeps_its_best_facts():
    rows = spread(np.array([0.9, 0.8, 0.7, 0.1], np.float32), np.zeros(4, np.float32), ["a", "a", "a", "b"], 3)
    assert rows.tolist() == [0, 1, 3]


@pytest.fixture
def kitchen(tmp_path):
    kb = kgmm.open(tmp_path / "kb")
    facts = (
        "knife UsedFor cutting_bread",
        "cup UsedFor drinking_coffee",
        "dog CapableOf bark",
        "lemon HasProperty yellow",
    )
    kb.add([Fact(f"/c/en/{s}", p, f"/c/en/{o}") for s, p, o in map(str.split, facts)])
    scene = SceneGraph(
        "kitchen", tuple(SceneObject(f"o{i}", n) for i, n in enumerate(("knife", "cup", "dog", "lemon")))
    )
    return kb, scene


def test_answers_cite_the_fact_pointed_at_and_show_every_episode(kitchen):
    kb, scene = kitchen
    answer = kb.ask(scene, "Which object in this image is used for cutting bread?", reasoner="kdmn")
    assert answer.text == "knife"
    assert any(c.fact.object == "/c/en/cutting_bread" for c in answer.trace.citations)
    episodes = [s for s in answer.trace.steps if s.name.startswith("episode")]
    assert len(episodes) == 2 and episodes[-1].data["attention"][0][0] == "knife UsedFor cutting bread"
    assert answer.trace.model


def test_answers_follow_a_changed_store(kitchen):
    kb, scene = kitchen
    kb.remove("/c/en/lemon", "HasProperty", "/c/en/yellow")
    kb.add([Fact("/c/en/lemon", "HasProperty", "/c/en/blue")])
    answer = kb.ask(scene, "What object in this image is blue?", reasoner="kdmn")
    assert answer.text == "lemon"


def test_an_empty_store_is_answered_with_nothing(tmp_path, kitchen):
    answer = kgmm.open(tmp_path / "none").ask(kitchen[1], "What object can bark?", reasoner="kdmn")
    assert not answer and answer.trace.abstained


def test_choices_bound_the_answer(kitchen):
    kb, scene = kitchen
    answer = kb.ask(scene, "What can bark?", reasoner="kdmn", choices=["dog", "cat"])
    assert answer.text == "dog"
