"""Sentence by sentence: what is said of what is seen, in which order, within how many words, and what it rests on."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgmm.describe import Sighting, describe, narrate, say
from kgmm.describe.sentences import spelled
from kgmm.describe.sightings import sightings
from kgmm.errors import KgmmError
from kgmm.knowledge import KnowledgeStore
from kgmm.scene import SceneGraph, SceneObject, SceneRelation
from kgmm.store.facts import Fact

SHARP = ("sharp", (Fact("knife", "HasProperty", "sharp"),))
VEHICLE = ("vehicle", (Fact("bicycle", "IsA", "vehicle"),))


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (Sighting("bicycle", 2.0, -15.0, speed=1.0), "Bicycle, two metres, front left, approaching."),
        (
            Sighting("bicycle", 2.0, -15.0, speed=1.0, hazards=(VEHICLE,)),
            "Bicycle, two metres, front left, approaching.",
        ),
        (Sighting("car", 12.4, 3.0, speed=8.0), "Car, ten metres, ahead, approaching fast."),
        (Sighting("car", 12.6, 30.0, speed=-2.0), "Car, fifteen metres, right, moving away."),
        (
            Sighting("bus", 34.0, 10.0, speed=0.1, sideways=-9.0),
            "Bus, thirty metres, front right, crossing to the left.",
        ),
        (Sighting("tree", 1.2, 0.0, speed=0.2), "Tree, one metre, ahead."),
        (Sighting("knife", 0.4, 0.0, hazards=(SHARP,)), "Knife, within reach, ahead, sharp."),
        (Sighting("person", 4.2, -9.0, how="estimated"), "Person, about four metres, front left."),
        (Sighting("person", 1.3, -9.0, how="within"), "Person, within two metres, front left."),
        (Sighting("tower", 400.0, 0.0), "Tower, far, ahead."),
        (Sighting("rock", None, 1.0, how="by size", size="near"), "Rock, near, ahead."),
        (Sighting("rock", None, 1.0, how="by size", contact=2.0), "Rock, ahead, approaching fast."),
        (Sighting("rock", None, 1.0, how="by size", contact=7.0), "Rock, ahead, approaching."),
        (Sighting("rock", None, 1.0, how="by size", contact=-5.0), "Rock, ahead, moving away."),
        (Sighting("wine_glass"), "Wine glass."),
    ],
)
def test_one_thing_is_one_sentence(seen: Sighting, said: str) -> None:
    assert say([seen], 50).text == said


def test_the_nearest_and_the_fastest_come_first() -> None:
    tree, wall = Sighting("tree", 2.0, 0.0), Sighting("wall", 5.0, 0.0)
    car, bus = Sighting("car", 20.0, 0.0, speed=13.0), Sighting("bus", 20.0, 5.0, speed=5.0)
    said = say([wall, bus, tree, car], 50)
    assert said.text == (
        "Car, twenty metres, ahead, approaching fast. Tree, two metres, ahead."
        " Bus, twenty metres, ahead, approaching fast. Wall, five metres, ahead."
    )


def test_danger_comes_before_what_is_as_near() -> None:
    knife, fork = Sighting("knife", 2.0, 0.0, hazards=(SHARP,)), Sighting("fork", 2.0, 0.0)
    assert say([fork, knife], 50).text == "Knife, two metres, ahead, sharp. Fork, two metres, ahead."
    assert say([Sighting("fork", 0.9, 0.0), knife], 50).text.startswith("Fork")


def test_things_alike_are_one_sentence() -> None:
    people = [Sighting("person", 4.0, 0.0, id=str(n)) for n in range(3)]
    apart = Sighting("person", 4.0, 40.0, id="4")
    assert say([*people, apart], 50).text == "Three people, four metres, ahead. Person, four metres, right."


def test_what_does_not_fit_is_said_shorter_and_then_not() -> None:
    seen = Sighting("knife", 0.9, -15.0, speed=1.0, hazards=(SHARP,))
    texts = [say([seen], words).text for words in range(8)]
    assert texts[7] == "Knife, one metre, front left, approaching, sharp."
    assert texts[5] == texts[6] == "Knife, front left, approaching, sharp." and texts[4] == "Knife, front left, sharp."
    assert texts[2:4] == ["Knife, sharp."] * 2 and texts[:2] == ["", "Knife."]
    both = say([Sighting("cup", 1.0, 0.0), Sighting("table", 2.0, 0.0)], 5)
    assert both.text == "Cup, one metre, ahead. Table." and say([Sighting("cup"), Sighting("table")], 1).left_out == 1


THINGS = st.builds(
    Sighting,
    st.sampled_from(["car", "person", "knife", "wine glass"]),
    st.none() | st.floats(0, 200),
    st.none() | st.floats(-90, 90),
    st.none() | st.floats(-20, 20),
    sideways=st.none() | st.floats(-40, 40),
    id=st.uuids().map(str),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(THINGS, max_size=8), st.integers(0, 40), st.randoms(use_true_random=False))
def test_words_are_never_more_than_the_budget_and_order_given_changes_nothing(
    things: list[Sighting], words: int, chance: random.Random
) -> None:
    said = say(things, words)
    assert len(said.text.split()) <= words
    assert said.left_out + sum(len(s.about) for s in said.sentences) == len(things)
    chance.shuffle(things)
    assert say(things, words) == said


def test_numbers_are_spelled() -> None:
    assert [spelled(n) for n in (0, 9, 13, 20, 99)] == ["zero", "nine", "thirteen", "twenty", "ninety-nine"]


def _scene(*objects: SceneObject, relations: tuple[SceneRelation, ...] = ()) -> SceneGraph:
    return SceneGraph("s", objects, relations, 1280, 960)


class TestWhereThingsAre:
    def test_a_pinhole_camera_tells_distance_of_what_has_a_usual_size(self) -> None:
        focal = 640 / math.tan(math.radians(30))
        (person,) = sightings(_scene(SceneObject("p", "person", (600, 300, 80, focal * 1.7 / 5))))
        assert (
            person.distance == pytest.approx(5.0) and person.how == "estimated" and person.bearing == pytest.approx(0)
        )
        (wide,) = sightings(_scene(SceneObject("p", "person", (600, 300, 80, focal * 1.7 / 5))), 90)
        assert wide.distance == pytest.approx(5.0 * math.tan(math.radians(30)))

    def test_what_the_edge_cuts_is_within(self) -> None:
        (person,) = sightings(_scene(SceneObject("p", "person", (600, 400, 200, 560))))
        assert person.how == "within" and describe(_scene(SceneObject("p", "person", (600, 400, 200, 560)))).text == (
            "Person, within four metres, ahead."
        )

    def test_what_has_no_usual_size_is_near_or_far_by_its_box_and_that_is_said(self) -> None:
        scene = _scene(SceneObject("a", "rock", (0, 100, 400, 600)), SceneObject("b", "rock", (900, 400, 40, 60)))
        said = describe(scene)
        assert said.text == "Rock, near, front left. Rock, far, front right."
        assert said.assumptions == (
            "near and far are by a box's part of the picture's height, where the size of a thing is not known",
        )

    def test_a_measured_distance_needs_no_assumption(self) -> None:
        said = describe(_scene(SceneObject("a", "rock", (0, 100, 400, 600), attributes=("grey", "2.2 m"))))
        assert said.text == "Rock, two metres, front left." and said.assumptions == ()

    def test_an_estimate_names_what_it_assumes(self) -> None:
        said = describe(_scene(SceneObject("c", "car", (600, 500, 200, 150))))
        assert said.text == "Car, about ten metres, ahead."
        assert said.assumptions == (
            "estimated distances take things for as high as usual and the picture for 60 degrees wide",
        )

    def test_what_is_in_another_thing_is_as_far_and_parts_are_not_told(self) -> None:
        objects = (
            SceneObject("c", "cup", (500, 300, 300, 300)),
            SceneObject("k", "coffee", (520, 310, 250, 90), attributes=("hot",)),
            SceneObject("h", "handle", (800, 350, 40, 90)),
        )
        relations = (SceneRelation("k", "inside", "c"), SceneRelation("h", "part_of", "c"))
        assert describe(_scene(*objects, relations=relations)).text == (
            "Coffee, within reach, ahead, hot. Cup, within reach, ahead."
        )

    def test_things_in_each_other_end(self) -> None:
        relations = (SceneRelation("a", "in", "b"), SceneRelation("b", "in", "a"))
        assert len(sightings(_scene(SceneObject("a", "x"), SceneObject("b", "y"), relations=relations))) == 2

    def test_without_boxes_things_are_named(self) -> None:
        assert describe(SceneGraph("s", (SceneObject("a", "dog"), SceneObject("b", "dog")))).text == "Two dogs."
        assert describe(SceneGraph("s")).text == ""

    def test_boxes_and_names_that_say_nothing_are_passed_over(self) -> None:
        scene = _scene(
            SceneObject("a", "car", (1e300, -5, 0, 0)),
            SceneObject("b", "person", (0, 0, -10, -20)),
            SceneObject("c", "dog", (float("nan"), 1, 1, float("inf"))),
            SceneObject("d", "cup", (0, 0, 1e-300, 1e-300), aliases=("",)),
            SceneObject("e", " "),
            SceneObject("f", "stone", attributes=("9" * 400 + " m",)),
        )
        assert describe(scene).text == "Car. Dog. Person. Stone. Cup, far, left."


class TestDanger:
    def test_it_is_looked_up_and_cited(self, bundled_kb: KnowledgeStore) -> None:
        scene = _scene(SceneObject("k", "knife", (600, 500, 200, 100)), SceneObject("p", "plate", (500, 500, 300, 100)))
        said = describe(scene, bundled_kb)
        assert said.text == "Knife, far, ahead, sharp and dangerous. Plate, far, ahead."
        facts = [f for _, facts in said.sentences[0].about[0].hazards for f in facts]
        assert [(f.predicate, f.object) for f in facts] == [
            ("HasProperty", "/c/en/sharp"),
            ("HasProperty", "/c/en/dangerous"),
        ]
        assert all(bundled_kb.find(f.subject, f.predicate, f.object) for f in facts)

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("stove", ["hot"]),
            ("cobra", ["poisonous", "dangerous"]),
            ("bear", ["may attack", "dangerous"]),
            ("motorcycle", ["dangerous", "vehicle"]),
            ("car", ["vehicle"]),
            ("chair", []),
            ("person", []),
            ("cup", []),
        ],
    )
    def test_what_the_bundled_knowledge_warns_of(self, name: str, words: list[str], bundled_kb: KnowledgeStore) -> None:
        (one,) = describe(SceneGraph("s", (SceneObject("o", name),)), bundled_kb).sentences[0].about
        assert [word for word, _ in one.hazards] == words

    def test_everything_of_a_street_and_a_kitchen_that_is_harmless_is_not_warned_of(
        self, bundled_kb: KnowledgeStore
    ) -> None:
        for name in "person tree bench cup plate table chair book bed door window flower dog cat".split():
            said = describe(SceneGraph("s", (SceneObject("o", name),)), bundled_kb)
            assert said.text == f"{name.capitalize()}.", name


def _car(time: float, distance: float, bearing: float = 0.0) -> tuple[float, SceneGraph]:
    focal = 640 / math.tan(math.radians(30))
    tall, middle = focal * 1.5 / distance, 640 + focal * math.tan(math.radians(bearing))
    return time, _scene(SceneObject("c", "car", (middle - tall, 480 - tall / 2, 2 * tall, tall)))


class TestFilm:
    def test_a_car_that_comes_nearer_is_told_once_and_again_when_it_is_much_nearer(self) -> None:
        said = narrate([_car(t, 30 - 4 * t) for t in range(7)])
        assert [one.text for one in said] == [
            "Car, about thirty metres, ahead.",
            "",
            "Car, about twenty metres, ahead, approaching fast.",
            "",
            "",
            "Car, about ten metres, ahead, approaching fast.",
            "",
        ]
        (seen,) = said[2].sentences[0].about
        assert seen.speed == pytest.approx(4.0) and seen.contact == pytest.approx(22 / 4)

    def test_what_stands_still_is_told_once(self) -> None:
        assert [one.text for one in narrate([_car(t, 9.0) for t in range(4)])] == [
            "Car, about nine metres, ahead.", "", "", ""]  # fmt: skip

    def test_what_crosses_and_what_leaves(self) -> None:
        crossing = narrate([_car(t, 9.0, -20 + 10 * t) for t in range(3)])
        assert "crossing to the right" in " ".join(one.text for one in crossing)
        leaving = narrate([_car(2.0 * t, 6.0 + 4 * t) for t in range(3)])
        assert "moving away" in " ".join(one.text for one in leaving)

    def test_growth_of_a_box_tells_of_approach_where_the_size_is_not_known(self) -> None:
        def rock(time: float, tall: float) -> tuple[float, SceneGraph]:
            return time, _scene(SceneObject("r", "rock", (600, 400, 50, tall)))

        (seen,) = narrate([rock(0, 100), rock(1.0, 122.14)], words_per_second=9)[1].sentences[0].about
        assert seen.distance is None and seen.contact == pytest.approx(5.0, abs=0.1)

    def test_words_never_outrun_the_pace(self) -> None:
        film = []
        for t in range(40):
            things = [SceneObject(f"{t}-{n}", f"thing {n}", (100 * n, 300, 80, 300)) for n in range(6)]
            film.append((t / 4, _scene(*things)))
        said = narrate(film, words_per_second=2.0, seconds=3.0)
        words = 0
        for one in said:
            assert one.at is not None
            before = words
            words += len(one.text.split())
            assert (
                not one.text or before <= 2.0 * (one.at + 0.5) + 1e-9
            )  # what was said has ended, or ends half a second later
        assert words > 10

    def test_what_is_nearly_there_interrupts_and_what_was_cut_off_is_told_again(self) -> None:
        things = [SceneObject(n, f"{n} lamp post", (300, 300, 80, 400)) for n in ("green", "blue")]
        focal = 640 / math.tan(math.radians(30))
        film = []
        for t, distance in ((0.0, None), (0.5, 12.0), (1.0, 6.0), (4.0, None), (6.0, None)):
            seen = [SceneObject("c", "car", (600, 300, 90, focal * 1.5 / distance))] if distance else []
            film.append((t, _scene(*things, *seen)))
        said = narrate(film)
        assert [(one.text, one.interrupts) for one in said[:3]] == [
            ("Blue lamp post, front left.", False),
            ("", False),
            ("Car, about six metres, ahead, approaching fast.", True),
        ]
        assert [one.text for one in said[3:]] == ["Blue lamp post, front left.", "Green lamp post, front left."]

    def test_ids_of_one_scene_each_are_told_apart_by_boxes(self) -> None:
        film = [(t, _scene(SceneObject(f"o{t}", "car", (600 - 10 * t, 480, 100, 80 + 12 * t)))) for t in range(4)]
        assert any("approaching" in one.text for one in narrate(film, tracked=False, words_per_second=9))
        assert not any("approaching" in one.text for one in narrate(film, tracked=True, words_per_second=9))

    @pytest.mark.parametrize("times", [(0.0, 0.0), (1.0, 0.5), (0.0, float("nan"))])
    def test_times_must_grow(self, times: tuple[float, float]) -> None:
        with pytest.raises(KgmmError, match="grow"):
            narrate([(t, SceneGraph("s")) for t in times])


@pytest.mark.parametrize(
    "how", [{"seconds": 0}, {"words_per_second": -1}, {"field_of_view": 180}, {"seconds": math.inf}]
)
def test_numbers_out_of_bounds_are_refused(how: dict[str, float]) -> None:
    with pytest.raises(KgmmError):
        describe(SceneGraph("s"), **how)
