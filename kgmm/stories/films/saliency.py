r"""Skims by audio-visual-text saliency (Evangelopoulos et al., IEEE Trans. Multimedia 2013; Eq. 23 of the survey).

$S = w_a S_a + w_v S_v + w_t S_t$: sound by amplitude and frequency modulation, pictures by intensity, colour and motion
that stand out from around them, words by part of speech.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from kgmm.errors import BadInput, needed
from kgmm.language.words import lemma
from kgmm.progress import Progress, silent
from kgmm.stories.films._skim import RATE, Skim
from kgmm.stories.terms import lexicon
from kgmm.stories.terms.extraction import is_noun
from kgmm.stories.video.audio import Floats, audio_saliency, read_sound, step, unit
from kgmm.stories.video.clips import Clip
from kgmm.stories.video.decoding import PathLike, frames
from kgmm.stories.video.subtitles import Cue, embedded_subtitles, read_subtitles

NAME, NOUN, ADJECTIVE, VERB = 1.0, 0.5, 0.5, 0.2  #: what a word weighs by its part of speech
WIDE = 128  #: pixels in width at which pictures are looked at
#: M, N and K of the skim, in frames: half the median filter, the shortest run kept, the longest gap joined
MEDIAN, RUN, GAP = 20, 20, 10
DEAD = 0.01  #: share of the highest saliency up to which footage is dead
FUSIONS = ("sum", "min", "max", "variance")


@dataclass(frozen=True)
class Saliency:
    """Saliency of each frame in [0, 1]: ``audio``, ``visual``, ``text`` and their fusion ``all``; ``times`` in seconds."""

    times: Floats
    audio: Floats
    visual: Floats
    text: Floats
    all: Floats


def saliency(
    video: PathLike, subtitles: PathLike | None = None, *, fusion: str = "sum", progress: Progress = silent
) -> Saliency:
    """Return how much each frame of a film stands out; see :func:`kgmm.stories.films.skim`.

    *fusion* is ``sum`` (mean), ``min``, ``max``, or ``variance`` (weights are the inverse of the curves' variance),
    else BadInput; a film without sound or words leaves their weight to the rest.
    """
    if fusion not in FUSIONS:
        raise BadInput("fusion", f"{fusion!r} is none of {', '.join(FUSIONS)}")
    path = Path(video)
    cues = read_subtitles(subtitles) if subtitles is not None else embedded_subtitles(path)
    times, visual = visual_saliency(path, progress)
    curves = audio_saliency(read_sound(path), times), visual, text_saliency(cues, times)
    return Saliency(times, *curves, fused(curves, fusion))


def fused(curves: Sequence[Floats], fusion: str = "sum") -> Floats:
    """Return one curve of several, of those that are not flat zero.

    >>> fused([np.array([0.0, 1.0]), np.array([0.5, 0.5]), np.zeros(2)]).tolist()
    [0.25, 0.75]
    """
    used = [curve for curve in curves if np.any(curve)]
    if not used:
        return np.zeros_like(curves[0])
    stack, share = np.stack(used), np.ones(len(used))
    if fusion in ("min", "max"):
        return np.asarray(getattr(stack, fusion)(axis=0))
    if fusion == "variance":
        share = share / np.maximum(stack.var(axis=1), 1e-6)
    return np.asarray(share @ stack / share.sum())


def visual_saliency(video: Path, progress: Progress = silent) -> tuple[Floats, Floats]:
    """Return the frames' times and how much each picture's intensity, colours and motion stand out, in [0, 1]."""
    with needed("opencv-python-headless", "video"):
        import cv2
    times: list[float] = []
    rows: list[list[float]] = []
    before = None
    for at, pixels in frames(video, WIDE, progress):
        rgb = pixels.astype(np.float32)
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
        planes = [grey.astype(np.float32), red - green, blue - (red + green) / 2]
        flow = np.zeros_like(planes[0])
        if before is not None:
            moved = cv2.calcOpticalFlowFarneback(before, grey, None, 0.5, 2, 9, 2, 5, 1.1, 0)
            flow = np.hypot(moved[..., 0], moved[..., 1])
        rows.append([_stands_out(plane) for plane in (*planes, flow)])
        times.append(at)
        before = grey
    if len(rows) > 1:
        rows[0][3] = rows[1][3]
    curves = np.array(rows).T
    colour = unit(curves[1]) / 2 + unit(curves[2]) / 2
    return np.array(times), unit(np.mean([unit(curves[0]), colour, unit(curves[3])], axis=0))


def _stands_out(plane: NDArray[np.float32]) -> float:
    """Return the mean difference of centre and surround over a Gaussian pyramid (Itti, Koch and Niebur, 1998)."""
    import cv2

    levels = [plane]
    while len(levels) < 5 and min(levels[-1].shape) >= 8:
        levels.append(cv2.pyrDown(levels[-1]))
    if len(levels) < 3:
        return float(np.abs(plane - plane.mean()).mean())
    total = 0.0
    for centre in range(len(levels) - 2):
        size = levels[centre].shape[1], levels[centre].shape[0]
        surround = cv2.resize(levels[centre + 2], size, interpolation=cv2.INTER_LINEAR)
        total += float(np.abs(levels[centre] - surround).mean())
    return total / (len(levels) - 2)


def text_saliency(cues: Sequence[Cue], times: Floats) -> Floats:
    """Return the weight of the word being spoken at each frame, in [0, 1]; a cue's words share its time evenly."""
    curve = np.zeros(len(times))
    for cue in cues:
        words = cue.text.split()
        if not words or cue.end <= cue.start:
            continue
        inside = np.flatnonzero((times >= cue.start) & (times < cue.end))
        place = ((times[inside] - cue.start) / (cue.end - cue.start) * len(words)).astype(int)
        weights = np.array([word_weight(word, first=i == 0) for i, word in enumerate(words)])
        curve[inside] = np.maximum(curve[inside], weights[place])
    return curve


def word_weight(word: str, first: bool = False) -> float:
    """Return what a word weighs: names 1, nouns and adjectives 0.5, verbs 0.2, all else 0.

    >>> [word_weight(w) for w in ("Velden,", "river", "green", "says", "the")]
    [1.0, 0.5, 0.5, 0.2, 0.0]
    """
    bare = word.strip(".,;:!?\"'()“”’-–…")
    small = bare.lower()
    if not small or small in lexicon.NEVER:
        return 0.0
    if bare[0].isupper() and not (first and is_noun(small)):
        return NAME
    if small in lexicon.ADJECTIVES:
        return ADJECTIVE
    if lemma(small) in lexicon.VERBS or small in lexicon.VERBS:
        return VERB
    return NOUN if is_noun(small) else 0.0


def skim(
    video: Path,
    subtitles: PathLike | None = None,
    progress: Progress = silent,
    *,
    rate: float = RATE,
    fusion: str = "sum",
) -> Skim:
    """Return the parts of a film that stand out most; see :func:`saliency` and :func:`salient_clips`."""
    curve = saliency(video, subtitles, fusion=fusion, progress=progress)
    return Skim(video, "saliency", tuple(salient_clips(curve, rate)), curve.times, curve.all)


def salient_clips(curve: Saliency, rate: float = RATE) -> list[Clip]:
    """Return the parts of a film that stand out most, about *rate* of its frames, in order of time.

    The fused curve goes through a median filter of 2 x 20 + 1 frames and is cut at the quantile that leaves *rate*;
    gaps under 10 frames are joined, runs under 20 dropped. A film shorter than that keeps its best run. Frames that do
    not stand out at all are never kept: fewer than *rate*, or no clip, may be the answer.

    Raises:
        BadInput: if *rate* is not above 0 and at most 1.
    """
    if not 0 < rate <= 1:
        raise BadInput("rate", f"{rate} is not above 0 and at most 1")
    count = len(curve.times)
    if count == 0:
        return []
    half = min(MEDIAN, max(count // 10, 0))
    smooth = median_filter(curve.all, 2 * half + 1, mode="nearest")
    best = np.sort(np.argsort(-smooth, kind="stable")[: max(1, round(rate * count))])
    best = best[smooth[best] > DEAD * smooth.max()]
    if not len(best):
        return []
    parts = np.split(best, np.flatnonzero(np.diff(best) > GAP) + 1)
    runs = [(int(part[0]), int(part[-1]) + 1) for part in parts]
    long = [r for r in runs if r[1] - r[0] >= RUN] or [max(runs, key=lambda r: (r[1] - r[0], -r[0]))]
    after = curve.times + step(curve.times)
    return [Clip(float(curve.times[a]), float(after[b - 1]), float(smooth[a:b].mean())) for a, b in long]
