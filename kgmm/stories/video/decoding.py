"""Decoding films with PyAV: opened files, their frames, and what is left of damaged ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import BadInput, MissingExtra
from kgmm.progress import Progress, silent

Pixels = NDArray[np.uint8]
#: pixels that frames are reduced to in width
WIDE = 320


@contextmanager
def opened(video: Path) -> Iterator[Any]:
    """Open a video for reading.

    Raises:
        BadInput: if there is no such file, or PyAV cannot read it.
        MissingExtra: if PyAV is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingExtra("av", "video") from error
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

    A damaged frame is left out; a video cut short ends where it ends.

    Raises:
        BadInput: if there is no picture in it at all.
    """
    with opened(video) as container:
        if not container.streams.video:
            raise BadInput(video, "holds no pictures")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        total = (container.duration or 0) // 1_000_000  # PyAV gives microseconds
        first: float | None = None
        last = -1.0
        for frame in decoded(container, stream):
            if frame.time is None:
                continue
            first = frame.time if first is None else first
            at = frame.time - first
            if at <= last:
                continue
            last = at
            progress(int(at), total, f"reading {video.name}")
            width, height = _reduced(frame.width, frame.height, wide)
            yield at, frame.to_ndarray(format="rgb24", width=width, height=height)
        if first is None:
            raise BadInput(video, "not one picture in it can be decoded")


def _reduced(width: int, height: int, wide: int) -> tuple[int, int]:
    if width <= wide:
        return width, height
    return wide, max(2, round(height * wide / width / 2) * 2)
