"""Parts of a film that a summary keeps, and films cut down to them."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from kgmm.errors import BadInput
from kgmm.stories.video.audio import sounded
from kgmm.stories.video.decoding import Pixels, frames

RATE, FADE = 44_100, 0.05  #: samples a second of the sound that is written; seconds over which two clips' sounds cross
WIDE = 640  #: pixels in width that pictures are reduced to


@dataclass(frozen=True, slots=True)
class Clip:
    """Seconds from *start* to *end* of a film, how much they matter, and of several films which it is, from 0 on."""

    start: float
    end: float
    score: float = 0.0
    film: int = 0


def write_clips(video: str | Path | Sequence[Path], clips: Sequence[Clip], output: str | Path) -> Path:
    """Write the clips one after the other as an MP4; where two meet, their sounds fade into each other.

    Of several films the first that has a clip gives the size: pictures of others are fitted into it. Only the clips' sound
    is held in memory.

    Raises:
        BadInput: if there are no clips, or a film cannot be read.
    """
    import av

    sources = [Path(video)] if isinstance(video, str | Path) else [Path(one) for one in video]
    if not clips:
        raise BadInput(sources[0], "there is nothing to keep")
    sounds = [part for film, own in _by_film(clips) for part in _sounds(sources[film], own)]
    with av.open(str(output), "w", format="mp4") as container:
        picture: Any = container.add_stream("libx264", rate=25, options={"preset": "veryfast", "crf": "23"})
        voice: Any = container.add_stream("aac", rate=RATE, layout="mono") if any(map(len, sounds)) else None
        ready, written = False, -1
        for moment, pixels in _pictures(sources, clips):
            if not ready:
                picture.height, picture.width = (n // 2 * 2 for n in pixels.shape[:2])
                picture.pix_fmt, ready = "yuv420p", True
            number = int(
                moment * 25 + 0.25
            )  # a film's frames that lie half-way between ours must not fall on one another
            if number <= written:
                continue
            frame = av.VideoFrame.from_ndarray(_fitted(pixels, picture.width, picture.height), format="rgb24")
            frame.pts, written = number, number
            container.mux(picture.encode(frame))
        if not ready:
            raise BadInput(sources[0], "no frame lies in the clips")
        container.mux(picture.encode())
        if voice is not None:
            samples = crossed(sounds, round(FADE * RATE)).astype(np.float32)[None]
            for start in range(0, samples.shape[1], 1024):
                part = np.ascontiguousarray(samples[:, start : start + 1024])
                spoken = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
                spoken.sample_rate, spoken.pts = RATE, start
                container.mux(voice.encode(spoken))
            container.mux(voice.encode())
    return Path(output)


def _by_film(clips: Sequence[Clip]) -> list[tuple[int, list[Clip]]]:
    """Return each run of clips of one film."""
    return [(film, list(own)) for film, own in itertools.groupby(clips, lambda clip: clip.film)]


def _pictures(sources: Sequence[Path], clips: Sequence[Clip]) -> Iterator[tuple[float, Pixels]]:
    """Yield the clips' pictures with the moment at which each comes in the cut version; a film is left after its last clip."""
    before = 0.0
    for film, own in _by_film(clips):
        end = max(clip.end for clip in own)
        for at, pixels in frames(sources[film], WIDE):
            if at >= end:
                break
            moment = _moment(at, own)
            if moment is not None:
                yield before + moment, pixels
        before += sum(clip.end - clip.start for clip in own)


def _moment(at: float, clips: Sequence[Clip]) -> float | None:
    """Return when a moment of the film comes in the cut version, if it does."""
    before = 0.0
    for clip in clips:
        if clip.start <= at < clip.end:
            return before + at - clip.start
        before += clip.end - clip.start
    return None


def _sounds(video: Path, clips: Sequence[Clip]) -> list[Any]:
    """Return the sound of each clip and what fades out after it: as long as the clip, silent where the film is."""
    spans = [(round(clip.start * RATE), round((clip.end + FADE) * RATE)) for clip in clips]
    held = [np.zeros(max(end - start, 0), np.float32) for start, end in spans]
    last, at = max(end for _, end in spans), 0
    heard = False
    for part in sounded(video, RATE):
        heard = True
        for (start, end), kept in zip(spans, held, strict=True):
            low, high = max(start, at), min(end, at + len(part))
            if low < high:
                kept[low - start : high - start] = part[low - at : high - at]
        at += len(part)
        if at >= last:
            break
    return held if heard else [kept[:0] for kept in held]


def _fitted(pixels: Pixels, width: int, height: int) -> Pixels:
    """Return a picture of this size: cut by a row or column, or made to fit, with black around it."""
    down, across = pixels.shape[:2]
    if 0 <= down - height <= 1 and 0 <= across - width <= 1:
        return np.ascontiguousarray(pixels[:height, :width])
    return np.asarray(ImageOps.pad(Image.fromarray(pixels), (width, height)))


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
