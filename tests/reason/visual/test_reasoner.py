"""Shipped networks answer about pictures, and say when they cannot."""

from __future__ import annotations

import pytest
from PIL import Image

import kgmm
from kgmm import bundled
from kgmm.data import clevr, easy_vqa
from kgmm.errors import KgmmError
from kgmm.reason.visual.reasoner import WEIGHTS, few_colours
from kgmm.reason.visual.segments import read_pixels
from kgmm.reason.visual.worlds import ANSWERS, draw
from kgmm.scene import SceneGraph
from kgmm.train.fit import Recipe, fit
from kgmm.train.shapes import ShapesProblem, parts

SHIPPED = ("blind", "graph", "modules")


def test_what_is_said_to_be_shipped_is_there():
    folders = {f"easy-vqa-{name}" for name in SHIPPED} | {"clevr-blind", "clevr-modules"}
    assert {p.parent.name for p in WEIGHTS.glob("[ce]*-*/model.safetensors")} == folders


@pytest.fixture(scope="module")
def kb(tmp_path_factory):
    return kgmm.open(tmp_path_factory.mktemp("kb") / "kb")


@pytest.mark.parametrize("name", [n for n in SHIPPED if n != "blind"])
def test_shipped_networks_answer_from_pixels(name, kb):
    pytest.importorskip("easy_vqa")
    asked = easy_vqa.load_questions("test")[:60]
    hits = 0
    for q in asked:
        scene = SceneGraph(f"e{q.image}", image=str(easy_vqa.image_path("test", q.image)), width=64, height=64)
        answer = kb.ask(scene, q.question, reasoner=name)
        hits += answer.text == q.answer
        assert answer.trace.model
    assert hits >= 57


def test_questions_of_other_kinds_are_not_guessed_at(kb):
    pytest.importorskip("easy_vqa")
    scene = SceneGraph("e0", image=str(easy_vqa.image_path("test", 0)), width=64, height=64)
    answer = kb.ask(scene, "Who painted this?", reasoner="modules")
    assert not answer and "cannot read" in answer.trace.abstained
    assert not kb.ask(SceneGraph("none"), "is there a red shape?", reasoner="modules")


def test_modules_answer_about_a_scene_that_has_no_picture(kb):
    worlds = [clevr.scene(s) for s in range(300_000, 300_010)]
    for q in clevr.questions(worlds, 3, (4, 5, 6, 7), seed=5):
        answer = kb.ask(worlds[q.scene], q.question, reasoner="modules")
        assert answer.text == q.answer, q.question
        assert [s.name for s in answer.trace.steps] == [s.function for s in q.program]


@pytest.fixture(scope="module")
def small_clevr():
    return parts("clevr", small=True)


@pytest.mark.parametrize("name", ["graph", "san", "hiecoatt", "updown", "bilinear-mlb"])
def test_attention_over_the_objects_is_in_the_trace(name, kb, small_clevr, tmp_path):
    fit(ShapesProblem(name, "clevr", dim=16, split=small_clevr), tmp_path, Recipe(epochs=1))
    world = clevr.scene(300_000)
    answer = kb.ask(world, "how many stars are there?", reasoner=tmp_path)
    assert answer.text in ANSWERS and answer.trace.reasoner == name
    shown = {s.name: s.data for s in answer.trace.steps}
    weights = "weights" if name == "graph" else "attention"
    assert len(shown[weights]["boxes"]) == len(world.objects)
    for row in shown[weights][weights]:
        assert len(row) == len(world.objects) and sum(row) == pytest.approx(1.0, abs=1e-2)
    if name == "hiecoatt":
        assert shown["words"]["tokens"] == ["how", "many", "stars", "are", "there"]
        assert all(sum(row) == pytest.approx(1.0, abs=1e-2) for row in shown["words"]["words"])
    if name == "graph":
        assert all(sorted(row) == [*range(len(world.objects))] for row in shown["neighbours"]["neighbours"])


def test_an_unknown_option_is_refused(kb):
    with pytest.raises(KgmmError, match="bilinear-full, bilinear-mcb, bilinear-mfb, bilinear-mlb, bilinear-mutan"):
        kb.ask(clevr.scene(1), "how many stars are there?", reasoner="bilinear-sum")


def test_a_photograph_is_not_read_as_shapes(kb):
    for photo in sorted(bundled.folder("graphs").glob("photos/*.jpg")):
        scene = SceneGraph("photo", image=str(photo))
        answer = kb.ask(scene, "is there a red shape?", reasoner="modules")
        assert not answer and "too many colours" in answer.trace.abstained, photo.name


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_drawings_are_read_however_they_are_saved(suffix, kb, tmp_path):
    pytest.importorskip("easy_vqa")
    drawn = [Image.open(easy_vqa.image_path("test", i)).convert("RGB") for i in range(0, 200, 10)]
    for i, picture in enumerate([*drawn, *(draw(clevr.scene(i)) for i in range(20))]):
        picture.save(tmp_path / f"{i}.{suffix}")
        assert few_colours(read_pixels(tmp_path / f"{i}.{suffix}")), i


def test_words_and_choices_may_be_spelled_otherwise(kb):
    pytest.importorskip("easy_vqa")
    q = next(q for q in easy_vqa.load_questions("test") if q.question.startswith("what color"))
    scene = SceneGraph("e", image=str(easy_vqa.image_path("test", q.image)), width=64, height=64)
    asked = q.question.replace("color", "colour")
    for reasoner in ("graph", "modules"):
        answer = kb.ask(scene, asked, reasoner=reasoner, choices=["Nothing", q.answer.upper()])
        assert answer.text == q.answer.upper() and answer.score > 0.9


def test_a_network_without_shipped_weights_says_how_to_make_them(kb):
    with pytest.raises(KgmmError, match="kgmm train updown clevr --out DIR, and ask it by its folder"):
        kb.ask(clevr.scene(1), "how many stars are there?", reasoner="updown")
