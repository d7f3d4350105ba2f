"""A film read once, as a stream: what the network makes of a frame each half second, where shots are, how loud it is."""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kgmm.encode.efficientnet import BATCH, SIDE, efficientnet
from kgmm.perceivers._classes import imagenet
from kgmm.progress import Progress, silent
from kgmm.stories.footage.kept import Arrays
from kgmm.stories.video.audio import loudness
from kgmm.stories.video.decoding import Pixels, frames
from kgmm.stories.video.reading import words_in
from kgmm.stories.video.shots import shots_of

STEP = 0.5  #: seconds between two moments: features at two frames a second, as in Potapov et al. (ECCV 2014)
#: seconds for which one picture counts at most: where a damaged clock leaps by hours, there is no film between
STILL = 60.0
Floats = NDArray[np.float32]


@cache
def concepts() -> tuple[tuple[str, ...], Floats]:
    """Return the names of what the default perceiver knows, places last, and their classes: shape (1000, names).

    Classes and kinds of one name are one concept.
    """
    classes = imagenet()
    names = list(dict.fromkeys([*(node.name for node in classes.nodes), *classes.places.values()]))
    place = {name: column for column, name in enumerate(names)}
    members = np.zeros((1000, len(names)), np.float32)
    for node in classes.nodes:
        members[list(node.classes), place[node.name]] = 1
    for index, name in classes.places.items():
        members[index, place[name]] = 1
    return tuple(names), members


def look(video: Path, read_frames: bool = False, progress: Progress = silent) -> Arrays:
    """Read a film and return its ``times``, ``looks``, ``scores``, ``energy``, ``cuts``, and ``shown``.

    ``cuts`` are the seconds at which shots start, and the end; ``shown`` is JSON as bytes: the words in each shot's
    keyframe if *read_frames*. What is held grows with the film by its features only.
    """
    eye = Eye()
    cuts, shown = [0.0], []
    stands: Callable[[Pixels], str] | None = words_in if read_frames else None
    for shot in shots_of(eye.watching(frames(video, progress=progress))):
        cuts.append(shot.end)
        if stands is not None:
            shown.append([shot.start, shot.end, stands(shot.keyframe)])
    times, looks, scores = eye.seen(cuts[-1])
    written = np.frombuffer(json.dumps(shown).encode(), np.uint8)
    heard = loudness(video, times, STEP)
    found: dict[str, NDArray[Any]] = {"times": times, "looks": looks, "scores": scores, "energy": heard}
    return {**found, "cuts": np.array(cuts), "shown": written}


class Eye:
    """Looks, while others read a film, at the frame that is shown each half second, a batch at a time."""

    def __init__(self) -> None:
        self._network = efficientnet()
        self._moments: list[int] = []  # which half second each is
        self._which: list[int] = []  # the row of each moment's frame
        self._looks: list[Floats] = []
        self._scores: list[Floats] = []
        self._crops: list[NDArray[np.uint8]] = []
        self._rows = 0
        self._next = 0
        self._shown: tuple[float, Pixels] | None = None
        self._fresh = False

    def watching(self, pictures: Iterable[tuple[float, Pixels]]) -> Iterator[tuple[float, Pixels]]:
        """Pass pictures with their seconds on, and look at some of them."""
        for at, pixels in pictures:
            self._until(at)
            self._shown, self._fresh = (at, pixels), True
            yield at, pixels

    def seen(self, end: float) -> tuple[NDArray[np.float64], Floats, Floats]:
        """Return the moments' seconds (n,), features (n, 1280) of unit length, and concepts' scores (n, names)."""
        self._until(end)
        self._look()
        which = np.array(self._which, np.int64)
        return np.array(self._moments) * STEP, np.concatenate(self._looks)[which], np.concatenate(self._scores)[which]

    def _until(self, end: float) -> None:
        """Take the moments before *end*: they show the last picture."""
        if self._shown is None:
            return
        last = min(end, self._shown[0] + STILL)
        while self._next * STEP < last - 1e-6 or not self._moments:
            if self._fresh:
                picture = Image.fromarray(self._shown[1]).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
                self._crops.append(np.asarray(picture))
                self._rows, self._fresh = self._rows + 1, False
            self._moments.append(self._next)
            self._which.append(self._rows - 1)
            self._next += 1
        self._next = max(self._next, int(np.ceil((end - 1e-6) / STEP)))
        if len(self._crops) >= BATCH:
            self._look()

    def _look(self) -> None:
        if not self._crops:
            return
        import torch
        import torch.nn.functional as F

        with torch.inference_mode():
            pooled = self._network.maps(np.stack(self._crops)).mean((2, 3))
            likely = torch.softmax(self._network.logits(pooled), 1).numpy()
            self._looks.append(np.asarray(F.normalize(pooled, dim=1).numpy(), np.float32))
        self._scores.append(np.asarray(likely @ concepts()[1], np.float32))
        self._crops = []
