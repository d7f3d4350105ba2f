"""The joint graph of a question: what is in it, what its edges say, what is left out."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import kgmm
from kgmm.errors import KgmmError
from kgmm.graph.joint import KINDS, MERGED, OBJECT, OTHER, RELATIONS, JointGraph, batch, edge_type
from kgmm.knowledge import KnowledgeStore
from kgmm.retrieve import Memory
from kgmm.retrieve.joint import joint_graph
from kgmm.retrieve.neighbours import neighbours
from kgmm.scene import SceneGraph, SceneObject, SceneRelation

FACTS = [
    ("fish", "AtLocation", "water"),
    ("fish", "CapableOf", "swim"),
    ("fish", "HasA", "fin"),
    ("sea", "MadeOf", "water"),
    ("sea", "http://example.org/likes", "fish"),
    ("office desk", "AtLocation", "office"),
    ("desk", "UsedFor", "work"),
    ("cup", "UsedFor", "drink"),
    ("drink", "HasSubevent", "swallow"),
    ("table", "UsedFor", "work"),
]
SCENE = SceneGraph(
    "s",
    (
        SceneObject("o1", "cup", (40, 10, 20, 30), 0.9, ("red",)),
        SceneObject("o2", "table", (0, 35, 100, 60)),
        SceneObject("o3", "unheard of"),
    ),
    (SceneRelation("o1", "on", "o2", 0.8), SceneRelation("o2", "wobbles_at", "o3")),
    width=100,
    height=100,
)
QUESTION = "Where do fish live?"


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeStore]:
    with kgmm.open(tmp_path_factory.mktemp("joint") / "kb") as store:
        store.add([*FACTS, ("red", "IsA", "colour")])
        store.add([("fish", "AtLocation", "water")], graph="twice")
        yield store


def said(graph: JointGraph) -> set[str]:
    return {graph.words(e) for e in range(graph.edges.shape[1]) if graph.fact[e] >= 0}


def test_question_choices_their_concepts_and_the_bridge_between_are_nodes(kb: KnowledgeStore) -> None:
    graph = joint_graph(kb, QUESTION, choices=["sea", "office desk"])
    kinds = dict(zip(graph.names, (KINDS[k] for k in graph.kinds), strict=True))
    assert graph.names[:3] == [QUESTION, "sea", "office desk"]
    assert kinds["/c/en/fish"] == "asked" and kinds["/c/en/water"] == "other"
    assert {n for n, k in kinds.items() if k == "offered"} == {
        f"/c/en/{w}" for w in ("sea", "office_desk", "desk", "office")
    }
    assert "/c/en/fin" not in kinds, "with choices, what leads nowhere is left out"


def test_every_edge_has_its_way_back_and_says_its_fact(kb: KnowledgeStore) -> None:
    graph = joint_graph(kb, QUESTION, choices=["sea", "office desk"])
    half = graph.edges.shape[1] // 2
    assert (graph.edges[:, :half] == graph.edges[::-1, half:]).all()
    assert (graph.relations[half:] == graph.relations[:half] + len(RELATIONS)).all()
    assert all(graph.words(e) == graph.words(e + half) for e in range(half))
    assert "sea is made of water" in said(graph) and "sea likes fish" in said(graph)
    assert sum(f == ("/c/en/fish", "AtLocation", "/c/en/water") for f in graph.facts) == 1, "stated in two graphs"


def test_unknown_relations_are_other_and_turned_ones_lead_from_object_to_subject(kb: KnowledgeStore) -> None:
    graph = joint_graph(kb, "Which fish has a fin?")
    (e,) = (e for e in range(graph.edges.shape[1] // 2) if graph.words(e) == "fish has fin")
    assert RELATIONS[graph.relations[e]] == "PartOf"
    assert [graph.names[i] for i in graph.edges[:, e]] == ["/c/en/fin", "/c/en/fish"]
    graph = joint_graph(kb, QUESTION, choices=["sea"])
    (e,) = (e for e in range(graph.edges.shape[1] // 2) if graph.words(e) == "sea likes fish")
    assert RELATIONS[graph.relations[e]] == "other"


def test_each_relation_is_of_one_type() -> None:
    names = [n for group in MERGED.values() for n in group.split()]
    assert len({n.removeprefix("~") for n in names}) == len(names) and not {*names} & {*RELATIONS}
    assert edge_type("HasA") == (RELATIONS.index("PartOf"), True) and edge_type("IsA") == (
        RELATIONS.index("IsA"),
        False,
    )


def test_distance_counts_facts(kb: KnowledgeStore) -> None:
    graph = joint_graph(kb, QUESTION, choices=["sea", "fish", "work", "water", "nothing known"])
    assert [graph.distance(c) for c in range(5)] == [1, 0, None, 1, None]
    shorter = joint_graph(
        kb, QUESTION, choices=["sea"], exclude=frozenset([("/c/en/sea", "http://example.org/likes", "/c/en/fish")])
    )
    assert shorter.distance(0) == 2 and "sea likes fish" not in said(shorter)


def test_a_choice_s_working_graph_lacks_what_only_others_brought(kb: KnowledgeStore) -> None:
    graph = joint_graph(kb, QUESTION, choices=["sea", "office desk", "unknown thing"])
    sea, desk, isolated = (graph.of_choice(c) for c in range(3))
    assert (
        {"sea", "/c/en/sea", "/c/en/water"} <= {*sea.names}
        and "/c/en/desk" not in sea.names
        and len(sea.serves[0]) == 1
    )
    assert "/c/en/sea" not in desk.names and "sea" not in desk.names and sea.distance(0) == 1
    assert isolated.names[:2] == [QUESTION, "unknown thing"] and isolated.distance(0) is None
    assert set(sea.facts) == {f for f in graph.facts if {f[0], f[2]} <= {*sea.names}}
    assert said(sea) <= said(graph) and sea.fact.max() == len(sea.facts) - 1


def test_without_choices_neighbours_of_what_is_asked_fill_the_budget(kb: KnowledgeStore) -> None:
    graph = joint_graph(kb, QUESTION)
    assert {"/c/en/water", "/c/en/swim", "/c/en/fin", "/c/en/sea"} <= {*graph.names}
    small = joint_graph(kb, QUESTION, limit=4)
    assert len(small) == 4 and small.names[0] == QUESTION


def test_what_is_seen_is_there_with_boxes_attributes_and_relations(kb: KnowledgeStore) -> None:
    graph = joint_graph(kb, "What is it for?", scene=SCENE, choices=["drinking", "work"])
    objects = np.flatnonzero(graph.kinds == OBJECT)
    assert sorted(graph.names[i] for i in objects) == ["cup", "table", "unheard of"]
    cup = next(i for i in objects if graph.names[i] == "cup")
    assert graph.boxes[cup] == pytest.approx([0.5, 0.25, 0.2, 0.3]) and not graph.boxes[graph.kinds != OBJECT].any()
    told = said(graph)
    assert {"cup on table", "table wobbles at unheard of", "cup is red", "cup is used for drink"} <= told
    assert ("/s/s/o1", "on", "/s/s/o2") in graph.facts
    types = {graph.words(e): RELATIONS[graph.relations[e]] for e in range(graph.edges.shape[1] // 2)}
    assert types["cup on table"] == "on" and types["table wobbles at unheard of"] == "in_scene"
    assert types["cup is red"] == "attribute" and types["table is used for work"] == "UsedFor"
    assert graph.distance(0) == 1 and graph.distance(1) == 1


def test_each_choice_s_best_bridge_comes_before_any_one_s_second(tmp_path: Path) -> None:
    with kgmm.open(tmp_path / "kb") as kb:
        many = [(f"way {i}", "RelatedTo", end) for i in range(40) for end in ("fish", "hub")]
        kb.add([*many, ("rare way", "RelatedTo", "fish"), ("rare way", "RelatedTo", "lonely")])
        graph = joint_graph(kb, "fish?", choices=["hub", "lonely"], limit=10)
    assert graph.distance(0) == 2 and graph.distance(1) == 2 and len(graph) == 10


def test_no_knowledge_no_words_and_no_choices_make_a_graph_of_one_node(tmp_path: Path) -> None:
    with kgmm.open(tmp_path / "empty") as kb:
        assert len(neighbours(kb).key) == 0
        graph = joint_graph(kb, "Why?", choices=["a cat"], scene=SCENE)
        assert graph.names[:2] == ["Why?", "a cat"] and len(graph) == 5 and not (graph.kinds == OTHER).any()
        alone = joint_graph(kb, "Why?")
    assert len(alone) == 1 and alone.edges.shape == (2, 0) and alone.to_pyg()["question"].num_nodes == 1


def test_it_agrees_with_a_plain_search_of_the_store(bundled_kb: KnowledgeStore) -> None:
    graph = joint_graph(
        bundled_kb, "Where would you put a spoon after eating soup?", choices=["kitchen", "garden", "drawer"]
    )
    concepts = {n for n, t in zip(graph.names, graph.terms, strict=True) if t >= 0}
    stated = {
        (f.subject, f.predicate, f.object)
        for name in concepts
        for f in bundled_kb.find(name)
        if f.object in concepts and f.graph in bundled_kb.knowledge_graphs() and f.subject != f.object
    }
    assert stated and stated == set(graph.facts)
    assert sorted(graph.fact[graph.fact >= 0].tolist()) == sorted([*range(len(graph.facts))] * 2)


def test_retrieval_gives_it_as_pyg_data_with_relevance(kb: KnowledgeStore) -> None:
    memory = kb.retrieve(QUESTION, choices=["sea", "office desk"])
    data = memory.to_pyg(joint=True)
    graph = memory.joint()
    assert data["choice"].names == ["sea", "office desk"] and data["concept"].x.shape[1] == 384
    assert data["question"].relevance.item() == pytest.approx(1, abs=0.02) and (graph.relevance <= 1.001).all()
    words = {w for kind in data.edge_types for w in data[kind].words}
    assert "sea is made of water" in words and ("concept", "rev_MadeOf", "concept") in data.edge_types
    assert sum(data[kind].edge_index.shape[1] for kind in data.edge_types) == graph.edges.shape[1]
    assert data["concept"].names[int(data["concept", "MadeOf", "concept"].edge_index[1, 0])] == "/c/en/water"
    assert data.validate()
    bare = memory.to_pyg(None, joint=True)
    assert "x" not in bare["concept"] and not bare["concept"].relevance.any()


def test_a_scene_concepts_and_statements_taken_away_reach_it_through_retrieve(kb: KnowledgeStore) -> None:
    gone = ("/c/en/cup", "UsedFor", "/c/en/drink")
    seen = kb.retrieve(SCENE, "What is it for?", choices=["drinking"], exclude=[gone]).joint(None)
    assert "cup" in seen.names and seen.distance(0) is None
    assert "/c/en/fish" in kb.retrieve(["fish"], "What is it for?").joint(None).names


def test_a_memory_of_no_store_has_none() -> None:
    with pytest.raises(KgmmError, match="retrieve"):
        Memory([], []).joint()


def test_it_is_drawn_with_a_colour_a_kind(kb: KnowledgeStore) -> None:
    drawn = joint_graph(kb, "<b>fish</b> live?", choices=["sea"], scene=SCENE)._repr_html_()
    assert "<svg" in drawn and "<b>" not in drawn and "sea is made of water" in drawn and "#8e44ad" in drawn


def test_graphs_side_by_side_share_no_edge_and_pickle(kb: KnowledgeStore) -> None:
    whole = kb.retrieve(SCENE, QUESTION, choices=["sea", "work"]).joint()
    graphs = [pickle.loads(pickle.dumps(whole)), whole.of_choice(0), whole.of_choice(1)]
    joined = batch(graphs)
    assert len(joined) == 3 and joined.question.tolist() == [0, len(graphs[0]), len(graphs[0]) + len(graphs[1])]
    assert torch.equal(joined.graph[joined.edges[0]], joined.graph[joined.edges[1]])
    assert joined.choice.tolist()[:2] == [1, 2] and len(joined.choice) == 4
    assert int(joined.objects.sum()) == 9 and not (joined.seen & joined.known).any()
    assert joined.edges.shape[1] == sum(g.edges.shape[1] for g in graphs)
    with pytest.raises(KgmmError, match="vectors"):
        batch([joint_graph(kb, QUESTION)])
