"""Parts of a film that a summary keeps, and the film cut down to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kgmm.errors import BadInput
from kgmm.stories.video.audio import read_sound
from kgmm.stories.video.decoding import frames

RATE, FADE = 44_100, 0.05  #: samples a second of the sound that is written; seconds over which two clips' sounds cross
WIDE = 640  #: pixels in width that pictures are reduced to


@dataclass(frozen=True, slots=True)
class Clip:
    """Seconds from *start* to *end* of a film, and how much they matter."""

    start: float
    end: float
    score: float = 0.0


def write_clips(video: str | Path, clips: Sequence[Clip], output: str | Path) -> Path:
    """Write the clips one after the other as an MP4; where two meet, their sounds fade into each other.

    BadInput if there are no clips, or the film cannot be read.
    """
    import av

    if not clips:
        raise BadInput(video, "there is nothing to keep")
    source = Path(video)
    sound = read_sound(source, RATE)
    with av.open(str(output), "w") as container:
        picture: Any = container.add_stream("libx264", rate=25, options={"preset": "veryfast", "crf": "23"})
        voice: Any = container.add_stream("aac", rate=RATE, layout="mono") if len(sound) else None
        ready, written = False, -1
        for at, pixels in frames(source, WIDE):
            moment = _moment(at, clips)
            if moment is None:
                continue
            if not ready:
                picture.height, picture.width = (n // 2 * 2 for n in pixels.shape[:2])
                picture.pix_fmt, ready = "yuv420p", True
            number = round(moment * 25)
            if number <= written:
                continue
            even = np.ascontiguousarray(pixels[: picture.height, : picture.width])
            frame = av.VideoFrame.from_ndarray(even, format="rgb24")
            frame.pts, written = number, number
            container.mux(picture.encode(frame))
        if not ready:
            raise BadInput(video, "no frame lies in the clips")
        container.mux(picture.encode())
        if voice is not None:
            parts = [sound[round(clip.start * RATE) : round((clip.end + FADE) * RATE)] for clip in clips]
            samples = crossed(parts, round(FADE * RATE)).astype(np.float32)[None]
            for start in range(0, samples.shape[1], 1024):
                part = np.ascontiguousarray(samples[:, start : start + 1024])
                spoken = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
                spoken.sample_rate, spoken.pts = RATE, start
                container.mux(voice.encode(spoken))
            container.mux(voice.encode())
    return Path(output)


def _moment(at: float, clips: Sequence[Clip]) -> float | None:
    """Return when a moment of the film comes in the cut version, if it does."""
    before = 0.0
    for clip in clips:
        if clip.start <= at < clip.end:
            return before + at - clip.start
        before += clip.end - clip.start
    return None


def crossed(parts: Sequence[Any], fade: int) -> Any:
    """Return parts one after the other, the last *fade* samples of each added to the first of the next (overlap-add).

    >>> crossed([np.ones(4), np.ones(4)], 2).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """
    out = np.array(parts[0], np.float64)
    for part in parts[1:]:
        size = min(fade, len(out), len(part))
        ramp = (np.arange(size) + 0.5) / max(size, 1)
        if size:
            out[-size:] = out[-size:] * (1 - ramp) + part[:size] * ramp
        out = np.concatenate((out, part[size:]))
    return out
