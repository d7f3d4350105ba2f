"""KDMN names an answer without a fact as a guess, and chooses among answers; networks of any weights, real stores."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file as save_words
from safetensors.torch import save_file

import kgmm
from kgmm.language.words import normal
from kgmm.nn.kdmn import KDMN
from kgmm.reason.kdmn import reasoner as kdmn
from kgmm.reason.kdmn.choices import choose, offer
from kgmm.reason.kdmn.tensors import END_FEATURES, FEATURES, MemoryInput, WordTable, pack
from kgmm.reason.task import Task
from kgmm.scene import SceneGraph, SceneObject
from kgmm.store import Fact
from kgmm.train import kdmn as fvqa_problem
from kgmm.train.choices import Choices, places
from kgmm.train.kdmn import FvqaProblem, pointer_loss, ranked, score
from kgmm.train.memories import Example, labels

WORDS = ["knife", "cup", "cut", "bread", "drink", "coffee", "spoon"]
QUESTION = "Which thing in this image is used for cutting bread?"


@pytest.fixture
def kitchen(tmp_path):
    with kgmm.open(tmp_path / "kb") as kb:
        kb.add(
            [
                Fact("/c/en/knife", "UsedFor", "/c/en/cutting_bread"),
                Fact("/c/en/cup", "UsedFor", "/c/en/drinking_coffee"),
            ]
        )
        yield kb


def _task(kb):
    return Task(kb, SCENE, QUESTION)


SCENE = SceneGraph("kitchen", (SceneObject("a", "knife"), SceneObject("b", "cup")))


def folder_of(place, answers=(), choices=False, lean=0.0, change=None):
    """Write a KDMN as ``kgmm train kdmn`` does; *lean* is added to the first answer's logit."""
    torch.manual_seed(0)
    settings = {"words": 7, "features": len(FEATURES), "end_features": len(END_FEATURES), "dim": 8}
    settings |= {"answers": len(answers)} if answers else {}
    settings |= {"choices": True} if choices else {}
    net = KDMN(**settings)
    if answers:
        torch.nn.init.zeros_(net.vocabulary.name.weight)
        torch.nn.init.zeros_(net.vocabulary.name.bias)
        net.vocabulary.name.bias.data[0] = lean
    if change is not None:
        change(net)
    place.mkdir(exist_ok=True)
    save_file(net.state_dict(), place / "model.safetensors")
    save_words({"vectors": np.eye(7, dtype=np.float16)}, place / "words.safetensors")
    config = {"name": "kdmn", "data": "fvqa", "network": settings, "memory": 60}
    (place / "config.json").write_text(json.dumps(config))
    (place / "vocabulary.json").write_text(json.dumps({"words": WORDS, "answers": list(answers)}))
    return place


def test_a_guess_is_named_and_withheld_unless_asked_for(kitchen, tmp_path):
    folder = folder_of(tmp_path / "guesser", ["spoon", "fork"], lean=20.0)
    answer = kitchen.ask(SCENE, QUESTION, reasoner=folder)
    assert not answer and "no fact in memory supports 'spoon'" in answer.trace.abstained
    step = answer.trace.steps[-1]
    assert step.name == "guess" and step.data["supported"] is False and step.data["answers"][0][0] == "spoon"
    assert answer.trace.memory and not answer.trace.citations
    for threshold in (0.05, 0.3):  # a bound is no wish for guesses
        assert not kitchen.ask(SCENE, QUESTION, reasoner=folder, threshold=threshold)
    given = kitchen.ask(SCENE, QUESTION, reasoner=folder, threshold=0)
    assert given.text == "spoon" and given.score > 0.9 and not given.trace.citations
    check = given.trace.verify(kitchen)[-1]
    assert not check.passed and "guess" in check.text
    assert given.trace.from_json(given.trace.to_json()).steps[-1].data["supported"] is False


def test_the_shell_says_that_a_guess_is_one(kitchen, tmp_path, shell):
    folder = folder_of(tmp_path / "guesser", ["spoon", "fork"], lean=20.0)
    (tmp_path / "s.json").write_text(json.dumps(SCENE.to_dict()))
    asked = ("ask", kitchen.path, tmp_path / "s.json", QUESTION, "--reasoner", folder)
    assert "I don't know: no fact in memory supports 'spoon'" in shell(*asked).out
    assert "a guess of the network: no fact in memory supports it" in shell(*asked, "--threshold", "0").out


