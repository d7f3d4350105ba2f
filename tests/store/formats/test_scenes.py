"""Scene formats: what each can express comes back, and one bad scene does not spoil a file."""

from __future__ import annotations

import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kgmm
from kgmm.errors import BadInput
from kgmm.language.places import STORED
from kgmm.scene import SceneGraph, SceneObject, SceneRelation
from kgmm.store.formats import ReadOptions, Rejects, detect, read_scenes

from . import writers

WORDS = st.text("abcdefghijklmnopqrstuvwxyzéß", min_size=1, max_size=8)
NAMES = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)
PREDICATES = st.lists(st.text("abcdefgh", min_size=1, max_size=6), min_size=1, max_size=3).map("_".join)
BOXES = st.tuples(*[st.integers(0, 5000).map(float)] * 4)


@st.composite
def scenes(draw: st.DrawFn, *, predicates: st.SearchStrategy[str] = PREDICATES, kind: str = "any") -> SceneGraph:
    count = draw(st.integers(1, 5))
    ids = [str(i) for i in range(count)] if kind == "clevr" else [str(10 + i) for i in range(count)]

    def attributes() -> tuple[str, ...]:
        if kind == "clevr":
            return tuple(draw(st.tuples(WORDS, WORDS, WORDS)))
        return tuple(draw(st.lists(NAMES, max_size=3, unique=True)))

    objects = tuple(
        SceneObject(
            i,
            draw(NAMES),
            None if kind == "clevr" else draw(BOXES),
            attributes=() if kind in ("coco", "ends") else attributes(),
            aliases=tuple(draw(st.lists(NAMES, max_size=1))) if kind in ("coco", "vg", "any") else (),
        )
        for i in ids
    )
    ends = st.sampled_from(ids)
    one = st.builds(SceneRelation, ends, predicates.filter(lambda p: p not in STORED), ends)
    relations = () if kind == "coco" else tuple(draw(st.lists(one, max_size=5, unique=True)))
    size = draw(st.integers(1, 9999)), draw(st.integers(1, 9999))
    if kind == "clevr":
        size = (480, 320)
    return SceneGraph(str(draw(st.integers(1, 10**7))), objects, relations, *size)


def facts(found: list[SceneGraph]) -> list[set[tuple[str, str, str, float]]]:
    return [set(s.facts()) for s in found]


def read_back(text: str, name: str = "scenes.json") -> list[SceneGraph]:
    with TemporaryDirectory() as folder:
        return list(read_scenes(writers.write(Path(folder), name, text)))


CASES = {
    "own": (scenes(), writers.own, "scene"),
    "visual genome": (scenes(kind="vg"), writers.visual_genome, "visual-genome"),
    "gqa": (scenes(kind="gqa"), writers.gqa, "gqa"),
    "coco": (scenes(kind="coco"), writers.coco, "coco"),
    "clevr": (
        scenes(kind="clevr", predicates=st.sampled_from(["left_of", "right_of", "in_front_of", "behind"])),
        writers.clevr,
        "clevr",
    ),
}


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_scenes_come_back_from_each_format(case: str, data: st.DataObject) -> None:
    strategy, write, name = CASES[case]
    before = data.draw(st.lists(strategy, min_size=1, max_size=3, unique_by=lambda s: s.id))
    text = write(before)
    with TemporaryDirectory() as folder:
        assert name == detect(writers.write(Path(folder), "a.json", text)).NAME
    after = read_back(text)
    assert facts(after) == facts(before)
    assert [[o.aliases for o in s.objects] for s in after] == [[o.aliases for o in s.objects] for s in before]
    assert [(s.width, s.height) for s in after] == [(s.width, s.height) for s in before]


@settings(max_examples=40, deadline=None)
@given(scene=scenes(kind="ends").filter(lambda s: s.relations))
def test_relationships_bring_their_own_objects(scene: SceneGraph) -> None:
    (after,) = read_back(writers.visual_genome_relationships([scene]))
    assert set(after.relations) == set(scene.relations)
    used = {end for r in scene.relations for end in (r.subject, r.object)}
    assert {o.id: (o.name, o.box) for o in after.objects} == {i: (scene[i].name, scene[i].box) for i in used}


