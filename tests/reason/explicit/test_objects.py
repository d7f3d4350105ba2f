"""Which seen objects fit a description."""

from __future__ import annotations

import pytest

import kgmm
from kgmm.reason.explicit.objects import agreement, matches, seen_as, support
from kgmm.reason.question.data import Constraint
from kgmm.reason.question.nouns import parse_noun
from kgmm.reason.task import Task
from kgmm.scene import SceneGraph, SceneObject, SceneRelation
from kgmm.store import Fact

FACTS = (
    "cat IsA pet",
    "pet IsA animal",
    "dog IsA animal",
    "dog CapableOf bark",
    "cup UsedFor drinking",
    "penguin IsA bird",
    "bird CapableOf fly",
    "penguin NotCapableOf fly",
)
OBJECTS = (
    SceneObject("cat1", "cat", (0, 0, 20, 20), attributes=("black",)),
    SceneObject("cup1", "coffee cup", (60, 60, 10, 10), attributes=("red", "large")),
    SceneObject("cup2", "cup", (80, 10, 10, 10), attributes=("blue",)),
    SceneObject("table1", "table", (50, 50, 50, 50)),
    SceneObject("bird1", "penguin", (20, 70, 10, 20)),
)
RELATIONS = (SceneRelation("cup1", "on", "table1"), SceneRelation("cat1", "near", "table1"))


@pytest.fixture(scope="module")
def kb(tmp_path_factory):
    with kgmm.open(tmp_path_factory.mktemp("objects") / "kb") as kb:
        kb.add([Fact(f"/c/en/{s}", p, f"/c/en/{o}") for s, p, o in map(str.split, FACTS)])
        yield kb


def task(kb, question="What is on the table?"):
    return Task(kb, SceneGraph("room", OBJECTS, RELATIONS, 100, 100), question)


@pytest.mark.parametrize(
    ("description", "fitting"),
    [
        ("the cat", ["cat1"]),
        ("cup", ["cup2", "cup1"]),  # its very name before its last word
        ("animal", ["cat1"]),  # by the chain of kinds
        ("the black animal", ["cat1"]),
        ("the blue cup", ["cup2"]),
        ("the big cup", ["cup1"]),  # "large" and "big" say the same
        ("the red cat", []),
        ("the cup on the table", ["cup1"]),
        ("the thing under the coffee cup", ["table1", "bird1"]),
        ("the cup on the left", ["cup1"]),
        ("the cup at the top", ["cup2"]),
        ("the dog", []),
    ],
)
def test_a_description_fits_what_it_says(kb, description, fitting):
    found = [m.object.id for m in matches(task(kb), parse_noun(description))]
    assert found == fitting


def test_a_kind_is_cited_by_its_chain(kb):
    (cat,) = matches(task(kb), parse_noun("the animal"))
    assert [(c.fact.subject, c.fact.object) for c in cat.citations if c.role == "kind"] == [
        ("/c/en/cat", "/c/en/pet"),
        ("/c/en/pet", "/c/en/animal"),
    ]
    assert cat.citations[0] == seen_as(task(kb), OBJECTS[0]) and cat.score < 1


def test_what_is_known_fits_and_what_is_denied_does_not(kb):
    asked = task(kb, "Which bird can fly?")
    drinking = matches(asked, parse_noun("thing that is used for drinking"))
    assert [m.object.id for m in drinking] == ["cup1", "cup2"] and drinking[0].citations[-1].fact.predicate == "UsedFor"
    assert matches(asked, parse_noun("bird that can fly")) == []
    (bird,) = matches(asked, parse_noun("bird that can not fly"))
    assert bird.object.id == "bird1" and bird.citations[-1].role == "denies"


def test_a_denial_supports_nothing_and_says_so(kb):
    by = support(task(kb, "Can the penguin fly?"), OBJECTS[4], Constraint(("CapableOf",), "fly"))
    assert by.denies and by.facts[-1].predicate == "NotCapableOf" and by.score == 1


def test_support_is_looked_up_once(kb):
    asked, condition = task(kb), Constraint(("UsedFor",), "drinking")
    assert support(asked, OBJECTS[2], condition) is support(asked, OBJECTS[2], condition)


def test_agreement_needs_the_words_or_nearly_the_meaning():
    assert agreement({"fly"}, "fly", 1.0) == 1
    assert agreement({"fly"}, "swim", 0.5) == 0
    assert agreement({"drink"}, "sip", 0.8) > agreement({"drink"}, "sip", 0.73) >= 0.6
    assert agreement({"drink", "coffee"}, "coffee", 0.0) < 0.8
