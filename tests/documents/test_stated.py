"""Facts of the store are nodes of the walk over passages: they join passages that share no name."""

import json
from pathlib import Path

from click.testing import CliRunner

import kgmm
from kgmm.cli import cli

CORPUS = [
    {"id": "a", "title": "Otto Brandt", "text": "Otto Brandt was a painter. He was born in Ostheim."},
    {"id": "b", "title": "Kreuzland", "text": "Kreuzland is a republic whose coins show a heron."},
    {"id": "c", "title": "Norland", "text": "Norland is a republic whose coins show an owl."},
    {"id": "d", "title": "Lena Fuchs", "text": "Lena Fuchs was a painter of horses."},
]
QUESTION = "On coins of the republic in which Otto Brandt was born, what animal?"


def opened(folder: Path) -> kgmm.KnowledgeStore:
    kb = kgmm.open(folder)
    kb.read(CORPUS)
    return kb


def best(kb: kgmm.KnowledgeStore, text: str, count: int = 2) -> list[str]:
    return [passage.document for passage in kb.retrieve(text, passages=count).passages]


def test_a_fact_of_the_store_leads_to_a_passage_that_shares_no_name(tmp_path: Path) -> None:
    kb = opened(tmp_path / "kb")
    asked = "What of Otto Brandt's birthplace?"
    assert "b" not in best(kb, asked)
    kb.add(("ostheim", "PartOf", "kreuzland"), contributor="atlas")
    first, second = kb.retrieve(asked, passages=2).passages
    assert (first.document, second.document) == ("a", "b")
    assert [(step.kind, step.name) for step in second.path] == [
        ("entity", "Otto Brandt"),
        ("passage", "Otto Brandt"),
        ("entity", "Ostheim"),
        ("fact", "ostheim is part of kreuzland"),
        ("entity", "Kreuzland"),
    ]
    (fact,) = [step.fact for step in second.path if step.fact]
    assert [said.contributor for said in kb.assertions(fact)] == ["atlas"]
    assert kb.find(*fact[:3], graph=fact[3])[0].object == "/c/en/kreuzland"
    kb.remove("ostheim", "PartOf", "kreuzland")
    assert "b" not in best(kb, asked)


def test_facts_lead_over_a_name_that_no_passage_has_and_from_one_that_only_facts_know(tmp_path: Path) -> None:
    kb = opened(tmp_path / "kb")
    kb.add([("ostheim", "PartOf", "blue county"), ("blue county", "PartOf", "kreuzland"), ("ostheim", "IsA", "town")])
    assert "b" in best(kb, "What of Blue County?", 1)  # in no passage
    kb.add([("eldorado", "PartOf", "utopia")])
    assert best(kb, "What of Eldorado?") == []  # its facts lead nowhere
    path = {p.document: p.path for p in kb.retrieve("Where is Ostheim?", passages=4).passages}["b"]
    assert [step.name for step in path if step.kind != "fact"] == ["Ostheim", "blue county", "Kreuzland"]


def test_scenes_and_stories_are_no_facts_of_the_walk(tmp_path: Path) -> None:
    kb = opened(tmp_path / "kb")
    before = kb.retrieve(QUESTION, passages=4).passages
    kb.add([("otto brandt", "Near", "norland")], graph="scene/1")
    assert kb.retrieve(QUESTION, passages=4).passages == before


def test_the_shell_tells_the_fact(tmp_path: Path) -> None:
    kb = opened(tmp_path / "kb")
    kb.add(("ostheim", "PartOf", "kreuzland"))
    asked = ["retrieve", str(kb.path), "What of Otto Brandt's birthplace?", "--passages", "2", "--json"]
    told = json.loads(CliRunner().invoke(cli, asked).stdout)["passages"][1]["path"]
    assert ["/c/en/ostheim", "PartOf", "/c/en/kreuzland", "facts"] in [step["fact"] for step in told]