def test_a_guess_that_facts_support_is_answered_and_cited(kitchen, tmp_path):
    alone = kitchen.ask(SCENE, QUESTION, reasoner=folder_of(tmp_path / "pointer"))
    folder = folder_of(tmp_path / "both", [normal(alone.text), "fork"], lean=1.0)
    both = kitchen.ask(SCENE, QUESTION, reasoner=folder)
    assert both.text == alone.text and both.trace.citations == alone.trace.citations != []
    pointed = next(a for a in kdmn.read(_task(kitchen), kdmn.load(folder)).answers() if a.text == alone.text)
    assert both.score == pytest.approx(pointed.probability, abs=1e-3) and pointed.probability > pointed.pointed > 0.05


def test_without_any_fact_only_a_vocabulary_can_speak(kitchen, tmp_path):
    scene = SceneGraph("zoo", (SceneObject("a", "zebra"),))
    silent = kitchen.ask(scene, "What flies?", reasoner=folder_of(tmp_path / "pointer"), threshold=0)
    assert not silent and silent.trace.abstained == "no fact is known of what is seen"
    folder = folder_of(tmp_path / "guesser", ["spoon", "fork"], lean=20.0)
    assert "'spoon', the network's guess" in kitchen.ask(scene, "What flies?", reasoner=folder).trace.abstained
    assert kitchen.ask(scene, "What flies?", reasoner=folder, threshold=0).text == "spoon"


def test_ends_and_names_that_say_the_same_add_up():
    pointer = np.log(np.array([[0.1, 0.2], [0.1, 0.1]], np.float32))
    found = kdmn.Read(
        None,
        None,
        [["cat", "dogs"], ["Cat", "pet"]],
        pointer,
        float(np.log(0.2)),
        None,
        "",
        ("dog", "cow"),
        np.log(np.array([0.05, 0.25], np.float32)),
    )
    said = {a.text: (round(a.probability, 4), round(a.pointed, 4), a.row) for a in found.answers()}
    assert said == {"dogs": (0.25, 0.2, 0), "cow": (0.25, 0, None), "cat": (0.2, 0.2, 0), "pet": (0.1, 0.1, 1)}
    assert found.probabilities().sum() == pytest.approx(0.5)


def test_ranking_counts_the_vocabulary():
    row = np.log(np.array([0.2, 0.2, 9.0, 9.0, 0.9, 0.15, 0.05], np.float32))  # two ends, padding, null, two names
    order = ranked(["cat", "dog"], row, ["dog", "cow"])
    assert [t for t, _ in order] == ["dog", "cat", "cow"]
    e = Example(None, np.zeros((1, 2)), np.zeros(1), ["cat", "dog"], "dog", [""])
    assert score([e], row[None], ["dog", "cow"])["top1"] == 1 and score([e], row[None])["top1"] == 0
    assert ranked([], row, ["dog", "cow"])[0][0] == "dog"  # an empty memory leaves names


def _examples(count=6):
    rng, out = random.Random(0), []
    for i in range(count):
        texts = ["knife", "cut bread", "cup", "drink coffee"]
        triples = [("knife", "UsedFor", "cut bread"), ("cup", "UsedFor", "drink coffee")][: 2 if i else 0]
        n = len(triples)
        memory = MemoryInput(
            f"question {i}",
            ["knife"],
            triples,
            np.ones(384, np.float32) / 384**0.5,
            np.zeros((n, 384), np.float32),
            np.zeros((n, 2), np.float32),
        )
        answer = rng.choice(["knife", "cup"])
        out.append(Example(memory, np.zeros((n, 2)), np.zeros(n), texts[: 2 * n], answer, [""] * n))
    return out


def test_drawn_choices_hold_the_right_one_once_and_know_who_says_them():
    part = _examples()
    words = WordTable(WORDS, np.eye(7))
    choices = Choices(part, words, 4, 6, ["spoon", "knife", "cup"])
    for seed in range(20):
        torch.manual_seed(seed)
        drawn = choices.draw(torch.arange(6))
        assert drawn.vectors.shape == (6, 4, 7) and drawn.says.shape == (6, 4, 6)
        for i, e in enumerate(part):
            right = torch.from_numpy(words.phrase(e.answer)).float()
            assert torch.equal(drawn.vectors[i, 0], right) and drawn.mask[i, 0]
            same = [c for c in range(1, 4) if drawn.mask[i, c] and torch.equal(drawn.vectors[i, c], right)]
            assert not same  # the right answer is no wrong choice
            assert drawn.says[i, 0].tolist() == [t == e.answer for t in e.texts] + [False] * (6 - len(e.texts))
            assert not drawn.says[i][~drawn.mask[i]].any()
    again = [choices.draw(torch.arange(6), torch.Generator().manual_seed(3)).says for _ in range(2)]
    assert torch.equal(*again)


