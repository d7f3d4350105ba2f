"""The hybrid ranks facts with trained networks where evidence alone decides, and leaves the rest to the rules."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import kgmm
from kgmm.nn.pair_ranker import FeatureRanker, WordRanker
from kgmm.reason import hybrid
from kgmm.scene import SceneGraph, SceneObject
from kgmm.store import Fact

shipped = pytest.mark.skipif(
    not (hybrid.WEIGHTS / "model.safetensors").exists(), reason="no weights are shipped yet"
)
PAIRS = [
    ("What is used for cutting?", "knife is used for cutting bread . seen knife"),
    ("Which barks?", "dog can bark . seen dog"),
]


@pytest.fixture(scope="module")
def ranker():
    torch.manual_seed(0)
    made = WordRanker(hybrid.base_folder(), rank=4)
    for up in made.up.values():
        torch.nn.init.normal_(up, std=0.02)
    return made


def test_merged_corrections_rank_as_the_trained_ones_do(ranker):
    inputs = hybrid.tokens(hybrid.pair_tokenizer(), PAIRS)
    trained = ranker.train()(*inputs)
    merged = ranker.eval()(*inputs)
    assert torch.allclose(trained, merged, atol=1e-4)
    assert not torch.allclose(merged[0], merged[1], atol=1e-4)


def test_padding_changes_no_rank(ranker):
    tokenizer = hybrid.pair_tokenizer()
    ranker.eval()
    both = ranker(*hybrid.tokens(tokenizer, PAIRS))
    for i, pair in enumerate(PAIRS):
        assert torch.allclose(both[i], ranker(*hybrid.tokens(tokenizer, [pair]))[0], atol=1e-4)


def test_only_corrections_and_head_are_trained_and_saved(ranker):
    ranker.train()(*hybrid.tokens(hybrid.pair_tokenizer(), PAIRS)).sum().backward()
    names = {name.split(".")[0] for name in ranker.state_dict()}
    assert names == {"down", "up", "head"}
    assert all(
        p.grad is not None and p.grad.abs().sum() > 0
        for n, p in ranker.named_parameters()
        if n.startswith("up")
    )


def test_features_are_scaled_and_clipped():
    net = FeatureRanker(3).eval()
    net.mean[:], net.deviation[:] = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.5, 1.0, 2.0])
    far = net(torch.tensor([[1e6, 2.0, 3.0]]))
    assert torch.allclose(far, net(torch.tensor([[5.0, 2.0, 3.0]])))  # eight deviations from the mean


def test_facts_with_the_same_answer_stand_together():
    logits = np.log(np.array([[0.3, 0.4], [0.3, 1e-9]]))
    joint = hybrid.together(logits, [("cat", "dog"), ("cat", "pet")])
    assert joint[0, 0] > joint[0, 1]
    assert np.exp(joint[0, 0]) == pytest.approx(0.6, abs=0.01)


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
    named = SceneGraph(
        "list", tuple(SceneObject(f"o{i}", n) for i, n in enumerate(("knife", "cup", "dog", "lemon")))
    )
    yield kb, named
    kb.close()


@shipped
def test_it_answers_from_the_facts_and_falls_with_them(kitchen):
    kb, named = kitchen
    answer = kb.ask(named, "Which object in this image is used for cutting bread?", reasoner="hybrid")
    assert answer.text == "knife"
    (cited,) = [c.fact for c in answer.trace.citations if c.kind == "knowledge"]
    assert (cited.subject, cited.predicate, cited.object) == ("/c/en/knife", "UsedFor", "/c/en/cutting_bread")
    assert all(check.passed for check in answer.trace.verify(kb))
    assert answer.trace.without(cited).text != "knife"
    assert answer.trace.model


@shipped
def test_it_answers_with_what_a_fact_says_of_a_seen_thing(kitchen):
    kb, named = kitchen
    answer = kb.ask(named, "What is the cup in this image used for?", reasoner="hybrid")
    assert answer.text == "drinking coffee"


@shipped
def test_another_knowledge_base_gives_another_answer(kitchen):
    kb, named = kitchen
    kb.remove("/c/en/knife", "UsedFor", "/c/en/cutting_bread")
    kb.add([Fact("/c/en/dog", "UsedFor", "/c/en/cutting_bread")])
    assert (
        kb.ask(named, "Which object in this image is used for cutting bread?", reasoner="hybrid").text
        == "dog"
    )


@shipped
def test_a_drawn_scene_is_left_to_the_rules(bundled_kb):
    scene = Path(__file__).parents[1] / "gold" / "questions.json"
    asked = json.loads(scene.read_text())[0]
    place = Path(__file__).parents[2] / asked["scene"]
    ours, rules = (bundled_kb.ask(place, asked["question"], reasoner=r) for r in ("hybrid", "explicit"))
    assert (ours.text, ours.score) == (rules.text, rules.score)


@shipped
def test_no_facts_are_no_answer(kitchen, tmp_path):
    _, named = kitchen
    with kgmm.open(tmp_path / "bare") as bare:
        bare.add([Fact("/c/en/sea", "HasProperty", "/c/en/salty")])
        answer = bare.ask(named, "Which object is used for cutting bread?", reasoner="hybrid")
    assert not answer and answer.trace.abstained


def test_a_folder_without_weights_says_how_to_make_them(tmp_path):
    with pytest.raises(kgmm.errors.BadInput, match="kgmm train hybrid"):
        hybrid.load(tmp_path)


def test_a_few_questions_train_a_ranker_that_ranks(tmp_path, shell):
    things = {
        "knife": "cutting",
        "cup": "drinking",
        "bed": "sleeping",
        "oven": "baking",
        "pen": "writing",
        "ball": "playing",
    }
    (tmp_path / "facts.jsonl").write_text(
        "".join(
            json.dumps({"id": n, "surface": f"[[{n}]] is used for [[{u}]]"}) + "\n" for n, u in things.items()
        )
    )
    questions = [
        {
            "question_id": str(i), "image": f"{i}.jpg", "question": f"Which object is used for {things[n]}?", "answer": n,
            "fact": [n], "answer_source": "image", "kb_source": "x", "concepts": [*list(things)[: 3 + i % 4], n],
        }
        for i, n in enumerate(list(things) * 2)
    ]  # fmt: skip
    (tmp_path / "questions-train.json").write_text(json.dumps(questions))
    out = tmp_path / "out"
    ran = shell("train", "hybrid", tmp_path, "--out", out, "--epochs", 1, "--json")
    assert ran.code == 0, ran.err
    figures = json.loads(ran.out)["figures"]
    assert {"top1", "top3", "fact1", "answered_at_95"} <= set(figures)
    assert (
        len(hybrid.load(out).features.mean)
        == json.loads((out / "config.json").read_text())["network"]["features"]
    )
