"""Facts that documents state: found where sure, kept with their place, gone with their document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import kgmm
from benchmarks import extraction
from kgmm.cli import cli
from kgmm.documents.facts.extract import extract
from kgmm.documents.facts.keeping import place
from kgmm.errors import BadInput

MARA = "Mara Lindqvist (born 4 May 1961) is a Swedish novelist. She was born in Uppsala. She was not born in Oslo."
DOCUMENTS = [
    {"id": "m", "title": "Mara Lindqvist", "text": MARA},
    {"id": "t", "text": "Tartu is a city in Estonia. Mara Lindqvist was born in Uppsala."},
]


def stated(kb: kgmm.KnowledgeStore) -> set[tuple[str, str, str]]:
    return {(f.subject[6:], f.predicate, f.object.removeprefix("/c/en/")) for f in kb.find(graph="documents")}


def test_what_is_denied_asked_quoted_or_only_said_is_no_fact() -> None:
    for text in (
        "Otto Brandt was not born in Leipzig.",
        "Was Otto Brandt born in Leipzig?",
        "Some say Otto Brandt was born in Leipzig.",
        '"Otto Brandt was born in Leipzig," she wrote.',
        "If Otto Brandt was born in Leipzig, he knew it.",
    ):
        assert not list(extract(text)), text


def test_a_pronoun_means_the_subject_only_while_every_sentence_began_with_it() -> None:
    chain = "Mara Lindqvist is a novelist. She was born in Uppsala."
    assert ("Mara Lindqvist", "BornIn") in {(f.subject, f.predicate) for f in extract(chain)}
    broken = "Mara Lindqvist is a novelist. Ruth Ek visited often. She was born in Uppsala."
    assert "BornIn" not in {f.predicate for f in extract(broken)}


def test_facts_are_assertions_whose_place_finds_their_sentence(tmp_path: Path) -> None:
    kb = kgmm.open(tmp_path / "kb")
    assert kb.read(DOCUMENTS, facts=True).facts == len(stated(kb)) >= 5
    said = kb.assertions(("mara lindqvist", "BornIn", "uppsala", "documents"))
    places = [place(one) for one in said]
    assert {(p[0], {d["id"]: d for d in DOCUMENTS}[p[0]]["text"][p[1] : p[2]]) for p in places if p} == {
        ("m", "She was born in Uppsala."),
        ("t", "Mara Lindqvist was born in Uppsala."),
    }
    assert {one.method for one in said} == {"extracted"} and "born" not in "".join(one.text for one in said)


def test_a_document_that_changes_or_goes_takes_exactly_its_facts(tmp_path: Path) -> None:
    kb = kgmm.open(tmp_path / "kb")
    kb.read(DOCUMENTS)
    kb.add(("tartu", "IsA", "place"), source="t", contributor="ann")
    kb.read([], facts=True)  # of all documents there are
    kb.read([{"id": "m", "title": "Mara Lindqvist", "text": "Mara Lindqvist is a painter."}])  # and of later ones
    assert stated(kb) == {
        ("mara_lindqvist", "IsA", "painter"),
        ("mara_lindqvist", "BornIn", "uppsala"),
        ("tartu", "IsA", "city"),
        ("tartu", "LocatedIn", "estonia"),
    }
    kb.remove_documents("t")
    assert stated(kb) == {("mara_lindqvist", "IsA", "painter")}
    assert kb.find("tartu", "IsA", "place")
    kb.read(DOCUMENTS)
    fresh = kgmm.open(tmp_path / "fresh")
    fresh.read(DOCUMENTS, facts=True)
    assert stated(kb) == stated(fresh)


def test_an_extractor_of_ones_own_is_checked_and_named(tmp_path: Path) -> None:
    kb = kgmm.open(tmp_path / "kb")

    def cities(text: str, about: Any) -> list[tuple[str, str, str, int, int, float]]:
        at = text.find("city")
        return [(text.split()[0], "IsA", "settlement", at, at + 4, 0.5)] if at >= 0 else []

    kb.read(DOCUMENTS, extractor=cities)
    (one,) = kb.assertions(("tartu", "IsA", "settlement", "documents"))
    assert one.contributor.startswith("extractor:") and one.contributor.endswith("cities")
    assert (one.confidence, place(one)) == (0.5, ("t", 11, 15))
    kb.read(DOCUMENTS, extractor=cities)
    assert len(kb.find(graph="documents")) == 1
    kb.remove_documents("t")
    assert not kb.find(graph="documents")
    for bad in (
        ("a", "IsA", "b", 0, 10**6),
        ("a", "IsA", "", 0, 1),
        ("a", "IsA", "b", 3, 2),
        "word",
        ("", "IsA", "b", 0, 1),
    ):
        with pytest.raises(BadInput, match="extractor"):
            kb.read([{"id": "new", "text": "It rains."}], extractor=lambda text, about, bad=bad: [bad])
    assert kb.documents() == ["m"]


def test_a_writer_that_died_between_documents_and_facts_is_made_up_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kgmm.documents.facts import keeping

    kb = kgmm.open(tmp_path / "kb")
    kb.read(DOCUMENTS, facts=True)
    with monkeypatch.context() as patch:
        patch.setattr(keeping, "follow", lambda *a, **k: 0)
        kb.remove_documents("m")
    assert ("mara_lindqvist", "IsA", "novelist") in stated(kb)
    kb.read([])
    assert ("mara_lindqvist", "IsA", "novelist") not in stated(kb)


def test_in_the_shell(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("Tartu is a city in Estonia.")
    told = CliRunner().invoke(cli, ["read", str(tmp_path / "kb"), str(tmp_path / "t.txt"), "--facts", "--json"])
    assert told.exit_code == 0 and json.loads(told.stdout)["facts"] == 2


def test_sentences_judged_by_hand_are_read_precisely(shared_data: Path) -> None:
    kept = [row for row in extraction.judged(shared_data) if row[1]]
    right, found = sum(len(g & f) for *_, g, f in kept), sum(len(f) for *_, f in kept)
    assert right >= 0.9 * found and found >= 80