@settings(max_examples=40, deadline=None)
@given(scene=scenes(kind="ends").filter(lambda s: s.relations))
def test_a_table_of_relationships_keeps_words_and_relations(scene: SceneGraph) -> None:
    (after,) = read_back(writers.visual_genome_table([scene]), "relationships.tsv")
    said = {(scene[r.subject].name, r.predicate, scene[r.object].name) for r in scene.relations}
    assert {(after[r.subject].name, r.predicate, after[r.object].name) for r in after.relations} == said


def test_repeated_lines_of_a_table_take_less_than_half_the_time_of_new_ones(tmp_path: Path) -> None:
    def seconds(name: str, row: str) -> float:
        heading = "image_id\trelationship\tsubject\tobject\n"
        path = writers.write(tmp_path, name, heading + "".join(row.format(n) for n in range(30_000)))
        began = time.process_time()
        assert sum(scene.id == "7" for scene in detect(path).scenes(path)) == 1  # type: ignore[attr-defined]
        return time.process_time() - began

    old = min(seconds(f"old-{turn}", "7\tto the left of\tcube\tball\n") for turn in range(3))
    assert old < 0.5 * seconds("new", "7\tto the left of\tcube {0}\tball {0}\n")


def test_visual_genome_sample_is_read_without_a_reject(shared_data: Path) -> None:
    path = shared_data / "visual_genome_sample" / "relationships.tsv"
    parts = list(detect(path).read(path, ReadOptions()))
    assert not [p for p in parts if isinstance(p, Rejects)]
    rows = [row for part in parts for row in part.to_pylist()]
    stated = {(r["graph"], r["subject"], r["predicate"], r["object"]) for r in rows}
    assert ("scene/1", "/s/1/man", "wears", "/s/1/sneakers") in stated


def test_one_bad_scene_is_rejected_and_the_rest_read(tmp_path: Path) -> None:
    good = '{"image_id": 1, "objects": [{"object_id": 5, "names": ["knife"]}], "relationships": []}'
    bad = '{"image_id": 2, "objects": [{"object_id": 5, "names": [""]}], "relationships": []}'
    path = writers.write(tmp_path, "a.json", f"[\n{good},\n{bad}\n]")
    batch, rejects = detect(path).read(path, ReadOptions())
    assert rejects.lines == [3]
    assert "object name is ''" in rejects.reasons[0]
    assert set(batch.to_pydict()["graph"]) == {"scene/1"}
    with pytest.raises(BadInput, match=r"a\.json:3: .*object name"):
        list(read_scenes(path))


def test_a_relation_to_a_missing_object_is_left_out_alone(tmp_path: Path) -> None:
    data = [
        {
            "image_id": 1,
            "objects": [{"object_id": 5, "names": ["knife"]}],
            "relationships": [{"predicate": "on", "subject_id": 5, "object_id": 6}],
        }
    ]
    path = writers.write(tmp_path, "a.json", json.dumps(data))
    batch, rejects = detect(path).read(path, ReadOptions())
    assert batch.num_rows == 3
    assert "object 6" in rejects.reasons[0]


