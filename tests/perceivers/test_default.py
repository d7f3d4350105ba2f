"""The default perceiver on real photographs: what is there is named, where it is; what is not, is not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgmm.errors import BadInput, KgmmError
from kgmm.perceivers import perceive, perceivers
from kgmm.perceivers._classes import _read, imagenet
from kgmm.perceivers._evidence import windows
from kgmm.scene import SceneGraph, SceneObject

skimage_data = pytest.importorskip("skimage.data")


def photograph(name: str) -> np.ndarray:
    return skimage_data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(skimage_data, name)()


@pytest.fixture(scope="module")
def scenes() -> dict[str, SceneGraph]:
    names = ("chelsea", "coffee", "motorcycle", "camera", "astronaut")
    return {name: perceive(photograph(name)) for name in names}


def names_of(o: SceneObject) -> set[str]:
    return {o.name, *o.aliases}


@pytest.mark.parametrize(
    ("picture", "names", "box"),
    [
        ("chelsea", {"cat"}, (0, 0, 420, 290)),
        ("coffee", {"espresso", "coffee", "cup"}, (170, 20, 240, 230)),
        ("motorcycle", {"motorcycle", "moped", "motor scooter"}, (90, 130, 600, 300)),
        ("camera", {"tripod"}, (225, 150, 180, 360)),
        ("astronaut", {"helmet", "football helmet", "crash helmet"}, (275, 330, 237, 182)),
    ],
)
def test_the_main_object_is_named_and_found(
    scenes: dict[str, SceneGraph], picture: str, names: set[str], box: tuple[float, ...]
) -> None:
    """The expected boxes are drawn by hand."""
    from kgmm.scene.boxes import overlap_of_union

    found = [o for o in scenes[picture].objects if names_of(o) & names]
    assert found, [o.name for o in scenes[picture].objects]
    assert found[0].box is not None
    assert overlap_of_union(found[0].box, box) >= 0.4  # type: ignore[arg-type]
    assert found[0].score >= 0.5


def test_colours_are_the_objects_own(scenes: dict[str, SceneGraph]) -> None:
    assert "red" in scenes["motorcycle"].objects[0].attributes
    assert "brown" in scenes["chelsea"].objects[0].attributes
    assert "black" in scenes["astronaut"].objects[0].attributes


@pytest.mark.parametrize("name", ["page", "moon", "brick", "grass", "text", "hubble_deep_field", "coins", "logo"])
def test_textures_and_pages_show_no_objects(name: str) -> None:
    path = Path(skimage_data.__file__).parent / "logo.png"
    picture = path if name == "logo" else photograph(name)
    assert perceive(picture).objects == ()


def test_boxes_lie_in_the_picture_and_scenes_round_trip(scenes: dict[str, SceneGraph], tmp_path: Path) -> None:
    for scene in scenes.values():
        for o in scene.objects:
            assert o.box is not None
            x, y, w, h = o.box
            assert x >= 0 and y >= 0 and w > 0 and h > 0
            assert x + w <= scene.width + 0.2 and y + h <= scene.height + 0.2
        scene.to_json(tmp_path / "scene.json")
        assert perceive(tmp_path / "scene.json", "scene") == scene


def test_perceiving_twice_gives_the_same_scene(scenes: dict[str, SceneGraph]) -> None:
    assert perceive(photograph("coffee")) == scenes["coffee"]


def test_a_larger_copy_shows_the_same_objects(scenes: dict[str, SceneGraph], tmp_path: Path) -> None:
    from PIL import Image

    large = Image.fromarray(photograph("chelsea")).resize((1804, 1200))
    large.save(tmp_path / "big cat.png")
    scene = perceive(tmp_path / "big cat.png")
    assert (scene.id, scene.width) == ("big cat", 1804)
    assert [o.name for o in scene.objects] == [o.name for o in scenes["chelsea"].objects]
    np.testing.assert_allclose(np.array(scene.objects[0].box) / 4, scenes["chelsea"].objects[0].box, atol=25)


def test_two_things_side_by_side_are_two_objects() -> None:
    cup = photograph("coffee")[:400, 50:450]
    cat = photograph("chelsea")[:300, 60:360].repeat(4, 0).repeat(4, 1)[::3, ::3]
    scene = perceive(np.hstack([cat, cup]))
    cats = [o for o in scene.objects if "cat" in names_of(o)]
    cups = [o for o in scene.objects if names_of(o) & {"espresso", "coffee", "cup"}]
    assert len(cats) == 1 and len(cups) >= 1
    assert (cats[0].id, "left_of", cups[0].id) in {(r.subject, r.predicate, r.object) for r in scene.relations}


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 400, 3), (500, 2, 3), (33, 33, 3)])
def test_odd_shapes_are_perceived(shape: tuple[int, ...]) -> None:
    scene = perceive(np.zeros(shape, np.uint8))
    assert (scene.height, scene.width) == shape[:2]


@settings(deadline=None)
@given(st.integers(1, 3000), st.integers(1, 3000))
def test_windows_cover_every_picture(width: int, height: int) -> None:
    boxes = windows(width, height)
    assert boxes[0] == (0, 0, width, height)
    seen = np.zeros(101, bool)
    for left, top, right, bottom in boxes[1:]:
        assert 0 <= left < right <= width and 0 <= top < bottom <= height
        seen[left * 100 // width : right * 100 // width + 1] = True
    assert seen[:-1].all() and len(boxes) <= 1 + 4 * 2 + 6 * 3


def test_a_higher_threshold_keeps_fewer(scenes: dict[str, SceneGraph]) -> None:
    assert perceive(photograph("astronaut"), threshold=0.99).objects == ()


def test_unknown_perceivers_are_listed() -> None:
    known = ["clip", "default", "hf", "ocr", "onnx", "people", "scene", "shapes", "vlm"]
    assert perceivers() == known
    with pytest.raises(KgmmError, match="there are: " + ", ".join(known)):
        perceive("x.png", "detectron")


def test_scene_files_that_are_none_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such scene"):
        perceive(tmp_path / "absent.json", "scene")
    for wrong in (3, [{"name": "dog"}], [{"id": 1, "name": "dog", "box": ["a", 0, 1, 1]}], {"1": {"name": "dog"}}, [1]):
        (tmp_path / "x.json").write_text(json.dumps({"id": "x", "objects": wrong}))
        with pytest.raises(BadInput, match=r"not a scene graph: (it has no|one of its)") as told:
            perceive(tmp_path / "x.json", "scene")
        assert not any(python in str(told.value) for python in ("Error", "could not", "indices", "iterable"))


def test_every_class_has_one_name_and_places_are_no_objects() -> None:
    classes = imagenet()
    fine = [index for node in classes.nodes if node.fine for index in node.classes]
    assert sorted([*fine, *classes.places]) == list(range(1000))
    assert "seashore" in classes.places.values() and "library" in classes.places.values()
    assert not any(node.name == "seashore" for node in classes.nodes)
    tabby = next(node for node in classes.nodes if node.classes == (281,))
    assert "cat" in {tabby.name, *tabby.aliases} and not any("_" in name for name in tabby.aliases)


def test_a_broken_class_map_is_named(tmp_path: Path) -> None:
    (tmp_path / "imagenet.tsv").write_text("0\tn01440764\ttench\ttench\tfish\n")
    with pytest.raises(BadInput, match="expected the classes 0 to 999"):
        _read(tmp_path / "imagenet.tsv")
