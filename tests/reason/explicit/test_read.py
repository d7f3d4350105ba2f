"""Questions about words that are seen: those on the thing named, all where it is not seen, none where it bears none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import kgmm
from kgmm.scene import SceneGraph, SceneObject

WRITING = ("writing",)
SCENE = SceneGraph(
    "street",
    (
        SceneObject("b", "bus", (0, 0, 50, 50), 0.9),
        SceneObject("s", "sign", (60, 0, 30, 30)),
        SceneObject("c", "car", (60, 60, 30, 30)),
        SceneObject("t1", "text", (5, 5, 20, 5), 0.95, (), WRITING, "Route 42"),
        SceneObject("t2", "text", (62, 5, 20, 5), 0.95, (), WRITING, 'EXIT "A" ONLY'),
        SceneObject("t3", "text", (62, 12, 20, 5), 0.95, (), WRITING, "https://example.org/c/en/dog"),
    ),
    (),
    100,
    100,
    complete=False,
)
SIGN = 'EXIT "A" ONLY https://example.org/c/en/dog'


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kgmm.KnowledgeStore]:
    with kgmm.open(tmp_path_factory.mktemp("read") / "kb") as store:
        store.add([("sign", "UsedFor", "informing people"), ("bus", "IsA", "vehicle"), ("dog", "CapableOf", "bark")])
        yield store


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("What does the sign say?", SIGN),
        ("What's written on the bus?", "Route 42"),
        ("What is the text on the bus?", "Route 42"),
        ("What words can you see on the sign?", SIGN),
        ("What does the vehicle say?", "Route 42"),
        ("Read the sign.", SIGN),
        ("What text is in the picture?", f"Route 42 {SIGN}"),
        ("What does the poster say?", f"Route 42 {SIGN}"),
        ("What does the car say?", None),
    ],
)
def test_words_are_those_on_the_thing_named(kb: kgmm.KnowledgeStore, question: str, said: str | None) -> None:
    answer = kb.ask(SCENE, question)
    assert answer.text == said
    assert all(check.passed for check in answer.trace.verify(kb))
    if said:
        read = [c.fact for c in answer.trace.citations if c.fact.predicate == "reads"]
        assert read and answer.trace.without(*read).text != said


def test_without_words_seen_such_a_question_is_read_as_before(kb: kgmm.KnowledgeStore) -> None:
    scene = SCENE.without({"t1", "t2", "t3"})
    assert kb.ask(scene, "What does the sign say?").trace.steps[0].data["kind"] != "read"


def test_words_come_back_from_json_cleaned_and_from_a_store_as_they_are(kb: kgmm.KnowledgeStore) -> None:
    from kgmm.serve.service import stored_scene

    assert SceneGraph.from_dict(SCENE.to_dict()) == SCENE
    hostile = SCENE.to_dict()
    hostile["objects"][3]["text"] = "EXIT\x1b[31m\n\u202eylno " + "x" * 5000
    words = SceneGraph.from_dict(hostile)["t1"].text
    assert words.startswith("EXIT[31m ylno x") and len(words) == 500 and words.isprintable()
    kb.add([fact[:3] for fact in SCENE.facts()], graph=SCENE.graph)
    assert {o.id: o.text for o in stored_scene(kb, "street").objects} == {o.id: o.text for o in SCENE.objects}
