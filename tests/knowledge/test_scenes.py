"""The bundled photographs and their scene graphs fit each other and the knowledge."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from kgmm.bundled import folder
from kgmm.errors import BadInput
from kgmm.language.names import concept
from kgmm.scene import SceneGraph

Triple = tuple[str, str, str]
GOLD = Path(__file__).parents[1] / "gold"
BUNDLED = sorted((folder("graphs") / "scenes").glob("*.json"))
SCENES = BUNDLED + sorted((GOLD / "scenes").glob("*.json"))


def test_there_are_six_photographs_each_with_its_scene_and_its_licence() -> None:
    photographs = {path.name for path in (folder("graphs") / "photos").iterdir()}
    assert len(photographs) >= 6
    assert {Path(str(SceneGraph.from_json(path).image)).name for path in BUNDLED} == photographs
    text = (folder("graphs") / "SOURCES.md").read_text(encoding="utf-8")
    assert [name for name in photographs if name not in text] == []


@pytest.mark.parametrize("path", SCENES, ids=lambda path: path.stem)
def test_every_box_lies_inside_the_picture(path: Path) -> None:
    scene = SceneGraph.from_json(path)
    assert scene.id == path.stem and scene.source
    if scene.image is not None:
        with Image.open(scene.image) as picture:
            assert picture.size == (scene.width, scene.height)
    for seen in scene.objects:
        assert seen.box is not None, seen.id
        x, y, w, h = seen.box
        assert 0 <= x < x + w <= scene.width and 0 <= y < y + h <= scene.height, (seen.id, seen.box)


@pytest.mark.parametrize("path", SCENES, ids=lambda path: path.stem)
def test_every_object_and_tag_is_known(path: Path, commonsense: list[Triple], wordnet: list[Triple]) -> None:
    known = {s for s, _, _ in commonsense} | {s for s, _, _ in wordnet}
    scene = SceneGraph.from_json(path)
    assert [o.name for o in scene.objects if concept(o.name) not in known] == []
    assert [tag for tag, _ in scene.tags if concept(tag) not in known] == []


@pytest.mark.parametrize("path", SCENES, ids=lambda path: path.stem)
def test_relations_of_place_agree_with_the_boxes(path: Path) -> None:
    scene = SceneGraph.from_json(path)
    for r in scene.relations:
        a, b = scene[r.subject].box, scene[r.object].box
        assert a is not None and b is not None
        (ax, ay), (bx, by) = ((box[0] + box[2] / 2, box[1] + box[3] / 2) for box in (a, b))
        signs = {"left_of": bx - ax, "right_of": ax - bx, "above": by - ay, "below": ay - by}
        assert signs.get(r.predicate, 1) > 0, r


def test_the_demo_asks_about_bundled_photographs() -> None:
    demo = json.loads((folder("knowledge") / "demo.json").read_text(encoding="utf-8"))
    assert len(demo) == 3
    for entry in demo:
        assert (folder("graphs") / "photos" / entry["image"]).is_file()
        assert "scene" not in entry or (folder("graphs") / "scenes" / entry["scene"]).is_file()
        assert entry["question"].endswith("?") and entry["expected"]


def test_every_gold_question_is_complete_and_its_scene_exists() -> None:
    questions = json.loads((GOLD / "questions.json").read_text(encoding="utf-8"))
    assert len({q["id"] for q in questions}) == len(questions) >= 60
    for q in questions:
        assert q["question"].endswith("?") and q["kind"] and (q["answers"] is None) == (q["kind"] == "unanswerable"), q[
            "id"
        ]
        assert (GOLD.parents[1] / q["scene"]).is_file(), q["id"]
        if q.get("choices"):
            assert set(q["answers"]) & set(q["choices"]), q["id"]


def test_a_scene_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        SceneGraph.from_json(tmp_path / "none.json")
