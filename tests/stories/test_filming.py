"""Invented films are what their scripts say: seen in their pixels, heard in their subtitles, noted beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kgmm.data.noted_films import NotedFilm, read_noted
from kgmm.errors import BadInput
from kgmm.stories.example.filming import Scene, drawn, film_planted, title_picture
from kgmm.stories.example.scripts import PlantedFilm, script, shared
from kgmm.stories.example.subjects import SUBJECTS
from kgmm.stories.footage.footage import Footage, look_at
from kgmm.stories.video.subtitles import read_subtitles

SEEDS = range(5000, 5012)


@pytest.fixture(scope="module")
def noted(tmp_path_factory: pytest.TempPathFactory) -> NotedFilm:
    return read_noted(film_planted(tmp_path_factory.mktemp("films"), [5000], seconds=40, pictures=2))[0]


@pytest.fixture(scope="module")
def footage(noted: NotedFilm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Footage]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield look_at(noted.video, noted.subtitles)


def test_scripts_plant_what_they_say() -> None:
    for film in map(script, SEEDS):
        best = film.shots[film.thumbnail]
        assert film.seconds >= 120 and not best.small
        shown = [s for s in film.shots if s.subject == film.subject and s.setting == film.setting]
        assert [s for s in shown if not s.small and not s.scene.startswith("shared")] == [best]
        assert {s.subject for s in film.shots} - {""} == set(film.tags) < set(SUBJECTS)
        for query, shots in film.queries().items():
            assert shots and all(query in film.shots[i].concepts for i in shots)
        worth = {kind: [s.importance for s in film.shots if s.kind == kind] for kind in ("subject", "view", "studio")}
        assert min(worth["subject"]) > max(worth["view"]) > max(worth["studio"])
        assert np.corrcoef(np.array(film.people))[np.triu_indices(5, 1)].min() > 0.6


def test_scenes_are_shared_between_films() -> None:
    scenes: dict[str, set[str]] = {}
    for film in map(script, SEEDS):
        for shot in film.shots:
            if shot.kind == "subject":
                scenes.setdefault(shot.scene, set()).add(film.name)
    assert sum(len(films) > 1 for films in scenes.values()) >= 6
    assert all(scene.startswith("shared/") for scene, films in scenes.items() if len(films) > 1)


def test_takes_of_a_scene_are_alike_and_other_scenes_are_not() -> None:
    row = shared("bus")
    films = [film for film in map(script, range(5000, 5030)) if any(s.scene == row["scene"] for s in film.shots)][:2]
    takes = [_picture(film, str(row["scene"])) for film in films]
    away = np.abs(takes[0].astype(float) - takes[1]).mean()
    assert 0 < away < 0.25 * np.abs(takes[0].astype(float) - _other(films[0], str(row["scene"]))).mean()


def _picture(film: PlantedFilm, scene: str) -> np.ndarray[Any, Any]:
    return drawn(film, next(i for i, s in enumerate(film.shots) if s.scene == scene)).at(1)


def _other(film: PlantedFilm, scene: str) -> np.ndarray[Any, Any]:
    return drawn(film, next(i for i, s in enumerate(film.shots) if s.kind == "subject" and s.scene != scene)).at(1)


def test_a_seed_draws_the_same_again_and_another_one_another() -> None:
    assert script(7) == script(7) != script(8)
    film = script(7)
    shot = next(s for s in film.shots if s.event)
    assert (Scene(shot, "t").at(0.5) == Scene(shot, "t").at(0.5)).all()
    assert title_picture(film, 0).tobytes() == title_picture(film, 0).tobytes() != title_picture(film, 1).tobytes()
    with pytest.raises(BadInput):
        script(-1)


def test_the_film_is_seen_and_heard_as_written(noted: NotedFilm, footage: Footage) -> None:
    film = script(5000, 40)
    assert footage.seconds == pytest.approx(film.seconds, abs=0.2)
    cuts = np.array([s.start for s in film.shots])
    found = np.abs(cuts[:, None] - footage.starts[None]).min(axis=1) < 0.11
    assert found.mean() >= 0.85, "most cuts are found"
    assert noted.subtitles is not None
    assert [cue.text for cue in read_subtitles(noted.subtitles)] == [s.text for s in film.shots]
    shot = noted.shot_at(footage)
    centre = {tag: _mean(footage.looks[np.isin(shot, noted.queries[tag])]) for tag in noted.tags}
    views = [i for i, s in enumerate(film.shots) if s.kind == "view"]
    for tag, look in centre.items():
        inside, outside = (footage.looks[np.isin(shot, some)] @ look for some in (noted.queries[tag], views))
        assert inside.mean() > outside.mean() + 0.1, tag


def _mean(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    mean: np.ndarray[Any, Any] = rows.mean(axis=0) / np.linalg.norm(rows.mean(axis=0))
    return mean


def test_notes_become_what_people_made_of_moments(noted: NotedFilm, footage: Footage) -> None:
    made = noted.annotated(footage)
    film = script(5000, 40)
    assert made.people.shape == (5, len(footage)) and not made.summaries
    middle = [int(2 * (s.start + s.end) / 2) for s in film.shots]
    assert made.people[2, middle].tolist() == list(film.people[2])
    query = noted.tags[0]
    assert noted.asked(query, footage)[middle].tolist() == [s.subject == query for s in film.shots]
    with pytest.raises(BadInput, match="nobody asked"):
        noted.asked("zeppelin", footage)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"video": "../elsewhere.mp4"}, "outside the folder"),
        ({"video": "none.mp4"}, "no file"),
        ({"shots": []}, "0 shots"),
        ({"shots": [{"start": 2, "end": 1, "importance": 1}]}, "follow one another"),
        ({"shots": [{"start": 0, "end": 1, "importance": []}]}, "each person"),
        ({"shots": [{"start": 0, "end": 1, "importance": float("nan")}]}, "not finite"),
        ({"shots": [{"start": 0, "end": 1}]}, "lacks 'importance'"),
        ({"thumbnail": 5}, "none of its 1"),
        ({"queries": {"cat": [-1]}}, "none of its 1"),
        ({"clicks": [3]}, "does not belong"),
    ],
)
def test_notes_that_make_no_sense_are_told(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    row = {"video": "a.mp4", "shots": [{"start": 0, "end": 1, "importance": 1}], **change}
    (tmp_path / "films.json").write_text(json.dumps({"films": [row]}))
    with pytest.raises(BadInput, match=said):
        read_noted(tmp_path)


def test_films_of_one_name_and_other_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    row = {"video": "a.mp4", "shots": [{"start": 0, "end": 1, "importance": 1}]}
    (tmp_path / "films.json").write_text(json.dumps({"films": [row, row]}))
    with pytest.raises(BadInput, match="one name"):
        read_noted(tmp_path)
    (tmp_path / "films.json").write_text("[]")
    with pytest.raises(BadInput, match="holds no"):
        read_noted(tmp_path)
    with pytest.raises(BadInput, match="no such file of films"):
        read_noted(tmp_path / "nowhere")
