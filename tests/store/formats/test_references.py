"""What formats say of facts: ConceptNet's sources, Wikidata's qualifiers of time and ranks in KGTK files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kgmm.store import LocalStore

FIRST = {
    "dataset": "/d/conceptnet/4/en",
    "license": "cc:by/4.0",
    "sources": [
        {"activity": "/s/activity/omcs/vote", "contributor": "/s/contributor/omcs/ann"},
        {"contributor": "/s/contributor/omcs/bob", "process": "/s/process/split_words"},
    ],
    "surfaceText": "[[a dog]] can [[bark]]",
    "weight": 2.0,
}


@pytest.fixture
def kb(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "kb")


def test_conceptnet_s_sources_are_assertions_if_asked_for(kb: LocalStore, tmp_path: Path) -> None:
    dump = tmp_path / "dump.csv"
    rows = [("bark", FIRST), ("run", {"dataset": "/d/x", "weight": 1.0}), ("swim", {"sources": [3], "weight": "much"})]
    dump.write_text("".join(f"/a/x\t/r/CapableOf\t/c/en/dog\t/c/en/{what}\t{json.dumps(a)}\n" for what, a in rows))
    plain = LocalStore(tmp_path / "plain")
    assert plain.load(dump).added == 2 and not plain.opened.state.said
    report = kb.load(dump, references=True)
    assert (report.added, report.rejected) == (2, 1)
    ann, bob = kb.assertions(("dog", "CapableOf", "bark"))
    assert (ann.contributor, bob.contributor) == ("/s/contributor/omcs/ann", "/s/contributor/omcs/bob")
    assert ann.method == "/s/activity/omcs/vote" and bob.method == "/s/process/split_words"
    assert (ann.licence, ann.source, ann.text) == ("cc:by/4.0", "/d/conceptnet/4/en", "[[a dog]] can [[bark]]")
    assert {(f.object, f.weight, f.source) for f in kb.find()} == {(f.object, f.weight, f.source) for f in plain.find()}
    assert kb.load(dump, references=True).added == 0 and kb.check() == []
    assert kb.withdraw(contributor="/s/contributor/omcs/ann") == 1 and len(kb) == 2


def test_kgtk_s_qualifiers_of_time_and_ranks(kb: LocalStore, tmp_path: Path) -> None:
    file = tmp_path / "edges.tsv"
    file.write_text(
        "id\tnode1\tlabel\tnode2\trank\n"
        "e1\tQ183\tP36\tQ586\tnormal\n"
        "e2\tQ183\tP36\tQ64\tpreferred\n"
        "e3\tQ183\tP36\tQ90\tdeprecated\n"
        "q1\te1\tP580\t^1949-05-23T00:00:00Z/11\t\n"
        "q2\te1\tP582\t^1990-00-00T00:00:00Z/9\t\n"
        "e4\tQ183\tP1082\tQ1\tnormal\n"
        "q3\te2\tP580\t^1990-10-03T00:00:00Z/11\t\n"
        "q4\te4\tP585\t^1850-00-00T00:00:00Z/7\t\n"
        "q5\te4\tP580\tsomevalue\t\n"
    )
    report = kb.load(file)
    assert report.format == "kgtk" and report.rejected == 0
    entity = "http://www.wikidata.org/entity/"
    assert {f.object.removeprefix(entity) for f in kb.find(f"{entity}Q183")} == {"Q586", "Q64", "Q1"}
    prop = "http://www.wikidata.org/prop/direct/P36"
    (bonn,) = kb.assertions((f"{entity}Q183", prop, f"{entity}Q586"))
    assert bonn.valid == ("1949-05-23", "1990") and bonn.method == "loaded"
    (paris,) = kb.assertions((f"{entity}Q183", prop, f"{entity}Q90"))
    assert paris.polarity == -1, "deprecated"
    assert {f.object[-4:] for f in kb.find(f"{entity}Q183", prop, at="1960")} == {"Q586"}
    assert kb.count(f"{entity}Q183", "http://www.wikidata.org/prop/direct/P1082", at="1850") == 1
    assert kb.count(f"{entity}Q183", "http://www.wikidata.org/prop/direct/P1082", at="1901") == 0
    assert kb.check() == []


def test_kgtk_without_qualifiers_is_bare(kb: LocalStore, tmp_path: Path) -> None:
    file = tmp_path / "edges.tsv"
    file.write_text("id\tnode1\tlabel\tnode2\ne1\tQ1\tP31\tQ2\ne2\tQ3\tP580\t^2001-01-01T00:00:00Z/11\n")
    assert kb.load(file).added == 2 and not kb.opened.state.said
