"""A sentence, concepts or a scene become the facts that bear on them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import kgmm
from kgmm.knowledge import KnowledgeStore
from kgmm.language.relations import DENIES
from kgmm.retrieve import Candidates, Memory
from kgmm.retrieve.gather import denied as denied_rows
from kgmm.scene import SceneGraph, SceneObject


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeStore]:
    with kgmm.open(tmp_path_factory.mktemp("retrieve") / "kb") as store:
        store.add(
            [
                ("tabby", "IsA", "cat"),
                ("cat", "IsA", "animal"),
                ("cat", "CapableOf", "catch mice"),
                ("animal", "CapableOf", "breathe"),
                ("penguin", "IsA", "bird"),
                ("robin", "IsA", "bird"),
                ("bird", "CapableOf", "fly"),
                ("penguin", "NotCapableOf", "fly"),
                ("knife", "UsedFor", "cutting"),
                ("knife", "AtLocation", "kitchen"),
            ]
        )
        yield store


def far_ends(memory: Memory) -> list[str]:
    return [m.fact.object for m in memory]


def test_what_a_kind_can_do_its_members_can_do_with_the_chain_in_the_memory(kb: KnowledgeStore) -> None:
    memory = kb.retrieve("What can a tabby do?")
    inherited = next(m for m in memory if m.fact.object == "/c/en/breathe")
    assert [(f.subject, f.predicate, f.object) for f in inherited.chain] == [
        ("/c/en/tabby", "IsA", "/c/en/cat"),
        ("/c/en/cat", "IsA", "/c/en/animal"),
    ]


def test_an_exception_wins_over_inheritance(kb: KnowledgeStore) -> None:
    said = {(m.fact.subject, m.fact.predicate) for m in kb.retrieve("penguin") if m.fact.object == "/c/en/fly"}
    assert said == {("/c/en/penguin", "NotCapableOf")}
    said = {(m.fact.subject, m.fact.predicate) for m in kb.retrieve("robin") if m.fact.object == "/c/en/fly"}
    assert said == {("/c/en/bird", "CapableOf")}


def test_the_question_decides_the_order(kb: KnowledgeStore) -> None:
    assert far_ends(kb.retrieve("Where is a knife found?"))[0] == "/c/en/kitchen"
    assert far_ends(kb.retrieve("What is a knife used for?"))[0] == "/c/en/cutting"


def test_concepts_scenes_and_sentences_all_work(kb: KnowledgeStore) -> None:
    scene = SceneGraph("s", (SceneObject("o1", "knife"),))
    for source in (["knife"], scene, "a knife"):
        assert "/c/en/cutting" in far_ends(kb.retrieve(source, "What is it used for?"))


def test_a_limit_is_kept_and_nothing_known_gives_nothing(kb: KnowledgeStore) -> None:
    assert len(kb.retrieve("knife", limit=1)) == 1
    assert len(kb.retrieve("zzxy", limit=5)) == 0 or all(k.rule == "embedding" for k in kb.retrieve("zzxy").concepts)


def test_statements_taken_away_are_not_there(kb: KnowledgeStore) -> None:
    from kgmm.retrieve import retrieve

    gone = ("/c/en/knife", "UsedFor", "/c/en/cutting")
    assert "/c/en/cutting" not in far_ends(retrieve(kb, "knife", exclude=frozenset([gone])))


def test_the_memory_is_a_graph_for_pyg_and_a_view(kb: KnowledgeStore) -> None:
    memory = kb.retrieve("What can a tabby do?")
    said = {(f.subject, f.predicate, f.object): score for f, score in memory.statements()}
    data, view = memory.to_pyg(features=None), memory.to_view().to_networkx()
    names, relations = data.concept_names, data.relation_names
    ends = [(names[a], names[b]) for a, b in data.edge_index.t().tolist()]
    assert {(a, relations[r], b) for (a, b), r in zip(ends, data.edge_type.tolist(), strict=True)} == set(said)
    assert "/c/en/tabby" in {name for name, seed in zip(names, data.seed.tolist(), strict=True) if seed}
    edges = {(frozenset((a, b)), d["relation"]): d["weight"] for a, b, d in view.edges(data=True)}
    assert edges == pytest.approx({(frozenset((s, o)), p): score for (s, p, o), score in said.items()})


def test_a_link_out_of_the_store_is_no_knowledge_to_retrieve_or_walk_over(tmp_path: Path) -> None:
    with kgmm.open(tmp_path / "kb") as store:
        page = "http://example.org/animals"
        store.add([("dog", "ExternalURL", page), ("cat", "ExternalURL", page), ("dog", "IsA", "pet")])
        assert [m.fact.predicate for m in store.retrieve("a dog")] == ["IsA"]
        assert set(store.view().concepts) == {"/c/en/dog", "/c/en/pet"}
        assert page in store.view(relations="ExternalURL").concepts
        assert page in store.view(relation_weights={"ExternalURL": 0.5}).concepts


def test_memories_of_one_store_have_one_numbering_and_train_a_network_as_a_batch(kb: KnowledgeStore) -> None:
    import torch
    from torch_geometric.data import Batch
    from torch_geometric.nn import RGCNConv

    made = [kb.retrieve(text).to_pyg(features=None) for text in ("Where is a knife found?", "What can a robin do?")]
    whole = kb.view().to_pyg()
    assert all(data.relation_names == whole.relation_names for data in made)
    term = dict(zip(whole.concept_names, whole.term_id.tolist(), strict=True))
    for data in made:
        assert data.term_id.tolist() == [term[name] for name in data.concept_names]
        assert {*data.keys()} - {"seed"} <= {*whole.keys()}
    batch = Batch.from_data_list(made)
    layer = RGCNConv(4, 2, num_relations=len(whole.relation_names))
    layer(torch.ones(batch.num_nodes, 4), batch.edge_index, batch.edge_type).sum().backward()
    assert layer.weight.grad is not None


def literal_denied(c: Candidates, keep: np.ndarray, store: KnowledgeStore) -> np.ndarray:
    """Row by row, as the rule is said."""
    out = np.zeros(len(c), bool)
    for relation, targets in DENIES.items():
        denying, hidden = store.terms.id(relation), {store.terms.id(r) for r in targets}
        for i in range(len(c)):
            for j in range(len(c)):
                if (
                    keep[i]
                    and c.predicate[i] == denying
                    and c.end[i] == c.end[j] == 0
                    and c.predicate[j] in hidden
                    and c.root[i] == c.root[j]
                    and c.object[i] == c.object[j]
                ):
                    out[j] |= c.depth[j] > c.depth[i]
                    out[i] |= c.depth[j] < c.depth[i]
    return out


def test_denial_agrees_with_the_rule_said_row_by_row(tmp_path_factory: pytest.TempPathFactory) -> None:
    generator = np.random.default_rng(0)
    with kgmm.open(tmp_path_factory.mktemp("denied") / "kb") as store:
        relations = ["CapableOf", "NotCapableOf", "HasA", "NotHasA", "UsedFor"]
        store.add([("a", r, "b") for r in relations])
        n = 300
        predicate = generator.choice(store.terms.ids(relations), n)
        small = [generator.integers(k, size=n) for k in (3, 5, 3, 3)]
        c = Candidates(
            small[0],
            predicate,
            small[1],
            np.ones(n, np.float32),
            graph=small[0] * 0,
            root=small[2],
            depth=small[3],
            end=(generator.random(n) < 0.2).astype(np.int64),
            roots=[0, 1, 2],
            closures={},
        )
        keep = generator.random(n) < 0.8
        denied = denied_rows(store, c, keep)
        assert (denied == literal_denied(c, keep, store)).all()
        assert denied.any() and not denied.all()
