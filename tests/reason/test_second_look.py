"""Questions that a first look cannot answer: a second look, what is not there, and parts that are implied."""

from pathlib import Path

import pytest

import kgmm
from kgmm.knowledge import KnowledgeStore
from kgmm.reason.sought import ASKED, COUNTED, GRANTED, sought
from kgmm.reason.task import Task
from kgmm.scene import SceneGraph, SceneObject

PHOTOS = Path(__file__).parents[2] / "graphs" / "photos"
CAT = SceneGraph("s", (SceneObject("c", "cat", (10, 10, 50, 50)),), (), 100, 100, complete=False)


@pytest.mark.parametrize(
    ("photo", "question", "answer", "role"),
    [
        ("coffee", "Is the spoon to the right of the cup?", "yes", "seen"),
        ("coffee", "Which object is used for stirring?", "spoon", "seen"),
        ("coffee", "How many horses are there?", "0", "absent"),
        ("cat", "Is there a dog in the picture?", "no", "absent"),
        ("cat", "Is there no dog?", "yes", "absent"),
        ("cat", "Which part of the cat is used for smelling?", "nose", "implied"),
        ("cat", "Where is the nose?", "part of the cat", "implied"),
        ("astronaut", "Who is wearing the space suit?", "astronaut", "implied"),
        ("rocket", "Which object can fly into space?", "rocket", "seen"),
        ("flower", "What colour is the big flower?", "orange", "attribute"),
        ("rocket", "How many towers are there?", None, ""),  # one found tells no number
        ("cat", "How many eyes can you see?", None, ""),  # implied things are not counted
    ],
)
def test_a_photograph_is_looked_at_again(
    bundled_kb: KnowledgeStore, photo: str, question: str, answer: str | None, role: str
) -> None:
    found = bundled_kb.ask(PHOTOS / f"{photo}.jpg", question)
    assert found.text == answer
    if answer is not None:
        assert role in {c.role for c in found.trace.citations} and found.trace.verify(bundled_kb)
        needed = [c for c in found.trace.citations if c.role == role]
        assert found.trace.without(*needed).text != answer  # and the answer falls with what it rests on
        read = kgmm.Trace.from_json(found.trace.to_json())
        assert read.citations == found.trace.citations and read.scene == found.trace.scene


def test_implied_things_can_be_left_out(bundled_kb: KnowledgeStore, shell) -> None:
    question = "Which part of the cat is used for smelling?"
    left_out = bundled_kb.ask(CAT, question, implied=False)
    assert left_out.text is None and not left_out.trace.implied and bundled_kb.ask(CAT, question).text == "nose"
    again = bundled_kb.attach(kgmm.Trace.from_json(left_out.trace.to_json()))
    assert again.without().text is None
    said = shell("ask", bundled_kb.path, PHOTOS / "cat.jpg", question)
    assert "implied cat has nose" in said.out
    assert shell("ask", bundled_kb.path, PHOTOS / "cat.jpg", question, "--no-implied").out.startswith("I don't know")


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Does the cat have a tail?", "yes"),
        ("What does the cat have?", None),
        ("What is the cat's tail used for?", None),
    ],
)
def test_what_facts_say_of_a_seen_thing_is_implied(
    bundled_kb: KnowledgeStore, question: str, answer: str | None
) -> None:
    found = bundled_kb.ask(CAT, question)
    assert found.text is not None and answer in (found.text, None)
    assert "implied" in {c.role for c in found.trace.citations}
    assert bundled_kb.ask(CAT, question, implied=False).text is None
    assert "implied" not in {c.role for c in bundled_kb.ask(None, "Does a cat have a tail?").trace.citations}


def test_what_is_seen_comes_before_what_is_implied(bundled_kb: KnowledgeStore) -> None:
    ear = SceneObject("e", "nose", (30, 20, 5, 5))
    scene = SceneGraph("s", (*CAT.objects, ear), (), 100, 100, complete=False)
    assert bundled_kb.ask(scene, "Where is the nose?").text != "part of the cat"


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("Is the spoon red?", {"spoon": GRANTED}),
        ("Is there a spoon?", {"spoon": ASKED}),
        ("How many spoons are there?", {"spoons": COUNTED}),
        ("Is the cat asleep?", {}),
        ("What is this?", {}),
        ("What are all these lights?", {}),
    ],
)
def test_what_is_looked_for(bundled_kb: KnowledgeStore, question: str, names: dict[str, float]) -> None:
    assert sought(Task(bundled_kb, CAT, question)) == names


def test_a_complete_scene_and_a_scene_without_its_picture_are_not_looked_at(bundled_kb: KnowledgeStore) -> None:
    assert bundled_kb.ask(CAT, "Is there a dog?").text is None
    assert "look again" not in bundled_kb.ask(CAT, "Is there a dog?").trace.timings


def test_the_command_says_what_is_absent(bundled_kb: KnowledgeStore, shell) -> None:
    said = shell("ask", bundled_kb.path, PHOTOS / "cat.jpg", "Is there a dog?")
    assert said.out.startswith("no ") and "absent" in said.out and "nothing speaks for dog" in said.out


def test_a_choice_need_not_be_seen(bundled_kb: KnowledgeStore) -> None:
    asked = bundled_kb.ask(
        PHOTOS / "astronaut.jpg", "Which is a symbol of a country?", choices=["helmet", "flag", "badge"]
    )
    assert asked.text == "flag" and any(c.fact.predicate == "SymbolOf" for c in asked.trace.citations)


def test_a_tautology_is_no_answer(bundled_kb: KnowledgeStore) -> None:
    scene = SceneGraph("s", (SceneObject("a", "animal", (10, 10, 50, 50)),), (), 100, 100, complete=False)
    assert bundled_kb.ask(scene, "Which animal is it?").text is None