def test_a_questions_own_choices_are_kept():
    part = _examples(2)
    part[1].choices = ("spoon", part[1].answer, "bread")
    choices = Choices(part, WordTable(WORDS, np.eye(7)), 3, 4, ["coffee"])
    shown = choices.draw(torch.tensor([1])).vectors[0].argmax(1).tolist()
    assert shown == [WORDS.index(w) for w in (part[1].answer, "spoon", "bread")]
    part[1].choices = ("spoon", part[1].answer)  # fewer than others have
    drawn = Choices(part, WordTable(WORDS, np.eye(7)), 3, 4, ["coffee"]).draw(torch.tensor([1]))
    assert drawn.mask.tolist() == [[True, True, False]]


def test_choosing_asks_the_memory_and_the_network():
    torch.manual_seed(0)
    words = WordTable(WORDS, np.eye(7))
    net = KDMN(words=7, features=len(FEATURES), end_features=len(END_FEATURES), dim=8, choices=True).eval()
    e = _examples(2)[1]
    batch = pack([e.memory], words)
    offered = offer(["Knives", "spoon"], e.texts, words, 4)
    assert offered.says.tolist() == [[[True, False, False, False], [False] * 4]]
    scores, pointer, null, _ = choose(net, batch, offered)
    share = torch.cat([pointer.flatten(1), null[:, None]], 1).softmax(1)
    state = net(batch, offered.vectors, offered.mask)[3]
    pointed = torch.tensor([[float(share[0, 0]), 0.0]])
    assert torch.allclose(scores, net.chosen(batch, state, offered.vectors, offered.mask, pointed), atol=1e-5)


def _scoring(weight):
    """Return a change that makes a network score a choice by its words alone."""

    def change(net):
        for p in (net.choice.given.weight, net.choice.given.bias, net.choice.offered.weight):
            torch.nn.init.zeros_(p)
        net.choice.offered.weight.data[0, WORDS.index("spoon")] = 1.0
        torch.nn.init.zeros_(net.choice.score.weight)
        net.choice.score.weight.data[0, 0] = weight

    return change


def test_choices_are_chosen_by_the_network_and_cite_what_says_them(kitchen, tmp_path):
    folder = folder_of(tmp_path / "chooser", choices=True, change=_scoring(-20.0))
    answer = kitchen.ask(SCENE, QUESTION, reasoner=folder, choices=["spoon", "knives"])
    assert answer.text == "knives" and answer.trace.citations[0].fact.subject == "/c/en/knife"
    assert [t for t, _ in answer.alternatives] == ["spoon"]  # each choice has its score
    assert answer.score + answer.alternatives[0][1] == pytest.approx(1, abs=1e-3)
    folder = folder_of(tmp_path / "other", choices=True, change=_scoring(40.0))
    answer = kitchen.ask(SCENE, QUESTION, reasoner=folder, choices=["spoon", "knives"])
    assert not answer and "no fact in memory supports 'spoon'" in answer.trace.abstained
    assert kitchen.ask(SCENE, QUESTION, reasoner=folder, choices=["spoon", "knives"], threshold=0).text == "spoon"


def test_without_scores_of_choices_the_pointer_is_bound_to_them(kitchen, tmp_path):
    folder = folder_of(tmp_path / "pointer")
    answer = kitchen.ask(SCENE, QUESTION, reasoner=folder, choices=["knife", "spoon"])
    assert answer.text == "knife" and answer.score == pytest.approx(1, abs=1e-3) and not answer.alternatives
    none = kitchen.ask(SCENE, QUESTION, reasoner=folder, choices=["fork", "spoon"])
    assert not none and none.trace.abstained == "no choice is an end of a fact in memory"


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_memories_are_hidden_in_training_so_that_the_vocabulary_learns(share, monkeypatch):
    torch.manual_seed(0)
    words, part = WordTable(WORDS, np.eye(7)), _examples()
    for e in part:
        e.answers = np.array([t == e.answer for t in e.texts], np.float32).reshape(-1, 2)
    vocabulary = ["cup", "knife"]
    net = KDMN(words=7, features=len(FEATURES), end_features=len(END_FEATURES), dim=8, answers=2).eval()
    batch, said = pack([e.memory for e in part], words), places(part, vocabulary)
    answers, gold = labels(part, batch.mask.shape[1])
    problem = SimpleNamespace(
        train_batch=batch,
        right_ends=answers,
        gold_facts=gold,
        ways=None,
        _said=said,
        _choices=[None],
        answers=vocabulary,
    )
    monkeypatch.setattr(fvqa_problem, "FORGOTTEN", share)
    loss = FvqaProblem.loss_of(problem, net, torch.arange(6))
    if share:
        batch = replace(batch, mask=torch.zeros_like(batch.mask))
        answers, gold = torch.zeros_like(answers), torch.zeros_like(gold)
    assert torch.allclose(loss, pointer_loss(net, batch, answers, gold, said))
