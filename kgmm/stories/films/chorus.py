"""Music videos summarized by their chorus (after Xu, Shao, Maddage and Kankanhalli, SIGIR 2005, which leaves much open).

The chorus is the longest loud stretch that the song repeats; the clip starts at a cut near it that splits no lyric line.
"""

import itertools
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.compiled import alone
from kgmm.errors import BadInput, needed
from kgmm.language.words import tokens
from kgmm.progress import Progress, silent
from kgmm.stories.films._skim import Skim
from kgmm.stories.video.audio import read_sound
from kgmm.stories.video.clips import Clip
from kgmm.stories.video.decoding import PathLike, Pixels
from kgmm.stories.video.shots import Cut, find_shots
from kgmm.stories.video.subtitles import Cue, embedded_subtitles, read_subtitles

RATE = 22_050
LASTS = (8.0, 45.0)  #: seconds a chorus lasts, shortest and longest
REACH = 4.0  #: how far, in seconds, the clip's start moves to meet a cut
CLOSE = 0.3  #: height of a face in a close-up, as a share of the picture's
Floats = NDArray[np.float64]


def skim(
    video: Path, subtitles: PathLike | None = None, progress: Progress = silent, *, length: float | None = None
) -> Skim:
    """Find the chorus of a music video and the clip that shows it; *subtitles* are its lyrics.

    Returns:
        One clip; the scores are the loudness of the chorus at every half second, 0 between its occurrences. Details:
        ``line``, the lyric line sung most often, if one comes twice; ``repeats``, every occurrence of the chorus;
        ``close_ups``, the shots inside the clip that show a face in close-up.

    Raises:
        BadInput: if the video has no sound, or is shorter than two choruses.
        MissingExtra: if librosa is not installed.
    """
    if length is not None and not 0 < length < float("inf"):
        raise BadInput("length", f"{length} is not a number of seconds above 0")
    sound = read_sound(video, RATE)
    if not np.any(sound):
        raise BadInput(video, "has no sound to find a chorus in")
    cues = read_subtitles(subtitles) if subtitles is not None else embedded_subtitles(video)
    repeats = repeated(sound)
    if not repeats:
        raise BadInput(video, f"too short for a chorus to come twice ({len(sound) / RATE:.0f} s)")
    best = max(repeats, key=lambda clip: (clip.score, -clip.start))
    shots = list(find_shots(video, progress))
    clip = aligned_clip(best, shots, cues, length, len(sound) / RATE)
    inside = [s for s in shots if s.start < clip.end and s.end > clip.start]
    faces = tuple(Clip(s.start, s.end) for s in inside if is_close_up(s.keyframe))
    times = np.arange(0, len(sound) / RATE, 0.5)
    scores = np.zeros(len(times))
    for chorus in repeats:
        scores[(times >= chorus.start) & (times < chorus.end)] = chorus.score
    line = most_repeated_line(cues)
    details = {"repeats": tuple(repeats), "close_ups": faces}
    return Skim(video, "chorus", (clip,), times, scores, details if line is None else {"line": line, **details})


