"""The explorer of a notebook, its kernel side: what each button does to what is drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgmm.errors import UnknownConcept
from kgmm.knowledge import KnowledgeStore
from kgmm.notebook import explore, neighbours
from kgmm.store import Fact

FACTS = [
    Fact("knife", "UsedFor", "cutting", 3.0),
    Fact("knife", "IsA", "tool", 2.0),
    Fact("knife", "AtLocation", "drawer"),
    Fact("butter knife", "IsA", "knife"),
    Fact("cutting", "HasPrerequisite", "sharpness"),
    Fact("lamp", "UsedFor", "light"),
]


@pytest.fixture
def kb(tmp_path: Path) -> KnowledgeStore:
    store = KnowledgeStore(tmp_path / "kb")
    store.add(FACTS)
    return store


def labels(explorer: object) -> set[str]:
    return {n["label"] for n in explorer.nodes}  # type: ignore[attr-defined]


def test_it_starts_with_a_concepts_facts_both_ways(kb: KnowledgeStore) -> None:
    explorer = explore(kb, "knife")
    assert labels(explorer) == {"knife", "cutting", "tool", "drawer", "butter knife"}
    assert len(explorer.edges) == 4 and explorer.selected == "/c/en/knife"


def test_expanding_a_node_adds_its_facts_once(kb: KnowledgeStore) -> None:
    explorer = explore(kb, "knife").expand("cutting").expand("cutting")
    assert "sharpness" in labels(explorer) and len(explorer.edges) == 5
    assert len({e["id"] for e in explorer.edges}) == 5


def test_a_limit_keeps_the_strongest(kb: KnowledgeStore) -> None:
    assert [f.object for f in neighbours.around(kb, "/c/en/knife", limit=2)] == ["/c/en/cutting", "/c/en/tool"]


def test_expanding_again_shows_the_next_facts(kb: KnowledgeStore) -> None:
    explorer = explore(kb, "knife", limit=2)
    assert labels(explorer) == {"knife", "cutting", "tool"}
    assert labels(explorer.expand("knife")) == {"knife", "cutting", "tool", "drawer", "butter knife"}
    assert explorer.expand("knife").message.startswith("knife: 0 facts")


def test_following_a_relation_adds_only_its_facts(kb: KnowledgeStore) -> None:
    assert labels(explore(kb).follow("knife", "UsedFor")) == {"knife", "cutting"}
    assert labels(explore(kb).follow("knife", "IsA", outgoing=False)) == {"knife", "butter knife"}
    assert labels(explore(kb).follow("knife", "IsA")) == {"knife", "tool", "butter knife"}


def test_the_selected_nodes_relations_are_counted_by_direction(kb: KnowledgeStore) -> None:
    found = {(r["relation"], r["outgoing"]): r["count"] for r in explore(kb, "knife").relations}
    assert found == {("UsedFor", True): 1, ("IsA", True): 1, ("AtLocation", True): 1, ("IsA", False): 1}


def test_a_walk_lists_the_same_best_as_the_view(kb: KnowledgeStore) -> None:
    explorer = explore(kb).walk("knife", k=3)
    expected = [c for c, _ in kb.view().walk("knife").top(4) if c != "/c/en/knife"][:3]
    assert [s["concept"] for s in explorer.scores] == expected
    assert {e["label"] for e in explorer.edges}  # the facts among them are drawn


def test_a_removed_node_takes_its_facts_along_but_not_from_the_store(kb: KnowledgeStore) -> None:
    explorer = explore(kb, "knife").remove("cutting")
    assert "cutting" not in labels(explorer) and len(explorer.edges) == 3
    assert len(kb) == len(FACTS)


def test_messages_of_the_buttons_do_the_same(kb: KnowledgeStore) -> None:
    explorer = explore(kb)
    for message in (
        {"do": "expand", "concept": "knife"},
        {"do": "follow", "concept": "/c/en/cutting", "relation": "HasPrerequisite", "outgoing": True},
        {"do": "walk", "concept": "/c/en/knife"},
        {"do": "remove", "concept": "/c/en/drawer"},
        {"do": "remove"},
        {"do": 3},
        "nonsense",
        {"do": "expand", "concept": 7},
    ):
        explorer._on_message(explorer, message, [])
    assert {"knife", "sharpness"} <= labels(explorer) and "drawer" not in labels(explorer)
    assert explorer.scores


def test_an_unknown_concept_is_said_with_near_spellings(kb: KnowledgeStore) -> None:
    with pytest.raises(UnknownConcept, match="knife"):
        explore(kb, "knive")
    explorer = explore(kb)
    explorer._on_message(explorer, {"do": "expand", "concept": "knive"}, [])
    assert "knife" in explorer.message and explorer.nodes == []


def test_its_script_asks_no_host_for_anything(kb: KnowledgeStore) -> None:
    script = explore(kb)._esm
    assert "import(" not in script and "fetch(" not in script and "XMLHttpRequest" not in script
    assert len(script) < 500_000
