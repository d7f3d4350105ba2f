"""A film becomes features twice a second, the same bits each time, whatever film it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from kgmm.encode import image_encoder
from kgmm.encode.text import text_encoder
from kgmm.errors import BadInput, KgmmError
from kgmm.stories.example.drawing import drawn
from kgmm.stories.example.news import news
from kgmm.stories.footage import footage
from kgmm.stories.footage.footage import Footage, look_at
from kgmm.stories.footage.kept import cache_folder
from kgmm.stories.footage.looking import concepts
from kgmm.stories.video.audio import loudness, read_sound
from kgmm.stories.video.decoding import frames
from kgmm.stories.video.subtitles import Cue, write_srt
from tests.stories.music import CHORUS, music_video
from tests.stories.test_video import _matrix, _write

SHOTS = [news().shots[i] for i in (4, 25, 31)]


@pytest.fixture(autouse=True)
def _nothing_kept(own_cache: Path) -> None:
    shutil.rmtree(own_cache)
    own_cache.mkdir()


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return music_video(tmp_path_factory.mktemp("song") / "song.mp4")


def _scenes(path: Path, times: list[float], size: int = 1) -> Path:
    """Write three scenes of two seconds each."""
    return _write(path, [drawn(SHOTS[min(int(t / 2), 2)]).at(t)[::size, ::size] for t in times], times)


def _steady(rate: int = 10, seconds: float = 6) -> list[float]:
    return [i / rate for i in range(int(seconds * rate))]


def test_a_film_is_looked_at_twice_a_second_in_its_shots(tmp_path: Path) -> None:
    film = _scenes(tmp_path / "film.mp4", _steady())
    made = look_at(film)
    assert made.times.tolist() == (np.arange(12) / 2).tolist() and made.seconds == pytest.approx(6)
    assert made.edges.tolist() == [0, 4, 8, 12] and made.starts == pytest.approx([0, 2, 4, 6], abs=0.01)
    assert np.linalg.norm(made.looks, axis=1) == pytest.approx(1, abs=1e-5)
    assert made.scores.shape == (12, len(made.concepts)) and made.scores.min() >= 0 and made.scores.max() <= 1.001
    assert not made.energy.any() and not made.words.any()
    by_time = dict(frames(film))
    shown = np.stack([by_time[at] for at in made.times])
    assert np.allclose(made.looks, image_encoder().encode_images(list(shown)), atol=1e-4)


def test_the_same_bits_twice_and_again_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = _scenes(tmp_path / "film.mp4", _steady())
    write_srt([Cue(0.5, 1.5, "A ferry leaves the harbour.")], tmp_path / "film.srt")
    first = look_at(film, tmp_path / "film.srt")
    (kept,) = (p for p in cache_folder().iterdir() if p.stat().st_size > 20_000)
    kept.write_bytes(kept.read_bytes()[:5000])  # damaged: made anew
    again = look_at(film, tmp_path / "film.srt")
    monkeypatch.setattr(footage, "look", None)  # from here on nothing may be looked at
    moved = film.rename(tmp_path / "moved.mp4")
    cached = look_at(moved, tmp_path / "film.srt")
    for other in (again, cached):
        for name in ("times", "looks", "scores", "words", "energy", "edges", "starts"):
            assert getattr(first, name).tobytes() == getattr(other, name).tobytes(), name


def test_another_film_of_the_same_name_is_looked_at(tmp_path: Path) -> None:
    first = look_at(_scenes(tmp_path / "film.mp4", _steady()))
    assert len(look_at(_scenes(tmp_path / "film.mp4", _steady(seconds=3)))) == 6 < len(first)


def test_words_are_near_what_is_said_around_a_moment(tmp_path: Path) -> None:
    film = _write(tmp_path / "film.mkv", [np.full((36, 64, 3), 90, np.uint8)] * 41, [float(t) for t in range(41)])
    cues = [Cue(2, 4, "The ferry leaves the harbour."), Cue(30, 32, "A goal in the last minute of the match.")]
    write_srt(cues, tmp_path / "film.srt")
    made = look_at(film, tmp_path / "film.srt")
    boat, football = text_encoder().encode(["a boat at sea", "football"])
    assert made.words[6] @ boat > made.words[6] @ football and made.words[62] @ football > made.words[62] @ boat
    assert np.linalg.norm(made.words[6]) == pytest.approx(1, abs=1e-3)
    assert not made.words[40].any(), "nobody speaks within five seconds"
    assert made.said(3, 31) == " ".join(cue.text for cue in cues) and made.said(5, 20) == ""


def test_loudness_is_the_sounds_root_mean_square(song: Path) -> None:
    times = np.arange(0, 96, 0.5)
    found, sound = loudness(song, times), read_sound(song, 8000)
    literal = [np.sqrt(np.mean(sound[int(t * 8000) :][:4000].astype(np.float64) ** 2)) for t in times]
    assert found == pytest.approx(literal, abs=1e-6)
    inside = np.any([(times >= c) & (times < c + 16) for c in CHORUS], axis=0)
    assert found[inside].mean() > 1.5 * found[~inside].mean()


def test_segments_by_kernel_part_what_looks_different(tmp_path: Path) -> None:
    film = _scenes(tmp_path / "film.mp4", _steady())
    assert {4, 8} <= set(look_at(film, segments="kts").edges.tolist())
    with pytest.raises(KgmmError, match="no segments 'acts'; there are: shots, kts"):
        look_at(film, segments="acts")


def test_a_picture_of_a_varying_rate_counts_as_long_as_it_is_shown(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.2, 2.0, 2.05, 4.0, 5.9]
    made = look_at(_scenes(tmp_path / "vfr.mkv", times))
    assert len(made) == pytest.approx(13, abs=1)
    assert (made.looks[1:4] == made.looks[1]).all(), "one picture stands from 0.2 to 2 seconds"
    assert not np.allclose(made.looks[3], made.looks[4])


def test_a_clock_that_leaps_adds_no_film(tmp_path: Path) -> None:
    made = look_at(_scenes(tmp_path / "leap.mkv", [*_steady(seconds=3), 400_000.0, 400_000.1]))
    assert len(made) < 140 and made.times[-1] >= 400_000 and (np.diff(made.times) > 0).all()


def test_a_turned_film_looks_as_it_is_shown(tmp_path: Path) -> None:
    upright = [drawn(SHOTS[1]).at(0)] * 10
    times = _steady(seconds=1)
    plain = look_at(_write(tmp_path / "plain.mp4", upright, times))
    stored = [np.ascontiguousarray(np.rot90(p)) for p in upright]
    turned = look_at(_matrix(_write(tmp_path / "turned.mp4", stored, times), (0, 1, -1, 0)))
    assert (plain.looks @ turned.looks.T).min() > 0.95


def test_long_takes_come_in_parts_of_ten_seconds(tmp_path: Path) -> None:
    still = [drawn(SHOTS[0]).at(0)] * 50
    made = look_at(_write(tmp_path / "one.mkv", still, [i / 2 for i in range(50)]))
    assert np.diff(made.edges).max() <= 20 and len(made.edges) == 4
    (clip,) = made.clips([0.1, 0.3, 0.2], rate=0.4)
    assert clip.start == made.starts[1] and clip.end == made.starts[2]


def test_an_hour_is_read_whole(tmp_path: Path) -> None:
    stills = [drawn(shot).at(0)[::5, ::5] for shot in SHOTS]
    pictures = [stills[i % 3] for i in range(120)]
    made = look_at(_write(tmp_path / "hour.mkv", pictures, [30.0 * i for i in range(120)]))
    assert len(made) == pytest.approx(7200, abs=60) and len(made.edges) > 120
    clips = made.clips(made.of_segments(made.energy + 1), rate=0.15)
    assert sum(c.end - c.start for c in clips) == pytest.approx(540, rel=0.02)


def test_films_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(5000))
    for name in ("noise.mp4", "none.mp4"):
        with pytest.raises(BadInput, match=name):
            look_at(tmp_path / name)
    film = _scenes(tmp_path / "whole.mkv", _steady())
    (tmp_path / "part.mkv").write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    assert 0 < len(look_at(tmp_path / "part.mkv")) < 12
    assert not any("tmp" in path.name for path in cache_folder().iterdir())


def test_where_nothing_can_be_kept_a_film_is_read_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert len(look_at(_scenes(tmp_path / "film.mp4", _steady()))) == 12


def test_a_clip_is_left_even_where_no_segment_fits() -> None:
    made = Footage(np.eye(12, dtype=np.float32), edges=np.array([0, 6, 12]))
    (clip,) = made.clips([0.2, 0.7], rate=0.1)
    assert (clip.start, clip.end, clip.score) == (4.0, 4.5, 0.7)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"looks": np.zeros((0, 3), np.float32)}, "one at least"),
        ({"scores": np.zeros((3, 2), np.float32)}, "2 columns"),
        ({"energy": np.zeros(2, np.float32)}, "2 energy for 3 moments"),
        ({"looks": np.full((3, 2), np.nan, np.float32)}, "not finite"),
        ({"edges": np.array([0, 2, 2, 3])}, "do not rise from 0 to 3"),
        ({"starts": np.array([0.0])}, "1 starts for 2 edges"),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(wrong: dict[str, np.ndarray], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        Footage(**{"looks": np.eye(3, dtype=np.float32), **wrong})


def test_concepts_are_named_once_and_cover_all_classes() -> None:
    names, members = concepts()
    assert len(set(names)) == len(names) and members.shape == (1000, len(names))
    assert (members.sum(axis=1) >= 1).all() and "dog" in names and "cinema" in names
