"""The hybrid ranks facts with trained networks where evidence alone decides, and leaves the rest to the rules."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import kgmm
from kgmm.data.fvqa import spellings
from kgmm.nn.bert import load_bert
from kgmm.nn.pair_ranker import PairRanker, Pairs, QuestionReader
from kgmm.reason.ranking import committee, network
from kgmm.scene import SceneGraph, SceneObject
from kgmm.store import Fact

QUESTIONS = ["What is used for cutting?", "Which of the animals in this picture barks at strangers?"]
FEATURES, RELATIONS = 5, 3


def test_weights_are_shipped():
    assert (network.WEIGHTS / "model.safetensors").is_file()


@pytest.fixture(scope="module")
def ranker():
    torch.manual_seed(0)
    reader = QuestionReader(*load_bert(network.base_folder()), rank=4)
    for up in reader.up.values():
        torch.nn.init.normal_(up, std=0.02)
    made = PairRanker(reader, FEATURES, RELATIONS)
    for layer in (made.relation, made.gate, made.unseen):
        torch.nn.init.normal_(layer.weight)
    return made


def candidates(n, seed=0):
    draw = torch.Generator().manual_seed(seed)
    texts = [torch.nn.functional.normalize(torch.randn(n, 384, generator=draw), dim=1) for _ in range(4)]
    relation = torch.randint(0, RELATIONS, (n,), generator=draw)
    return Pairs(*texts, relation, torch.randn(n, 2, FEATURES, generator=draw), torch.eye(2)[torch.arange(n) % 2])


def asked(questions):
    return network.tokens(network.question_tokenizer(), questions)


def test_uncorrected_it_reads_as_the_text_encoder_does():
    from kgmm.encode import text_encoder

    reader = QuestionReader(*load_bert(network.base_folder()), rank=4).eval()
    ours = reader(*asked(QUESTIONS)).detach().numpy()
    theirs = text_encoder("minilm").encode(QUESTIONS)
    assert (ours * theirs).sum(axis=1) == pytest.approx(1, abs=2e-3)


def test_merged_corrections_rank_as_the_trained_ones_do(ranker):
    pairs = [candidates(4), candidates(3, 1)]
    reader = ranker.eval().reader
    merged, _ = ranker(*asked(QUESTIONS), pairs)
    reader.training = True
    trained, _ = ranker(*asked(QUESTIONS), pairs)
    reader.training = False
    for a, b in zip(trained, merged, strict=True):
        assert torch.allclose(a, b, atol=1e-4)


def test_padding_and_other_questions_change_no_rank(ranker):
    pairs = [candidates(4), candidates(3, 1)]
    both, unseen = ranker.eval()(*asked(QUESTIONS), pairs)
    for i, question in enumerate(QUESTIONS):
        (alone,), u = ranker(*asked([question]), [pairs[i]])
        assert torch.allclose(both[i], alone, atol=1e-4)
        assert torch.allclose(unseen[i], u[0], atol=1e-4)


def test_a_logit_is_the_sum_its_docstring_says(ranker):
    p = candidates(2)
    (logits,), unseen = ranker.eval()(*asked(QUESTIONS[:1]), [p])
    read = ranker.reader(*asked(QUESTIONS[:1]))[0]
    looks = [torch.nn.functional.normalize(look(read), dim=0) for look in ranker.looks]
    x = ((p.features - ranker.mean) / ranker.deviation).clamp(-8, 8)
    for fact in range(2):
        for end, (answer, given) in enumerate(((p.subject[fact], p.object[fact]), (p.object[fact], p.subject[fact]))):
            cosines = torch.stack(
                [looks[0] @ p.fact[fact], looks[1] @ answer, looks[2] @ given, looks[3] @ p.near[fact]]
            )
            relation = ranker.relation(read).view(-1, 2)[p.relation[fact], end]
            said = torch.cat([x[fact, end], cosines, relation[None], unseen])
            slow = cosines @ ranker.scales + relation + ranker.gate(read) @ x[fact, end]
            slow = slow - 0.5 * unseen[0] * p.seen[fact, end] + ranker.layers(said)[0]
            assert logits[fact, end].item() == pytest.approx(slow.item(), abs=1e-4)


def test_only_corrections_and_heads_are_trained_and_saved(ranker):
    (logits,), unseen = ranker.train()(*asked(QUESTIONS[:1]), [candidates(4)])
    (logits.sum() + unseen.sum()).backward()
    assert not any("embeddings" in name for name in ranker.state_dict())
    grads = {n: p.grad for n, p in ranker.named_parameters() if n.startswith(("reader.up", "looks"))}
    assert all(g is not None and g.abs().sum() > 0 for g in grads.values())


def test_features_are_scaled_and_clipped(ranker):
    p = candidates(1)
    ranker.eval().mean[:], ranker.deviation[:] = 2.0, 0.5
    (far,), _ = ranker(*asked(QUESTIONS[:1]), [replace(p, features=torch.full_like(p.features, 1e6))])
    (edge,), _ = ranker(*asked(QUESTIONS[:1]), [replace(p, features=torch.full_like(p.features, 6.0))])
    ranker.mean[:], ranker.deviation[:] = 0.0, 1.0
    assert torch.allclose(far, edge)  # eight deviations from the mean


def test_an_answer_counts_in_its_spellings():
    assert {"skiier", "skiiers"} == spellings("Skiiers")
    assert "polar bear" in spellings("a Polar bear.")


def test_facts_with_the_same_answer_stand_together():
    logits = np.log(np.array([[0.3, 0.4], [0.3, 1e-9]]))
    joint = committee.summed_by_answer(logits, [("cat", "dog"), ("cat", "pet")])
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
    named = SceneGraph("list", tuple(SceneObject(f"o{i}", n) for i, n in enumerate(("knife", "cup", "dog", "lemon"))))
    yield kb, named
    kb.close()


def test_it_answers_from_the_facts_and_falls_with_them(kitchen):
    kb, named = kitchen
    answer = kb.ask(named, "Which object in this image is used for cutting bread?", reasoner="hybrid")
    assert answer.text == "knife"
    (cited,) = [c.fact for c in answer.trace.citations if c.kind == "knowledge"]
    assert (cited.subject, cited.predicate, cited.object) == ("/c/en/knife", "UsedFor", "/c/en/cutting_bread")
    assert all(check.passed for check in answer.trace.verify(kb))
    assert answer.trace.without(cited).text != "knife"
    assert answer.trace.model


def test_it_answers_with_what_a_fact_says_of_a_seen_thing(kitchen):
    kb, named = kitchen
    answer = kb.ask(named, "What is the cup in this image used for?", reasoner="hybrid")
    assert answer.text == "drinking coffee"


def test_a_question_that_offers_two_words_is_answered_with_the_one_the_fact_says(tmp_path):
    with kgmm.open(tmp_path / "kb") as kb:
        kb.add([Fact("/c/en/snail", "slower_than", "/c/en/turtle"), Fact("/c/en/pen", "UsedFor", "/c/en/writing")])
        scene = SceneGraph("list", (SceneObject("o0", "snail"), SceneObject("o1", "pen")))
        answer = kb.ask(scene, "Is the animal in the image slower or faster than turtles?", reasoner="hybrid")
        assert answer.text == "slower"
        assert all(check.passed for check in answer.trace.verify(kb))


def test_another_knowledge_base_gives_another_answer(kitchen):
    kb, named = kitchen
    kb.remove("/c/en/knife", "UsedFor", "/c/en/cutting_bread")
    kb.add([Fact("/c/en/dog", "UsedFor", "/c/en/cutting_bread")])
    assert kb.ask(named, "Which object in this image is used for cutting bread?", reasoner="hybrid").text == "dog"


def test_a_drawn_scene_is_left_to_the_rules(bundled_kb):
    scene = Path(__file__).parents[2] / "gold" / "questions.json"
    asked = json.loads(scene.read_text())[0]
    place = Path(__file__).parents[3] / asked["scene"]
    ours, rules = (bundled_kb.ask(place, asked["question"], reasoner=r) for r in ("hybrid", "explicit"))
    assert (ours.text, ours.score) == (rules.text, rules.score)


def test_no_facts_are_no_answer(kitchen, tmp_path):
    _, named = kitchen
    with kgmm.open(tmp_path / "bare") as bare:
        bare.add([Fact("/c/en/sea", "HasProperty", "/c/en/salty")])
        answer = bare.ask(named, "Which object is used for cutting bread?", reasoner="hybrid")
    assert not answer and answer.trace.abstained


def test_a_folder_without_weights_says_how_to_make_them(tmp_path):
    with pytest.raises(kgmm.errors.BadInput, match="kgmm train hybrid"):
        network.load(tmp_path)


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
        "".join(json.dumps({"id": n, "surface": f"[[{n}]] is used for [[{u}]]"}) + "\n" for n, u in things.items())
    )
    questions = [
        {
            "question_id": str(i),
            "image": f"{i}.jpg",
            "question": f"Which object is used for {things[n]}?",
            "answer": n,
            "fact": [n],
            "answer_source": "image",
            "kb_source": "x",
            "concepts": [*list(things)[: 3 + i % 4], n],
        }
        for i, n in enumerate(list(things) * 2)
    ]
    (tmp_path / "questions-train.json").write_text(json.dumps(questions))
    out = tmp_path / "out"
    ran = shell("train", "hybrid", tmp_path, "--out", out, "--epochs", 1, "--json")
    assert ran.code == 0, ran.err
    figures = json.loads(ran.out)["figures"]
    assert {"top1", "top3", "fact1", "answered_at_95"} <= set(figures)
    loaded = network.load(out).committee
    options = json.loads((out / "config.json").read_text())["network"]
    assert [len(m.mean) for m in loaded.members] == [options["features"]] * options["members"]
    with kgmm.open(tmp_path / "kb") as kb:
        kb.add([Fact(f"/c/en/{n}", "UsedFor", f"/c/en/{u}") for n, u in things.items()])
        scene = SceneGraph("table", tuple(SceneObject(n, n) for n in things))
        question = "Which object is used for cutting?"
        own = kb.ask(scene, question, reasoner=out, threshold=0)
        assert own.text == "knife" and own.trace.citations[-1].fact.object == "/c/en/cutting"
        assert own.trace.reasoner == "hybrid" and own.trace.model == network.load(out).checksum
        assert own.trace.model != kb.ask(scene, question, reasoner="hybrid").trace.model
        assert kb.ask(scene, question, reasoner=str(out), threshold=0).trace.model == own.trace.model
    page = tmp_path / "scene.json"
    page.write_text(json.dumps(scene.to_dict()))
    said = shell("ask", tmp_path / "kb", page, question, "--reasoner", out, "--threshold", 0, "--json")
    assert said.code == 0 and json.loads(said.out)["trace"]["model"] == own.trace.model


@pytest.fixture
def own_folder(tmp_path):
    """The shipped hybrid's folder, copied to be damaged."""
    return Path(shutil.copytree(network.WEIGHTS, tmp_path / "own"))


