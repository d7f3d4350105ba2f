"""A film as numbers, twice a second: what is seen, which concepts, what is said, how loud; the same in training and use."""

import hashlib
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kgmm.encode.efficientnet import FEATURES, efficientnet
from kgmm.encode.text import text_encoder
from kgmm.errors import BadInput, KgmmError, needed
from kgmm.progress import Progress, silent
from kgmm.stories.footage.kept import Arrays, checksum, kept
from kgmm.stories.footage.knapsack import knapsack
from kgmm.stories.footage.looking import STEP, concepts, look
from kgmm.stories.footage.segments import Ints, kernel_segments, means
from kgmm.stories.video.clips import Clip
from kgmm.stories.video.subtitles import Cue, embedded_subtitles, read_subtitles

SEGMENTS = ("shots", "kts")
LONGEST = 20  #: moments of a segment at most: a longer one is kept or left in parts of ten seconds
REACH = 5.0  #: seconds before and after a cue in which its words still tell what is shown, ever less
WORDS = 384  #: length of MiniLM's vectors
VERSION = 1  #: of what is kept on disk
Floats = NDArray[np.float32]


def _no_rows() -> Floats:
    return np.zeros((0, 0), np.float32)


@dataclass(frozen=True, eq=False)
class Footage:
    """A film's n moments, half a second apart, and its segments.

    Made by :func:`look_at` from a film, or from arrays: only ``looks`` must be given, the rest is then empty or zero.

    Raises:
        BadInput: if arrays are of unlike length or not finite, or the edges do not rise from 0 to n.

    Example:
        >>> made = Footage(np.eye(4, dtype=np.float32), edges=np.array([0, 2, 4]))
        >>> made.seconds, made.times.tolist(), made.starts.tolist()
        (2.0, [0.0, 0.5, 1.0, 1.5], [0.0, 1.0, 2.0])
    """

    looks: Floats  #: (n, d): features of the frame, from a film 1280 of unit length by the default perceiver's network
    video: Path = Path("film")
    seconds: float = 0.0  #: how long the film is; of arrays half a second a moment
    times: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))  #: (n,): seconds of the moments, ascending
    concepts: tuple[str, ...] = ()  #: names of the c concepts
    scores: Floats = field(default_factory=_no_rows)  #: (n, c): how surely each concept is seen, in [0, 1]
    words: Floats = field(default_factory=_no_rows)  #: (n, 384): what is said around the moment, of unit length or zero
    energy: Floats = field(default_factory=lambda: np.zeros(0, np.float32))  #: (n,): root mean square of the sound
    edges: Ints = field(default_factory=lambda: np.zeros(0, np.int64))  #: (segments + 1,): first moments, and n
    starts: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))  #: (segments + 1,): the same in seconds
    cues: tuple[Cue, ...] = ()  #: what is said
    shown: tuple[Cue, ...] = ()  #: words that stand in the pictures, where they were read

    def __post_init__(self) -> None:
        count = len(self.looks)
        if self.looks.ndim != 2 or not count:
            raise BadInput(self.video, "a film's features are a row for each moment, one at least")
        default: dict[str, Any] = {
            "times": np.arange(count) * STEP,
            "scores": np.zeros((count, len(self.concepts)), np.float32),
            "words": np.zeros((count, WORDS), np.float32),
            "energy": np.zeros(count, np.float32),
            "edges": np.array([0, count]),
        }
        for name, value in default.items():
            if not getattr(self, name).size:
                object.__setattr__(self, name, value)
        if not self.seconds:
            object.__setattr__(self, "seconds", float(self.times[-1]) + STEP)
        self._check(count)
        if not len(self.starts):
            object.__setattr__(self, "starts", np.append(self.times[self.edges[:-1]], self.seconds))
        elif len(self.starts) != len(self.edges):
            raise BadInput(self.video, f"{len(self.starts)} starts for {len(self.edges)} edges")

    def _check(self, count: int) -> None:
        for name in ("looks", "times", "scores", "words", "energy"):
            array = getattr(self, name)
            if len(array) != count:
                raise BadInput(self.video, f"{len(array)} {name} for {count} moments")
            if not np.isfinite(array).all():
                raise BadInput(self.video, f"{name} has values that are not finite")
        if self.scores.shape[1] != len(self.concepts):
            raise BadInput(self.video, f"{len(self.concepts)} concepts for {self.scores.shape[1]} columns of scores")
        if self.edges[0] != 0 or self.edges[-1] != count or (np.diff(self.edges) <= 0).any():
            raise BadInput(self.video, f"the segments' edges do not rise from 0 to {count}")

    def __len__(self) -> int:
        return len(self.looks)

    def said(self, start: float, end: float) -> str:
        """Return what is said, and then what stands in the pictures, between two seconds."""
        return " ".join(c.text for c in (*self.cues, *self.shown) if c.start < end and c.end > start)

    def of_segments(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return the mean over each segment of *values*, shape (n,) or (rows, n)."""
        return means(values, self.edges)

    def clips(self, values: ArrayLike, rate: float) -> tuple[Clip, ...]:
        """Return the segments worth most that last at most *rate* of the film together; the best moments if none fits.

        Args:
            values: of the segments, shape (segments,).
            rate: above 0 and at most 1.

        Raises:
            BadInput: if *rate* is not in its range, or a value is not finite.
        """
        if not 0 < rate <= 1:
            raise BadInput("rate", f"{rate} is not above 0 and at most 1")
        worth, room = np.asarray(values, np.float64), max(1, int(rate * len(self)))
        taken = knapsack(worth, np.diff(self.edges), room)
        if len(taken):
            return tuple(Clip(float(self.starts[i]), float(self.starts[i + 1]), float(worth[i])) for i in taken)
        best = int(np.argmax(worth))
        first, last = int(self.edges[best]), int(self.edges[best + 1])
        first = max(first, (first + last - room) // 2)
        end = min(float(self.times[first]) + min(room, last - first) * STEP, self.seconds)
        return (Clip(float(self.times[first]), end, float(worth[best])),)


def look_at(
    video: str | Path,
    subtitles: str | Path | None = None,
    segments: str = "shots",
    *,
    read_frames: bool = False,
    progress: Progress = silent,
) -> Footage:
    """Return a film's features, computed once and kept in the user's cache under the file's checksum.

    Args:
        video: any container PyAV reads; without sound, cut short, of a varying rate, turned.
        subtitles: SRT or WebVTT; by default what is embedded.
        segments: ``shots``, or ``kts`` (kernel temporal segmentation of the features); those over ten seconds in parts.
        read_frames: whether words in each shot's middle frame are read as well (``pip install 'kgmm[ocr]'``).
        progress: told the seconds read.

    Raises:
        BadInput: if the film or its subtitles cannot be read.
        KgmmError: if there are no such segments.
        MissingExtra: if a package it needs is not installed (``pip install 'kgmm[video]'``).
    """
    if segments not in SEGMENTS:
        raise KgmmError(f"no segments {segments!r}; there are: {', '.join(SEGMENTS)}")
    path = Path(video).expanduser()
    if not path.is_file():
        raise BadInput(path, "no such video")
    with needed("av", "video"):
        import av  # noqa: F401
    cues = read_subtitles(subtitles) if subtitles is not None else embedded_subtitles(path)
    names = concepts()[0]
    settings = {
        "version": VERSION,
        "film": checksum(path),
        "network": efficientnet().checksum,
        "concepts": hashlib.blake2b("\n".join(names).encode(), digest_size=8).hexdigest(),
        "read": read_frames,
    }
    found = kept(settings, lambda: look(path, read_frames, progress), _fits)
    times, cuts = found["times"], found["cuts"]
    shown = tuple(Cue(float(a), float(b), str(text)) for a, b, text in json.loads(found["shown"].tobytes()) if text)
    edges = kernel_segments(found["looks"]) if segments == "kts" else np.append(np.searchsorted(times, cuts[:-1]), -1)
    edges, starts = _parted(edges, times, cuts)
    return Footage(
        found["looks"],
        path,
        float(cuts[-1]),
        times,
        names,
        found["scores"],
        _words((*cues, *shown), times),
        found["energy"],
        edges,
        starts,
        tuple(cues),
        shown,
    )


def _fits(found: Arrays) -> bool:
    """Tell whether arrays from disk belong together, as those of :func:`look` do."""
    wanted = {"times": 1, "looks": 2, "scores": 2, "energy": 1, "cuts": 1, "shown": 1}
    if found.keys() != wanted.keys() or any(found[name].ndim != size for name, size in wanted.items()):
        return False
    count = len(found["times"])
    shapes = found["looks"].shape == (count, FEATURES) and found["scores"].shape == (count, len(concepts()[0]))
    alike = count > 0 and shapes and len(found["energy"]) == count and len(found["cuts"]) > 1
    return bool(
        alike and all(np.isfinite(found[name]).all() for name in ("times", "looks", "scores", "energy", "cuts"))
    )


def _parted(first: Ints, times: NDArray[np.float64], cuts: NDArray[np.float64]) -> tuple[Ints, NDArray[np.float64]]:
    """Return the edges of segments none of which is over :data:`LONGEST`, and their seconds: a cut's where it is one."""
    count = len(times)
    edges = np.unique(np.clip(np.append(first[:-1], [0, count]), 0, count))
    whole = [
        np.linspace(a, b, -(-(b - a) // LONGEST) + 1).round().astype(np.int64)[:-1]
        for a, b in itertools.pairwise(edges)
    ]
    parted = np.concatenate([*whole, [count]]).astype(np.int64)
    starts = np.append(times[parted[:-1]], cuts[-1])
    for at, cut in zip(np.searchsorted(times, cuts[1:-1]), cuts[1:-1], strict=True):
        starts[parted == at] = cut
    return parted, starts


def _words(cues: Sequence[Cue], times: NDArray[np.float64]) -> Floats:
    """Return a vector of unit length for each moment, of what is said around it; zero where nothing is."""
    out = np.zeros((len(times), WORDS), np.float32)
    said = [cue for cue in cues if cue.text.strip()]
    if not said:
        return out
    texts = list(dict.fromkeys(cue.text for cue in said))
    place = {text: row for row, text in enumerate(texts)}
    encoder = text_encoder()
    named = hashlib.blake2b(json.dumps(texts).encode(), digest_size=16).hexdigest()
    settings = {"version": VERSION, "texts": named, "encoder": encoder.checksum}
    rows = kept(
        settings,
        lambda: {"vectors": encoder.encode(texts)},
        lambda found: found.keys() == {"vectors"} and found["vectors"].shape == (len(texts), WORDS),
    )["vectors"]
    for cue in said:
        low, high = np.searchsorted(times, [cue.start - REACH, cue.end + REACH])
        at = times[low:high]
        away = np.maximum(np.maximum(cue.start - at, at - cue.end), 0)
        out[low:high] += (1 - away / REACH).astype(np.float32)[:, None] * rows[place[cue.text]]
    long = np.linalg.norm(out, axis=1, keepdims=True)
    return np.asarray(np.divide(out, long, out=np.zeros_like(out), where=long > 1e-6), np.float32)
