"""What is said in a story is found among the documents, with its shot and time."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import kgmm
from kgmm import stories
from kgmm.cli import cli
from kgmm.errors import UnknownConcept
from kgmm.stories import Broadcast, Shot, StoryGraph

SHOTS = (
    Shot("s1", 0, 4.5, ("river",), (), "b1", "The river Elbe is up by two metres."),
    Shot("s2", 4.5, 9, (), (), "b1"),
    Shot("s3", 9, 12, ("dam",), (), "b1", "Engineers say that the dam holds."),
    Shot("s4", 0, 5, ("goal",), (), "b2", "A late goal won the match."),
)
STORY = StoryGraph(
    "week", SHOTS, (), (Broadcast("b1", "Evening", "2026-03-01"), Broadcast("b2", "Evening", "2026-03-02"))
)


def test_a_passage_of_a_transcript_tells_its_shot_and_seconds(tmp_path: Path) -> None:
    kb = kgmm.open(tmp_path / "kb")
    kb.read([{"id": "other", "text": "A dam is a barrier."}])
    assert kb.read_story(STORY).added == 2
    (found,) = kb.retrieve("What did engineers say of the dam?", passages=1).passages
    assert (found.document, found.shot, found.begins, found.ends) == ("story/week/b1", "/t/week/s3", 9.0, 12.0)
    assert (found.text, found.date) == ("Engineers say that the dam holds.", "2026-03-01")
    assert kb.find(found.shot, "Mentions")[0].object == "/c/en/dam"
    assert [p.shot for p in kb.retrieve("goal", passages=3, since="2026-03-02").passages] == ["/t/week/s4"]
    other = next(p for p in kb.retrieve("What is a dam? A barrier.", passages=3).passages if p.document == "other")
    assert (other.shot, other.begins) == ("", None)


def test_a_story_read_again_takes_the_place_of_what_was_said(tmp_path: Path) -> None:
    kb = kgmm.open(tmp_path / "kb")
    stories.save(STORY, kb)
    kb.read_story("week")
    assert kb.documents() == ["story/week/b1", "story/week/b2"]
    kb.read_story(replace(STORY, shots=(replace(SHOTS[0], text="The river fell."),), broadcasts=STORY.broadcasts[:1]))
    assert kb.documents() == ["story/week/b1"]
    assert [p.text for p in kb.retrieve("river", passages=5).passages] == ["The river fell."]
    stories.save(STORY, kb)  # the story alone changes: what was read cites no shot that does not say it
    assert [p.shot for p in kb.retrieve("river", passages=5).passages] == [""]
    with pytest.raises(UnknownConcept):
        kb.read_story("month")


def test_the_shell_takes_a_transcript_in(tmp_path: Path) -> None:
    stories.to_json(STORY, tmp_path / "story.json")
    made = CliRunner().invoke(
        cli, ["story", str(tmp_path / "story.json"), "--kb", str(tmp_path / "kb"), "--transcript"]
    )
    assert made.exit_code == 0, made.output
    told = CliRunner().invoke(
        cli, ["retrieve", str(tmp_path / "kb"), "Does the dam hold?", "--passages", "1", "--json"]
    )
    assert json.loads(told.stdout)["passages"][0]["begins"] == 9.0
    alone = CliRunner().invoke(cli, ["story", str(tmp_path / "story.json"), "--transcript"])
    assert alone.exit_code == 2 and "--kb" in alone.stderr
