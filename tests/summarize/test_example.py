"""The bundled stories: what is in them, and that summaries tell them better than the baselines do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from kgmm.summarize import StoryGraph, summarizers
from kgmm.summarize.evaluate import Precision, evaluate, with_unrelated
from kgmm.summarize.example import news

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
def test_as_much_unrelated_footage_changes_little(
    story: StoryGraph, found: dict[str, Precision], seed: int
) -> None:
    amid = evaluate(with_unrelated(story, seed=seed))
    assert amid.frames == pytest.approx(found["mmss"].frames, abs=0.05)
    assert amid.terms == pytest.approx(found["mmss"].terms, abs=0.05)


def test_keyframes_are_drawn_when_asked_for(tmp_path: Path) -> None:
    story = news(keyframes=tmp_path)
    pictures = [Image.open(s.image).convert("RGB") for s in story.shots[:12] if s.image]
    assert len({p.tobytes() for p in pictures}) == 12
    assert story.summarize(story.logos[3].image).query == story.logos[3].name


def test_the_file_is_what_the_script_makes(tmp_path: Path) -> None:
    code = "import sys; sys.path.insert(0, 'graphs/stories'); import build; print(build.build().to_json(), end='')"
    made = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert made.stdout + "\n" == (ROOT / "graphs" / "stories" / "news.json").read_text(encoding="utf-8")
