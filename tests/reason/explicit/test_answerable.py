"""Questions nothing here can answer are not answered with what is merely near."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgmm.knowledge import KnowledgeStore
from kgmm.reason.question.reference import resolved, salient
from kgmm.scene import SceneGraph

SCENES = Path(__file__).parents[3] / "graphs/scenes"


@pytest.mark.parametrize(
    ("scene", "question"),
    [
        ("cat", "How old is the cat?"),
        ("cat", "What is the cat's name?"),
        ("cat", "Whose cat is it?"),
        ("cat", "How much does the cat weigh?"),
        ("pagoda", "How many floors does it have?"),
        ("cat", "What sound does this animal make?"),
        ("coffee", "What is to the left of the cup?"),
        ("coffee", "Would a dog drink this?"),
        ("coffee", "Is the cup empty?"),
        ("astronaut", "Which country is she from?"),
        ("astronaut", "How tall is the woman?"),
        ("astronaut", "Who is this?"),
        ("rocket", "How fast is it?"),
        ("pagoda", "What season is it?"),
    ],
)
def test_it_says_that_it_does_not_know(bundled_kb: KnowledgeStore, scene: str, question: str) -> None:
    answer = bundled_kb.ask(SCENES / f"{scene}.json", question)
    assert answer.text is None, (answer.text, answer.trace.citations)
    assert answer.trace.abstained


@pytest.mark.parametrize(
    ("scene", "question", "expected"),
    [
        ("rocket", "Can it fly?", "yes"),
        ("rocket", "Where does it go?", "space"),
        ("rocket", "What is this used for?", "space travel"),
        ("flower", "Where does it grow?", "garden"),
        ("cat", "How many legs does a cat have?", "4"),
        ("cat", "What is it?", "cat"),
        ("cat", "Is this a bird?", "no"),
        ("cat", "Is it a dog?", "no"),
        ("cat", "What might a cat chase?", "chase a mouse"),
        ("coffee", "What can you use to stir the coffee?", "spoon"),
        ("coffee", "Which thing is the biggest?", "table"),
        ("astronaut", "Who is wearing the space suit?", "astronaut"),
    ],
)
def test_it_and_this_mean_the_main_thing(bundled_kb: KnowledgeStore, scene: str, question: str, expected: str) -> None:
    answer = bundled_kb.ask(SCENES / f"{scene}.json", question)
    assert answer.text == expected and answer.trace.citations


def test_a_list_of_names_has_no_main_thing() -> None:
    scene = SceneGraph.from_dict({"id": "s", "objects": [{"id": "a", "name": "cup"}]})
    assert salient(scene) is None and resolved("Can it fly?", scene) == "Can it fly?"


def test_absence_from_what_was_recognized_is_no_evidence_of_absence(bundled_kb: KnowledgeStore) -> None:
    data = {"id": "s", "objects": [{"id": "a", "name": "cup", "box": [1, 1, 9, 9]}], "width": 20, "height": 20}
    listed = SceneGraph.from_dict(data)
    recognized = SceneGraph.from_dict({**data, "complete": False})
    assert bundled_kb.ask(listed, "Is there a dog?").text == "no"
    assert bundled_kb.ask(recognized, "Is there a dog?").text is None
    assert bundled_kb.ask(listed, "How many dogs are there?").text == "0"
    assert bundled_kb.ask(recognized, "How many dogs are there?").text is None


def test_what_a_thing_is_used_for_may_name_a_measure(bundled_kb: KnowledgeStore) -> None:
    scene = SceneGraph.from_dict(
        {"id": "party", "objects": [{"id": "a", "name": "cake"}, {"id": "b", "name": "hammer"}]}
    )
    question = "Which object in this image is used to celebrate someone's birthday?"
    assert bundled_kb.ask(scene, question).text == "cake"
