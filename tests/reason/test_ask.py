"""What a word for a reasoner means, and traces that are asked again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import kgmm
from kgmm.errors import BadInput, KgmmError
from kgmm.reason.ranking.network import WEIGHTS
from kgmm.reason.registry import meant
from kgmm.scene import SceneGraph, SceneObject
from kgmm.store import Fact

SCENE = SceneGraph("list", tuple(SceneObject(f"o{i}", n) for i, n in enumerate(("knife", "cup", "dog", "saw"))))
QUESTION = "Which object is used for cutting?"


@pytest.fixture(scope="module")
def kb(tmp_path_factory):
    with kgmm.open(tmp_path_factory.mktemp("ask") / "kb") as kb:
        facts = ("knife UsedFor cutting", "saw UsedFor cutting", "cup UsedFor drinking", "dog CapableOf bark")
        kb.add([Fact(f"/c/en/{s}", p, f"/c/en/{o}") for s, p, o in map(str.split, facts)])
        yield kb


@pytest.fixture
def folder_named_explicit(tmp_path, monkeypatch):
    (tmp_path / "explicit").mkdir()
    (tmp_path / "explicit" / "config.json").write_text('{"name": "gpt"}')
    monkeypatch.chdir(tmp_path)


def test_a_reasoners_name_comes_before_a_folder_of_that_name(folder_named_explicit, kb, shell):
    assert meant("explicit") == "explicit"
    assert meant("./explicit") == Path("explicit") and meant(Path("explicit")) == Path("explicit")
    Path("scene.json").write_text(json.dumps(SCENE.to_dict()))
    by_name = shell("ask", kb.path, "scene.json", QUESTION, "--reasoner", "explicit", "--json")
    assert by_name.code == 0 and json.loads(by_name.out)["trace"]["reasoner"] == "explicit"
    by_folder = shell("ask", kb.path, "scene.json", QUESTION, "--reasoner", "./explicit")
    assert by_folder.code == 1 and "a trained gpt answers no questions" in by_folder.err
    with pytest.raises(BadInput, match="gpt"):
        kb.ask(SCENE, QUESTION, reasoner=Path("explicit"))


def test_what_is_neither_name_nor_folder_is_refused_with_the_names_there_are(kb):
    with pytest.raises(KgmmError, match=r"no reasoner .oracle.; there are: .*explicit"):
        kb.ask(SCENE, QUESTION, reasoner="oracle")


@pytest.mark.parametrize("top", [1, 2, 4])
def test_an_attached_trace_asks_for_as_many_answers_as_it_has(kb, top):
    trace = kb.ask(SCENE, QUESTION, reasoner="explicit", top=top).trace
    assert len(trace.alternatives) <= top - 1
    read = kgmm.Trace.from_json(trace.to_json())
    assert read.top == top
    assert kb.attach(read).without().alternatives == trace.alternatives


def own(folder, name="hybrid", bias=0.0):
    """Copy the shipped hybrid as a model of one's own, with another confidence."""
    from safetensors.torch import load_file, save_file

    shutil.copytree(WEIGHTS, folder)
    tensors = load_file(folder / "model.safetensors")
    tensors["confidence"] = tensors["confidence"] + bias
    save_file(tensors, folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "name": name}))
    return folder


def test_a_trace_of_a_folder_is_asked_again_of_that_folder(kb, tmp_path):
    trace = kb.ask(SCENE, QUESTION, reasoner=own(tmp_path / "mine", bias=0.5), threshold=0.0).trace
    again = kb.attach(kgmm.Trace.from_json(trace.to_json())).without()
    assert (again.text, again.score, again.trace.model) == (trace.answer, trace.score, trace.model)


def test_a_trace_of_a_model_whose_name_is_its_training_is_asked_again(kb, tmp_path):
    trace = kb.ask(SCENE, QUESTION, reasoner=own(tmp_path / "mine", name="hybrid-mine"), threshold=0.0).trace
    assert trace.reasoner == "hybrid-mine"
    assert kb.attach(kgmm.Trace.from_json(trace.to_json())).without().text == trace.answer


def test_another_model_does_not_answer_for_the_traces_own(kb, tmp_path):
    trace = kb.ask(SCENE, QUESTION, reasoner=own(tmp_path / "mine", bias=0.5), threshold=0.0).trace
    text = trace.to_json()
    own(tmp_path / "moved")
    shutil.rmtree(tmp_path / "mine")
    with pytest.raises(KgmmError, match="not there"):
        kb.attach(kgmm.Trace.from_json(text))
    assert kb.attach(kgmm.Trace.from_json(text), reasoner=tmp_path / "moved").without().text == trace.answer
    older = kgmm.Trace.from_json(json.dumps({**json.loads(text), "folder": ""}))  # as written before traces kept it
    with pytest.raises(KgmmError, match="those here are"):
        kb.attach(older).without()


@pytest.mark.parametrize("text", ["dog \udcff", "\ud800"])
def test_half_a_character_is_refused_in_one_line(kb, shell, text):
    for refused in (
        lambda: kb.ask(SCENE, text),
        lambda: kb.ask(SCENE, QUESTION, choices=[text]),
        lambda: kb.retrieve(text),
        lambda: kb.retrieve(["dog", text]),
        lambda: kb.retrieve("dog", text),
        lambda: kb.similar(text),
        lambda: kb.similar(["dog", text]),
    ):
        with pytest.raises(KgmmError, match="is no text"):
            refused()
    assert shell("retrieve", kb.path, text).code == 1
