"""A memory of two steps when a question is asked: facts of what a seen thing's facts lead to, cited with what leads there."""

from __future__ import annotations

import json

import numpy as np
import pytest

import kgmm
from kgmm.language.words import lemmas
from kgmm.reason.kdmn import reasoner as kdmn
from kgmm.reason.kdmn.memory import HUB, remembered
from kgmm.reason.task import Task
from kgmm.scene import SceneGraph, SceneObject
from kgmm.store import Fact
from kgmm.train.memories import word_table

FACTS = (
    "cup AtLocation kitchen",
    "kitchen HasA stove",
    "dog AtLocation kennel",
    "kennel HasA straw",
    "cup HasProperty empty",
    "stove MadeOf iron",
    "lamp HasA bulb",
)
SCENE = SceneGraph("home", (SceneObject("a", "cup"), SceneObject("b", "dog")))
QUESTION = "What does the place where the cup in this image is usually found have?"


@pytest.fixture
def home(tmp_path):
    with kgmm.open(tmp_path / "kb") as kb:
        kb.add([Fact(f"/c/en/{s}", p, f"/c/en/{o}") for s, p, o in map(str.split, FACTS)])
        yield kb


def test_the_memory_holds_facts_of_bridges_after_those_of_seen_things(home):
    c, memory = remembered(Task(home, SCENE, QUESTION), 20, 2)
    said = [" ".join(t) for t in memory.triples]
    assert set(said) == set(FACTS[:5]) and set(said[3:]) == {"kitchen HasA stove", "kennel HasA straw"}
    assert len(c) == len(memory.fact_vectors) == len(memory.end_cosines) == 5
    assert len(remembered(Task(home, SCENE, QUESTION), 20)[0]) == 3


def test_a_fact_taken_away_leads_nowhere(home):
    task = Task(home, SCENE, QUESTION, exclude=frozenset({("/c/en/cup", "AtLocation", "/c/en/kitchen")}))
    assert "kitchen HasA stove" not in {" ".join(t) for t in remembered(task, 20, 2)[1].triples}


def test_of_a_hub_nothing_is_remembered(home):
    home.add([Fact("/c/en/kitchen", "RelatedTo", f"/c/en/thing_{i}") for i in range(HUB)])
    said = {" ".join(t) for t in remembered(Task(home, SCENE, QUESTION), 60, 2)[1].triples}
    assert "kennel HasA straw" in said and not any(t.startswith("kitchen ") for t in said)


def test_what_leads_to_a_second_fact_is_its_way(home):
    c, memory = remembered(Task(home, SCENE, QUESTION), 20, 2)
    row = {" ".join(t): i for i, t in enumerate(memory.triples)}
    found = kdmn.Read(c, memory, [], np.zeros((5, 2)), 0.0, np.full((2, 5), 0.2), "")
    assert kdmn._way(found, row["kitchen HasA stove"]) == [row["cup AtLocation kitchen"]]
    assert kdmn._way(found, row["cup AtLocation kitchen"]) == []


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A store of things at places that have parts, by chance, and a network trained on its questions."""
    from kgmm.cli import main

    place = tmp_path_factory.mktemp("by-chance")
    words = [w for w in word_table(6000).words[2000:] if w.isalpha() and len(w) > 4 and lemmas(w) == (w,)]
    things, places, parts = words[:300], words[300:600], words[600:900]
    with kgmm.open(place / "kb") as kb:
        kb.add([Fact(f"/c/en/{t}", "AtLocation", f"/c/en/{p}") for t, p in zip(things, places, strict=True)])
        kb.add([Fact(f"/c/en/{p}", "HasA", f"/c/en/{o}") for p, o in zip(places, parts, strict=True)])
    main(["train", "kdmn", str(place / "kb"), "--hops", "2", "--epochs", "15", "--out", str(place / "net")])
    return place, things, places, parts


def test_a_network_of_two_steps_is_trained_and_cites_both_facts(trained):
    place, things, places, parts = trained
    config = json.loads((place / "net" / "config.json").read_text())
    assert config["hops"] == 2 and config["network"]["pointer"] == "state" and "--hops 2" in config["command"]
    scene, right = SceneGraph("s", tuple(SceneObject(n, n) for n in things[:4])), 0
    with kgmm.open(place / "kb") as kb:
        for thing, bridge, part in zip(things[:4], places, parts, strict=False):
            question = f"What does the place where the {thing} in this image is usually found have?"
            answer = kb.ask(scene, question, reasoner=place / "net", threshold=0)
            assert [s.name for s in answer.trace.steps if s.name.startswith("episode")] == ["episode 1", "episode 2"]
            right += answer.text == part
            if answer.text == part:
                cited = [(c.fact.subject, c.fact.object) for c in answer.trace.citations]
                assert cited == [tuple(f"/c/en/{w}" for w in ends) for ends in ((thing, bridge), (bridge, part))]
    assert right >= 2


@pytest.mark.parametrize("option", [("--fusion", "prior"), ("--scenes", "."), ("--context", "gru")])
def test_what_goes_not_with_two_steps_is_refused(trained, tmp_path, shell, option):
    ran = shell("train", "kdmn", trained[0] / "kb", "--hops", "2", *option, "--out", tmp_path / "net")
    assert ran.code == 2 or ran.code == 1
    assert option[0] in ran.err and "--hops 2" in ran.err


def test_a_store_without_two_steps_is_refused_and_fvqa_figures_are_not_given(home, trained, tmp_path, shell):
    ran = shell("train", "kdmn", home.path, "--hops", "2", "--out", tmp_path / "net")
    assert ran.code != 0 and "0 questions to learn from" in ran.err
    (tmp_path / "questions-train.json").write_text("[]")
    (tmp_path / "facts.jsonl").write_text("")
    ran = shell("eval", "kdmn", tmp_path, trained[0] / "net")
    assert ran.code != 0 and "two facts" in ran.err
