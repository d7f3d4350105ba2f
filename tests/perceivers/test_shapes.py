"""The shapes perceiver on easy-vqa's pictures and on drawings of several shapes."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from kgmm.perceivers import perceive


def test_easy_vqa_pictures_are_read_without_an_error() -> None:
    """Every tenth test picture: shape and colour as its questions say."""
    easy_vqa = pytest.importorskip("easy_vqa")
    paths = easy_vqa.get_test_image_paths()
    truth: dict[int, set[str]] = {}
    for question, answer, image in zip(*easy_vqa.get_test_questions(), strict=True):
        if question.startswith("what"):
            truth.setdefault(image, set()).add(answer)
    wrong = []
    chosen = sorted(truth)[::10]
    for image in chosen:
        objects = perceive(paths[image], "shapes").objects
        seen = {o.name for o in objects} | {a for o in objects for a in o.attributes}
        if len(objects) != 1 or not truth[image] <= seen:
            wrong.append((image, truth[image], seen))
    assert len(chosen) >= 90 and not wrong


def test_several_shapes_are_told_apart_and_related() -> None:
    drawing = Image.new("RGB", (400, 300), (245, 250, 240))
    pen = ImageDraw.Draw(drawing)
    pen.ellipse((20, 100, 100, 180), fill="red")
    pen.rectangle((300, 120, 380, 160), fill="teal")
    pen.polygon([(200, 10), (160, 70), (240, 70)], fill="brown")
    scene = perceive(drawing, "shapes")
    found = {o.name: o for o in scene.objects}
    assert {name: o.attributes for name, o in found.items()} == {
        "circle": ("red",),
        "rectangle": ("teal",),
        "triangle": ("brown",),
    }
    relations = {(scene[r.subject].name, r.predicate, scene[r.object].name) for r in scene.relations}
    assert {("circle", "left_of", "rectangle"), ("circle", "left_of", "triangle")} <= relations


def test_a_plain_picture_has_no_shapes() -> None:
    assert perceive(np.full((50, 50, 3), 200, np.uint8), "shapes").objects == ()
