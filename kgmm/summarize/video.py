"""A story graph from a film and its subtitles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kgmm.errors import KgmmError
from kgmm.summarize.story import StoryGraph


def from_video(video: str | Path, subtitles: str | Path | None = None, **more: Any) -> StoryGraph:
    """Read a film with subtitles."""
    raise KgmmError("not there yet")
