"""A lemma and its senses belong together, unless asked for apart; what is cited is what was stated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import kgmm
from kgmm.knowledge import KnowledgeStore
from kgmm.scene import SceneGraph, SceneObject
from kgmm.store.senses import senses

if TYPE_CHECKING:
    from tests.conftest import Ran

FACTS = [
    ("/c/en/dog/n", "IsA", "/c/en/animal/n"),
    ("dog", "CapableOf", "bark"),
    ("/c/en/dog/n/wn/animal", "HasA", "tail"),
    ("animal", "CapableOf", "breathe"),
    ("/c/en/animal/n", "HasA", "cell"),
    ("/c/en/yak/n", "IsA", "animal"),
    ("dog", "RelatedTo", "/c/en/dog/n"),
]


@pytest.fixture
def kb(tmp_path: Path) -> Iterator[KnowledgeStore]:
    with kgmm.open(tmp_path / "kb") as kb:
        kb.add(FACTS)
        yield kb


def test_facts_of_senses_are_retrieved_for_the_word_and_every_chain_is_stated(kb: KnowledgeStore) -> None:
    memory = kb.retrieve("What does a dog have?")
    assert {m.fact.object for m in memory.facts} >= {"/c/en/tail", "/c/en/cell", "/c/en/breathe", "/c/en/bark"}
    assert any(m.chain for m in memory.facts)
    for m in memory.facts:
        assert all(len(kb.find(f.subject, f.predicate, f.object)) == 1 for f in (m.fact, *m.chain))
    apart = kb.retrieve("What does a dog have?", split_senses=True)
    assert {m.fact.object for m in apart.facts} == {"/c/en/bark", "/c/en/dog/n"}


def test_a_word_known_by_a_sense_alone_is_found(kb: KnowledgeStore) -> None:
    assert [m.fact.object for m in kb.retrieve("yak").facts][:1] == ["/c/en/animal"]
    assert "yak" in kb.view()
    assert kb.ask(SceneGraph("s", [SceneObject("1", "yak")]), "Is there an animal?").text == "yes"


def test_lemma_and_senses_are_one_node_of_a_view(kb: KnowledgeStore) -> None:
    view = kb.view()
    assert view.position("/c/en/dog/n/wn/animal") == view.position("dog") is not None
    assert len([c for c in view.concepts if c.startswith("/c/en/dog")]) == 1
    assert view.edge_count == len(FACTS) - 1  # what a word has to do with its own sense leads nowhere
    path = view.paths("dog", "cell")[0]
    for hop in path.hops:
        ends = (hop.source, hop.target) if hop.forward else (hop.target, hop.source)
        assert len(kb.find(ends[0], hop.relation, ends[1])) == 1
    assert kb.view(split_senses=True).edge_count == len(FACTS)
    assert dict(kb.view(split_senses=True).walk("dog").top(20)).get("/c/en/tail", 0) == 0 < view.walk("dog")["tail"]


def test_the_command_joins_and_splits(kb: KnowledgeStore, shell: Callable[..., Ran]) -> None:
    assert "tail" in shell("walk", kb.path, "dog").out
    assert "tail" in shell("retrieve", kb.path, "dog").out
    assert "tail" not in shell("retrieve", kb.path, "dog", "--split-senses").out


def test_a_removed_sense_fact_takes_the_answer_with_it(kb: KnowledgeStore) -> None:
    scene = SceneGraph("s", [SceneObject("1", "dog")])
    assert kb.ask(scene, "Is the dog an animal?").text == "yes"
    kb.remove("/c/en/dog/n", "IsA")
    assert kb.ask(scene, "Is the dog an animal?").text != "yes"


def test_senses_of_the_bundled_wordnet_stay_apart(bundled_kb: KnowledgeStore) -> None:
    known = senses(bundled_kb)
    person = bundled_kb.terms.id("/c/en/dog/n/wn/person")
    assert person is not None and known.kin(person) == []
