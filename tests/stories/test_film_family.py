"""The base case of film summarizers: any of them cuts a film with sound and words down to clips that can be written."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import kgmm
from kgmm.errors import BadInput, KgmmError
from kgmm.stories.films import METHODS, film_summarizers, judges_segments
from kgmm.stories.footage.footage import look_at
from kgmm.stories.skimming import judging
from kgmm.stories.video.decoding import frames
from kgmm.stories.video.subtitles import Cue, write_srt
from tests.families import check_family
from tests.stories.music import CHORUS, music_video
from tests.stories.skimming.untrained import untrained

pytestmark = pytest.mark.usefixtures("own_cache")
#: what methods that judge segments are given, where they use it
GIVEN: dict[str, Any] = {"query": "coming home", "title": "Come home", "tags": ["love"]}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = music_video(tmp_path_factory.mktemp("film") / "song.mp4")
    lines = [Cue(2, 5, "I walked alone"), *(Cue(t + 1, t + 4, "Come home, my love") for t in CHORUS)]
    write_srt(lines, path.with_suffix(".srt"))
    return path


@pytest.mark.parametrize("name", film_summarizers())
def test_any_film_summarizer_keeps_clips_that_can_be_shown_and_written(name: str, film: Path, tmp_path: Path) -> None:
    told: list[int] = []
    subtitles = film.with_suffix(".srt")
    given = {key: value for key, value in GIVEN.items() if judges_segments(name) and key in _uses(name)}
    if judges_segments(name) and "weights" in _uses(name):
        given["weights"] = untrained(name, look_at(film, subtitles))
    made = kgmm.skim(film, name, subtitles=subtitles, progress=lambda done, total, what: told.append(done), **given)
    assert made.method == name and made.video == film and (told or judges_segments(name))
    assert 0 < made.seconds < 48, "less than half of the film is kept"
    ends = [second for clip in made.clips for second in (clip.start, clip.end)]
    assert ends == sorted(ends) and ends[0] >= 0 and ends[-1] <= 97
    assert len(made.times) == len(made.scores) > 50 and (np.diff(made.times) > 0).all()
    assert made.scores.min() >= 0 and made.scores.max() > 0
    data = made.to_dict()
    assert [c["start"] for c in data["clips"]] == [c.start for c in made.clips]
    page = made.to_html(tmp_path / "board.html")
    assert (tmp_path / "board.html").read_text(encoding="utf-8") == page
    assert page.count("data:image/jpeg;base64,") == len(made.clips)
    short = [at for at, _ in frames(made.write(tmp_path / "skim.mp4"))]
    assert short[-1] == pytest.approx(made.seconds, abs=0.5)


@pytest.mark.parametrize("name", METHODS.names())
@pytest.mark.parametrize("option", [{"query": "whales"}, {"title": "Song"}, {"tags": ["music"]}, {"seed": 1}])
def test_any_film_summarizer_refuses_options_it_does_not_use(name: str, option: dict[str, object]) -> None:
    with pytest.raises(KgmmError, match=f"film summarizer {name} has no option {next(iter(option))}"):
        kgmm.skim("film.mp4", name, **option)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", film_summarizers())
def test_any_film_summarizer_names_a_file_that_is_no_film(name: str, tmp_path: Path) -> None:
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(5000))
    for path in (tmp_path / "noise.mp4", tmp_path / "none.mp4"):
        with pytest.raises(BadInput, match=path.name):
            kgmm.skim(path, name)


@pytest.mark.parametrize("name", METHODS.names())
def test_methods_that_look_at_one_film_say_so(name: str) -> None:
    with pytest.raises(KgmmError, match=f"{name} takes one film at a time"):
        kgmm.skim(["a.mp4", "b.mp4"], name)


def test_every_film_summarizer_is_documented_and_cited() -> None:
    check_family(film_summarizers(), _module, "films.md")


def _module(name: str) -> ModuleType:
    return (judging.METHODS if judges_segments(name) else METHODS).module(name.replace("-", "_"))


def _uses(name: str) -> tuple[str, ...]:
    uses: tuple[str, ...] = _module(name).USES
    return uses
