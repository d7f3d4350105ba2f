"""Evidence of choices in few words, and joint graphs with something taken away."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import kgmm
from kgmm.errors import KgmmError
from kgmm.graph.evidence import choice_texts, evidence, short
from kgmm.graph.joint import OTHER, RELATIONS, JointGraph
from kgmm.graph.joint_twins import TWINS, twins
from kgmm.knowledge import KnowledgeStore
from kgmm.retrieve.joint import joint_graph

FACTS = [
    ("fish", "AtLocation", "sea"),
    ("sea", "MadeOf", "water"),
    ("fish", "AtLocation", "water"),
    ("pool", "HasA", "water"),
]


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeStore]:
    with kgmm.open(tmp_path_factory.mktemp("twins") / "kb") as store:
        store.add([*FACTS, ("dog", "CapableOf", "bark"), ("cat", "CapableOf", "purr")])
        yield store


@pytest.fixture(scope="module")
def graphs(kb: KnowledgeStore) -> list[JointGraph]:
    fish = joint_graph(kb, "Where do fish live?", choices=["sea", "pool", "desk"])
    return [fish, joint_graph(kb, "What barks?", choices=["dog", "cat", "desk"])]


def test_the_fact_between_question_and_choice_is_read_first_then_a_bridge(graphs: list[JointGraph]) -> None:
    sea, pool, desk = choice_texts(graphs[0], 3)
    assert sea.startswith("sea ; fish in sea")
    assert sorted(pool.split(" ; ")) == ["fish in water", "pool", "water part of pool"]
    assert desk == "desk"


def test_no_more_facts_are_read_than_asked_for(graphs: list[JointGraph]) -> None:
    assert [len(some) for some in evidence(graphs[0], 1)] == [1, 0, 0]
    assert choice_texts(graphs[0], 0) == ["sea", "pool", "desk"]


def test_a_fact_says_the_same_both_ways(graphs: list[JointGraph]) -> None:
    half = graphs[0].edges.shape[1] // 2
    assert all(short(graphs[0], e) == short(graphs[0], e + half) for e in range(half))


def test_the_empty_twin_has_no_facts_and_no_concepts_between(graphs: list[JointGraph]) -> None:
    (seen, _) = twins(graphs, "empty")
    assert not seen.facts and not (seen.fact >= 0).any() and not (seen.kinds == OTHER).any()
    assert choice_texts(seen) == ["sea", "pool", "desk"]


def test_the_shuffled_twin_has_its_own_words_and_the_others_facts(graphs: list[JointGraph]) -> None:
    fish, bark = twins(graphs, "shuffled")
    assert fish.names[:4] == graphs[0].names[:4] and fish.facts == graphs[1].facts
    assert bark.names[:4] == graphs[1].names[:4] and bark.facts == graphs[0].facts


def test_the_relation_blind_twin_keeps_every_fact_but_for_its_relation(graphs: list[JointGraph]) -> None:
    (seen, _) = twins(graphs, "relation-blind")
    facts = seen.fact >= 0
    assert {RELATIONS[code % len(RELATIONS)] for code in seen.relations[facts].tolist()} == {"other"}
    assert (seen.relations[~facts] == graphs[0].relations[~facts]).all() and (seen.edges == graphs[0].edges).all()
    assert np.array_equal(seen.relations // len(RELATIONS), np.arange(seen.edges.shape[1]) >= seen.edges.shape[1] // 2)


def test_an_unknown_twin_is_refused_by_name(graphs: list[JointGraph]) -> None:
    assert twins(graphs, "full") == graphs and set(TWINS) >= {"full", "none"}
    with pytest.raises(KgmmError, match="no graph 'none at all'; there are: full"):
        twins(graphs, "none at all")
