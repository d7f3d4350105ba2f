"""easy-vqa's pictures and the generated worlds."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from kgmm.data import clevr, easy_vqa
from kgmm.errors import KgmmError
from kgmm.reason.visual import worlds as shapes
from kgmm.reason.visual.grammar import clevr_program
from kgmm.reason.visual.segments import read_pixels, segments
from kgmm.scene import SceneGraph, SceneObject


def test_a_scene_is_drawn_as_described_and_cut_apart_again():
    for seed in range(20):
        world = clevr.scene(seed)
        found = segments(np.asarray(shapes.draw(world), np.float32) / 255)
        assert len(found) == len(world.objects)
        for o in world.objects:
            x, y = shapes.centre(o)
            near = min(found, key=lambda s: abs(s.box[0] + s.box[2] / 2 - x) + abs(s.box[1] + s.box[3] / 2 - y))
            colour = np.array(near.colour) * 255
            assert np.abs(colour - shapes.COLOURS[shapes.value(o, "colour")]).max() < 2


def test_programs_have_the_length_asked_for_and_are_answered():
    random = Random(0)
    worlds = [clevr.scene(s) for s in range(5)]
    for length in range(2, 9):
        for _ in range(50):
            program, text = clevr.draw_program(random, length)
            assert len(program) == length and text.endswith("?")
            assert all(i < n for n, step in enumerate(program) for i in step.inputs)
            answer = clevr.execute(program, random.choice(worlds))
            assert answer is None or answer in shapes.ANSWERS


def test_a_program_by_hand():
    box = {"a": (0, 0, 10, 10), "b": (50, 0, 10, 10), "c": (100, 0, 10, 10)}
    objects = tuple(
        SceneObject(i, shape, box[i], attributes=(colour, "small"))
        for i, shape, colour in (("a", "circle", "red"), ("b", "square", "blue"), ("c", "star", "red"))
    )
    world = SceneGraph("w", objects, width=160, height=160)
    step = shapes.ProgramStep
    left_of_star = (step("find", "star"), step("relate", "left_of", (0,)), step("filter", "red", (1,)))
    assert clevr.execute((*left_of_star, step("query", "shape", (2,))), world) == "circle"
    assert (
        clevr.execute((step("find", "square"), step("same", "colour", (0,)), step("exist", inputs=(1,))), world) == "no"
    )
    two = (step("find", "red"), step("count", inputs=(0,)), step("find", "blue"), step("count", inputs=(2,)))
    assert clevr.execute((*two, step("greater", inputs=(1, 3))), world) == "yes"
    assert clevr.execute((step("find", "red"), step("query", "shape", (0,))), world) is None


def test_same_seed_same_questions():
    worlds = [clevr.scene(s) for s in range(3)]
    assert clevr.questions(worlds, 5, (2, 3), seed=4) == clevr.questions(worlds, 5, (2, 3), seed=4)
    assert clevr.questions(worlds, 5, (2, 3), seed=4) != clevr.questions(worlds, 5, (2, 3), seed=5)


def test_relations_listed_are_those_that_hold():
    world = clevr.scene(3)
    listed = {(r.subject, r.predicate, r.object) for r in world.relations}
    true = {
        (a.id, r, b.id)
        for a in world.objects
        for b in world.objects
        for r in clevr.RELATIONS
        if a != b and clevr.holds(r, a, b)
    }
    assert listed == true


def test_easy_vqa_pictures_hold_one_object():
    pytest.importorskip("easy_vqa")
    questions = easy_vqa.load_questions("test")
    assert len(questions) == 9673
    assert {q.answer for q in questions} == set((easy_vqa.data_folder() / "answers.txt").read_text().split())
    counts = [len(segments(read_pixels(easy_vqa.image_path("test", i)))) for i in range(60)]
    assert counts == [1] * 60


def test_every_question_is_read_back_to_its_program():
    random = Random(7)
    for length in range(2, 12):
        for _ in range(100):
            program, text = clevr.draw_program(random, length)
            assert clevr_program(text) == program, text


@pytest.mark.parametrize(
    "question", ["", "how many stars?", "how many red are there?", "why?", "are there any stars and circles?"]
)
def test_questions_outside_the_grammar_are_refused_with_the_place(question):
    with pytest.raises(KgmmError, match="expected"):
        clevr_program(question)


def test_the_centre_of_mass_of_a_drawn_shape_is_its_centre():
    world = clevr.scene(11)
    found = segments(np.asarray(shapes.draw(world), np.float32) / 255)
    for o in world.objects:
        x, y = shapes.centre(o)
        assert min(abs(s.centre[0] - x) + abs(s.centre[1] - y) for s in found) < 1.5
