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
        ("1\n00:00:01,000 -> 00:00:02,000\nhm\n\n2\n00:00:03,000 --> 00:00:04,000\nah\n", r":2: not a time"),
        ("1\n00:00:01,000 \u2013> 00:00:02,000\nhm\n\n2\n00:00:03,000 --> 00:00:04,000\nah\n", r":2: not a time"),
        ("Dear diary,\n", "no cue"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.srt").write_text(text)
    with pytest.raises(BadInput, match=said):
        read_subtitles(tmp_path / "x.srt")
    with pytest.raises(BadInput, match="no subtitles"):
        read_subtitles(tmp_path / "none.srt")


def said(path: Path, text: str) -> list[str]:
    path.write_bytes(text.encode())
    return [cue.text for cue in read_subtitles(path)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
@pytest.mark.parametrize("blank", ["", " ", "\t"])
@pytest.mark.parametrize("head", ["", "WEBVTT\n\n"])
def test_blank_lines_and_line_ends_of_any_kind_cost_no_words(tmp_path: Path, head: str, blank: str, end: str) -> None:
    times = ["00:00:00.000 --> 00:00:02.000", "00:00:02.000 --> 00:00:05.000 line:79%", "00:00:05.000 --> 00:00:07.000"]
    text = f"{head}1\n{times[0]}\nAt dawn.\n\n2\n{times[1]}\n{blank}\nA keeper\n{blank}\nspeaks.\n\n3\n{times[2]}\nGood night.\n"
    assert said(tmp_path / "a.srt", text.replace("\n", end)) == ["At dawn.", "A keeper speaks.", "Good night."]


def test_what_is_no_cue_of_webvtt_is_not_said(tmp_path: Path) -> None:
    times = "00:01.000 --> 00:02.000", "00:02.000 --> 00:03.000"
    text = f"WEBVTT\n\nintro\n{times[0]}\nOne\n\nNOTE a\nremark\n\noutro\n{times[1]}\nTwo\n\nSTYLE\n::cue {{}}\n"
    assert said(tmp_path / "a.vtt", text) == ["One", "Two"]
    text = f"WEBVTT\n\n{times[0]}\nNOTE the date.\n\n{times[1]}\nTwo\n\nNOTEBOOKS\nare said\n"
    assert said(tmp_path / "a.vtt", text) == ["NOTE the date.", "Two NOTEBOOKS are said"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("3 < 5 and 7 > 2", "3 < 5 and 7 > 2"),
        ("I <3 you -> <here>", "I <3 you -> <here>"),
        ("Rome --> Paris", "Rome --> Paris"),
        ("-5 degrees", "-5 degrees"),
        (">> <v.loud Ann Lee>Good</v><br/><c.red>news</c> &lt;b&gt;", "Good news <b>"),
        ("{\\an8}<font color='red'>Go</font> <i>on</i><00:00:01.500> <U>now</U>", "Go on now"),
    ],
)
def test_angle_brackets_are_characters_where_they_are_no_markup(tmp_path: Path, line: str, words: str) -> None:
    assert said(tmp_path / "a.srt", f"1\n00:00:01,000 --> 00:00:02,000\n{line}\n") == [words]


@pytest.mark.parametrize(
    "shown",
    [
        [["a b", " "], ["a b", "c d"], ["c d", " "], ["c d", "e"]],
        [["a b"], ["a b", "c d"], ["a b", "c d", "e"]],
        [["a"], ["a b"], ["a b c"], ["a b c", "d e"]],
        [[" ", "a <00:00:01.100><c>b</c>"], ["a b", " "], ["a b", "c<00:00:01.100><c> d e</c>"]],
    ],
)
def test_rolling_captions_say_each_word_once(tmp_path: Path, shown: list[list[str]]) -> None:
    cues = [f"00:0{i}.000 --> 00:0{i + 1}.000\n" + "\n".join(lines) + "\n" for i, lines in enumerate(shown)]
    assert " ".join(said(tmp_path / "a.vtt", "WEBVTT\n\n" + "\n".join(cues))) == "a b c d e"


def test_lines_sung_again_are_said_again(tmp_path: Path) -> None:
    cues = [
        f"00:0{i}.000 --> 00:0{i + 1}.000\n{line}\n" for i, line in enumerate(("Come", "Come", "Oh", "Come", "Come"))
    ]
    assert said(tmp_path / "a.vtt", "WEBVTT\n\n" + "\n".join(cues)) == ["Come", "Come", "Oh", "Come", "Come"]


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


def test_webvtt_whose_cues_have_no_times_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.vtt").write_text("WEBVTT\n\nNOTE said at dawn\n\n00:01.000 00:02.500\nThe harbour opens.\n")
    with pytest.raises(BadInput, match="no cue found"):
        read_subtitles(tmp_path / "x.vtt")
