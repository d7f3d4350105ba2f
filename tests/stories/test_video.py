"""From pixels and subtitles alone: shots, newslogos and summaries agree with the script; odd videos are borne."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from kgmm import stories, summarize
from kgmm.errors import BadInput
from kgmm.evaluate.stories import evaluate
from kgmm.evaluate.video_stories import adjusted_rand, compare
from kgmm.stories import Shot, StoryGraph
from kgmm.stories.example.drawing import draw_logo, drawn
from kgmm.stories.example.news import news
from kgmm.stories.example.render import render
from kgmm.stories.video.decoding import frames
from kgmm.stories.video.shots import find_shots
from kgmm.stories.video.subtitles import Cue, read_subtitles, write_srt

ASS = (
    b"[Script Info]\nScriptType: v4.00+\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize, PrimaryColour\n"
    b"Style: Default,Arial,16,&Hffffff\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, "
    b"MarginV, Effect, Text\n"
)


def test_rendered_programmes_are_read_as_they_were_written(videos: list[Path], pace: float, tmp_path: Path) -> None:
    told: list[int] = []
    seen = stories.from_video(videos, keyframes=tmp_path, progress=lambda done, total, what: told.append(done))
    agreement = compare(news(), seen, pace)
    assert agreement.cuts >= 0.95
    assert agreement.logos >= 0.95
    labelled = evaluate(news())
    assert set(agreement.summaries.of) == set(labelled.of)
    assert agreement.summaries.frames == pytest.approx(labelled.frames, abs=0.05)
    assert agreement.summaries.terms == pytest.approx(labelled.terms, abs=0.05)
    assert [b.date for b in seen.broadcasts] == [b.date for b in news().broadcasts]
    assert all(Path(shot.image or "").is_file() for shot in seen.shots)
    assert told and told == [x for x in told if x >= 0]
    logo = summarize(seen, seen.logos[0].image, frames=1)
    assert logo.query == seen.logos[0].id


def _worn(pixels: np.ndarray, shot: Shot, second: float) -> np.ndarray:
    """Add the noise of a poor signal, and the channel's sign in a corner."""
    random = np.random.default_rng(int(second * 10) + len(shot.text))
    worn = np.clip(pixels + random.normal(0, 8, pixels.shape), 0, 255).astype(np.uint8)
    worn[8:20, 8:32] = np.random.default_rng(0).integers(0, 255, (2, 4, 3), np.uint8).repeat(6, 0).repeat(6, 1)
    return worn


def _unframed(pixels: np.ndarray, shot: Shot, second: float) -> np.ndarray:
    """Put the logo, without its border, on a picture that stands still."""
    still = drawn(replace(shot, logos=(), text="")).at(0.5).copy()
    if shot.logos:
        still[25:82, 215:293] = draw_logo(shot.logos[0])[3:-3, 3:-3]
    return still


@pytest.mark.parametrize(("alter", "least"), [(_worn, 0.95), (_unframed, 0.95)])
def test_poor_pictures_are_read_as_well(alter: Callable[..., np.ndarray], least: float, tmp_path: Path) -> None:
    first = replace(
        news(), broadcasts=news().broadcasts[:1], shots=tuple(s for s in news().shots if s.broadcast == "b1")
    )
    seen = stories.from_video(render(first, tmp_path, pace=6, alter=alter))
    agreement = compare(first, seen, 6)
    assert agreement.cuts >= 0.95
    assert agreement.logos >= least


def test_dissolves_part_shots(tmp_path: Path) -> None:
    shots = [drawn(news().shots[i]) for i in (1, 25, 30, 31, 70)]
    pictures, mixed = [], 4
    for n, shot in enumerate(shots):
        for i in range(20):
            pixels = shot.at(i / 10).astype(np.float32)
            if n and i < mixed:
                share = (i + 1) / (mixed + 1)
                pixels = share * pixels + (1 - share) * shots[n - 1].at(2.0)
            pictures.append(pixels.astype(np.uint8))
    video = _write(tmp_path / "dissolves.mkv", pictures, [i / 10 for i in range(len(pictures))])
    assert [s.start for s in list(find_shots(video))[1:]] == pytest.approx([2.2, 4.2, 6.2, 8.2], abs=0.25)


def test_subtitles_in_the_video_do_as_well(three_shots: StoryGraph, tmp_path: Path) -> None:
    (beside,) = render(three_shots, tmp_path, pace=4)
    inside = embedded(beside, tmp_path / "inside.mp4")
    one, other = stories.from_video(beside), stories.from_video(inside)
    assert [s.text for s in other.shots] == [s.text for s in one.shots]
    assert [s.text for s in one.shots] == [s.text for s in three_shots.shots]
    assert any(s.logos for s in other.shots)


