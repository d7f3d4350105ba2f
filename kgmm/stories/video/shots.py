"""Shots of a film: cuts by PySceneDetect, dissolves, a keyframe and a few samples of each shot."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kgmm.errors import needed
from kgmm.progress import Progress, silent
from kgmm.stories.video.decoding import Pixels, frames
from kgmm.stories.video.dissolves import Dissolves

#: how many times the change around it a cut's change must be
TIMES = 3.0
#: mean change of hue, saturation and lightness (of 255) that a cut makes at least; in grey films only the last changes
CHANGE, GREY_CHANGE = 15.0, 3.0
#: how far colourfulness varies over a grey or evenly tinted picture (of 255), and frames that decide about a cut
GREY, WINDOW = 6.0, 5
#: how many samples of a shot are kept, and how many seconds apart they are at first
SAMPLES, STEP = 12, 0.2
#: seconds a shot lasts at least
SHORTEST = 0.5


@dataclass
class Cut:
    """One shot: seconds from *start* to *end*, and some of its frames, RGB, with their times."""

    start: float
    end: float
    times: list[float] = field(default_factory=list)
    samples: list[Pixels] = field(default_factory=list)

    @property
    def keyframe(self) -> Pixels:
        """The sample nearest to the shot's middle."""
        middle = (self.start + self.end) / 2
        return self.samples[int(np.argmin([abs(t - middle) for t in self.times]))]


def find_shots(video: Path, progress: Progress = silent) -> Iterator[Cut]:
    """Cut a film into shots where its content changes faster than around, or dissolves into another.

    Shots come in order as they are read, at least one, each where the one before ends: a shot's samples are all that is
    held in memory, however long the film. *progress* is told the seconds read.

    Raises:
        BadInput: if the file is no video, or no frame of it can be decoded.
    """
    with needed("scenedetect-headless", "video"):
        from scenedetect.common import FrameTimecode
        from scenedetect.detectors import AdaptiveDetector

    detector = AdaptiveDetector(adaptive_threshold=TIMES, min_scene_len=0)
    gradual = Dissolves()
    times: list[float] = []
    samples = _Samples()
    start, grey = 0.0, 0
    for at, pixels in frames(video, progress=progress):
        grey = grey + 1 if np.ptp(pixels[::4, ::4], axis=2).std() < GREY else 0
        detector.min_content_val = CHANGE if grey < WINDOW else GREY_CHANGE
        cuts = detector.process_frame(FrameTimecode(len(times), 25.0), pixels[:, :, ::-1])
        times.append(at)
        samples.add(at, pixels)
        found = [times[cut.frame_num] for cut in cuts]
        middle = gradual.add(at, pixels)
        if middle is not None:
            found.append(middle)
        for begins in sorted(found):
            if begins - start >= SHORTEST:
                shot = Cut(start, begins, *samples.taken_before(begins))
                start = begins
                if shot.samples:
                    yield shot
    step = (times[-1] - times[0]) / max(len(times) - 1, 1) or 0.04
    shot = Cut(start, times[-1] + step, *samples.taken_before(float("inf")))
    if shot.samples:
        yield shot


class _Samples:
    """Frames of the shot that is being read: about evenly spaced, never many more than ``SAMPLES``."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.pixels: list[Pixels] = []
        self.step = STEP

    def add(self, at: float, pixels: Pixels) -> None:
        """Keep a frame if it is a step after the last one; the newest few are always kept until cuts are known."""
        if len(self.times) >= 2 and self.times[-1] - self.times[-2] < self.step:
            self.times[-1], self.pixels[-1] = at, pixels
            return
        self.times.append(at)
        self.pixels.append(pixels)
        if len(self.times) > 2 * SAMPLES:
            self.step *= 2
            self.times, self.pixels = self.times[::2], self.pixels[::2]

    def taken_before(self, end: float) -> tuple[list[float], list[Pixels]]:
        """Hand out the samples before *end* and start anew with those after it."""
        count = bisect.bisect_left(self.times, end)
        taken = self.times[:count], self.pixels[:count]
        self.times, self.pixels, self.step = self.times[count:], self.pixels[count:], STEP
        return taken
