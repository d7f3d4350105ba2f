"""Summaries of news stories and films: story graphs, the walk that ranks them, and what else finds the best shots."""

from __future__ import annotations

from kgmm.stories.story import Broadcast, Logo, Shot, StoryGraph
from kgmm.stories.summaries.summary import RankedFrame, RankedTerm, Summary, summarize, summarizers

__all__ = [
    "Broadcast",
    "Logo",
    "RankedFrame",
    "RankedTerm",
    "Shot",
    "StoryGraph",
    "Summary",
    "summarize",
    "summarizers",
]
