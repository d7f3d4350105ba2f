"""Passages that bear on a question are found through words, names and what the passages name."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import kgmm
from kgmm.cli import cli
from kgmm.errors import BadInput

CORPUS = [
    {
        "id": "a",
        "title": "Blood Street",
        "text": "Blood Street is a 1988 film directed by Leo Fong and starring Ann Lee.",
    },
    {
        "id": "b",
        "title": "Leo Fong",
        "text": "Leo Fong was an American actor and boxer, born in 1928.",
        "date": "2020-05",
    },
    {"id": "c", "title": "Ann Lee", "text": "Ann Lee was a singer of Dutch nationality.", "date": "2021-02-03"},
    {"id": "d", "title": "Street", "text": "A street is a road in a town. Blood flows in veins.", "source": "roads/a"},
    {"id": "e", "text": "The film industry of Hong Kong made many pictures.", "source": "roads/b"},
]


@pytest.fixture
def kb(tmp_path: Path) -> kgmm.KnowledgeStore:
    store = kgmm.open(tmp_path / "kb")
    store.read(CORPUS)
    return store


def titles(kb: kgmm.KnowledgeStore, text: str, count: int = 5, **filters: str) -> list[str]:
    return [passage.title for passage in kb.retrieve(text, passages=count, **filters).passages]


def test_a_question_over_two_passages_finds_both_and_tells_the_way(kb: kgmm.KnowledgeStore) -> None:
    first, second = kb.retrieve("What nationality is the director of film Blood Street?", passages=2).passages
    assert (first.title, second.title) == ("Blood Street", "Leo Fong")  # not Ann Lee, who does not direct
    assert [(step.kind, step.name) for step in second.path] == [
        ("entity", "Blood Street"),
        ("passage", "Blood Street"),
        ("entity", "Leo Fong"),
    ]
    assert first.score > second.score > 0
    assert first.entities[:3] == ("Blood Street", "Leo Fong", "Ann Lee")
    assert first.text == CORPUS[0]["text"] and first.document == "a"


def test_words_find_passages_without_any_name(kb: kgmm.KnowledgeStore) -> None:
    (found,) = kb.retrieve("industries of pictures", passages=1).passages
    assert found.document == "e"
    assert {step.name for step in found.path} == {"industries", "pictures"}


def test_passages_can_be_chosen_by_source_and_time(kb: kgmm.KnowledgeStore) -> None:
    ask = "Who was born or sang in a street?"
    assert titles(kb, ask, source="roads/*") == ["Street"]
    assert titles(kb, ask, since="2021") == ["Ann Lee"]
    assert titles(kb, ask, until="2020-12-31") == ["Leo Fong"]
    assert titles(kb, ask, since="2022") == []
    with pytest.raises(BadInput, match="no moment"):
        titles(kb, ask, since="yesterday")
    with pytest.raises(BadInput, match="passages=5"):
        kb.retrieve(ask, source="roads/*")


def test_without_documents_there_are_no_passages_and_an_empty_question_is_an_error(
    tmp_path: Path, kb: kgmm.KnowledgeStore
) -> None:
    assert kgmm.open(tmp_path / "other").retrieve("dog", passages=3).passages == []
    with pytest.raises(BadInput, match="empty"):
        kb.retrieve("  ", passages=3)
    assert titles(kb, "of the") == []


def test_the_shell_shows_passages(kb: kgmm.KnowledgeStore) -> None:
    asked = ["retrieve", str(kb.path), "Who directed Blood Street?", "--passages", "2"]
    told = json.loads(CliRunner().invoke(cli, [*asked, "--json"]).stdout)
    assert [passage["title"] for passage in told["passages"]] == ["Blood Street", "Leo Fong"]
    assert told["passages"][0]["path"][0]["name"] == "Blood Street"
    shown = CliRunner().invoke(cli, asked).stdout
    assert "Blood Street is a 1988 film" in shown
    assert "no passage" in CliRunner().invoke(cli, ["retrieve", str(kb.path), "zzz", "--passages", "2"]).stderr
    assert CliRunner().invoke(cli, ["retrieve", str(kb.path), "zzz", "--since", "2020"]).exit_code == 2
