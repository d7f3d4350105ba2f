"""``kgmm story``, ``kgmm summarize`` and ``kgmm skim``, run as people run them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import kgmm
from kgmm import stories
from kgmm.stories.example.news import news
from kgmm.stories.example.render import render

Shell = Callable[..., Any]


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    brief = replace(news(), id="brief", shots=news().shots[16:20], broadcasts=news().broadcasts[:1])
    return render(brief, tmp_path_factory.mktemp("video"), pace=4)[0]


def test_a_video_becomes_a_story_and_a_storyboard(shell: Shell, video: Path, tmp_path: Path) -> None:
    subtitles = video.with_suffix(".srt")
    made = shell("story", video, "--subtitles", subtitles, "-o", tmp_path / "story", "--kb", tmp_path / "kb", "--json")
    assert made.code == 0, made.err
    document = json.loads(made.out)
    assert document["shots"] == 4 and document["newslogos"] >= 1 and document["terms"] > 5
    assert made.err == ""
    logo = document["logos"][0]["id"]
    page, picture = tmp_path / "board.html", tmp_path / "board.png"
    ran = shell("summarize", tmp_path / "story", logo, "--html", page, "--png", picture, "--json")
    assert ran.code == 0 and json.loads(ran.out)["frames"][0]["logos"] == [logo]
    assert "data:image/jpeg" in page.read_text() and Image.open(picture).width > 300
    with kgmm.open(tmp_path / "kb") as kb:
        assert f"story/{document['story']}" in kb.graphs()
    again = shell("summarize", document["story"], logo, "--kb", tmp_path / "kb", "--json")
    assert [f["shot"] for f in json.loads(again.out)["frames"]] == [f["shot"] for f in json.loads(ran.out)["frames"]]


def test_a_story_made_before_goes_into_a_store(shell: Shell, tmp_path: Path) -> None:
    stories.to_json(news(), tmp_path / "mine.json")
    refused = shell("load", tmp_path / "kb", tmp_path / "mine.json")
    assert refused.code == 1 and "kgmm story FILE --kb KB" in refused.err
    assert shell("story", tmp_path / "mine.json", "--kb", tmp_path / "kb").code == 0
    with kgmm.open(tmp_path / "kb") as kb:
        assert kb.graphs() == {"story/news": len(stories.facts(news()))}
    assert not (tmp_path / "mine.story").exists()


def test_the_bundled_story_by_name_term_and_method(shell: Shell) -> None:
    ran = shell("summarize", "news", "Tarn floods", "--frames", 3)
    assert ran.code == 0 and "velden" in ran.out and ran.out.count("2026-03") == 3
    assert "whale" in shell("summarize", "news").out
    assert shell("summarize", "news", "lighthouse", "--method", "tfidf").code == 0
    assert len(json.loads(shell("summarize", "news", "--json").out)["logos"]) == 21


def test_terms_are_linked_to_a_store(shell: Shell, tmp_path: Path) -> None:
    with kgmm.open(tmp_path / "kb") as kb:
        kb.add([("dam", "UsedFor", "holding water")])
    ran = shell("summarize", "news", "flood", "--kb", tmp_path / "kb")
    assert "dam is used for holding water" in ran.out


def test_a_picture_asks_for_its_story_with_facts_and_boards(shell: Shell, tmp_path: Path) -> None:
    story = news(keyframes=tmp_path / "keyframes")
    stories.to_json(story, tmp_path / "mine.json")
    whale = next(logo.image for logo in story.logos if logo.id == "whale")
    assert whale is not None
    with Image.open(whale) as logo:
        logo.convert("RGB").resize((150, 110)).save(tmp_path / "screenshot.jpg", quality=60)
    with kgmm.open(tmp_path / "kb") as kb:
        kb.add([("whale", "IsA", "mammal")])
    page, picture = tmp_path / "board.html", tmp_path / "board.png"
    ran = shell(
        "summarize",
        tmp_path / "mine.json",
        tmp_path / "screenshot.jpg",
        "--kb",
        tmp_path / "kb",
        "--html",
        page,
        "--png",
        picture,
        "--json",
    )
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    assert all("whale" in frame["logos"] for frame in found["frames"])
    assert any("mammal" in fact for term in found["terms"] for fact in term["facts"])
    text = page.read_text(encoding="utf-8")
    assert text.count("data:image/jpeg;base64,") == len(found["frames"]) and "mammal" in text
    assert not re.search(r"(?:src|href)=.?https?:", text)
    with Image.open(picture) as board:
        assert board.width > 300 * len(found["frames"])


def test_a_film_is_skimmed(shell: Shell, video: Path, tmp_path: Path) -> None:
    out, page = tmp_path / "skim.mp4", tmp_path / "skim.html"
    ran = shell("skim", video, "--rate", 0.3, "-o", out, "--html", page, "--json")
    assert ran.code == 0, ran.err
    (document,) = json.loads(ran.out)["skims"]
    clips = document["clips"]
    assert clips == sorted(clips, key=lambda c: c["start"])
    kept = stories.from_video(out).shots[-1].end
    assert kept == pytest.approx(sum(c["end"] - c["start"] for c in clips), abs=0.3)
    text = page.read_text(encoding="utf-8")
    assert text.count("data:image/jpeg;base64,") == len(clips) and "<polyline" in text
    assert not re.search(r"(?:src|href)=.?https?:", text)


def test_several_films_are_skimmed_one_after_the_other(shell: Shell, video: Path) -> None:
    ran = shell("skim", video, video)
    assert ran.code == 0 and ran.out.count("by saliency") == 2


def test_several_films_become_one_skim_with_facts(shell: Shell, video: Path, tmp_path: Path) -> None:
    shell("add", tmp_path / "kb", "spaniel", "IsA", "dog")
    out, page = tmp_path / "skim.mp4", tmp_path / "skim.html"
    asked = ("--method", "keyshots", "--query", "dogs", "--kb", tmp_path / "kb", "--tags", "news, ship", "--rate", 0.3)
    ran = shell("skim", video, video, *asked, "-s", video.with_suffix(".srt"), "-s", video.with_suffix(".srt"))
    assert ran.code == 0, ran.err
    assert ran.out.count("by keyshots") == 2 and "query: dog, spaniel" in ran.out and "near the event" in ran.out
    ran = shell("skim", video, video, *asked, "-o", out, "--html", page, "--json")
    assert ran.code == 0 and ran.err == ""
    documents = json.loads(ran.out)["skims"]
    assert [document["video"] for document in documents] == [str(video)] * 2
    kept = sum(c["end"] - c["start"] for document in documents for c in document["clips"])
    assert stories.from_video(out).shots[-1].end == pytest.approx(kept, abs=0.3)
    assert "shown in 2 of 2 films" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("summarize", "news", "flod"), 1, "flood"),
        (("summarize", "nowhere.json", "x"), 1, "no such story"),
        (("summarize", "news", "flood", "--method", "magic"), 1, "mmss"),
        (("summarize", "news", "flood", "--method", "tfidf", "--lift"), 2, "mmss"),
        (("summarize", "news", "flood", "--restart", "0"), 2, "restart"),
        (("story", "none.mp4"), 2, "none.mp4"),
        (("skim", "none.mp4"), 2, "none.mp4"),
        (("skim", "VIDEO", "--method", "magic"), 1, "archetypal, chorus, clusters"),
        (("skim", "VIDEO", "--method", "uniform", "--query", "x"), 1, "no option query"),
        (("skim", "VIDEO", "--method", "keyshots", "--kb", "nowhere"), 1, "nowhere"),
        (("skim", "VIDEO", "--method", "keyshots", "--tags", "a", "--tags", "b"), 1, "tags of 2 films for 1 films"),
        (("skim", "VIDEO", "--method", "chorus"), 1, "no sound"),
        (("skim", "VIDEO", "--method", "chorus", "--rate", "0.4"), 1, "no option rate"),
        (("skim", "VIDEO", "--length", "4"), 1, "no option length"),
        (("skim", "VIDEO", "VIDEO", "-o", "x.mp4"), 2, "one VIDEO"),
    ],
)
def test_mistakes_are_named_on_one_line(
    shell: Shell, video: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ran = shell(*(video if a == "VIDEO" else a for a in arguments))
    assert ran.code == code and ran.out == "" and said in ran.err
    assert code == 2 or ran.err.count("\n") == 1


def test_frames_are_read_from_videos_only(shell: Shell, tmp_path: Path) -> None:
    ran = shell("story", tmp_path, "--read-frames")
    assert ran.code == 2 and "--read-frames needs a video" in ran.err
