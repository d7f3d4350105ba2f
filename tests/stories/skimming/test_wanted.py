"""What a query wants: what it names, and what facts lead to, each with its facts; without support it is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kgmm.knowledge import KnowledgeStore
from kgmm.stories.footage.footage import Footage
from kgmm.stories.skimming.photographs import photographs
from kgmm.stories.skimming.reasons import reasons
from kgmm.stories.skimming.wanted import JOINED, KIND, wanted
from kgmm.stories.video.subtitles import Cue

NAMES = ("animal", "dog", "spaniel", "stove", "lamp", "penguin")
FACTS = [
    ("spaniel", "IsA", "dog"),
    ("dog", "IsA", "animal"),
    ("stove", "AtLocation", "kitchen"),
    ("lamp", "Antonym", "kitchen"),
    ("penguin", "NotIsA", "dog"),
    ("lamp", "RelatedTo", "dog"),
]


@pytest.fixture
def kb(tmp_path: Path) -> KnowledgeStore:
    store = KnowledgeStore(tmp_path / "kb")
    store.add(FACTS)
    store.add([("/s/one", "Depicts", "penguin")], graph="scene/one")
    return store


def _named(query: str, kb: KnowledgeStore | None) -> dict[str, float]:
    found = wanted(query, NAMES, kb)
    return {name: value for name, value in zip(NAMES, found.weights, strict=True) if value}


def test_kinds_and_what_is_joined_are_wanted_less_than_what_is_named(kb: KnowledgeStore) -> None:
    assert _named("animals in the kitchen", kb) == {"animal": 1, "dog": KIND, "spaniel": KIND, "stove": JOINED}
    assert _named("animals in the kitchen", None) == {"animal": 1}
    assert _named("spaniels", kb) == {"spaniel": 1}, "a spaniel is a dog, a dog no spaniel"


def test_each_widened_concept_has_its_facts(kb: KnowledgeStore) -> None:
    found = wanted("animals in the kitchen", NAMES, kb)
    told = {name: [(f.subject, f.predicate, f.object) for f in facts] for name, facts in found.facts.items()}
    assert told["spaniel"] == [("/c/en/spaniel", "IsA", "/c/en/dog"), ("/c/en/dog", "IsA", "/c/en/animal")]
    assert told["stove"] == [("/c/en/stove", "AtLocation", "/c/en/kitchen")]
    assert "animal" not in told and set(told) == {"dog", "spaniel", "stove"}
    assert all(len(kb.find(*fact)) for facts in told.values() for fact in facts), "only what the store holds is cited"


def test_a_removed_fact_leads_nowhere(kb: KnowledgeStore) -> None:
    assert "stove" in _named("kitchen", kb)
    kb.remove("stove", "AtLocation", "kitchen")
    found = wanted("kitchen", NAMES, kb)
    assert not found.supported and found.told() == "nothing that can be seen for: kitchen"


def test_what_is_not_supported_is_said(kb: KnowledgeStore) -> None:
    found = wanted("a dog and a zeppelin", NAMES, kb)
    assert found.unknown == ("zeppelin",) and found.told() == "dog, spaniel; nothing that can be seen for: zeppelin"
    assert not wanted("zeppelins", NAMES, kb).supported and wanted("", NAMES, kb).told() == ""


def test_a_circle_of_kinds_ends(tmp_path: Path) -> None:
    store = KnowledgeStore(tmp_path / "kb")
    store.add([("dog", "IsA", "animal"), ("animal", "IsA", "dog"), ("spaniel", "IsA", "spaniel")])
    found = wanted("animal", NAMES, store)
    assert [(f.subject, f.object) for f in found.facts["dog"]] == [("/c/en/dog", "/c/en/animal")]


def test_reasons_name_what_is_wanted_first_and_cite_facts(kb: KnowledgeStore) -> None:
    scores = np.zeros((4, len(NAMES)), np.float32)
    scores[:2, 4], scores[2:, 2], scores[2:, 4] = 0.9, 0.2, 0.5
    cues = (Cue(1, 2, "The animals sleep."),)
    film = Footage(np.eye(4, dtype=np.float32), concepts=NAMES, scores=scores, edges=np.array([0, 2, 4]), cues=cues)
    first, second = reasons(film, wanted("animals", NAMES, kb))
    assert first.concepts == ("lamp",) and not first.facts and not first.words
    assert second.concepts == ("spaniel", "lamp") and second.words[0] == "animal"
    assert second.text == "shows spaniel, lamp; says “animal”, “sleep”"
    assert [fact.object for fact in second.facts] == ["/c/en/dog", "/c/en/animal"]
    assert second.to_dict()["facts"][0] == ["/c/en/spaniel", "IsA", "/c/en/dog", "facts"]


def test_photographs_of_what_a_title_names(tmp_path: Path, bundled_kb: KnowledgeStore) -> None:
    found = photographs(bundled_kb, "The cat")
    assert [path.name for path, _ in found] == ["cat.jpg"] and found[0][1].predicate == "Depicts"
    assert photographs(bundled_kb, "zeppelins") == []
    store, picture = KnowledgeStore(tmp_path / "kb"), tmp_path / "boat.png"
    picture.write_bytes(found[0][0].read_bytes())
    store.add([("/t/a/1", "Mentions", "boat"), ("/t/a/1", "image", f'"{picture}"'), ("/t/a/2", "Mentions", "boat")])
    store.add([("/t/a/2", "image", '"/nowhere/gone.png"')])
    assert [path for path, _ in photographs(store, "a boat")] == [picture]
