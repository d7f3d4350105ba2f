"""``kgmm train`` and ``kgmm eval`` on small data: what a user types, and what comes out."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pytest

import kgmm
from kgmm.evaluate.kdmn import majority
from kgmm.scene import SceneGraph, SceneObject
from kgmm.store import Fact
from kgmm.train.measures import by_kind

pytestmark = pytest.mark.usefixtures("own_cache")
USES = {
    "knife": "cutting bread",
    "hammer": "driving nails",
    "pen": "writing letters",
    "cup": "drinking coffee",
    "lamp": "lighting rooms",
    "bed": "sleeping",
    "oven": "baking cakes",
    "broom": "sweeping floors",
    "umbrella": "keeping dry",
    "bicycle": "riding",
    "camera": "taking photographs",
    "piano": "playing music",
}


@pytest.fixture(scope="module")
def fvqa(tmp_path_factory):
    """A folder in FVQA's layout: sixty pictures of four things, a question about one of each."""
    folder = tmp_path_factory.mktemp("fvqa")
    facts = [{"id": f"f{i}", "surface": f"[[{s}]] is used for [[{o}]]"} for i, (s, o) in enumerate(USES.items())]
    (folder / "facts.jsonl").write_text("".join(json.dumps(f) + "\n" for f in facts))
    rng, questions = random.Random(0), []
    for i in range(60):
        seen = rng.sample(sorted(USES), 4)
        row = {
            "question_id": str(i),
            "image": f"{i}.jpg",
            "question": f"Which thing is used for {USES[seen[0]]}?",
            "answer": seen[0],
            "fact": [f"f{[*USES].index(seen[0])}"],
            "answer_source": "image",
            "kb_source": "made",
            "concepts": rng.sample(seen, 4),
        }
        questions.append(row)
    (folder / "questions-train.json").write_text(json.dumps(questions))
    return folder


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    place = tmp_path_factory.mktemp("own") / "kb"
    with kgmm.open(place) as kb:
        kb.add([Fact(f"/c/en/{s}", "UsedFor", kgmm.language.names.concept(o)) for s, o in USES.items()])
    return place


def _ask(kb_path, folder, **more):
    scene = SceneGraph("table", (SceneObject("a", "hammer"), SceneObject("b", "lamp"), SceneObject("c", "pen")))
    with kgmm.open(kb_path) as kb:
        return kb.ask(scene, "Which thing is used for driving nails?", reasoner=folder, **more)