def _change(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))


def _first_row(folder):
    tensors = load_file(folder / "model.safetensors")
    name = next(n for n, t in tensors.items() if t.dim() == 2)
    save_file({**tensors, name: tensors[name][:1].contiguous()}, folder / "model.safetensors")


DAMAGES = {
    "no config": (lambda f: (f / "config.json").unlink(), "own: no trained model here"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "model.safetensors: no weights here"),
    "weights of another shape": (_first_row, "model.safetensors: weights do not fit the model: .*size mismatch"),
    "no safetensors": (
        lambda f: (f / "model.safetensors").write_bytes(b"PK pickled"),
        "model.safetensors: not a safetensors file",
    ),
    "an unknown model": (lambda f: _change(f, name="gpt"), "config.json: a trained gpt answers no questions"),
    "other features": (
        lambda f: _change(f, network={"features": 4, "relations": 20}),
        "trained on 4 features and 19 relations",
    ),
    "other relations": (lambda f: _change(f, relations=["IsA"]), "48 features and 1 relations"),
    "an unknown option": (
        lambda f: _change(f, network={"size": 4}),
        "not a trained hybrid: .*'size'.*kgmm train hybrid",
    ),
    "a config that is no object": (lambda f: (f / "config.json").write_text("[1]"), "no trained model here"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder_is_refused_in_one_line(damage, own_folder, kitchen, shell, tmp_path):
    change, said = DAMAGES[damage]
    change(own_folder)
    kb, scene = kitchen
    with pytest.raises(kgmm.errors.BadInput, match=said):
        kb.ask(scene, "What is used for cutting bread?", reasoner=own_folder)
    page = tmp_path / "scene.json"
    page.write_text(json.dumps(scene.to_dict()))
    ran = shell("ask", kb.path, page, "What is used for cutting bread?", "--reasoner", own_folder)
    assert ran.code == 1 and "Traceback" not in ran.err and re.search(said, ran.err), ran.err


def asked_of(kb, question, *names, **options):
    scene = SceneGraph("list", tuple(SceneObject(f"o{i}", name) for i, name in enumerate(names)))
    return kb.ask(scene, question, reasoner="hybrid", **options)


def test_what_a_fact_denies_supports_no_answer(tmp_path):
    with kgmm.open(tmp_path / "kb") as kb:
        kb.add([Fact("penguin", "NotCapableOf", "fly"), Fact("penguin", "IsA", "bird")])
        flying = asked_of(kb, "Which bird can fly?", "penguin", threshold=0.0)
        assert flying.text != "penguin"
        assert asked_of(kb, "Which bird can not fly?", "penguin").text == "penguin"


def test_a_list_of_names_does_not_say_what_is_behind_what(kitchen):
    kb, _ = kitchen
    answer = asked_of(kb, "What is behind the cup?", "cup", "knife", threshold=0.0)
    assert answer.text is None and "list of names" in answer.trace.abstained


def test_an_answer_is_as_sure_as_the_caller_asks(kitchen):
    kb, _ = kitchen
    question, seen = "Which object in this image is sweet?", ("lemon", "cup")
    guess = asked_of(kb, question, *seen, threshold=0.0)
    assert guess.text is not None and guess.score < committee.THRESHOLD
    assert asked_of(kb, question, *seen).text is None
    again = kb.attach(kgmm.Trace.from_json(guess.trace.to_json()))
    assert again.threshold == 0.0 and again.without().text == guess.text
    with pytest.raises(kgmm.KgmmError, match="from 0 to 1"):
        asked_of(kb, question, *seen, threshold=1.5)


def test_rules_and_networks_that_agree_are_sure(tmp_path):
    with kgmm.open(tmp_path / "kb") as kb:
        kb.add([Fact("robin", "IsA", "bird"), Fact("bird", "CapableOf", "fly"), Fact("pen", "IsA", "tool")])
        answer = asked_of(kb, "Which bird can fly?", "robin", "pen")
        assert answer.text == "robin" and answer.score >= 0.95
        assert [c.kind for c in answer.trace.citations][:1] == ["scene"]
