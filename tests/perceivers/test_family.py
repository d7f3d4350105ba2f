"""The base case of perceivers: any of them turns a real picture into a scene that can be kept and looked up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFont

import kgmm
from kgmm.bundled import folder
from kgmm.errors import KgmmError
from kgmm.perceivers import FAMILY, perceive, perceivers
from kgmm.scene import SceneGraph, SceneObject
from tests.families import check_family

Case = tuple[Any, dict[str, Any]]


@pytest.fixture
def cases(tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, Callable[[], Case]]:
    """For each perceiver, a picture in which it sees something, and its options."""

    def drawing() -> Case:
        image = Image.new("RGB", (200, 120), "white")
        pen = ImageDraw.Draw(image)
        pen.ellipse((10, 40, 60, 90), fill="red")
        pen.rectangle((100, 40, 160, 100), fill="blue")
        image.save(tmp_path / "drawing.png")
        return tmp_path / "drawing.png", {}

    def scene() -> Case:
        SceneGraph("desk", (SceneObject("o1", "knife", (1, 2, 3, 4)),), width=9, height=9).to_json(tmp_path / "s.json")
        return tmp_path / "s.json", {}

    def detector() -> Case:
        pytest.importorskip("onnx", reason="onnx, which writes the test's model, is not installed")
        from tests.perceivers.onnx_files import layouts, write

        return photograph, {"model": write(tmp_path / "cat.onnx", layouts()["yolox"][0])}

    def words() -> Case:
        pytest.importorskip("rapidocr_onnxruntime", reason="rapidocr-onnxruntime, the extra ocr, is not installed")
        image = Image.new("RGB", (300, 90), "white")
        ImageDraw.Draw(image).text((20, 20), "STOP", fill="black", font=ImageFont.load_default(40))
        image.save(tmp_path / "sign.png")
        return tmp_path / "sign.png", {}

    def people() -> Case:
        cv2 = pytest.importorskip("cv2", reason="OpenCV, the extra people, is not installed")
        if not hasattr(cv2, "HOGDescriptor"):
            pytest.skip("OpenCV 5 is installed, which carries no detectors; the extra people has 4")
        return folder("graphs") / "photos" / "astronaut.jpg", {}

    photograph = folder("graphs") / "photos" / "cat.jpg"
    return {
        "clip": lambda: (
            photograph,
            {"model": request.getfixturevalue("clip_folder"), "queries": ["cat", "dog"], "threshold": 0.0},
        ),
        "default": lambda: (photograph, {}),
        "hf": lambda: (photograph, {"model": request.getfixturevalue("detr_folder"), "threshold": 0.0}),
        "ocr": words,
        "people": people,
        "onnx": detector,
        "scene": scene,
        "shapes": drawing,
        "vlm": lambda: (photograph, {"model": request.getfixturevalue("vlm_folder")}),
    }


@pytest.mark.parametrize("name", perceivers())
def test_any_perceiver_makes_a_scene_that_holds_together(
    name: str, cases: dict[str, Callable[[], Case]], tmp_path: Path
) -> None:
    image, options = cases[name]()
    scene = perceive(image, name, **options)
    assert scene.objects and scene.width > 0 and scene.height > 0
    assert len({o.id for o in scene.objects}) == len(scene.objects)
    for o in scene.objects:
        assert o.name and o.name == o.name.lower() and 0 <= o.score <= 1
        assert o.box is not None
        x, y, w, h = o.box
        assert x >= 0 and y >= 0 and x + w <= scene.width + 0.2 and y + h <= scene.height + 0.2
    assert all(r.subject in scene and r.object in scene for r in scene.relations)
    assert perceive(image, name, **options) == scene, "the same picture gives the same scene"
    assert SceneGraph.from_dict(scene.to_dict()) == scene
    with kgmm.open(tmp_path / "kb") as kb:
        kb.add([fact[:3] for fact in scene.facts()], graph=scene.graph)
        depicted = {fact.object for fact in kb.find(scene.node(), "Depicts", None)}
    assert len(depicted) == len({o.name for o in scene.objects} | {tag for tag, _ in scene.tags})


@pytest.mark.parametrize("name", perceivers())
def test_any_perceiver_refuses_options_it_does_not_have(name: str, cases: dict[str, Callable[[], Case]]) -> None:
    image, options = cases[name]()
    with pytest.raises(KgmmError, match=f"perceiver {name} has no option magic"):
        perceive(image, name, **options, magic=3)


@pytest.mark.parametrize(("name", "needs"), [("clip", "model"), ("hf", "model"), ("onnx", "model"), ("vlm", "model")])
def test_an_option_that_is_needed_is_named(name: str, needs: str) -> None:
    with pytest.raises(KgmmError, match=f"perceiver {name} needs the option {needs}"):
        perceive(Image.new("RGB", (9, 9)), name)


def test_every_perceiver_is_documented_and_cited() -> None:
    check_family(perceivers(), FAMILY.module, "perceive.md")
