"""Relations read off boxes: as people draw them, consistent both ways, the same wherever the picture is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgmm.perceivers._relations import spatial_relations
from kgmm.scene import SceneObject

BOXES = st.tuples(*[st.integers(0, 300).map(float)] * 2, *[st.integers(5, 200).map(float)] * 2)


def related(a: tuple[float, ...], b: tuple[float, ...]) -> set[tuple[str, str, str]]:
    objects = [SceneObject("a", "thing", a, 0.9), SceneObject("b", "thing", b, 0.6)]  # type: ignore[arg-type]
    return {(r.subject, r.predicate, r.object) for r in spatial_relations(objects)}


@pytest.mark.parametrize(
    ("a", "b", "expected", "absent"),
    [
        ((40, 10, 20, 30), (0, 35, 100, 60), {("a", "on", "b"), ("a", "above", "b")}, {"inside", "next_to"}),
        ((40, 45, 20, 20), (0, 35, 100, 60), {("a", "inside", "b")}, {"on", "above", "left_of"}),
        (
            (0, 0, 40, 40),
            (45, 5, 40, 40),
            {("a", "left_of", "b"), ("b", "right_of", "a"), ("a", "next_to", "b")},
            {"above"},
        ),
        ((0, 0, 40, 40), (200, 5, 40, 40), {("a", "left_of", "b")}, {"next_to", "above"}),
        ((0, 0, 40, 40), (5, 100, 40, 40), {("a", "above", "b"), ("b", "below", "a")}, {"left_of", "on"}),
    ],
)
def test_relations_are_those_a_person_would_name(
    a: tuple[float, ...], b: tuple[float, ...], expected: set[tuple[str, str, str]], absent: set[str]
) -> None:
    found = related(a, b)
    assert expected <= found
    assert not absent & {predicate for _, predicate, _ in found}


@given(BOXES, BOXES)
def test_opposites_come_together_and_never_both_ways(a: tuple[float, ...], b: tuple[float, ...]) -> None:
    found = related(a, b)
    for one, other in (("left_of", "right_of"), ("above", "below"), ("next_to", "next_to")):
        assert (("a", one, "b") in found) == (("b", other, "a") in found)
    for predicate in ("left_of", "above", "on", "inside"):
        assert not {("a", predicate, "b"), ("b", predicate, "a")} <= found


@given(BOXES, BOXES)
def test_order_of_objects_does_not_matter(a: tuple[float, ...], b: tuple[float, ...]) -> None:
    swap = {"a": "b", "b": "a"}
    assert related(a, b) == {(swap[s], p, swap[o]) for s, p, o in related(b, a)}


@given(BOXES, BOXES, st.integers(0, 500), st.integers(0, 500), st.sampled_from([0.5, 2.0, 4.0]))
def test_moving_or_scaling_the_picture_changes_nothing(
    a: tuple[float, ...], b: tuple[float, ...], dx: int, dy: int, factor: float
) -> None:
    def moved(box: tuple[float, ...]) -> tuple[float, ...]:
        x, y, w, h = box
        return ((x + dx) * factor, (y + dy) * factor, w * factor, h * factor)

    assert related(a, b) == related(moved(a), moved(b))


def test_a_relation_is_no_surer_than_its_objects() -> None:
    objects = [SceneObject("a", "cup", (0, 0, 9, 9), 0.9), SceneObject("b", "cup", (20, 0, 9, 9), 0.6)]
    assert {r.score for r in spatial_relations(objects)} == {0.6}


def test_objects_without_boxes_are_left_out() -> None:
    assert spatial_relations([SceneObject("a", "cup"), SceneObject("b", "cup", (0, 0, 9, 9))]) == ()
