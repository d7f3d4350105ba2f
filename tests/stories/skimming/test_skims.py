"""Skims of methods that judge segments: one film or several, with reasons, facts, a page, one document and a film to watch."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import kgmm
from kgmm.errors import BadInput, KgmmError
from kgmm.knowledge import KnowledgeStore
from kgmm.stories.example.drawing import drawn
from kgmm.stories.example.news import news
from kgmm.stories.films import Skim
from kgmm.stories.skimming.request import Judged, Reason, Request
from kgmm.stories.video.clips import Clip, write_clips
from kgmm.stories.video.decoding import frames
from kgmm.stories.video.subtitles import Cue, write_srt
from tests.stories.test_video import _write

pytestmark = pytest.mark.usefixtures("own_cache")
SHOTS = [news().shots[i] for i in (4, 25, 31, 40)]


def _film(path: Path, order: list[int], size: int = 1, seconds: int = 2) -> Path:
    """Write drawn scenes of two seconds each."""
    times = [i / 10 for i in range(10 * seconds * len(order))]
    return _write(path, [drawn(SHOTS[order[int(t / seconds)]]).at(t)[::size, ::size] for t in times], times)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("films")
    made = [_film(folder / "a.mp4", [0, 1, 2]), _film(folder / "b.mp4", [3, 1, 0], size=2)]
    for path, words in zip(made, ("Two spaniels play.", "Nothing is said of them."), strict=True):
        write_srt([Cue(2.2, 3.8, words)], path.with_suffix(".srt"))
    return made


@pytest.fixture
def kb(tmp_path: Path) -> KnowledgeStore:
    store = KnowledgeStore(tmp_path / "kb")
    store.add([("spaniel", "IsA", "dog")])
    return store


def test_several_films_become_one_skim(films: list[Path], tmp_path: Path) -> None:
    made = kgmm.skim(films, "keyshots", rate=0.5, subtitles=[f.with_suffix(".srt") for f in films], seed=0)
    assert [film.video for film in made.films] == films and made.video == films[0]
    assert {clip.film for clip in made.clips} <= {0, 1} and made.seconds > 3
    assert sum(len(film.clips) for film in made.films) == len(made.clips)
    shots = [(clip.film, round(clip.start)) for clip in made.clips]
    shown = [([0, 1, 2], [3, 1, 0])[film][start // 2] for film, start in shots]
    assert len(set(shown)) == len(shown), "what both films show is shown once"
    short = made.save(tmp_path / "skim.mp4")
    pictures = list(frames(short))
    assert pictures[-1][0] == pytest.approx(made.seconds, abs=0.3)
    assert len({pixels.shape for _, pixels in pictures}) == 1
    page = made.to_html(tmp_path / "board.html")
    assert "<h2>a.mp4</h2>" in page and page.count("data:image/jpeg") == len(made.clips)
    document = json.loads(made.to_json(tmp_path / "skim.json"))
    assert [film["video"] for film in document["films"]] == [str(f) for f in films]
    assert "2 films" in repr(made)


def test_each_segment_has_a_score_and_a_reason(films: list[Path], tmp_path: Path) -> None:
    made = kgmm.skim(films[0], "clusters", rate=0.4, subtitles=films[0].with_suffix(".srt"))
    assert [s.start for s in made.segments] == pytest.approx([0, 2, 4], abs=0.02)
    assert [s.end for s in made.segments] == pytest.approx([2, 4, 6], abs=0.02)
    assert [s.kept for s in made.segments].count(True) == len(made.clips) == 1
    told = json.loads(made.to_json())
    assert len(told["segments"]) == 3 and len(told["moments"]["scores"]) == len(told["moments"]["times"]) == 12
    assert "spaniel" in told["segments"][1]["reason"]["text"]
    assert made.reason(made.clips[0]).text.startswith("the middle of a cluster of 100% of the film")
    assert "the middle of a cluster" in made.to_html()


def test_a_fact_is_on_the_page_and_in_the_document(kb: KnowledgeStore, films: list[Path]) -> None:
    (fact,) = kb.find("spaniel")
    reason = Reason("shows <spaniel>", concepts=("spaniel",), facts=(fact,))
    part = kgmm.skim(films[0], "uniform").segments[0]
    made = Skim(
        films[0], "m", (Clip(0, 2, 1.0),), np.arange(3.0), np.ones(3), {}, (replace(part, kept=True, reason=reason),)
    )
    page = made.to_html()
    assert "spaniel is a kind of dog" in page and "shows &lt;spaniel&gt;" in page and "<spaniel>" not in page
    assert "/c/en/spaniel IsA /c/en/dog" in page
    assert made.to_dict()["segments"][0]["reason"]["facts"] == [["/c/en/spaniel", "IsA", "/c/en/dog", "facts"]]


def test_only_what_is_on_offer_is_taken(films: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    from kgmm.stories.films import _judged

    def answers(method: str, request: Request, progress: Any) -> list[Judged]:
        (film,) = request.footage
        return [Judged(np.ones(len(film)), np.array([3.0, 2.0, 1.0]), (), np.array([1]))]

    monkeypatch.setattr(_judged, "judge", answers)
    made = kgmm.skim(films[0], "uniform", rate=1.0)
    assert [round(clip.start) for clip in made.clips] == [2]
    assert [segment.kept for segment in made.segments] == [False, True, False]


def test_a_query_says_what_supports_it(films: list[Path], kb: KnowledgeStore) -> None:
    first = kgmm.skim(films[0], "keyshots", query="dogs and zeppelins", kb=kb)
    assert first.details["query"] == "dog, spaniel; nothing that can be seen for: zeppelin"
    alone = kgmm.skim(films[0], "keyshots", query="zeppelins")
    assert alone.details["query"] == "nothing that can be seen for: zeppelin; no store to widen it"


def test_pictures_of_a_title_come_from_a_folder(films: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    with pytest.raises(BadInput, match="holds no picture"):
        kgmm.skim(films[0], "archetypal", title="Two", title_images=folder)
    Image.fromarray(drawn(SHOTS[2]).at(0.5)).save(folder / "one.png")
    made = kgmm.skim(films[0], "archetypal", title="Two", title_images=folder, rate=0.4)
    assert made.details["title"] == "1 pictures given" and [round(c.start) for c in made.clips] == [4]
    with pytest.raises(BadInput, match="no such folder"):
        kgmm.skim(films[0], "archetypal", title_images=tmp_path / "none")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tags": "cake"}, "tags: give a list of tags"),
        ({"tags": ["cake", ["candle"]]}, "tags: give a list of tags"),
        ({"tags": [["cake"], ["candle"]]}, "tags of 2 films for 1 films"),
        ({"subtitles": ["a.srt", "b.srt"]}, "2 files for 1 films"),
        ({"rate": 0.0}, "not above 0"),
        ({"fusion": "sum"}, "keyshots has no option fusion"),
        ({"segments": "scenes"}, "no segments 'scenes'"),
        ({"weights": "w.safetensors"}, "keyshots has no option weights"),
    ],
)
def test_options_that_make_no_sense_are_named(films: list[Path], given: dict[str, Any], said: str) -> None:
    with pytest.raises(KgmmError, match=said):
        kgmm.skim(films[0], "keyshots", **given)


def test_a_film_of_one_shot_leaves_a_part_of_it(tmp_path: Path) -> None:
    film = _film(tmp_path / "one.mp4", [1], seconds=6)
    made = kgmm.skim(film, "clusters", rate=0.25)
    assert len(made.segments) == 1 and made.seconds == pytest.approx(1.5, abs=0.1)
    assert made.segments[0].kept and made.reason(made.clips[0]) == made.segments[0].reason
    assert list(frames(made.write(tmp_path / "skim.mp4")))


def test_pictures_of_another_size_are_fitted(tmp_path: Path, films: list[Path]) -> None:
    tall = _write(tmp_path / "tall.mp4", [np.full((120, 60, 3), 200, np.uint8)] * 20, [i / 10 for i in range(20)])
    out = write_clips([films[0], tall], [Clip(0, 1, film=0), Clip(0, 1, film=1)], tmp_path / "both.mp4")
    shown = list(frames(out))
    assert {pixels.shape for _, pixels in shown} == {shown[0][1].shape}
    last = shown[-1][1].astype(int)
    assert last[:, 2].mean() < 30 and last[:, last.shape[1] // 2].mean() > 170, "black beside it"
