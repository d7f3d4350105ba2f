"""Subtitles are read as people write them, and go to the shots they are spoken over."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgmm.errors import BadInput
from kgmm.stories.video.shots import Cut
from kgmm.stories.video.subtitles import Cue, aligned, read_subtitles, write_srt

SRT = "1\n00:00:01,000 --> 00:00:02,500\n<i>Good</i> evening.\n\n2\n00:00:03,000 --> 00:00:04,000\n- Two\nlines &amp; more\n"
VTT = (
    "WEBVTT - news\n\nNOTE --> nothing\n\nSTYLE\n::cue { color: red }\n\nintro\n"
    "00:01.000 --> 00:02.500 align:start\n<v Ann>Good evening.\n\n00:00:03.000 --> 00:00:04.000\nTwo lines &amp; more\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(("name", "text"), [("a.srt", SRT), ("a.vtt", VTT), ("b.srt", SRT.replace("\n", "\r\n"))])
def test_srt_and_vtt(tmp_path: Path, name: str, text: str, encoding: str) -> None:
    (tmp_path / name).write_bytes(text.encode(encoding))
    assert read_subtitles(tmp_path / name) == [Cue(1.0, 2.5, "Good evening."), Cue(3.0, 4.0, "Two lines & more")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1\n00:00:0x,000 --> 00:00:02,000\nhm\n", r":2: not a time"),
        ("1\n00:00:05,000 --> 00:00:02,000\nhm\n", r":2: a cue ends"),
        ("Dear diary,\n", "no cue"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.srt").write_text(text)
    with pytest.raises(BadInput, match=said):
        read_subtitles(tmp_path / "x.srt")
    with pytest.raises(BadInput, match="no subtitles"):
        read_subtitles(tmp_path / "none.srt")


def test_an_empty_file_has_no_cues(tmp_path: Path) -> None:
    (tmp_path / "x.srt").write_text("")
    (tmp_path / "x.vtt").write_text("WEBVTT\n")
    assert read_subtitles(tmp_path / "x.srt") == read_subtitles(tmp_path / "x.vtt") == []


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**4)), max_size=8))
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, times: list[tuple[int, int]]) -> None:
    cues = [Cue(a / 1000, (a + long) / 1000, f"cue {i}") for i, (a, long) in enumerate(sorted(times))]
    path = write_srt(cues, tmp_path_factory.mktemp("srt") / "x.srt")
    assert sorted(read_subtitles(path), key=lambda c: c.text) == sorted(cues, key=lambda c: c.text)


def test_a_cue_over_two_shots_is_shared_by_time() -> None:
    shots = [Cut(0, 4), Cut(4, 8), Cut(8, 9)]
    assert aligned([Cue(0, 8, "a b c d"), Cue(8, 9, "e")], shots) == ["a b", "c d", "e"]
    assert aligned([Cue(1, 4.2, "all of it")], shots) == ["all of it", "", ""]
    assert aligned([Cue(20, 21, "too late")], shots) == ["", "", ""]
    assert aligned([], shots) == ["", "", ""]
