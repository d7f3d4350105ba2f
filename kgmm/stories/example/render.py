"""The bundled example as real video: MP4 files with subtitles, drawn frame by frame."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from kgmm.errors import needed
from kgmm.progress import Progress, silent
from kgmm.stories.example.drawing import TALL, WIDE, Pixels, drawn
from kgmm.stories.story import Shot, StoryGraph
from kgmm.stories.video.subtitles import Cue, write_srt

FPS = 10
Alter = Callable[[Pixels, Shot, float], Pixels]  #: a picture, its shot and its second -> what becomes of it


def render(
    story: StoryGraph, folder: str | Path, *, pace: float = 1.0, alter: Alter | None = None, progress: Progress = silent
) -> list[Path]:
    """Write each broadcast of a story like the bundled one as ``<story>-<broadcast>-<date>.mp4``, an SRT file beside it.

    *pace* is how many times faster than life it is, no shot below 1.2 seconds; *alter* changes each picture, given its
    shot and second. Returns the videos, in order of broadcast.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    videos, done = [], 0
    for b in story.broadcasts:
        shots = [s for s in story.shots if s.broadcast == b.id]
        lengths = [max(12, round((s.end - s.start) * FPS / pace)) for s in shots]
        video = place / ("-".join(part for part in (story.id, b.id, b.date) if part) + ".mp4")
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


def _encode(video: Path, shots: list[Shot], lengths: list[int], alter: Alter | None) -> None:
    with needed("av", "video"):
        import av
    with av.open(str(video), "w") as container:
        stream: Any = container.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = WIDE, TALL, "yuv420p"
        for shot, length in zip(shots, lengths, strict=True):
            picture = drawn(shot)
            for i in range(length):
                pixels = picture.at(i / FPS)
                if alter is not None:
                    pixels = alter(pixels, shot, i / FPS)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
