"""The bundled stories: what is in them, and that summaries tell them better than the baselines do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from kgmm import stories, summarize
from kgmm.evaluate.stories import Precision, evaluate, with_unrelated
from kgmm.stories import StoryGraph, summarizers
from kgmm.stories.example.news import news

if TYPE_CHECKING:
    from kgmm.knowledge import KnowledgeStore

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def story() -> StoryGraph:
    return news()


@pytest.fixture(scope="module")
def found(story: StoryGraph) -> dict[str, Precision]:
    return {method: evaluate(story, method) for method in summarizers()}


def test_it_holds_what_it_should(story: StoryGraph) -> None:
    labels = {shot.story for shot in story.shots} - {""}
    assert len(labels) >= 20 and len(story.broadcasts) >= 3 and len(story.shots) >= 250
    assert all(shot.text and shot.end > shot.start for shot in story.shots)
    for label in labels:
        days = {shot.broadcast for shot in story.shots if shot.story == label}
        assert len(days) >= 3, f"{label} runs over several days"
        assert not all(shot.logos for shot in story.shots if shot.story == label)


def test_every_logo_s_summary_is_precise(found: dict[str, Precision]) -> None:
    assert found["mmss"].least_frames >= 0.95
    assert found["mmss"].least_terms >= 0.8


def test_it_is_ahead_of_the_baselines(story: StoryGraph, found: dict[str, Precision]) -> None:
    ten = {method: evaluate(story, method, frames=10) for method in summarizers()}
    for method in ("frequency", "tfidf", "cooccurrence"):
        assert found["mmss"].terms > found[method].terms
        assert found["mmss"].frames >= found[method].frames
        assert ten["mmss"].frames > ten[method].frames


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_as_much_unrelated_footage_changes_little(story: StoryGraph, found: dict[str, Precision], seed: int) -> None:
    amid = evaluate(with_unrelated(story, seed=seed))
    assert amid.frames == pytest.approx(found["mmss"].frames, abs=0.05)
    assert amid.terms == pytest.approx(found["mmss"].terms, abs=0.05)


def test_keyframes_are_drawn_when_asked_for(tmp_path: Path) -> None:
    story = news(keyframes=tmp_path)
    pictures = [Image.open(s.image).convert("RGB") for s in story.shots[:12] if s.image]
    assert len({p.tobytes() for p in pictures}) == 12
    assert summarize(story, story.logos[3].image).query == story.logos[3].name


def test_the_file_is_what_the_script_makes(tmp_path: Path) -> None:
    code = "import sys; sys.path.insert(0, 'graphs/stories'); import build; print(build.to_json(build.build()), end='')"
    made = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert made.stdout + "\n" == (ROOT / "graphs" / "stories" / "news.json").read_text(encoding="utf-8")


def test_terms_carry_what_the_bundled_knowledge_says_of_them(story: StoryGraph, bundled_kb: KnowledgeStore) -> None:
    terms = {t.term: t for t in summarize(story, "whale").linked(bundled_kb).terms}
    assert terms["whale"].concept == "/c/en/whale"
    assert any("mammal" in fact for fact in terms["whale"].facts)
    assert any("moon" in fact or "sea" in fact for fact in terms["tide"].facts)
    assert terms["port amber"].concept is None, "a place is not taken for its last word"


def test_edges_alone_rank_as_the_whole_story_does(story: StoryGraph) -> None:
    alone = stories.from_columns("alone", story.edges)
    for i, logo in enumerate(story.logos):
        whole, found = summarize(story, logo.id), summarize(alone, str(i))
        assert [t.term for t in found.terms] == [t.term for t in whole.terms]
        assert [story.shots[int(f.shot.id)].id for f in found.frames] == [f.shot.id for f in whole.frames]
