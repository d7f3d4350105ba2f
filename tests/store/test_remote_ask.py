"""Questions to an endpoint are answered as questions to the same store on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

import kgmm
from kgmm.remote_knowledge import RemoteKnowledge
from kgmm.scene import SceneGraph, SceneObject, SceneRelation
from kgmm.store import LocalStore

from .test_remote import ours

FACTS = [
    kgmm.Fact("knife", "UsedFor", "cutting bread", 2.0),
    kgmm.Fact("knife", "IsA", "tool"),
    kgmm.Fact("cup", "UsedFor", "drinking"),
    kgmm.Fact("cup", "AtLocation", "kitchen"),
]
SCENE = SceneGraph("desk", (SceneObject("1", "knife"), SceneObject("2", "cup")), (SceneRelation("1", "left_of", "2"),))


@pytest.fixture
def remote(tmp_path: Path) -> object:
    local = LocalStore(tmp_path / "kb")
    local.add(FACTS)
    for url in ours(local, tmp_path):
        yield kgmm.open(url)


@pytest.mark.parametrize(
    "question", ["What in the picture is used for drinking?", "Which object is used for cutting bread?"]
)
def test_the_answer_is_the_local_one(question: str, remote: RemoteKnowledge, tmp_path: Path) -> None:
    with kgmm.open(tmp_path / "same") as same:
        same.add(FACTS)
        expected = same.ask(SCENE, question)
    answer = remote.ask(SCENE, question)
    assert answer.text is not None
    assert answer.text == expected.text
    assert answer.trace.citations == expected.trace.citations


def test_a_view_of_an_endpoint_walks(remote: RemoteKnowledge) -> None:
    scores = remote.view(relations=["UsedFor", "IsA"]).walk("knife")
    assert {concept for concept, _ in scores.top(3)} == {"/c/en/knife", "/c/en/tool", "/c/en/cutting_bread"}
