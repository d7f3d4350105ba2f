"""Words in pictures: read exactly, in order, cleaned, asked about and cited; nothing read where nothing is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

import kgmm
from kgmm.perceivers import perceive
from kgmm.scene import SceneGraph

pytest.importorskip("rapidocr_onnxruntime", reason="rapidocr-onnxruntime, the extra ocr, is not installed")


@pytest.fixture(scope="module")
def sign() -> Image.Image:
    image = Image.new("RGB", (640, 400), (40, 90, 60))
    pen = ImageDraw.Draw(image)
    pen.rectangle((100, 60, 420, 160), fill="white")
    pen.text((130, 80), "EXIT ONLY", fill="red", font=ImageFont.load_default(48))
    pen.text((100, 250), "Route 42 Downtown", fill="yellow", font=ImageFont.load_default(32))
    return image


@pytest.fixture(scope="module")
def scene(sign: Image.Image) -> SceneGraph:
    return perceive(sign, "ocr")


def test_words_are_read_as_they_stand_from_top_to_bottom(scene: SceneGraph) -> None:
    assert [o.text for o in scene.objects] == ["EXIT ONLY", "Route 42 Downtown"]
    for o, (x, y, right, bottom) in zip(scene.objects, [(130, 85, 372, 135), (100, 250, 396, 290)], strict=True):
        assert o.box is not None and o.score > 0.9
        assert x - 8 <= o.box[0] and y - 8 <= o.box[1]
        assert o.box[0] + o.box[2] <= right + 8 and o.box[1] + o.box[3] <= bottom + 8


def test_what_a_sign_says_is_answered_and_cites_the_words(scene: SceneGraph, tmp_path: Path) -> None:
    with kgmm.open(tmp_path / "kb") as kb:
        kb.add([("sign", "UsedFor", "informing people")])
        answer = kb.ask(scene, "What is written in the picture?")
        assert answer.text == "EXIT ONLY Route 42 Downtown"
        assert [c.fact.subject for c in answer.trace.citations] == ["/s/image/t1", "/s/image/t2"]
        assert all(check.passed for check in answer.trace.verify(kb))


@pytest.mark.parametrize("picture", ["astronaut", "rocket", "coffee"])
def test_nothing_is_read_where_nothing_is_written(picture: str) -> None:
    data = pytest.importorskip("skimage.data")
    assert perceive(getattr(data, picture)(), "ocr", threshold=0.8).objects == ()


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (900, 2), (48, 48)])
def test_odd_pictures_are_endured(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    for o in perceive(noise, "ocr").objects:
        assert o.text.isprintable()
