"""Summaries of news stories and films: story graphs, the walk that ranks them, and what else finds the best shots.

The package itself can be called, so that ``kgmm.summarize(story, logo)`` works whichever of them was imported first.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from kgmm.summarize.story import Broadcast, Logo, Shot, StoryGraph
from kgmm.summarize.summary import RankedFrame, RankedTerm, Summary, summarize, summarizers

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


class _Callable(ModuleType):
    def __call__(self, *args: Any, **more: Any) -> Summary:
        """See :func:`kgmm.summarize.summary.summarize`."""
        return summarize(*args, **more)


sys.modules[__name__].__class__ = _Callable
