"""Dissolves and fades: changes of picture too gradual for a detector of cuts."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from kgmm.stories.video.decoding import Pixels

#: pixels, wide and high, at which frames are compared
SMALL = (32, 18)
#: seconds over which a dissolve is looked for
SPANS = (0.4, 0.8, 1.6)
#: mean change of a pixel (of 255) that a dissolve makes at least, and how often the usual change of that span
CHANGE, OFTEN = 18.0, 2.5
#: how far, by the change, the middle may be from the mean of both ends: a cut has 0.5, a dissolve near 0
BLEND = 0.2


class Dissolves:
    """Finds gradual transitions in frames given one by one.

    In a dissolve the frame in the middle is the mean of the frames before and after: a cut or a moving camera is not.
    """

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
        level = max(CHANGE, OFTEN * float(np.median(usual))) if len(usual) >= 5 else CHANGE
        blend = float(np.abs(m - (a + b) / 2).mean())
        if change < level or blend > BLEND * change:
            usual.append(change)
            return None
        return change * (1 - blend / change), float(times[middle])
