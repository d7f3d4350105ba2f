"""Which relation of place holds between two seen objects."""

from __future__ import annotations

import pytest

import kgmm
from kgmm.reason.explicit.places import by_boxes, related, scene_citation
from kgmm.reason.task import Task
from kgmm.scene import SceneGraph, SceneObject, SceneRelation


def placed(tmp_path, *relations, boxes=False):
    box = ((0, 0, 10, 10), (50, 0, 10, 10)) if boxes else (None, None)
    objects = (SceneObject("a", "cup", box[0]), SceneObject("b", "table", box[1]))
    return Task(kgmm.open(tmp_path / "kb"), SceneGraph("s", objects, relations, 100, 100), "What is on the table?")


@pytest.mark.parametrize(
    ("stated", "wanted", "holds"),
    [
        ("on", "on", True),
        ("on_top_of", "on", True),
        ("on", "on_top_of", True),
        ("sitting on", "on", True),
        ("atop", "on", True),
        ("near", "next_to", True),
        ("under", "below", True),
        ("under", "on", False),
        ("holding", "hold", True),
        ("on", "left_of", False),
    ],
)
def test_a_stated_relation_holds_in_other_words(tmp_path, stated, wanted, holds):
    relation = SceneRelation("a", stated, "b")
    assert (related(placed(tmp_path, relation), "a", wanted, "b") == relation) == holds


@pytest.mark.parametrize(
    ("stated", "wanted", "holds"),
    [("on", "below", True), ("left_of", "right_of", True), ("near", "next_to", True), ("on", "on", False)],
)
def test_a_relation_holds_the_other_way_round_by_its_inverse(tmp_path, stated, wanted, holds):
    relation = SceneRelation("b", stated, "a")
    assert (related(placed(tmp_path, relation), "a", wanted, "b") == relation) == holds


def test_boxes_say_what_is_not_stated_and_are_cited_as_such(tmp_path):
    task = placed(tmp_path, boxes=True)
    seen = related(task, "a", "left_of", "b")
    assert seen is not None and seen.score < 1 and scene_citation(task, seen).role == "boxes"
    assert related(task, "b", "left_of", "a") is None
    assert related(placed(tmp_path / "2"), "a", "left_of", "b") is None


def test_boxes_that_contain_one_another_are_inside_and_not_beside():
    outer, inner, beside = (0, 0, 100, 100), (40, 40, 10, 10), (105, 40, 20, 20)
    assert by_boxes(inner, outer, "inside") and not by_boxes(outer, inner, "inside")
    assert by_boxes(outer, beside, "next_to") and not by_boxes(inner, outer, "next_to")
    assert not by_boxes(inner, outer, "hold")
