"""Stories from keyframes with a transcript table, and storyboards of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

import kgmm
from kgmm import stories
from kgmm.errors import BadInput, UnknownConcept


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "my news"
    (place / "logos").mkdir(parents=True)
    for name, colour in (("a", "navy"), ("b", "green"), ("c", "red")):
        Image.new("RGB", (64, 36), colour).save(place / f"{name}.png")
    for name, side in (("flood", 0), ("cup", 16)):
        logo = Image.new("RGB", (32, 32), "white")
        logo.paste("blue" if name == "flood" else "orange", (side, 0, side + 16, 32))
        logo.save(place / "logos" / f"{name}.png")
    (place / "transcript.csv").write_text(
        "image,start,end,broadcast,date,text,logos\n"
        'a.png,0,0:04,b1,2026-03-01,"The flood reached the dam, <b>engineers</b> say.",flood\n'
        "b.png,4,9,b1,2026-03-01,The dam held the flood.,\n"
        "c.png,0,3,b2,2026-03-02,The cup final was a draw.,cup\n"
    )
    return place


def test_a_table_becomes_a_story(folder: Path) -> None:
    story = stories.from_folder(folder)
    assert story.id == "my-news"
    assert [s.id for s in story.shots] == ["a", "b", "c"]
    assert "dam" in story.shots[0].terms and story.shots[0].end == 4
    assert [b.date for b in story.broadcasts] == ["2026-03-01", "2026-03-02"]
    best = kgmm.summarize(story, "flood", frames=2)
    assert [f.shot.id for f in best.frames] == ["a", "b"]


def test_a_picture_finds_its_logo(folder: Path) -> None:
    story = stories.from_folder(folder)
    logo = Image.open(folder / "logos" / "cup.png").resize((90, 90))
    assert kgmm.summarize(story, logo).query == "cup"
    assert kgmm.summarize(story, str(folder / "logos" / "flood.png")).query == "flood"
    with pytest.raises(UnknownConcept, match="nearest"):
        kgmm.summarize(story, Image.effect_noise((64, 64), 90))


def test_the_storyboard_is_one_page_without_a_network(folder: Path, tmp_path: Path) -> None:
    summary = kgmm.summarize(stories.from_folder(folder), "flood")
    text = summary.to_html(tmp_path / "board.html")
    assert (tmp_path / "board.html").read_text() == text
    assert text.count("data:image/jpeg;base64,") == len(summary.frames) >= 2
    assert {url[:5] for url in re.findall(r"(?:src|href)=.?([^>]{5})", text)} == {"data:"}
    assert "<b>engineers" not in text and "&lt;b&gt;engineers" in text
    assert "<mark>dam" in text
    assert text.index("keyframe of shot a") < text.index("keyframe of shot b")
    board = Image.open(summary.to_png(tmp_path / "board.png"))
    assert board.width > 600 and len(board.convert("RGB").getcolors(1 << 20) or ()) > 20


def test_a_keyframe_that_is_gone_leaves_a_blank(folder: Path) -> None:
    story = stories.from_folder(folder)
    (folder / "a.png").unlink()
    assert 'class="blank"' in kgmm.summarize(story, "flood").to_html()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("start\n1\n", "'image'"),
        ("image,start\nnone.png,1\n", r":2: no keyframe 'none.png'"),
        ("image,start\na.png,soon\n", r":2: time 'soon'"),
        ("image,start,end\na.png,5,4\n", "lasts from"),
        ("", "'image'"),
    ],
)
def test_what_is_wrong_in_a_table_is_named(folder: Path, table: str, said: str) -> None:
    (folder / "transcript.csv").write_text(table)
    with pytest.raises(BadInput, match=said):
        stories.from_folder(folder)


def test_a_folder_without_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"transcript\.csv"):
        stories.from_folder(tmp_path)
