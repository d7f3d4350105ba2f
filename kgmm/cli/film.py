"""The part of ``kgmm summarize`` that works on films instead of story graphs: skims by saliency, and choruses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kgmm.cli.output import emit, progress_bar
from kgmm.stories.video.clock import clock

if TYPE_CHECKING:
    from kgmm.stories.video.clips import Clip

METHODS = ("saliency", "chorus")


def summarize_film(
    video: str,
    method: str,
    subtitles: str | None,
    rate: float,
    fusion: str,
    length: float | None,
    clip: str | None,
    as_json: bool,
) -> None:
    """Print the clips that a method keeps of a film, and write them if asked to."""
    document: dict[str, Any] = {"video": video, "method": method}
    with progress_bar("seconds") as progress:
        if method == "saliency":
            from kgmm.stories.films.saliency import saliency, skim

            clips: Sequence[Clip] = skim(saliency(video, subtitles, fusion=fusion, progress=progress), rate)
        else:
            from kgmm.stories.films.chorus import chorus

            found = chorus(video, subtitles, length=length, progress=progress)
            clips = [found.clip]
            document["line"] = found.line
            document["repeats"] = [{"start": c.start, "end": c.end} for c in found.repeats]
            document["close_ups"] = [{"start": c.start, "end": c.end} for c in found.close_ups]
    if clip is not None:
        from kgmm.stories.video.clips import write_clips

        write_clips(video, clips, clip)
    if as_json:
        emit({**document, "clips": [{"start": c.start, "end": c.end, "score": c.score} for c in clips]})
        return
    total = sum(c.end - c.start for c in clips)
    click.echo(f"{Path(video).name}, by {method}: {total:.1f} s in {len(clips)} clip{'s' * (len(clips) != 1)}")
    for c in clips:
        click.echo(f"  {clock(c.start)} – {clock(c.end)}  {c.end - c.start:6.1f} s  {c.score:.3f}")
    for start in document.get("repeats", ()):
        click.echo(f"  chorus at {clock(start['start'])}")
    if document.get("line"):
        click.echo(f"  sung most often: {document['line']}")
