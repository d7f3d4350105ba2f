"""``kgmm perceive``: text, one JSON document, boxes drawn; one clear line and the right code on failure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from kgmm.cli import main
from kgmm.scene import SceneGraph, SceneObject, SceneRelation


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        main(["perceive", *arguments])
        code = 0
    except SystemExit as stop:
        code = int(stop.code or 0)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def cat(tmp_path: Path) -> Path:
    data = pytest.importorskip("skimage.data")
    path = tmp_path / "chelsea.png"
    Image.fromarray(data.chelsea()).save(path)
    return path


def test_json_is_the_scene_and_boxes_are_drawn(cat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawn, saved = tmp_path / "drawn.png", tmp_path / "scene.json"
    code, out, _ = run(capsys, str(cat), "--json", "--draw", str(drawn), "--save", str(saved))
    assert code == 0
    scene = SceneGraph.from_dict(json.loads(out))
    assert scene == SceneGraph.from_json(saved)
    assert scene.objects and scene.image == str(cat)
    with Image.open(drawn) as boxes, Image.open(cat) as plain:
        assert boxes.size == plain.size and list(boxes.getdata()) != list(plain.convert("RGB").getdata())


def test_a_scene_file_is_shown_as_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    objects = (SceneObject("o1", "knife", (1, 2, 3, 4), 0.9, ("small",)), SceneObject("o2", "table"))
    SceneGraph("desk", objects, (SceneRelation("o1", "on", "o2"),), tags=(("kitchen", 0.8),)).to_json(
        tmp_path / "desk.json"
    )
    code, out, err = run(capsys, str(tmp_path / "desk.json"), "--perceiver", "scene")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "o1  knife  0.90  [1, 2, 3, 4]  small",
        "o2  table  1.00",
        "knife (o1) on table (o2)",
        "place: kitchen  0.80",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["absent.png"], 1, "no such picture file"),
        (["{text}"], 1, "not a picture"),
        (["{text}", "--perceiver", "nothing"], 1, "no perceiver 'nothing'"),
        (["{text}", "--perceiver", "hf"], 2, "needs --model"),
        (["{text}", "--perceiver", "vlm"], 2, "needs --model, a folder or a name on the hub"),
        (["{text}", "--perceiver", "onnx"], 2, "needs --model, an ONNX file"),
        (["{text}", "--model", "x"], 2, "means nothing to --perceiver default"),
        (["{text}", "--threshold", "2"], 2, "threshold"),
        ([], 2, "IMAGE"),
    ],
)
def test_failures_are_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    (tmp_path / "text.png").write_text("hello")
    got, out, err = run(capsys, *(a.replace("{text}", str(tmp_path / "text.png")) for a in arguments))
    assert (got, out) == (code, "") and message in err
    if code == 1:
        assert err.count("\n") == 1
