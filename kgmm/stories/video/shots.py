"""Shots of a film: cuts by PySceneDetect, dissolves, a keyframe and a few samples of each shot."""

import bisect
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import needed
from kgmm.progress import Progress, silent
from kgmm.stories.video.decoding import Pixels, frames

TIMES = 3.0  #: how many times the change around it a cut's change must be
#: mean change of hue, saturation and lightness (of 255) that a cut makes at least; in grey films only the last changes
CHANGE, GREY_CHANGE = 15.0, 3.0
#: how far colourfulness varies over a grey or evenly tinted picture (of 255), and frames that decide about a cut
GREY, WINDOW = 6.0, 5
SAMPLES, STEP = 12, 0.2  #: how many samples of a shot are kept, and how many seconds apart they are at first
SHORTEST = 0.5  #: seconds a shot lasts at least
SMALL = (32, 18)  #: pixels, wide and high, at which frames are compared
SPANS = (0.4, 0.8, 1.6)  #: seconds over which a dissolve is looked for
#: mean change of a pixel (of 255) that a dissolve makes at least, and how often the usual change of that span
BLENDED, OFTEN = 18.0, 2.5
BLEND = 0.2  #: how far, by the change, the middle may be from the mean of both ends: a cut has 0.5, a dissolve near 0


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
    yield from shots_of(frames(video, progress=progress))


def shots_of(pictures: Iterable[tuple[float, Pixels]]) -> Iterator[Cut]:
    """Cut pictures with their seconds, as :func:`kgmm.stories.video.decoding.frames` gives them, into shots."""
    with needed("scenedetect-headless", "video"):
        from scenedetect.common import FrameTimecode
        from scenedetect.detectors import AdaptiveDetector

    detector = AdaptiveDetector(adaptive_threshold=TIMES, min_scene_len=0)
    gradual = Dissolves()
    times: list[float] = []
    samples = _Samples()
    start, grey = 0.0, 0
    for at, pixels in pictures:
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
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.04
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


class Dissolves:
    """Finds gradual transitions: unlike at a cut, the frame in the middle is the mean of those before and after."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()
        self._small: deque[NDArray[np.float32]] = deque()
        self._usual: dict[float, deque[float]] = {span: deque(maxlen=50) for span in SPANS}
        self._best: tuple[float, float] | None = None  # how clear, when
        self._last = -np.inf

    def add(self, at: float, pixels: Pixels) -> float | None:
        """Take the next frame; return the middle of a dissolve that has just passed, if one has."""
        import cv2

        self._times.append(at)
        self._small.append(cv2.resize(pixels, SMALL, interpolation=cv2.INTER_AREA).astype(np.float32))
        while self._times[0] < at - 2 * max(SPANS):
            self._times.popleft()
            self._small.popleft()
        found = max((c for c in (self._candidate(at, span) for span in SPANS) if c), default=None)
        if found is not None and (self._best is None or found[0] > self._best[0]):
            self._best = found
        if self._best is not None and at - self._best[1] > max(SPANS) / 2:
            when, self._best = self._best[1], None
            if when - self._last >= SPANS[1]:
                self._last = when
                return when
        return None

    def _candidate(self, at: float, span: float) -> tuple[float, float] | None:
        """Return how clear a dissolve over the last *span* seconds is, and its middle."""
        times = np.array(self._times)
        if times[0] > at - span + 1e-6 or len(times) < 5:
            return None
        last, first = len(times) - 1, int(np.searchsorted(times, at - span - 1e-6))
        first += (last - first) % 2
        middle = (first + last) // 2
        if middle - first < 2:
            return None
        a, m, b = self._small[first], self._small[middle], self._small[-1]
        change = float(np.abs(b - a).mean())
        usual = self._usual[span]
        level = max(BLENDED, OFTEN * float(np.median(usual))) if len(usual) >= 5 else BLENDED
        blend = float(np.abs(m - (a + b) / 2).mean())
        if change < level or blend > BLEND * change:
            usual.append(change)
            return None
        return change * (1 - blend / change), float(times[middle])
