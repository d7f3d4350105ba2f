"""Sound of a film: decoding with PyAV, and how salient it is by multiband amplitude and frequency modulation."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kgmm.stories.video.decoding import decoded, opened

Floats = NDArray[np.float64]
RATE = 16_000  #: samples a second that sound is brought to
BANDS = 12  #: bands it is parted into
APART = 0.1  #: seconds that sound and pictures must start apart for it to be heard


def read_sound(video: Path, rate: int = RATE) -> NDArray[np.float32]:
    """Return a film's first sound as mono in [-1, 1] from its first picture on, or nothing; BadInput if no film."""
    parts = list(sounded(video, rate))
    return np.concatenate(parts) if parts else np.empty(0, np.float32)


def sounded(video: Path, rate: int = RATE) -> Iterator[NDArray[np.float32]]:
    """Yield what :func:`read_sound` returns, part by part as it is decoded."""
    import av

    with opened(video) as container:
        if not container.streams.audio:
            return
        first = (*container.streams.video[:1], container.streams.audio[0])
        starts = [stream.start_time * stream.time_base for stream in first if stream.start_time is not None]
        late = round(float(starts[-1] - starts[0]) * rate) if len(starts) == 2 else 0
        late = late if abs(late) >= APART * rate else 0
        resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
        sounds = itertools.chain(decoded(container, container.streams.audio[0]), [None])  # None: what is left over
        for sound in sounds:
            for part in resampler.resample(sound):
                while late > 0:  # silence before the sound
                    yield np.zeros(min(late, rate), np.float32)
                    late -= min(late, rate)
                samples = part.to_ndarray().ravel()
                yield samples[-late:]
                late = min(late + len(samples), 0)


def loudness(video: Path, times: Floats, long: float = 0.5, rate: int = 8_000) -> NDArray[np.float32]:
    """Return the root mean square of the sound in the *long* seconds from each of *times* on; zeros if it is silent.

    *times* are multiples of *long*, ascending. Sound is read as a stream and never held whole.
    """
    size = round(long * rate)
    places = np.rint(times / long).astype(np.int64)
    levels: list[float] = []
    left = np.empty(0, np.float32)
    for part in sounded(video, rate):
        left = np.concatenate([left, part])
        while len(left) >= size:
            levels.append(_level(left[:size]))
            left = left[size:]
        if len(places) and len(levels) > places[-1]:
            break
    levels.append(_level(left))
    inside = np.minimum(places, len(levels) - 1)
    return np.where(places < len(levels), np.array(levels, np.float32)[inside], np.float32(0))


def _level(sound: NDArray[np.float32]) -> float:
    known = np.nan_to_num(sound, nan=0.0, posinf=1.0, neginf=-1.0)
    return float(np.sqrt(np.mean(known.astype(np.float64) ** 2))) if len(known) else 0.0


def teager(x: Floats) -> Floats:
    """Return the Teager-Kaiser energy x[n]^2 - x[n-1] x[n+1]; the ends repeat their neighbours.

    >>> tone = np.cos(0.3 * np.arange(100))
    >>> np.allclose(teager(tone), np.sin(0.3) ** 2)
    True
    """
    if len(x) < 3:
        return np.zeros_like(x)
    energy = np.empty_like(x)
    energy[1:-1] = x[1:-1] ** 2 - x[:-2] * x[2:]
    energy[0], energy[-1] = energy[1], energy[-2]
    return energy


def separated(x: Floats) -> tuple[Floats, Floats]:
    """Return instantaneous amplitude and frequency (radians a sample) by DESA-2 (Maragos, Kaiser, Quatieri, 1993).

    >>> amplitude, frequency = separated(2 * np.cos(0.3 * np.arange(100)))
    >>> round(float(np.median(amplitude)), 6), round(float(np.median(frequency)), 6)
    (2.0, 0.3)
    """
    energy = np.maximum(teager(x), 0)
    slope = np.zeros_like(x)
    slope[1:-1] = x[2:] - x[:-2]
    slope[:1], slope[-1:] = slope[1:2], slope[-2:-1]
    change = np.maximum(teager(slope), 0)
    tiny = 1e-12
    amplitude = 2 * energy / np.sqrt(np.maximum(change, tiny))
    frequency = 0.5 * np.arccos(np.clip(1 - change / np.maximum(2 * energy, tiny), -1, 1))
    silent = energy <= tiny
    amplitude[silent] = frequency[silent] = 0.0
    return amplitude, frequency


def bands(x: Floats) -> list[Floats]:
    """Return a signal through 12 Gabor filters, evenly spaced on the mel scale from 100 Hz to 0.45 of the rate."""
    from scipy.signal import fftconvolve

    low, high = (2595 * np.log10(1 + hertz / 700) for hertz in (100.0, 0.45 * RATE))
    centres = 700 * (10 ** (np.linspace(low, high, BANDS) / 2595) - 1)
    widths = np.gradient(centres)
    out = []
    for centre, width in zip(centres, widths, strict=True):
        spread = RATE / (2 * np.pi * 0.5 * width)
        at = np.arange(-int(3 * spread), int(3 * spread) + 1)
        window = np.exp(-0.5 * (at / spread) ** 2)
        out.append(fftconvolve(x, window * np.cos(2 * np.pi * centre / RATE * at) / window.sum(), mode="same"))
    return out


def audio_saliency(sound: NDArray[np.float32], times: Floats) -> Floats:
    """Return the saliency of sound at each of *times* (the frames' seconds), in [0, 1]; zeros if there is none.

    Each frame takes the band whose mean Teager energy is highest; its mean energy, amplitude and frequency, each
    brought to [0, 1] over the film, weigh a third each (Evangelopoulos et al., IEEE Trans. Multimedia 2013).
    """
    if len(sound) < RATE // 50 or not np.any(sound) or not len(times):
        return np.zeros(len(times))
    x = sound.astype(np.float64)
    edges = np.minimum((np.append(times, times[-1] + step(times)) * RATE).astype(int), len(x))
    features = np.zeros((3, len(times)))
    for band in bands(x):
        amplitude, frequency = separated(band)
        energy = _means(np.maximum(teager(band), 0), edges)
        better = energy > features[0]
        for row, values in enumerate((energy, _means(np.abs(amplitude), edges), _means(frequency, edges))):
            features[row] = np.where(better, values, features[row])
    return np.asarray(np.mean([unit(row) for row in features], axis=0))


def step(times: Floats) -> float:
    """Return the usual time between two frames, in seconds."""
    return float(np.median(np.diff(times))) if len(times) > 1 else 0.04


def _means(values: Floats, edges: NDArray[np.int64]) -> Floats:
    """Return the mean of *values* between each two edges."""
    total = np.concatenate(([0.0], np.cumsum(values)))
    return np.asarray(np.diff(total[edges]) / np.maximum(np.diff(edges), 1))


def unit(values: Floats) -> Floats:
    """Return values brought to [0, 1]; zeros if all are equal."""
    low, high = float(values.min(initial=np.inf)), float(values.max(initial=-np.inf))
    return (values - low) / (high - low) if high > low else np.zeros_like(values)
