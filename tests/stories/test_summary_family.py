"""The base case of story summarizers: any of them ranks the frames and terms of the bundled news for a logo or term."""

from __future__ import annotations

import pytest

from kgmm.stories import Logo, Shot, StoryGraph, summarize, summarizers
from kgmm.stories.example.news import news
from kgmm.stories.summaries.summary import METHODS
from tests.families import check_family


@pytest.mark.parametrize("name", summarizers())
def test_any_summarizer_tells_the_story_of_a_logo(name: str) -> None:
    story = news()
    summary = summarize(story, "whale", frames=5, terms=10, method=name)
    assert summary.method == name and len(summary.frames) == 5 and len(summary.terms) == 10
    assert [f.place for f in summary.frames] == [1, 2, 3, 4, 5]
    for ranked in (summary.frames, summary.terms):
        scores = [one.score for one in ranked]
        assert scores == sorted(scores, reverse=True) and scores[-1] > 0
    assert sum(f.shot.story == "whale" for f in summary.frames) >= 4
    assert "whale" in {t.term for t in summary.terms}
    assert summarize(story, "whale", frames=5, terms=10, method=name) == summary


@pytest.mark.parametrize("name", summarizers())
def test_any_summarizer_is_asked_by_term_and_bears_empty_stories(name: str) -> None:
    assert summarize(news(), "lighthouse", frames=3, method=name).frames
    unseen = StoryGraph("s", (Shot("a", terms=("x",)),), (Logo("l"),))
    assert summarize(unseen, "l", method=name).frames == ()
    assert summarize(StoryGraph("s", (), (Logo("l"),)), "l", method=name).terms == ()


def test_what_the_story_hardly_reaches_does_not_fill_the_summary() -> None:
    own = tuple(Shot(f"a{i}", i, i + 1, ("whale", "today")[: 1 + (i == 3)], ("l",)) for i in range(4))
    others = tuple(Shot(f"b{i}", i + 4, i + 5, ("today", f"other {i}")) for i in range(300))
    summary = summarize(StoryGraph("s", own + others, (Logo("l"),)), "l", frames=5)
    assert [f.shot.id[0] for f in summary.frames] == ["a"] * 4
    assert [t.term for t in summary.terms] == ["whale", "today"]


def test_every_summarizer_is_documented_and_cited() -> None:
    check_family(summarizers(), METHODS.module, "stories.md")