def embedded(video: Path, path: Path, late: float = 0.0) -> Path:
    """Write a video with the subtitles that lie beside it inside, as 3GPP timed text; its clock starts *late*."""
    with av.open(str(video)) as source, av.open(str(path), "w") as target:
        (pictures,) = source.streams.video
        stream, text = target.add_stream_from_template(pictures), target.add_stream("mov_text")
        text.codec_context.subtitle_header = ASS
        text.time_base = Fraction(1, 1000)
        for packet in source.demux(pictures):
            if packet.dts is not None and packet.pts is not None:
                packet.pts += round(late / packet.time_base)
                packet.dts += round(late / packet.time_base)
                packet.stream = stream
                target.mux(packet)
        for cue in read_subtitles(video.with_suffix(".srt")):
            raw = cue.text.encode()
            packet = av.Packet(len(raw).to_bytes(2, "big") + raw)
            packet.stream, packet.time_base = text, Fraction(1, 1000)
            packet.pts = packet.dts = round((cue.start + late) * 1000)
            packet.duration = round((cue.end - cue.start) * 1000)
            target.mux(packet)
    return path


def test_a_video_without_subtitles_has_shots_and_logos_but_no_terms(three_shots: StoryGraph, tmp_path: Path) -> None:
    (video,) = render(three_shots, tmp_path, pace=4)
    video.with_suffix(".srt").unlink()
    story = stories.from_video(video)
    assert len(story.shots) == len(three_shots.shots) and story.logos and not story.terms
    assert summarize(story, story.logos[0].id).frames and not summarize(story, story.logos[0].id).terms


def test_a_silent_video_is_read(three_shots: StoryGraph, tmp_path: Path) -> None:
    (video,) = render(three_shots, tmp_path, pace=4)
    with av.open(str(video)) as container:
        assert not container.streams.audio
    assert stories.from_video(video).shots


