"""A served story board: a real story's summary, as page and as JSON, without script."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

import kgmm
from kgmm import stories
from kgmm.serve.app import app
from kgmm.stories import StoryGraph

STORIES = Path(__file__).parents[2] / "graphs/stories/news.json"


@pytest.fixture
def story(tmp_path: Path) -> StoryGraph:
    return stories.read(STORIES)


def test_a_stored_story_is_summarized_and_shown(tmp_path: Path, story: StoryGraph) -> None:
    with kgmm.open(tmp_path / "kb") as kb:
        stories.save(story, kb)
        served = TestClient(app(kb))
        assert story.id in served.get("/api/info").json()["stories"]
        asked = {"story": story.id, "query": "flood"}
        board = served.get("/stories", params=asked)
        policy = board.headers["content-security-policy"]
        assert "script-src 'none'" in policy and "<script" not in board.text and "flood" in board.text
        summary = served.get("/api/summarize", params={**asked, "frames": 3}).json()
        assert len(summary["frames"]) == 3 and summary["frames"][0]["text"]
        hostile = served.get("/stories", params={**asked, "query": "<script>x"}, headers={"accept": "text/html"})
        assert hostile.status_code == 404 and "<script>x" not in hostile.text
