"""Detectors in ONNX files: every layout is read for what it is, and a file that is none says so in one line."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("onnx")

import kgmm
from kgmm.bundled import folder
from kgmm.errors import BadInput, KgmmError
from kgmm.perceivers import perceive
from tests.perceivers.onnx_files import CELLS, layouts, write

if TYPE_CHECKING:
    from tests.conftest import Ran

PICTURE = np.full((64, 128, 3), 200, np.uint8)


@pytest.mark.parametrize("name", layouts())
def test_a_cat_is_found_where_each_layout_says(name: str, tmp_path: Path) -> None:
    outputs, more = layouts()[name]
    scene = perceive(PICTURE, "onnx", model=write(tmp_path / "m.onnx", outputs, **more))  # type: ignore[arg-type]
    assert [(o.name, o.box) for o in scene.objects] == [("cat", pytest.approx((32, 16, 64, 32), abs=0.2))]
    assert 0.8 < scene.objects[0].score <= 1


def test_names_come_from_a_file_or_from_the_model(tmp_path: Path) -> None:
    row = np.zeros((1, CELLS, 8), np.float32)
    row[0, 0] = [4, 2, 1, 1, 0.9, 0, 0, 0.9]
    model = write(tmp_path / "m.onnx", {"output": row})
    (tmp_path / "names.txt").write_text("Fork\nKnife\nSoup spoon\n")
    (tmp_path / "names.json").write_text('{"0": "fork", "1": "knife", "2": "ladle"}')
    for labels, found in (("names.txt", "soup spoon"), ("names.json", "ladle")):
        scene = perceive(PICTURE, "onnx", model=model, labels=tmp_path / labels)
        assert [o.name for o in scene.objects] == [found]
    own = write(tmp_path / "own.onnx", {"output": row}, names="{0: 'cup', 1: 'pot', 2: 'Pan'}")
    assert [o.name for o in perceive(PICTURE, f"onnx:{own}").objects] == ["pan"]


@pytest.mark.parametrize("labels", ["", "a\n\nb", "[1, 2]", '{"x": "y"}', "{" * 10_000, '{"999999999": "a"}', "\xff"])
def test_a_list_of_names_that_is_none_is_named(labels: str, tmp_path: Path) -> None:
    model = write(tmp_path / "m.onnx", layouts()["yolox"][0])
    (tmp_path / "names").write_bytes(labels.encode("latin-1"))
    with pytest.raises(BadInput, match="names"):
        perceive(PICTURE, "onnx", model=model, labels=tmp_path / "names")


def test_outputs_of_no_known_layout_are_told(tmp_path: Path) -> None:
    model = write(tmp_path / "m.onnx", {"probabilities": np.zeros((1, 1000), np.float32)})
    with pytest.raises(BadInput, match=r"probabilities \(1, 1000\).*YOLOX"):
        perceive(PICTURE, "onnx", model=model)
    with pytest.raises(BadInput, match=r"none\.onnx"):
        perceive(PICTURE, "onnx", model=tmp_path / "none.onnx")
    with pytest.raises(BadInput, match="is no file"):
        perceive(PICTURE, "onnx", model=tmp_path)
    huge = write(tmp_path / "huge.onnx", layouts()["yolox"][0], shape=(1, 3, 1 << 20, 1 << 20))
    with pytest.raises(BadInput, match="wants a picture of"):
        perceive(PICTURE, "onnx", model=huge)


def test_numbers_that_are_none_are_no_things(tmp_path: Path) -> None:
    row = np.full((1, CELLS, 85), np.nan, np.float32)
    row[0, 1:20] = np.inf
    assert perceive(PICTURE, "onnx", model=write(tmp_path / "m.onnx", {"output": row})).objects == ()


def test_damaged_models_are_refused_or_read(tmp_path: Path) -> None:
    draw = random.Random(0)
    whole = write(tmp_path / "m.onnx", layouts()["detr"][0]).read_bytes()
    for n in range(60):
        data = bytearray(whole)
        for _ in range(draw.randint(1, 20)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        damaged = tmp_path / f"{n}.onnx"
        damaged.write_bytes(data[: draw.randrange(len(data))] if n % 3 == 0 else data)
        try:
            perceive(PICTURE, "onnx", model=damaged)
        except KgmmError as error:
            assert "\n" not in str(error)


def test_weights_beside_the_model_are_not_opened(tmp_path: Path) -> None:
    import onnx
    from onnx import external_data_helper

    model = onnx.load(str(write(tmp_path / "m.onnx", layouts()["detr"][0])))
    tensor = onnx.numpy_helper.from_array(np.zeros(4, np.float32), "secret")
    model.graph.initializer.append(tensor)
    model.graph.output.append(onnx.helper.make_tensor_value_info("secret", 1, [4]))
    external_data_helper.set_external_data(model.graph.initializer[0], location="/etc/passwd", length=16)
    model.graph.initializer[0].ClearField("raw_data")
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(BadInput, match="no detector in ONNX"):
        perceive(PICTURE, "onnx", model=tmp_path / "m.onnx")


def test_a_real_detector_sees_person_cat_and_cup(shared_data: Path, shell: Callable[..., Ran], tmp_path: Path) -> None:
    model, photos = shared_data / "yolox_nano" / "yolox_nano.onnx", folder("graphs") / "photos"
    for picture, name in (("astronaut", "person"), ("cat", "cat"), ("coffee", "cup")):
        ran = shell("perceive", photos / f"{picture}.jpg", "--perceiver", "onnx", "--model", model)
        assert ran.code == 0 and f"  {name}  " in ran.out
    with kgmm.open(tmp_path / "kb") as kb:
        kb.add([("cat", "CapableOf", "purr")])
        answer = kb.ask(photos / "cat.jpg", "What can the animal purr?", perceiver=f"onnx:{model}")
        assert answer.trace.scene is not None and [o.name for o in answer.trace.scene.objects] == ["cat"]
        ran = shell("ask", kb.path, photos / "cat.jpg", "Can the cat purr?", "--perceiver", "onnx", "--model", model)
        assert ran.code == 0 and ran.out.startswith("yes")
