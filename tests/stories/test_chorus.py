"""A planted chorus is found by its repeats, and the clip starts at a cut that splits no line."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from kgmm.errors import BadInput
from kgmm.stories.films.chorus import RATE, aligned_clip, is_close_up, repeated, skim
from kgmm.stories.video.clips import Clip
from kgmm.stories.video.shots import Cut
from kgmm.stories.video.subtitles import Cue, write_srt
from tests.stories.music import CHORUS, LONG, hooked, music_video, song


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_planted_repeats_are_found(seed: int) -> None:
    found = repeated(song(seed))
    assert len(found) == 3
    for clip, start in zip(found, CHORUS, strict=True):
        assert clip.start == pytest.approx(start, abs=2.1)
        assert clip.end - clip.start == pytest.approx(LONG, abs=4.1)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_longest_loud_repeat_is_the_chorus_even_if_a_hook_comes_more_often(seed: int) -> None:
    found = repeated(hooked(seed))
    assert [clip.start for clip in found] == pytest.approx([32, 96], abs=2.1)
    assert all(clip.end - clip.start >= 14 for clip in found)


def test_a_sound_too_short_for_two_choruses_has_none() -> None:
    assert repeated(song()[: 10 * RATE]) == []


def test_a_music_video(tmp_path: Path) -> None:
    video = music_video(tmp_path / "song.mp4")
    lines = [Cue(2, 5, "I walked alone"), *(Cue(t + 1, t + 4, "Come home, my love") for t in CHORUS)]
    found = skim(video, write_srt(lines, tmp_path / "song.srt"), length=12)
    assert found.details["line"] == "Come home, my love"
    (clip,) = found.clips
    assert clip.end - clip.start == pytest.approx(12)
    assert min(abs(clip.start - c) for c in (15.0, 47.2, 79.0)) < 0.3
    assert not found.details["close_ups"]
    for start in CHORUS:
        inside = (found.times > start + 3) & (found.times < start + LONG - 3)
        assert (found.scores[inside] > 0).all()
    assert (found.scores[found.times < CHORUS[0] - 3] == 0).all()


def test_the_start_meets_a_cut_that_splits_no_line() -> None:
    shots = [Cut(0, 18), Cut(18, 21), Cut(21, 30)]
    assert aligned_clip(Clip(19, 29), shots, [], None, 60) == Clip(18, 28)
    assert aligned_clip(Clip(19, 29), shots, [Cue(17, 20, "la la")], None, 60) == Clip(21, 31)
    assert aligned_clip(Clip(10, 20), shots, [], 8, 60) == Clip(10, 18)
    assert aligned_clip(Clip(55, 65), shots, [], 10, 60).end == 60


def test_a_close_up_is_told_from_a_wide_shot() -> None:
    data = pytest.importorskip("skimage.data")
    astronaut = Image.fromarray(data.astronaut())
    close = np.asarray(astronaut.crop((120, 20, 340, 240)).resize((320, 320)))
    wide = np.asarray(astronaut.resize((256, 256)))
    assert is_close_up(close)
    assert not is_close_up(wide)
    assert not is_close_up(np.full((90, 160, 3), 128, np.uint8))


def test_what_has_no_sound_has_no_chorus(tmp_path: Path) -> None:
    video = tmp_path / "silent.mp4"
    with av.open(str(video), "w") as container:
        picture = container.add_stream("libx264", rate=5)
        picture.width, picture.height, picture.pix_fmt = 32, 32, "yuv420p"
        container.mux(picture.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
        container.mux(picture.encode())
    with pytest.raises(BadInput, match="no sound"):
        skim(video)
    with pytest.raises(BadInput, match="length"):
        skim(video, length=0)
