"""The bundled example as real video: MP4 files with subtitles, drawn frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from kgmm.errors import MissingExtra
from kgmm.progress import Progress, silent
from kgmm.stories.example.drawing import TALL, WIDE, Pixels, drawn
from kgmm.stories.story import Shot, StoryGraph
from kgmm.stories.video.subtitles import Cue, write_srt

FPS = 10


def render(
    story: StoryGraph,
    folder: str | Path,
    *,
    pace: float = 1.0,
    alter: Callable[[Pixels, Shot, float], Pixels] | None = None,
    progress: Progress = silent,
) -> list[Path]:
    """Write each broadcast of a story as ``<story>-<broadcast>-<date>.mp4`` with an SRT file beside it.

    Args:
        story: the bundled example, or one like it.
        folder: where the files go.
        pace: how many times faster than life; no shot gets shorter than 1.2 seconds.
        alter: what to do to each picture, given its shot and second: add noise, a channel's sign, and so on.
        progress: told the shots drawn.

    Returns:
        The videos, in order of broadcast.

    Raises:
        MissingExtra: if PyAV is not installed.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    videos, done = [], 0
    for b in story.broadcasts:
        shots = [s for s in story.shots if s.broadcast == b.id]
        lengths = [max(12, round((s.end - s.start) * FPS / pace)) for s in shots]
        video = place / "-".join(part for part in (story.id, b.id, b.date) if part)
        video = video.with_name(video.name + ".mp4")
        _encode(video, shots, lengths, alter)
        write_srt(cues_of(shots, lengths), video.with_suffix(".srt"))
        videos.append(video)
        done += len(shots)
        progress(done, len(story.shots), "drawing shots")
    return videos


def cues_of(shots: Iterable[Shot], lengths: Iterable[int]) -> list[Cue]:
    """Return a cue for each shot, of the frames it lasts, a moment short of its cut."""
    at, cues = 0.0, []
    for shot, length in zip(shots, lengths, strict=True):
        long = length / FPS
        cues.append(Cue(round(at, 3), round(at + long - 0.04, 3), shot.text))
        at += long
    return cues


def _encode(
    video: Path, shots: list[Shot], lengths: list[int], alter: Callable[[Pixels, Shot, float], Pixels] | None
) -> None:
    try:
        import av
    except ImportError as error:
        raise MissingExtra("av", "video") from error
    with av.open(str(video), "w") as container:
        stream: Any = container.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = WIDE, TALL, "yuv420p"
        for shot, length in zip(shots, lengths, strict=True):
            picture = drawn(shot)
            for i in range(length):
                pixels = picture.at(i / FPS)
                if alter is not None:
                    pixels = alter(pixels, shot, i / FPS)
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                container.mux(stream.encode(frame))
        container.mux(stream.encode())