@pytest.mark.parametrize("case", CASES)
def test_a_cut_file_is_refused_as_a_whole(case: str, tmp_path: Path) -> None:
    _, write, name = CASES[case]
    box, attributes = (1.0, 2.0, 3.0, 4.0), ("big", "red", "metal")
    scene = SceneGraph("7", (SceneObject("0", "cube", box, attributes=attributes),), (), 480, 320)
    text = write([scene] * 2)
    path = writers.write(tmp_path, "cut.json", text[: len(text) * 3 // 4])
    with pytest.raises(BadInput, match="cut"):
        list(detect(path, name).read(path, ReadOptions()))


def test_a_named_graph_takes_all_scenes(tmp_path: Path) -> None:
    path = writers.write(tmp_path, "a.json", writers.own([SceneGraph("7", (SceneObject("0", "cube"),))]))
    (batch,) = detect(path).read(path, ReadOptions(graph="photos"))
    assert set(batch.to_pydict()["graph"]) == {None}


def coco(annotations: list[dict[str, object]]) -> str:
    images = [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "val/a.jpg"}]
    return json.dumps({"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "dog"}]})


def test_pictures_of_one_name_in_two_folders_are_two_scenes(tmp_path: Path) -> None:
    boxes = [{"id": i, "image_id": i, "category_id": 1, "bbox": [0, 0, 1, 1]} for i in (1, 2)]
    found = list(read_scenes(writers.write(tmp_path, "a.json", coco(boxes))))
    assert [scene.id for scene in found] == ["a", "val_a"]


def test_two_annotations_of_one_id_are_not_made_one(tmp_path: Path) -> None:
    boxes = [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [x, 0, 1, 1]} for x in (0, 5)]
    path = writers.write(tmp_path, "a.json", coco(boxes))
    rejects = [part for part in detect(path).read(path, ReadOptions()) if isinstance(part, Rejects)]
    assert "annotation 1 (line 1) left out: another of this id" in rejects[0].reasons[0]


WRONG_PARTS = [
    coco([{"id": 1, "image_id": 1, "category_id": 1, "bbox": bbox}])
    for bbox in ([], None, "1234", [1, 2, 3], [10**400] * 4)
]
WRONG_PARTS += [
    coco([{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "score": "much"}]),
    '[{"image_id": 1, "objects": [null], "relationships": []}]',
    '[{"image_id": 1, "objects": [{"object_id": 1, "name": "a"}], "relationships": [null]}]',
    '[{"image_id": 1, "objects": 7, "relationships": []}]',
    '{"7": {"width": 1, "objects": {"1": {"name": "cup", "relations": [7]}}}}',
    '{"scenes": [{"image_index": "one", "objects": [{"shape": 5, "3d_coords": 1}]}]}',
    '{"scenes": [{"image_index": null, "objects": []}]}',
]


@pytest.mark.parametrize("text", WRONG_PARTS)
def test_reasons_are_told_in_words(text: str, tmp_path: Path) -> None:
    path = writers.write(tmp_path, "a.json", text)
    reasons = [r for part in detect(path).read(path, ReadOptions()) if isinstance(part, Rejects) for r in part.reasons]
    assert reasons
    for reason in reasons:
        for python in ("NoneType", "()", "Error", "object is not", "argument", "literal for", "could not", "subscript"):
            assert python not in reason


def clevr(*entries: dict[str, object]) -> str:
    solid = {"shape": "cube", "3d_coords": [0, 0, 0]}
    return json.dumps({"scenes": [{"image_index": 0, "objects": [solid], **entry} for entry in entries]})


def test_clevr_pictures_of_one_name_in_two_folders_or_splits_are_two_scenes(tmp_path: Path) -> None:
    """In one file, and in two: what a scene is called does not depend on what lies beside it."""
    kb = kgmm.open(tmp_path / "kb")
    for split in ("train", "val"):
        names = [{"image_filename": f"{split}/a b.png"}, {"image_filename": "c.png", "split": split}, {"split": split}]
        names += [
            {"image_filename": f"CLEVR_{split}_000001.png", "split": split},
            {"image_filename": "c.png", "split": split},
        ]
        path = writers.write(tmp_path, f"{split}.json", clevr(*names))
        assert kb.load(path).rejected == 0
    expected = {
        f"scene/{name}"
        for s in ("train", "val")
        for name in (f"{s}_a_b", f"{s}_c", f"{s}_clevr_0", f"CLEVR_{s}_000001", f"{s}_c_4")
    }
    assert set(kb.graphs()) == expected and len(set(kb.graphs().values())) == 1


def test_coco_pictures_of_one_name_in_two_files_are_two_scenes(tmp_path: Path) -> None:
    kb = kgmm.open(tmp_path / "kb")
    for split in ("train", "val"):
        said = json.loads(coco([{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1]}]))
        said["images"] = [{"id": 1, "file_name": f"{split}/a.jpg"}]
        kb.load(writers.write(tmp_path, f"{split}.json", json.dumps(said)))
    assert set(kb.graphs()) == {"scene/train_a", "scene/val_a"}
