"""Joined perceivers: one thing for what several see at one place, nothing lost that one alone lists, and who saw what."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kgmm
from kgmm.bundled import folder
from kgmm.errors import KgmmError
from kgmm.families import Family
from kgmm.perceivers import perceive, perceivers, with_model
from kgmm.perceivers._joining import Part, join, parts
from kgmm.perceivers._kinds import is_kind, is_same
from kgmm.scene import SceneGraph, SceneObject, SceneRelation

if TYPE_CHECKING:
    from tests.conftest import Ran

PICTURE = np.full((64, 128, 3), 200, np.uint8)
PLACE = (10.0, 10.0, 40.0, 40.0)


def scene(
    *objects: SceneObject, relations: tuple[SceneRelation, ...] = (), source: str = "x", **more: object
) -> SceneGraph:
    return SceneGraph("p", objects, relations, 128, 64, None, source, complete=False, **more)  # type: ignore[arg-type]


def seen(*scenes: SceneGraph) -> SceneGraph:
    return join([(Part(name), one) for name, one in zip(("hf", "onnx", "vlm"), scenes, strict=False)])


@pytest.mark.parametrize(("order", "source"), [((0, 1), "hf+onnx"), ((1, 0), "hf+onnx")])
def test_a_tabby_and_a_cat_at_one_place_are_one_tabby(order: tuple[int, int], source: str) -> None:
    both = [
        scene(SceneObject("a", "tabby", PLACE, 0.8, ("brown",))),
        scene(SceneObject("b", "cat", (12, 8, 42, 40), 0.9, ("small", "brown"), ("animal",))),
    ]
    (cat,) = seen(*(both[n] for n in order)).objects
    assert (cat.name, set(cat.aliases), cat.score, cat.source) == ("tabby", {"cat", "animal"}, 0.9, source)
    assert set(cat.attributes) == {"brown", "small"} and cat.box == (12, 8, 42, 40)


def test_a_name_that_is_hardly_likely_does_not_replace_its_kind() -> None:
    (cat,) = seen(scene(SceneObject("a", "cat", PLACE, 0.9)), scene(SceneObject("b", "tabby", PLACE, 0.2))).objects
    assert (cat.name, cat.aliases, cat.score) == ("cat", ("tabby",), 0.9)


def test_two_that_agree_are_surer_than_one() -> None:
    (cup,) = seen(scene(SceneObject("a", "cup", PLACE, 0.6)), scene(SceneObject("b", "Cups", PLACE, 0.5))).objects
    assert cup.score == 0.8 and cup.source == "hf+onnx"


def test_each_thing_is_matched_once() -> None:
    large = SceneObject("a", "cup", (0, 0, 100, 50), 0.7)
    cups = [SceneObject(f"b{n}", "cup", (x, 5, 30, 40), 0.6) for n, x in enumerate((0, 35, 70))]
    found = seen(scene(large), scene(*cups)).objects
    assert [o.name for o in found] == ["cup"] * 3 and sorted(o.source for o in found) == ["hf+onnx", "onnx", "onnx"]


def test_of_rivals_the_surer_is_as_it_was_and_the_other_stays_with_less() -> None:
    found = seen(scene(SceneObject("a", "dog", PLACE, 0.9)), scene(SceneObject("b", "teapot", PLACE, 0.6))).objects
    assert [(o.name, o.score, o.source) for o in found] == [("dog", 0.9, "hf"), ("teapot", 0.33, "onnx")]


def test_what_one_perceiver_sees_beside_one_another_are_no_rivals() -> None:
    cup = scene(SceneObject("a", "espresso", PLACE, 0.9), SceneObject("b", "cup", PLACE, 0.8))
    found = seen(cup, scene(SceneObject("c", "cup", PLACE, 0.5))).objects
    assert [(o.name, o.score) for o in found] == [("espresso", 0.9), ("cup", 0.9)]


def test_who_is_in_front_of_a_thing_is_no_rival_of_it() -> None:
    person, helmet = SceneObject("a", "person", (0, 0, 60, 60), 0.9), SceneObject("b", "helmet", (5, 40, 20, 20), 0.7)
    assert [o.score for o in seen(scene(person), scene(helmet)).objects] == [0.9, 0.7]


def test_text_is_kept_in_its_order_and_is_nobodys_rival() -> None:
    words = [SceneObject(f"t{n}", "text", PLACE, 0.9, (), ("writing",), w) for n, w in enumerate(("EXIT", "ONLY"))]
    again = SceneObject("u", "text", PLACE, 0.5, (), (), "exit")
    found = seen(scene(*words), scene(SceneObject("s", "sign", PLACE, 0.6), again)).objects
    assert [(o.name, o.text, o.score, o.source) for o in found] == [
        ("sign", "", 0.6, "onnx"),
        ("text", "EXIT", 0.95, "hf+onnx"),
        ("text", "ONLY", 0.9, "hf"),
    ]


def test_relations_are_those_of_the_joined_boxes_and_what_a_perceiver_knows_beyond_boxes() -> None:
    face, owner = SceneObject("f", "face", (20, 12, 8, 8), 0.8), SceneObject("p", "person", PLACE, 0.7)
    people = scene(
        face, owner, relations=(SceneRelation("f", "inside", "p", 0.7), SceneRelation("f", "part_of", "p", 0.7))
    )
    other = scene(SceneObject("x", "person", (10, 9, 40, 42), 0.9), SceneObject("y", "dog", (80, 10, 20, 30), 0.9))
    joined = seen(people, other)
    said = {(joined[r.subject].name, r.predicate, joined[r.object].name) for r in joined.relations}
    assert {("face", "part_of", "person"), ("face", "inside", "person"), ("dog", "right_of", "person")} <= said
    assert len(joined.objects) == 3 and joined["o1"].name == "person"


NAMES = st.sampled_from(["cat", "tabby", "dog", "animal", "person", "cup", "espresso", "wug"])
OBJECTS = st.lists(
    st.tuples(NAMES, st.tuples(*[st.integers(0, 60)] * 2, *[st.integers(1, 60)] * 2), st.floats(0.3, 1)), max_size=6
)


def drawn(one: list[tuple[str, tuple[int, int, int, int], float]]) -> SceneGraph:
    return scene(*(SceneObject(f"o{n}", name, box, round(score, 4)) for n, (name, box, score) in enumerate(one)))


@given(st.lists(OBJECTS.map(drawn), min_size=3, max_size=3))
def test_nothing_is_lost_that_one_alone_lists(scenes: list[SceneGraph]) -> None:
    joined = seen(*scenes)
    assert len({o.id for o in joined.objects}) == len(joined.objects) <= sum(len(s.objects) for s in scenes)
    assert all(r.subject in joined and r.object in joined for r in joined.relations)
    for label, one in zip(("hf", "onnx", "vlm"), scenes, strict=True):
        for o in one.objects:
            here = [j for j in joined.objects if o.name in (j.name, *j.aliases) and label in j.source.split("+")]
            assert here and max(j.score for j in here) >= 0.2
        for name in {o.name for o in one.objects}:
            count = sum(name in (j.name, *j.aliases) for j in joined.objects)
            assert count >= sum(o.name == name for o in one.objects), "nor are there fewer of them"
    assert SceneGraph.from_dict(json.loads(json.dumps(joined.to_dict()))) == joined, "and it comes back from JSON"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("default+", "is empty"),
        ("+default", "is empty"),
        ("default++ocr", "is empty"),
        ("default+eyes", "no perceiver 'eyes'; there are: clip, default"),
        ("onnx:a.onnx+", "is empty"),
        ("default+default", "names default twice"),
        ("onnx:a.onnx+onnx:a.onnx", "names onnx:a.onnx twice"),
        ("default+scene", "cannot be joined"),
        ("default+onnx", "the perceiver onnx needs the option model"),
        ("default+onnx:absent.onnx", "absent.onnx"),
    ],
)
def test_a_name_of_no_perceivers_is_refused(said: str, message: str) -> None:
    with pytest.raises(KgmmError, match=message):
        perceive(PICTURE, said)


def test_options_go_to_the_parts_that_have_them() -> None:
    with pytest.raises(KgmmError, match=r"no part of the perceiver default\+shapes has the option magic"):
        perceive(PICTURE, "default+shapes", magic=1)
    drawing = PICTURE.copy()
    drawing[10:30, 20:50] = (0, 0, 255)
    found = perceive(drawing, "default+shapes", smallest=3, threshold=0.9)
    assert [(o.name, o.source) for o in found.objects] == [("rectangle", "shapes")]
    assert found.source.startswith("efficientnet-lite0@") and found.source.endswith(" + shapes")
    with pytest.raises(KgmmError, match="has the option model"):
        perceive(drawing, "default+shapes", model="x")
    with pytest.raises(KgmmError, match="has no option model"):
        with_model("default+shapes", "x")


def test_a_plus_in_a_files_name_is_left_there(tmp_path: Path) -> None:
    known = perceivers()
    assert parts("onnx:a+b.onnx", known) == [Part("onnx", "a+b.onnx")]
    assert parts("onnx:a+b.onnx+default", known) == [Part("onnx", "a+b.onnx"), Part("default")]
    (tmp_path / "a+ocr").write_bytes(b"")
    assert parts(f"default+onnx:{tmp_path}/a+ocr", known) == [Part("default"), Part("onnx", f"{tmp_path}/a+ocr")]


def test_any_perceiver_can_be_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ModuleType("kgmm.perceivers.whole")
    whole.perceive = lambda image, *, model, threshold=0.5: scene(
        SceneObject("w", model, PLACE, threshold), source="whole"
    )  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "kgmm.perceivers.whole", whole)
    names = [*perceivers(), "whole"]
    monkeypatch.setattr(Family, "names", lambda self: names)
    found = perceive(PICTURE, "whole:cup+whole:pen", threshold=0.4)
    assert [(o.name, o.score, o.source) for o in found.objects] == [
        ("cup", 0.4, "whole:cup"),
        ("pen", 0.32, "whole:pen"),
    ]
    assert [o.name for o in perceive(PICTURE, "default+whole", model="jug").objects] == ["jug"]


@pytest.mark.parametrize(
    ("name", "kind", "is_one"),
    [("cow", "animal", True), ("couch", "furniture", True), ("orange", "cup", False), ("teddy bear", "bear", False)],
)
def test_kinds_are_those_of_first_senses(name: str, kind: str, is_one: bool) -> None:
    assert is_kind(name, kind) is is_one and not is_kind(kind, name) and not is_same(name, kind)


def test_a_detector_in_a_file_is_joined_on_the_command_line(tmp_path: Path, shell: Callable[..., Ran]) -> None:
    pytest.importorskip("onnx", reason="onnx, which writes the test's model, is not installed")
    from tests.perceivers.onnx_files import layouts, write

    model, photo = write(tmp_path / "m.onnx", layouts()["yolox"][0]), folder("graphs") / "photos" / "cat.jpg"
    for chosen in (("--perceiver", f"default+onnx:{model}"), ("--perceiver", "default+onnx", "--model", model)):
        ran = shell("perceive", photo, *chosen)
        assert ran.code == 0 and ran.out.startswith("o1  cat  ") and "(default+onnx)" in ran.out.splitlines()[0]
    ran = shell("perceive", photo, "--perceiver", "default+onnx")
    assert ran.code == 2 and "needs --model, an ONNX file" in ran.err
    with kgmm.open(tmp_path / "kb") as kb:
        kb.add([("cat", "CapableOf", "purr")])
    ran = shell("ask", tmp_path / "kb", photo, "Can the cat purr?", "--perceiver", "default+onnx", "--model", model)
    assert ran.code == 0 and ran.out.startswith("yes")
    ran = shell("ask", tmp_path / "kb", photo, "Is there a cat?", "--perceiver", f"default+onnx:{model}")
    assert ran.code == 0 and "seen by default+onnx" in ran.out


def test_a_real_detector_adds_what_the_default_perceiver_does_not_see(shared_data: Path) -> None:
    model, photos = shared_data / "yolox_nano" / "yolox_nano.onnx", folder("graphs") / "photos"
    for picture, expected in (
        ("astronaut", [("person", "onnx"), ("helmet", "default")]),
        ("cat", [("cat", "default+onnx")]),
        ("coffee", [("cup", "default+onnx"), ("espresso", "default"), ("dining table", "onnx")]),
        ("flower", [("orange", "onnx")]),
        ("pagoda", [("building", "default")]),
    ):
        alone = [perceive(photos / f"{picture}.jpg", name) for name in ("default", f"onnx:{model}")]
        joined = perceive(photos / f"{picture}.jpg", f"default+onnx:{model}")
        assert [(o.name, o.source) for o in joined.objects] == expected
        assert {o.name for one in alone for o in one.objects} <= {
            n for o in joined.objects for n in (o.name, *o.aliases)
        }
    start = time.process_time()
    join([(Part("default"), alone[0]), (Part("onnx"), alone[1])])
    assert time.process_time() - start < 0.1
