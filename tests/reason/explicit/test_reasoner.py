"""The straight pipe: rules decide or not, then a scorer, then the choice, then the threshold."""

from __future__ import annotations

import pytest

import kgmm
from kgmm.reason.explicit import certainty
from kgmm.reason.explicit.reasoner import answer
from kgmm.reason.task import Task
from kgmm.scene import SceneGraph, SceneObject, SceneRelation
from kgmm.store import Fact

FACTS = ("knife UsedFor cutting", "cup UsedFor drinking", "cup IsA container", "table MadeOf wood")
SEEN = (
    SceneObject("k", "knife", (60, 40, 10, 10)),
    SceneObject("c", "cup", (20, 20, 40, 40), attributes=("red",)),
    SceneObject("t", "table", (0, 40, 100, 60)),
)
DRAWN = SceneGraph("kitchen", SEEN, (SceneRelation("k", "on", "t"),), 100, 100)
LISTED = SceneGraph("list", tuple(SceneObject(o.id, o.name) for o in SEEN))


@pytest.fixture(scope="module")
def kb(tmp_path_factory):
    with kgmm.open(tmp_path_factory.mktemp("pipe") / "kb") as kb:
        kb.add([Fact(f"/c/en/{s}", p, f"/c/en/{o}") for s, p, o in map(str.split, FACTS)])
        yield kb


def asked(kb, question, scene=DRAWN, **options):
    return answer(Task(kb, scene, question, **options), "explicit")


@pytest.mark.parametrize(
    ("question", "expected", "step"),
    [
        ("What is it?", "cup", "match"),
        ("How many cups are there?", "1", "count"),
        ("Is there a cup?", "yes", "test"),
        ("What colour is the cup?", "red", "attribute"),
        ("What is the table made of?", "wood", "evidence"),
        ("What material is the table?", "wood", "attribute"),
        ("Where is the knife?", "on the table", "where"),
        ("What is the relation between the knife and the table?", "on", "relation"),
        ("What is the knife on?", "table", "related"),
        ("Which is bigger, the knife or the cup?", "cup", "compare"),
        ("Which thing is the smallest?", "knife", "compare"),
        ("Is the knife a container?", None, "test"),
        ("What do you see?", "knife, cup, table", "describe"),
        ("Which object is used for cutting?", "knife", "match"),
        ("What is the cup used for?", "drinking", "evidence"),
    ],
)
def test_each_kind_of_question_goes_its_way(kb, question, expected, step):
    outcome = asked(kb, question)
    assert (outcome.text, outcome.steps[0].name, outcome.steps[-1].name) == (expected, "parse", step)
    assert outcome.citations if expected is not None else outcome.abstained


def test_an_answer_less_sure_than_asked_is_withheld(kb):
    sure, unsure = asked(kb, "What colour is the cup?"), asked(kb, "What colour is the cup?", threshold=0.95)
    assert sure.text == "red" and sure.score == certainty.SHOWN_OTHER
    assert unsure.text is None and "below 0.95" in unsure.abstained


def test_a_computed_answer_is_said_as_a_choice_or_not_at_all(kb):
    assert asked(kb, "What colour is the cup?", choices=["green", "red one"]).text == "red one"
    assert asked(kb, "How many cups are there?", choices=["nine", "one"]).text == "one"
    assert asked(kb, "How many cups are there?", choices=["nine", "ten"]).text is None


def test_what_is_it_keeps_to_choices_and_threshold_as_other_questions_do(kb):
    assert asked(kb, "What is it?", choices=["knife", "cup of tea"]).text == "cup of tea"
    faint = SceneGraph("faint", (SceneObject("c", "cup", (20, 20, 40, 40), 0.4),), (), 100, 100)
    outcome = asked(kb, "What is it?", faint, threshold=0.5)
    assert outcome.text is None and "below 0.5" in outcome.abstained and outcome.memory


def test_only_a_choice_that_a_fact_says_is_chosen(kb):
    question = "What is the cup used for?"
    assert asked(kb, question, LISTED, choices=["drinking", "flying"]).text == "drinking"
    assert asked(kb, question, LISTED, choices=["flying"]).text is None


def test_a_list_of_names_is_asked_no_places(kb):
    outcome = asked(kb, "What is behind the cup?", LISTED)
    assert outcome.text is None and "list of names" in outcome.abstained


def test_taking_the_fact_away_takes_the_answer(kb):
    fact = ("/c/en/cup", "UsedFor", "/c/en/drinking")
    assert asked(kb, "What is the cup used for?", LISTED).text == "drinking"
    assert asked(kb, "What is the cup used for?", LISTED, exclude=frozenset([fact])).text != "drinking"
