"""Decoding films with PyAV: opened files, their frames, and what is left of damaged ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import BadInput, needed
from kgmm.progress import Progress, silent

Pixels = NDArray[np.uint8]
PathLike = str | Path
WIDE = 320  #: pixels that frames are reduced to in width
#: seconds by which a clock must go back to have started again, or in a broadcast stream leap ahead, as in FFmpeg
RESTART, LEAP = 0.5, 10.0


@contextmanager
def opened(video: Path) -> Iterator[Any]:
    """Open a video for reading; BadInput if PyAV cannot read such a file, MissingExtra without PyAV."""
    with needed("av", "video"):
        import av
    file = video.expanduser()
    if not file.is_file():
        raise BadInput(file, "no such video")
    try:
        container = av.open(str(file))
    except (av.FFmpegError, ValueError) as error:
        raise BadInput(file, f"not a video that can be read: {error}") from error
    with container:
        yield container


def decoded(container: Any, stream: Any) -> Iterator[Any]:
    """Yield the pictures, sounds or subtitles of a stream that can be decoded, past damaged packets."""
    import av

    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError):
            return
        try:
            yield from packet.decode()
        except av.FFmpegError:
            continue  # a damaged packet costs its own moment only


def frames(video: Path, wide: int = WIDE, progress: Progress = silent) -> Iterator[tuple[float, Pixels]]:
    """Yield each frame's time in seconds and its pixels, (h, w, 3) RGB, reduced to *wide* pixels in width.

    A damaged frame is left out; a video cut short ends where it ends. Where recordings were joined and the clock
    starts again, time goes on. Pictures stand as the video says they are to be shown, turned or mirrored.

    Raises:
        BadInput: if there is no picture in it at all.
    """
    with opened(video) as container:
        if not container.streams.video:
            raise BadInput(video, "holds no pictures")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        total = (container.duration or 0) // 1_000_000  # PyAV gives microseconds
        streamed = container.format.name == "mpegts"
        first: float | None = None
        last, step = -1.0, 0.04
        for frame in decoded(container, stream):
            if frame.time is None:
                continue
            first = frame.time if first is None else first
            at = frame.time - first
            if at < last - RESTART or (streamed and at > last + LEAP):
                at, first = last + step, first + at - last - step
            if at <= last:
                continue
            last, step = at, at - last if last >= 0 else step
            progress(int(at), total, f"reading {video.name}")
            across, down = _display(frame)
            turned = not across[0]
            width, height = (frame.height, frame.width) if turned else (frame.width, frame.height)
            if width > wide:
                width, height = wide, max(2, round(height * wide / width / 2) * 2)
            size = {"width": height, "height": width} if turned else {"width": width, "height": height}
            pixels = frame.to_ndarray(format="rgb24", **size)
            pixels = pixels.transpose(1, 0, 2) if turned else pixels
            yield at, np.ascontiguousarray(pixels[:: 1 if sum(down) > 0 else -1, :: 1 if sum(across) > 0 else -1])
        if first is None:
            raise BadInput(video, "not one picture in it can be decoded")


def _display(frame: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the signs of what x and y of a frame add to x, and to y, where it is shown (its display matrix)."""
    for data in frame.side_data:
        if data.type.name == "DISPLAYMATRIX":
            a, b, _, c, d = (int(np.sign(v)) for v in np.frombuffer(bytes(data), np.int32)[:5])
            return ((a, 0), (0, d)) if a and d else ((0, c), (b, 0))
    return (1, 0), (0, 1)