def _write(path: Path, pictures: list[np.ndarray], times: list[float]) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for pixels, at in zip(pictures, times, strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = round(at * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_a_video_of_one_shot(tmp_path: Path) -> None:
    shot = news().shots[4]
    times = [i / 10 for i in range(25)]
    video = _write(tmp_path / "one.mkv", [drawn(shot).at(t) for t in times], times)
    (only,) = find_shots(video)
    assert only.start == 0 and only.end == pytest.approx(2.5, abs=0.11)


def test_a_video_of_one_frame(tmp_path: Path) -> None:
    video = _write(tmp_path / "still.mkv", [np.full((90, 160, 3), 90, np.uint8)], [0.0])
    story = stories.from_video(video)
    assert len(story.shots) == 1 and not story.logos


def test_variable_frame_rate_keeps_the_times_of_cuts(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    steps = random.uniform(0.02, 0.2, 90)
    times = np.cumsum(steps).round(3) - steps[0].round(3)
    shots = [news().shots[i] for i in (30, 31, 32)]
    cuts = [times[30], times[60]]
    pictures = [drawn(shots[i // 30]).at(float(t)) for i, t in enumerate(times)]
    video = _write(tmp_path / "vfr.mkv", pictures, [float(t) for t in times])
    found = list(find_shots(video))
    assert [s.start for s in found[1:]] == pytest.approx(cuts, abs=0.02)


def test_broken_videos_are_named(tmp_path: Path, videos: list[Path]) -> None:
    noise = tmp_path / "noise.mp4"
    noise.write_bytes(np.random.default_rng(0).bytes(5000))
    empty = tmp_path / "empty.mp4"
    empty.touch()
    for path in (noise, empty, tmp_path / "none.mp4", tmp_path):
        with pytest.raises(BadInput, match=path.name):
            stories.from_video(path)


def test_a_video_cut_short_is_read_as_far_as_it_goes(three_shots: StoryGraph, tmp_path: Path) -> None:
    shot = three_shots.shots[1]
    times = [i / 10 for i in range(60)]
    whole = _write(tmp_path / "whole.mkv", [drawn(shot).at(t) for t in times], times)
    raw = whole.read_bytes()
    part = tmp_path / "part.mkv"
    part.write_bytes(raw[: len(raw) // 2])
    assert 0 < list(find_shots(part))[-1].end < list(find_shots(whole))[-1].end
    damaged = bytearray(raw)
    damaged[len(raw) // 3 : len(raw) // 3 + 400] = bytes(400)
    bad = tmp_path / "bad.mkv"
    bad.write_bytes(damaged)
    assert list(find_shots(bad))


FOUR = [news().shots[i] for i in (4, 25, 31, 70)]


def _four_scenes(path: Path, change: Callable[[np.ndarray], np.ndarray] = np.asarray) -> Path:
    """Write four shots of two seconds, each picture changed."""
    pictures = [change(drawn(shot).at(i / 10)) for shot in FOUR for i in range(20)]
    return _write(path, pictures, [i / 10 for i in range(80)])


@pytest.mark.parametrize(
    "tint", [(0.35, 0.35, 0.35), (0.36, 0.32, 0.26), (0.9, 0.9, 0.9)], ids=["dim grey", "dim sepia", "grey"]
)
def test_cuts_are_found_in_grey_films(tint: tuple[float, float, float], tmp_path: Path) -> None:
    video = _four_scenes(tmp_path / "grey.mkv", lambda p: (p.mean(2, keepdims=True) * tint).astype(np.uint8))
    assert [s.start for s in find_shots(video)] == pytest.approx([0, 2, 4, 6], abs=0.11)


@pytest.mark.parametrize("gap", [0.0, 3600.0])
def test_joined_recordings_whose_clock_starts_again_are_read_whole(gap: float, tmp_path: Path) -> None:
    pictures = [drawn(shot).at(i / 10) for shot in FOUR[:2] for i in range(20)]
    parts = [
        _write(tmp_path / f"{n}.ts", pictures, [start + i / 10 for i in range(40)]) for n, start in ((1, 0), (2, gap))
    ]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert [s.start for s in find_shots(joined)] == pytest.approx([0, 2, 4, 6], abs=0.11)
    assert [at for at, _ in frames(joined)] == pytest.approx([i / 10 for i in range(80)], abs=0.03)


def _matrix(video: Path, rows: tuple[int, int, int, int]) -> Path:
    """Put a display matrix (a, b, c, d) into an MP4's track header."""
    raw = bytearray(video.read_bytes())
    at = raw.index(b"tkhd") + 4 + 40
    for i, value in zip((0, 1, 3, 4), rows, strict=True):
        raw[at + 4 * i : at + 4 * i + 4] = struct.pack(">i", value * 65536)
    video.write_bytes(raw)
    return video


@pytest.mark.parametrize(
    ("rows", "stored"),
    [
        ((1, 0, 0, 1), lambda p: p),
        ((0, 1, -1, 0), lambda p: np.rot90(p, 1)),
        ((-1, 0, 0, -1), lambda p: np.rot90(p, 2)),
        ((0, -1, 1, 0), lambda p: np.rot90(p, 3)),
        ((-1, 0, 0, 1), lambda p: p[:, ::-1]),
    ],
    ids=["as it is", "a quarter", "a half", "three quarters", "mirrored"],
)
def test_turned_and_mirrored_films_stand_upright(
    rows: tuple[int, int, int, int], stored: Callable[[np.ndarray], np.ndarray], tmp_path: Path
) -> None:
    upright = drawn(FOUR[1]).at(0)
    video = _write(tmp_path / "turned.mp4", [np.ascontiguousarray(stored(upright))] * 3, [0, 0.1, 0.2])
    _, seen = next(frames(_matrix(video, rows)))
    assert seen.shape == upright.shape
    assert np.abs(seen.astype(int) - upright).mean() < 6


@pytest.mark.parametrize("late", [2.0, 100.0])
def test_words_and_sounds_of_a_film_that_starts_late_stay_with_their_pictures(late: float, tmp_path: Path) -> None:
    video = _four_scenes(tmp_path / "plain.mp4")
    write_srt([Cue(2 * i + 0.2, 2 * i + 1.8, f"words {i}") for i in range(4)], video.with_suffix(".srt"))
    story = stories.from_video(embedded(video, tmp_path / "late.mp4", late))
    assert [s.text for s in story.shots] == [f"words {i}" for i in range(4)]


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(BadInput, match="no pictures"):
        list(find_shots(path))


def test_each_video_needs_its_own_subtitles(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="2 videos need"):
        stories.from_video([tmp_path / "a.mp4", tmp_path / "b.mp4"], tmp_path / "a.srt")


def test_adjusted_rand_knows_chance() -> None:
    random = np.random.default_rng(1)
    a, b = (list(map(str, random.integers(0, 5, 4000))) for _ in range(2))
    assert abs(adjusted_rand(a, b)) < 0.01 and adjusted_rand(a, a) == 1


def test_words_in_frames_are_terms_when_asked_for(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr_onnxruntime", reason="rapidocr-onnxruntime, the extra ocr, is not installed")
    font = ImageFont.load_default(30)
    pictures = []
    for words, colour in (("FLOOD WARNING", (20, 40, 90)), ("Lake Verrin", (120, 30, 20))):
        image = Image.new("RGB", (320, 180), colour)
        ImageDraw.Draw(image).text((20, 130), words, fill="white", font=font)
        pictures += [np.asarray(image)] * 25
    video = _write(tmp_path / "strap.mp4", pictures, [i / 25 for i in range(50)])
    assert not stories.from_video(video).edges.terms
    story = stories.from_video(video, read_frames=True)
    assert [shot.text for shot in story.shots] == ["flood warning.", "Lake Verrin."]
    assert "flood" in story.shots[0].terms[0] and "verrin" in story.shots[1].terms
