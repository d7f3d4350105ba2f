"""What every reasoner promises: an answer with its trace, reasons where it abstains, the same twice, a row and a source."""

from __future__ import annotations

import importlib
import json

import pytest
import torch
from safetensors.torch import save_file

import kgmm
from kgmm.reason import reasoner_names
from kgmm.reason.registry import modules
from kgmm.reason.visual.reasoner import WEIGHTS
from kgmm.scene import SceneGraph, SceneObject
from kgmm.store import Fact
from kgmm.train.shapes import WORLDS, make_network, tokens
from tests.families import check_family

FACTS = ("knife UsedFor cutting_bread", "cup UsedFor drinking_coffee", "dog CapableOf bark", "lemon HasProperty yellow")
SHAPES = SceneGraph(
    "shapes",
    (
        SceneObject("o1", "circle", (20, 20, 28, 28), attributes=("red", "large")),
        SceneObject("o2", "star", (90, 90, 28, 28), attributes=("blue", "large")),
    ),
    (),
    160,
    160,
)
LISTED = SceneGraph("list", tuple(SceneObject(f"o{i}", f.split()[0]) for i, f in enumerate(FACTS)))
SCENE_OF_NOTHING_KNOWN = SceneGraph("list", (SceneObject("o", "flurble"),))


@pytest.fixture(scope="module")
def kb(tmp_path_factory):
    with kgmm.open(tmp_path_factory.mktemp("family") / "kb") as kb:
        kb.add([Fact(f"/c/en/{s}", p, f"/c/en/{o}") for s, p, o in map(str.split, FACTS)])
        yield kb


def untrained(name, folder):
    """Write a folder as ``kgmm train`` does, of a network for easy-vqa with its first weights; return it."""
    torch.manual_seed(0)
    known = ["", *tokens("is there a red shape?")]
    config = {"name": name, "data": "easy-vqa", "dim": 16}
    network = "bilinear-mutan" if name == "bilinear" else name
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "vocabulary.json").write_text(json.dumps({"tokens": known}))
    save_file(make_network(network, WORLDS["easy-vqa"], len(known), 16).state_dict(), folder / "model.safetensors")
    return folder


def base_case(name, folder):
    """Return a scene, a question with an answer, one without, and what to ask the reasoner by."""
    if name == "graph-network-open":  # which says what is seen without a fact
        return LISTED, "What color is the lemon?", "What is the flurble used for?", name
    if "visual" not in modules()[name]:
        return LISTED, "Which object is used for cutting bread?", "What is the flurble used for?", name
    shipped = (WEIGHTS / f"easy-vqa-{name}" / "model.safetensors").is_file()
    by = name if shipped else untrained(name, folder)
    return SHAPES, "is there a red shape?", "Who painted this?", by


@pytest.mark.parametrize("name", reasoner_names())
def test_an_answer_has_its_trace_and_an_abstention_its_reason(name, kb, tmp_path):
    scene, question, beyond, by = base_case(name, tmp_path)
    choices = [o.name for o in scene.objects] if name == "graph-network" else None
    answer = kb.ask(scene, question, reasoner=by, choices=choices)
    trace = answer.trace
    assert answer.text and 0 < answer.score <= 1 and trace.answer == answer.text and not trace.abstained
    assert trace.steps or name == "conventional"  # which attends to nothing that could be shown
    assert trace.reasoner == name and all(check.passed for check in trace.verify(kb))
    if scene is not SHAPES:
        said = ("yellow", "/c/en/yellow") if name == "graph-network-open" else ("knife", "/c/en/cutting_bread")
        assert (answer.text, trace.citations[-1].fact.object) == said
        assert trace.without(trace.citations[-1].fact).text != answer.text
    unknown = SCENE_OF_NOTHING_KNOWN if scene is not SHAPES else SHAPES
    nothing = kb.ask(unknown, beyond, reasoner=by)
    assert nothing.text is None and nothing.trace.abstained and not nothing.trace.citations


@pytest.mark.parametrize("name", reasoner_names())
def test_it_answers_the_same_twice(name, kb, tmp_path):
    scene, question, _, by = base_case(name, tmp_path)
    first, second = (kb.ask(scene, question, reasoner=by, threshold=0).trace.to_dict() for _ in range(2))
    for trace in (first, second):
        del trace["timings"]
    assert first == second


def test_every_reasoner_is_documented_and_cited():
    check_family(reasoner_names(), lambda name: importlib.import_module(modules()[name]), "models.md")