def test_kdmn_is_trained_on_fvqa_and_stands_beside_its_twins(shell, fvqa, tmp_path):
    out = tmp_path / "kdmn"
    ran = shell("train", "kdmn", fvqa, "--out", out, "--epochs", "6", "--batch", "8", "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["figures"]["top1"] > 0.8
    assert f"`kgmm train kdmn {fvqa.name} --batch 8 --epochs 6`" in (out / "README.md").read_text()
    report = shell("eval", "kdmn", fvqa, out, "--json")
    assert report.code == 0, report.err
    rows = json.loads(report.out)["models"]
    assert set(rows) == {"kdmn", "kdmn, empty", "kdmn, shuffled", "no facts", "blind", "majority"}
    assert rows["kdmn"]["image, made"] == rows["kdmn"]["all"] > rows["kdmn, shuffled"]["all"]
    assert rows["kdmn, empty"]["all"] == 0.0 and rows["kdmn"]["all"] > rows["majority"]["all"]
    said = shell("eval", "kdmn", fvqa, out).out
    assert "kdmn, shuffled" in said and "image, made" in said


def test_vocabulary_and_choices_are_trained_measured_and_asked(shell, fvqa, kitchen, tmp_path):
    out = tmp_path / "kdmn"
    options = ("--vocabulary", "5", "--choices", "3", "--epochs", "4", "--batch", "8")
    ran = shell("train", "kdmn", fvqa, "--out", out, *options, "--json")
    assert ran.code == 0, ran.err
    figures = json.loads(ran.out)["figures"]
    assert figures["choice"] > 0.8 and figures["top1"] > 0.6
    known = json.loads((out / "vocabulary.json").read_text())["answers"]
    assert len(known) == 5 and set(known) <= set(USES)
    rows = json.loads(shell("eval", "kdmn", fvqa, out, "--json").out)["models"]
    # without facts the vocabulary is all there is to say
    assert 0 < rows["kdmn, empty"]["all"] < rows["kdmn"]["all"]
    answer = _ask(kitchen, out, choices=["hammer", "lamp"])
    assert answer.text == "hammer" and [t for t, _ in answer.alternatives] == ["lamp"]
    assert answer.trace.citations[-1].fact.object == "/c/en/driving_nails"


def test_choices_of_ones_own_questions_are_learned_from(shell, kitchen, tmp_path):
    out = tmp_path / "own"
    ran = shell("train", "kdmn", kitchen, "--out", out, "--choices", "4", "--epochs", "3", "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["figures"]["choice"] > 0.8


@pytest.mark.parametrize("fusion", ["prior", "teacher", "policy"])
def test_each_fusion_is_trained_and_asked(fusion, shell, fvqa, kitchen, tmp_path):
    out = tmp_path / fusion
    ran = shell(
        "train",
        "kdmn",
        fvqa,
        "--out",
        out,
        "--fusion",
        fusion,
        "--picked",
        "2",
        "--epochs",
        "6",
        "--batch",
        "8",
        "--json",
    )
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["figures"]["held_top1"] > 0.6
    report = shell("eval", "kdmn", fvqa, out, "--json")
    if fusion == "prior":
        assert report.code == 1 and "its prior reads a store; test it with: kgmm eval fvqa" in report.err
        ran = shell("eval", "fvqa", fvqa, "--held", "0.2", "--reasoner", out, "--json")
        assert ran.code == 0 and json.loads(ran.out)["top1"] > 0.6, ran.err
    else:
        assert report.code == 0 and json.loads(report.out)["models"]["kdmn"]["all"] > 0.6, report.err
    answer = _ask(kitchen, out)
    assert answer.text == "hammer" and answer.trace.reasoner.startswith("kdmn-") and answer.trace.model
    if fusion == "policy":
        looks = next(s for s in answer.trace.steps if s.name == "episode 1").data["attention"]
        assert sum(weight > 0 for _, weight in looks) == 2  # two of the three facts were read
    if fusion == "prior":
        gone = _ask(kitchen, out, exclude=[("/c/en/hammer", "UsedFor", "/c/en/driving_nails")])
        assert gone.text != "hammer" or gone.score < answer.score


def test_kdmn_is_trained_on_ones_own_store_and_answers_from_it(shell, kitchen, tmp_path):
    out = tmp_path / "own"
    ran = shell("train", "kdmn", kitchen, "--out", out, "--epochs", "3", "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["figures"]["top1"] > 0.8
    answer = _ask(kitchen, out)
    assert answer.text == "hammer" and answer.trace.reasoner == "kdmn"
    assert answer.trace.citations[-1].fact.object == "/c/en/driving_nails"
    assert answer.trace.model != _ask(kitchen, "kdmn").trace.model


def test_a_model_trained_anew_answers_in_the_place_of_the_old_one(shell, kitchen, tmp_path):
    asked = []
    for seed in (0, 1):
        shell("train", "kdmn", kitchen, "--out", tmp_path / "own", "--epochs", "1", "--seed", seed)
        asked.append(_ask(kitchen, tmp_path / "own").trace.model)
    assert asked[0] != asked[1]


def test_scenes_of_ones_own_are_what_is_asked_about(shell, kitchen, tmp_path):
    rng = random.Random(1)
    for i in range(10):
        things = [{"id": f"o{j}", "name": n} for j, n in enumerate(rng.sample(sorted(USES), 5))]
        (tmp_path / f"s{i}.json").write_text(json.dumps({"id": f"s{i}", "objects": things}))
    out = tmp_path / "out"
    ran = shell("train", "kdmn", kitchen, "--scenes", tmp_path, "--out", out, "--epochs", "1", "--json")
    assert ran.code == 0, ran.err
    empty = tmp_path / "empty"
    empty.mkdir()
    ran = shell("train", "kdmn", kitchen, "--scenes", empty, "--out", out)
    assert ran.code == 1 and "no scene graph" in ran.err


def test_what_cannot_be_trained_on_is_said(shell, kitchen, tmp_path):
    (tmp_path / "x.txt").write_text("")
    for arguments, said in (
        (("kdmn", tmp_path), "questions-train.json"),
        (("kdmn", kitchen, "--fusion", "prior"), "FVQA"),
        (("kdmn", kitchen, "--fusion", "prior", "--vocabulary", "9"), "leave --vocabulary"),
        (("kdmn", kitchen, "--choices", "1"), "at least 2"),
        (("modules", "mnist"), "easy-vqa or clevr"),
        (("resnet", "clevr", "--small"), "no model 'resnet'; there are: kdmn, hybrid, graph-network, skim, paths, dan"),
        (("hybrid", tmp_path), "questions-train.json and facts.jsonl not found there"),
        (("san", "clevr", "--small", "--device", "toaster"), "no device 'toaster'"),
    ):
        ran = shell("train", *arguments, "--out", tmp_path / "out")
        assert ran.code == 1 and said in ran.err, ran.err
    for option in ("--epochs", "--batch", "--patience", "--threads", "--picked", "--rate"):
        assert shell("train", "san", "clevr", "--small", option, "0", "--out", tmp_path / "out").code == 2
    for arguments, said in (
        (("san", "clevr", "--fusion", "prior"), "--fusion is for kdmn, not for san"),
        (("kdmn", kitchen, "--small"), "--small is for models of coloured shapes, not for kdmn"),
        (("hybrid", tmp_path, "--scenes", tmp_path), "--scenes is for kdmn, not for hybrid"),
        (("san", "clevr", "--distractors", tmp_path / "x.txt"), "--distractors is for kdmn and hybrid, not for san"),
        (("kdmn", kitchen, "--picked", "2"), "--picked goes with --fusion"),
        (("san", "clevr", "--small", "--rate", "nan"), "'nan' is not a finite number"),
    ):
        ran = shell("train", *arguments, "--out", tmp_path / "out")
        assert ran.code == 2 and said in ran.err, ran.err
    assert not (tmp_path / "out" / "config.json").exists()


def test_what_is_wrong_in_fvqas_files_is_said_with_its_place(shell, fvqa, tmp_path):
    folder = tmp_path / "fvqa"
    rows = json.loads((fvqa / "questions-train.json").read_text())

    def refused(said, questions=rows, facts="", more="", model="kdmn"):
        folder.mkdir(exist_ok=True)
        (folder / "questions-train.json").write_text(json.dumps(questions))
        (folder / "facts.jsonl").write_text(facts or (fvqa / "facts.jsonl").read_text())
        (folder / "more.tsv").write_text(more)
        ran = shell("train", model, folder, "--distractors", folder / "more.tsv", "--out", tmp_path / "out")
        assert ran.code == 1 and said in ran.err and "Traceback" not in ran.err, ran.err

    fact = '{"id": "a", "surface": "[[cat]] is a [[pet]]"}\n'
    refused("facts.jsonl:2: not a fact", facts=fact + '{"id": "b"}\n')
    refused("question 2 lacks", questions=[rows[0], {"question_id": "x"}])
    refused("more.tsv:2: expected relation, head, tail, found 2", more="IsA\tcat\tpet\nIsA\tcat\n")
    refused("1 questions to learn from and 0 about other images", questions=rows[:1])
    refused("no fact has an end that any of the pictures shows", facts=fact)
    refused("both are needed", facts=fact, more="IsA\tcow\tfarm animal\n", model="hybrid")


def test_folders_that_cannot_be_tested_are_refused_in_one_line(shell, fvqa, tmp_path):
    out = tmp_path / "san"
    ran = shell("train", "san", "clevr", "--small", "--epochs", "1", "--out", out)
    assert ran.code == 0 and "san on clevr, development split: accuracy 0." in ran.out
    again = Path(shutil.copytree(out, tmp_path / "again"))
    rows = json.loads(shell("eval", "clevr", out, again, "--small", "--json").out)["models"]
    assert rows["san"] == rows[f"san ({again})"]  # two of a name are two rows
    for arguments, said in (
        (("easy-vqa", out, "--small"), "a san trained on clevr; it cannot be tested on easy-vqa"),
        (("clevr", fvqa, "--small"), "no trained model here"),
        (("kdmn", fvqa, out), "not a kdmn trained on FVQA"),
        (("kdmn", tmp_path), "questions-train.json and facts.jsonl not found there"),
    ):
        ran = shell("eval", *arguments)
        assert ran.code == 1 and said in ran.err, ran.err
    for name, text in (("config.json", "{"), ("model.safetensors", "junk"), ("vocabulary.json", '{"tokens": ["a"]}')):
        broken = Path(shutil.copytree(out, tmp_path / f"broken-{name}"))
        (broken / name).write_text(text)
        ran = shell("eval", "clevr", broken, "--small")
        assert ran.code == 1 and "Traceback" not in ran.err and f"broken-{name}" in ran.err, ran.err


def test_networks_of_shapes_are_trained_measured_and_asked(shell, tmp_path, kitchen):
    out = tmp_path / "san"
    ran = shell("train", "san", "clevr", "--small", "--epochs", "1", "--out", out, "--json")
    assert ran.code == 0, ran.err
    report = json.loads(shell("eval", "clevr", out, "--small", "--json").out)
    assert {"san", "san, empty", "san, shuffled"} <= report["models"].keys()
    assert {"all", "count"} <= report["models"]["san"].keys() and report["majority"]["all"] > 0
    from kgmm.data import clevr
    from kgmm.reason.visual.worlds import ANSWERS

    with kgmm.open(kitchen) as kb:
        answer = kb.ask(clevr.scene(5), "how many stars are there?", reasoner=out)
        assert answer.text in ANSWERS and answer.trace.reasoner == "san"
        refused = pytest.raises(kgmm.KgmmError, match="trained on clevr")
        with refused:
            kb.ask(clevr.scene(5), "is there a red shape?", reasoner=out)
        with pytest.raises(kgmm.KgmmError, match="no trained model here"):
            kb.ask(clevr.scene(5), "is there a red shape?", reasoner=tmp_path / "nowhere")


def test_kinds_are_counted_apart_and_majority_is_per_kind():
    from kgmm.data.fvqa import FvqaQuestion

    def q(answer, source):
        return FvqaQuestion("1", "a.jpg", "?", answer, (), source, "made", ())

    train = [q("dog", "image")] * 3 + [q("cat", "image")] * 2 + [q("bark", "kb")]
    held = [q("dog", "image"), q("cat", "image"), q("Barks", "kb")]
    assert majority(train, held) == {"all": pytest.approx(2 / 3), "image, made": 0.5, "kb, made": 1.0}
    assert by_kind([], []) == {}