def repeated(sound: NDArray[np.float32]) -> list[Clip]:
    """Return the occurrences of the chorus, scored by loudness; none if the sound is too short.

    Chroma of each beat is compared with that of every other; a stretch that is repeated counts by its length, how alike
    the repeats are, and how loud the quieter half of them is: "longest high-energy repeat".
    """
    chroma, loudness, edges = _beats(sound)
    count = chroma.shape[1]
    beat = float(np.median(np.diff(edges))) if len(edges) > 1 else 0.0
    if beat <= 0 or (count - 1) * beat < 2 * LASTS[0]:
        return []
    alike = _similarity(chroma)
    best: tuple[float, int, list[int]] | None = None
    low, high = LASTS[0] / beat, min(LASTS[1] / beat, count / 2)
    for width in (w for w in range(4, count // 2 + 1, 4) if low <= w <= high):  # in beats, bar by bar
        diagonal = _diagonal_means(alike, width)
        level = _level(diagonal, width)
        for start in range(count - width + 1):
            others = _peaks(diagonal[start], start, width, level)
            if not others:
                continue
            places = sorted([start, *others])
            halves = [loudness[p : p + width].reshape(2, -1).mean(axis=1) for p in places]
            loud = float(np.mean(halves, axis=0).min())
            value = width * float(diagonal[start, others].mean()) ** 2 * loud**2
            if best is None or value > best[0]:
                best = (value, width, places)
    if best is None:
        return []
    _, width, places = best
    return [Clip(float(edges[p]), float(edges[p + width]), float(loudness[p : p + width].mean())) for p in places]


def _beats(sound: NDArray[np.float32]) -> tuple[Floats, Floats, Floats]:
    """Return chroma (12, beats), relative loudness (beats) and the beats' edges in seconds (beats + 1)."""
    with needed("librosa", "video"):
        import librosa
    with alone(librosa.__path__[0]):  # what it compiles when it is imported is kept
        from librosa.beat import beat_track
        from librosa.feature import chroma_stft, rms
    hop = 512
    chroma = chroma_stft(y=sound, sr=RATE, hop_length=hop, n_fft=4096, tuning=0.0)
    loud = rms(y=sound, hop_length=hop)[0]
    _, beats = beat_track(y=sound, sr=RATE, hop_length=hop, trim=False)
    size = min(chroma.shape[1], len(loud))
    marks = np.unique(np.clip(np.concatenate(([0], np.asarray(beats, int), [size])), 0, size))
    if len(marks) < len(sound) / RATE:  # fewer than a beat a second were found: cut evenly instead
        marks = np.unique(np.linspace(0, size, max(2, round(2 * len(sound) / RATE)) + 1).astype(int))
    parts = list(itertools.pairwise(marks))
    pitch = np.array([np.median(chroma[:, a:b], axis=1) for a, b in parts]).T
    energy = np.array([float(loud[a:b].mean()) for a, b in parts])
    return pitch, energy / (energy.mean() or 1.0), marks * hop / RATE


def _similarity(chroma: Floats) -> Floats:
    """Return the cosine of every two beats' chroma, their mean taken off, diagonals smoothed by librosa."""
    import librosa

    with alone(librosa.__path__[0]):
        from librosa.segment import path_enhance

    centred = chroma - chroma.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(centred, axis=0)
    centred = centred / np.where(norms > 1e-9, norms, 1.0)
    return np.asarray(path_enhance(centred.T @ centred, 5, window="hann", n_filters=5), np.float64)


def _diagonal_means(alike: Floats, width: int) -> Floats:
    """Return entry (i, j): the mean likeness of beats i, i + 1, … and j, j + 1, … over *width* beats."""
    count = len(alike)
    total = np.zeros((count + 1, count + 1))
    for i in range(count - 1, -1, -1):  # sums from each entry to the end of its diagonal
        total[i, :-1] = alike[i] + total[i + 1, 1:]
    size = count - width + 1
    return np.asarray((total[:size, :size] - total[width : width + size, width : width + size]) / width)


def _level(diagonal: Floats, width: int) -> float:
    """Return from where on two stretches count as repeats: most of the way from usual to most alike."""
    apart = np.triu(np.ones_like(diagonal, bool), width)
    if not apart.any():
        return float("inf")
    values = diagonal[apart]
    return float(np.median(values) + 0.75 * (values.max() - np.median(values)))


def _peaks(row: Floats, start: int, width: int, level: float) -> list[int]:
    """Return where a stretch is repeated: the most alike first, none overlapping another."""
    taken = [start]
    for place in np.argsort(-row, kind="stable").tolist():
        if row[place] < level:
            break
        if all(abs(place - other) >= width for other in taken):
            taken.append(place)
    return taken[1:]


def aligned_clip(chorus: Clip, shots: Sequence[Cut], cues: Sequence[Cue], length: float | None, end: float) -> Clip:
    """Return the chorus, as long, from the nearest cut within four seconds that splits no lyric line, else as it is."""
    long = min(chorus.end - chorus.start if length is None else length, end)
    near = [shot.start for shot in shots if abs(shot.start - chorus.start) <= REACH]
    cuts = [at for at in near if not any(cue.start + 0.05 < at < cue.end - 0.05 for cue in cues)]
    start = min(cuts, key=lambda at: (abs(at - chorus.start), at), default=chorus.start)
    start = max(0.0, min(start, end - long))
    return Clip(start, start + long, chorus.score)


def most_repeated_line(cues: Sequence[Cue]) -> str | None:
    """Return the line sung most often, as it is first written; the longer one of equals; None if none comes twice.

    >>> most_repeated_line([Cue(0, 1, "Oh yes"), Cue(1, 2, "Come home!"), Cue(5, 6, "come home")])
    'Come home!'
    """
    written: dict[tuple[str, ...], str] = {}
    counts: Counter[tuple[str, ...]] = Counter()
    for cue in cues:
        key = tuple(tokens(cue.text))
        if len(key) > 1:
            written.setdefault(key, cue.text)
            counts[key] += 1
    key = max(counts, key=lambda key: (counts[key], len(key)), default=())
    return written[key] if counts[key] > 1 else None


@cache
def _cascade() -> Any:
    """Return scikit-image's detector with the frontal faces it ships (local binary patterns)."""
    with needed("scikit-image", "video"):
        from skimage import data
        from skimage.feature import Cascade
    return Cascade(data.lbp_frontal_face_cascade_filename())


def is_close_up(pixels: Pixels) -> bool:
    """Tell whether a picture, shape (h, w, 3), shows a frontal face at least 0.3 of its height."""
    smallest, largest = max(24, int(CLOSE * pixels.shape[0])), min(pixels.shape[:2])
    if smallest >= largest:
        return False
    sizes = {"min_size": (smallest, smallest), "max_size": (largest, largest)}
    picture = np.ascontiguousarray(pixels)
    return bool(_cascade().detect_multi_scale(img=picture, scale_factor=1.2, step_ratio=1, **sizes))
