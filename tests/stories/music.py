"""A made-up music video whose chorus comes three times."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from kgmm.stories.films.chorus import RATE

#: seconds of a beat, and where the chorus (16 s) comes in the song
BEAT, CHORUS, LONG = 0.5, (16.0, 48.0, 80.0), 16.0


def song(seed: int = 0) -> np.ndarray:
    """Return 96 s: verse, chorus, another verse, chorus, a third verse, chorus; a chord and a click each beat."""
    random = np.random.default_rng(seed)
    refrain = random.integers(0, 12, 32)
    chords = np.concatenate([part for _ in CHORUS for part in (random.integers(0, 12, 32), refrain)])
    return played(chords, [0.35 if (i // 32) % 2 else 0.18 for i in range(len(chords))], random)


def hooked(seed: int = 0) -> np.ndarray:
    """Return a song with a chorus of 16 s twice, at 32 and 96 s, and a hook of 8 s, as loud, six times."""
    random = np.random.default_rng(seed)
    refrain, hook, verses = random.integers(0, 12, 32), random.integers(0, 12, 16), random.integers(0, 12, (6, 16))
    parts = [p for a, b, c in (verses[:3], verses[3:]) for p in (hook, a, hook, b, refrain, c, hook)]
    louds = [0.35 if part is hook or part is refrain else 0.18 for part in parts for _ in part]
    return played(np.concatenate(parts), louds, random)


def played(chords: np.ndarray, louds: list[float], random: np.random.Generator) -> np.ndarray:
    """Return a chord and a click each beat."""
    at = np.arange(int(BEAT * RATE)) / RATE
    parts = []
    for root, loud in zip(chords, louds, strict=True):
        notes = [220 * 2 ** ((root + step) / 12) for step in (0, 4, 7)]
        tone = sum(np.sin(2 * np.pi * note * at) for note in notes) / 3 * np.exp(-1.5 * at)
        click = np.exp(-80 * at) * random.normal(size=len(at)) * 0.3
        parts.append(loud * (tone + click))
    return np.concatenate(parts).astype(np.float32) + random.normal(0, 0.002, len(at) * len(chords)).astype(np.float32)


def music_video(path: Path) -> Path:
    """Write the song over six stills."""
    cuts = [0.0, 15.0, 33.0, 47.2, 63.0, 79.0]
    sound = song()
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=5)
        picture.width, picture.height, picture.pix_fmt = 96, 64, "yuv420p"
        voice = container.add_stream("aac", rate=RATE, layout="mono")
        random = np.random.default_rng(1)
        stills = [random.integers(0, 255, (8, 12, 3), np.uint8).repeat(8, 0).repeat(8, 1) for _ in cuts]
        for i in range(96 * 5):
            pixels = stills[sum(c <= i / 5 for c in cuts) - 1]
            container.mux(picture.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(picture.encode())
        for start in range(0, len(sound), 1024):
            frame = av.AudioFrame.from_ndarray(sound[None, start : start + 1024], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = RATE, start
            container.mux(voice.encode(frame))
        container.mux(voice.encode())
    return path
