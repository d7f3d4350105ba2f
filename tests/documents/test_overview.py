"""What documents are about is told by names that they speak of together, in their own sentences."""

import json
from pathlib import Path

from click.testing import CliRunner

import kgmm
from kgmm.cli import cli

GROUPS = [("Otto", "Anna Bell", "Rome"), ("Kepler", "Tycho Brahe", "Prague")]


def read(kb: kgmm.KnowledgeStore) -> None:
    kb.read(
        [
            {
                "id": f"{group}{at}",
                "text": f"In {1600 + at} {names[0]} met {names[1]} in {names[2]}. It rained. Few knew.",
            }
            for group, names in enumerate(GROUPS)
            for at in range(4 - group)
        ]
    )


def test_names_spoken_of_together_are_a_topic_with_sentences_of_the_documents(tmp_path: Path) -> None:
    kb = kgmm.open(tmp_path / "kb")
    read(kb)
    topics = kb.overview()
    assert [set(topic.names) for topic in topics] == [set(group) for group in GROUPS]
    assert [topic.passages for topic in topics] == [4, 3]
    assert topics[0].quotes[0].text == "In 1600 Otto met Anna Bell in Rome." and len(topics[0].quotes) == 3
    assert kb.overview(1) == topics[:1]
    again = kgmm.open(tmp_path / "again")
    read(again)
    assert again.overview() == topics


def test_the_shell_tells_topics_and_says_where_there_are_none(tmp_path: Path) -> None:
    kb = kgmm.open(tmp_path / "kb")
    assert kb.overview() == []
    assert "no two names" in CliRunner().invoke(cli, ["overview", str(kb.path)]).stderr
    read(kb)
    told = json.loads(CliRunner().invoke(cli, ["overview", str(kb.path), "--json"]).stdout)
    assert told["topics"][1]["names"][0] in GROUPS[1]
    assert "Tycho Brahe" in CliRunner().invoke(cli, ["overview", str(kb.path)]).stdout
