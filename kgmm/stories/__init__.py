"""News stories and films: story graphs, the walk that summarizes them, skims of films.

A story graph is read (:func:`read`, :func:`from_folder`, :func:`from_video`, :func:`from_store`), summarized
(:func:`summarize`) and kept (:func:`to_json`, :func:`save`).
"""

from __future__ import annotations

from kgmm.stories.files import read, to_json
from kgmm.stories.folder import from_folder
from kgmm.stories.stored import facts, from_store, save
from kgmm.stories.story import Broadcast, Logo, Shot, StoryGraph, from_columns
from kgmm.stories.summaries.summary import RankedFrame, RankedTerm, Summary, summarize, summarizers
from kgmm.stories.video.reading import from_video

__all__ = [
    "Broadcast",
    "Logo",
    "RankedFrame",
    "RankedTerm",
    "Shot",
    "StoryGraph",
    "Summary",
    "facts",
    "from_columns",
    "from_folder",
    "from_store",
    "from_video",
    "read",
    "save",
    "summarize",
    "summarizers",
    "to_json",
]
