"""What stands out in sound, picture and text is what the skim keeps."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from kgmm.errors import BadInput
from kgmm.stories.films.saliency import Saliency, saliency, salient_clips, skim, text_saliency
from kgmm.stories.video.audio import RATE, audio_saliency, bands, read_sound, teager
from kgmm.stories.video.clips import Clip, write_clips
from kgmm.stories.video.subtitles import Cue, write_srt

#: seconds of the film in which something happens
EVENT = (4.0, 6.0)


def film(path: Path, *, sound: bool = True, long: float = 10.0) -> Path:
    """Write a grey film with soft hum; in EVENT a red square races about and a loud trill sounds."""
    random = np.random.default_rng(0)
    times = np.arange(int(long * 20)) / 20
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=20)
        picture.width, picture.height, picture.pix_fmt = 160, 96, "yuv420p"
        voice = container.add_stream("aac", rate=RATE, layout="mono") if sound else None
        for t in times:
            pixels = np.full((96, 160, 3), 120, np.uint8)
            if EVENT[0] <= t < EVENT[1]:
                x, y = int(60 + 55 * np.sin(5 * t)), int(30 + 25 * np.cos(7 * t))
                pixels[y : y + 32, x : x + 32] = (230, 20, 20)
            container.mux(picture.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(picture.encode())
        if voice is not None:
            at = np.arange(int(long * RATE)) / RATE
            wave = 0.01 * np.sin(2 * np.pi * 150 * at) + 0.001 * random.normal(size=len(at))
            loud = (at >= EVENT[0]) & (at < EVENT[1])
            wave[loud] += (0.4 * np.sin(2 * np.pi * 1200 * at + 8 * np.sin(2 * np.pi * 9 * at)))[loud]
            for start in range(0, len(wave), 1024):
                part = wave[None, start : start + 1024].astype(np.float32)
                frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
                frame.sample_rate, frame.pts = RATE, start
                container.mux(voice.encode(frame))
            container.mux(voice.encode())
    return path


@pytest.fixture(scope="module")
def eventful(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("film") / "eventful.mp4")


def test_all_three_curves_peak_at_the_event(eventful: Path, tmp_path: Path) -> None:
    words = [Cue(0, 4, "and so it is as it was"), Cue(4, 6, "Velden burns, Rosa Lindt"), Cue(6, 10, "so we are here")]
    found = saliency(eventful, write_srt(words, tmp_path / "a.srt"))
    inside = (found.times >= EVENT[0] + 0.2) & (found.times < EVENT[1] - 0.2)
    outside = (found.times < EVENT[0] - 0.2) | (found.times >= EVENT[1] + 0.2)
    for curve in (found.audio, found.visual, found.text, found.all):
        assert curve.min() >= 0 and curve.max() <= 1
        assert curve[inside].mean() > 2 * curve[outside].mean() + 0.1
    clips = salient_clips(found, rate=0.2)
    shared = sum(max(0.0, min(c.end, EVENT[1]) - max(c.start, EVENT[0])) for c in clips)
    assert shared > 1.6 and sum(c.end - c.start for c in clips) < 2.4


@pytest.mark.parametrize("fusion", ["sum", "min", "max", "variance"])
def test_every_fusion_finds_it(eventful: Path, fusion: str) -> None:
    clips = salient_clips(saliency(eventful, fusion=fusion), rate=0.2)
    assert max(clips, key=lambda c: c.score).start == pytest.approx(EVENT[0], abs=0.6)


def test_a_silent_film_is_skimmed_by_its_pictures(tmp_path: Path) -> None:
    found = saliency(film(tmp_path / "silent.mp4", sound=False))
    assert not found.audio.any() and not found.text.any()
    assert salient_clips(found, 0.2)[0].start == pytest.approx(EVENT[0], abs=0.6)


def test_the_skim_can_be_written(eventful: Path, tmp_path: Path) -> None:
    clips = [Clip(1, 2), Clip(4, 5.5)]
    short = write_clips(eventful, clips, tmp_path / "skim.mp4")
    with av.open(str(short)) as container:
        assert float(container.duration / av.time_base) == pytest.approx(2.5, abs=0.2)
    sound = read_sound(short)
    assert np.abs(sound[int(1.3 * RATE) : int(2.2 * RATE)]).mean() > 5 * np.abs(sound[: int(0.8 * RATE)]).mean()
    with pytest.raises(BadInput, match="nothing to keep"):
        write_clips(eventful, [], tmp_path / "x.mp4")


def test_teager_energy_of_a_tone_is_constant_and_bands_pass_their_own() -> None:
    at = np.arange(RATE) / RATE
    tone = np.sin(2 * np.pi * 1000 * at)
    assert np.ptp(teager(tone)[5:-5]) < 1e-9
    energies = [float((band**2).mean()) for band in bands(tone)]
    assert max(energies) > 0.5 * sum(energies)


def test_flat_and_empty_curves() -> None:
    times = np.arange(100) / 25
    assert not audio_saliency(np.zeros(RATE * 4, np.float32), times).any()
    assert not text_saliency([], times).any()
    flat = np.zeros(100)
    assert salient_clips(Saliency(times, flat, flat, flat, flat), 0.5) == [], "dead footage is not worth watching"
    part = np.where((times > 1) & (times < 2.5), 0.5, 0.0)
    (clip,) = salient_clips(Saliency(times, part, part, part, part), 0.9)
    assert (clip.start, clip.end) == pytest.approx((1, 2.5), abs=0.1)
    assert salient_clips(Saliency(flat[:0], flat[:0], flat[:0], flat[:0], flat[:0])) == []


def test_wrong_options_are_named(eventful: Path) -> None:
    with pytest.raises(BadInput, match="fusion"):
        saliency(eventful, fusion="magic")
    for rate in (0.0, 1.5):
        with pytest.raises(BadInput, match="rate"):
            skim(eventful, rate=rate)
