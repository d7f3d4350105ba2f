"""Networks for films are trained on features in the field's layout and on films with notes, and then judge films."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kgmm.data.noted_films import read_noted
from kgmm.errors import BadInput
from kgmm.stories.example.filming import film_planted
from kgmm.train import fit as fitting
from kgmm.train.fit import Recipe, fit
from kgmm.train.lessons import Lessons, lessons
from kgmm.train.skims import SkimProblem

h5py = pytest.importorskip("h5py", reason="needs the extra video")
Shell = Callable[..., Any]


def field_file(place: Path, films: int = 10) -> Path:
    """Write films in the field's layout: one direction of the features says what people keep."""
    random = np.random.default_rng(4)
    with h5py.File(place, "w") as file:
        for number in range(films):
            group = file.create_group(f"video_{number}")
            starts = np.concatenate([[0], np.cumsum(random.integers(30, 61, 20))])
            worth = np.repeat(random.permutation(20) / 20, np.diff(starts))
            picks = np.arange(0, len(worth), 15)
            features = random.normal(0, 0.3, (len(picks), 16))
            features[:, 0] += 2 * (worth[picks] > 0.75)
            group["features"], group["picks"], group["n_frames"] = features.astype(np.float32), picks, len(worth)
            group["change_points"] = np.column_stack([starts[:-1], starts[1:] - 1])
            group["gtscore"] = worth[picks]
            whims = random.normal(0, 0.02, (3, 20))
            own = [worth + np.repeat(whim, np.diff(starts)) for whim in whims]
            group["user_summary"] = np.array([row >= np.quantile(row, 0.85) for row in own], np.float32)
    return place


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return field_file(tmp_path_factory.mktemp("field") / "films.h5")


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Five short films; their features are kept in a cache of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield film_planted(tmp_path_factory.mktemp("films"), range(5), seconds=10, pictures=1).parent


def test_seqdpp_learns_what_people_keep_from_features(features: Path, tmp_path: Path, shell: Shell) -> None:
    out = tmp_path / "out"
    (tmp_path / "splits.json").write_text(
        json.dumps([{"train_keys": [f"video_{i}" for i in range(7)], "test_keys": ["x/video_7", "video_8", "video_9"]}])
    )
    split = ("--splits", tmp_path / "splits.json", "--split", 0)
    ran = shell("train", "skim", features, "--method", "seqdpp", "--epochs", 12, "--out", out, *split, "--json")
    assert ran.code == 0, ran.err
    judged = shell("eval", "skim", features, "--method", "seqdpp", "--weights", out, *split, "--json")
    found = json.loads(judged.out)
    assert found["films"] == 3 and found["protocol"]["segments"] == "kts"
    assert found["f_mean"] > found["random_f"] + 0.3 and found["tau"] > 0.2 > found["random_tau"]
    assert {"human_pairwise_f", "mean_of_others_f", "human_tau", "f_max", "random_f_max", "rho"} <= set(found)
    plain = json.loads(shell("eval", "skim", features, "--method", "uniform", *split, "--json").out)
    assert found["f_mean"] > plain["f_mean"] and found["random_f"] == plain["random_f"]
    table = shell("eval", "skim", features, "--method", "seqdpp", "--weights", out).out
    assert "seqdpp" in table and "random scores" in table and "a person against another" in table


def test_the_policy_learns_without_labels(features: Path, tmp_path: Path) -> None:
    trained = fit(SkimProblem("policy", lessons(features, "policy"), "films.h5"), tmp_path, Recipe(epochs=1, batch=4))
    assert 1 < trained.figures["reward"] < 2 and 0 <= trained.figures["f"] <= 1


def test_the_same_bits_with_the_same_seed_and_after_a_kill(
    features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = lessons(features, "policy")
    recipe = Recipe(epochs=3, batch=4, patience=9)

    def trained(name: str) -> bytes:
        fit(SkimProblem("policy", given, "films.h5"), tmp_path / name, recipe)
        return (tmp_path / name / "model.safetensors").read_bytes()

    whole = trained("a")
    assert whole == trained("b")
    finish = fitting._Run.finish

    def killed(run: Any, figures: dict[str, float]) -> None:
        finish(run, figures)
        if run.epoch == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fitting._Run, "finish", killed)
        with pytest.raises(KeyboardInterrupt):
            trained("c")
    assert trained("c") == whole


@pytest.fixture(scope="module")
def of_films(films: Path) -> dict[str, Lessons]:
    return {method: lessons(films, method) for method in ("seqdpp", "shdpp", "query-memory", "dsse")}


def test_lessons_are_what_the_notes_say(films: Path, of_films: dict[str, Lessons]) -> None:
    noted = read_noted(films)
    asked = of_films["shdpp"].train
    assert len(asked) == sum(len(film.queries) for film in noted[:4]) and of_films["shdpp"].concepts
    for lesson in asked:
        film = lesson.tensors
        assert lesson.asked is not None and film.asked is not None and film.chosen is not None
        assert set(film.asked) <= set(film.chosen) and (film.chosen or not lesson.people.any())
        starts = film.starts.tolist()
        assert all(lesson.asked[starts[i] : starts[i + 1]].mean() > 0.5 for i in film.asked)
    pairs = of_films["dsse"].train
    assert len(pairs) == sum(len(film.clicks) + 1 for film in noted[:4])
    assert all(len(pair.tensors.pictured or ()) == 1 for pair in pairs)
    assert len(of_films["seqdpp"].train) == 4 and len(of_films["seqdpp"].dev) == 1


@pytest.mark.parametrize("method", ["seqdpp", "shdpp", "query-memory", "dsse"])
def test_every_method_learns_from_films_and_then_judges_them(
    method: str, films: Path, of_films: dict[str, Lessons], tmp_path: Path, shell: Shell, bundled_kb: Any
) -> None:
    problem = SkimProblem(method, of_films[method], "films")
    before = float(problem.loss(range_of(problem.size)).detach())
    fit(problem, tmp_path / "out", Recipe(epochs=2, batch=4, rate=2e-3))
    if method != "seqdpp":  # of films this short nothing fits that people would keep: see from_features above
        assert float(problem.loss(range_of(problem.size)).detach()) < before
    ran = shell(
        "eval", "skim", films, "--method", method, "--weights", tmp_path / "out", "--kb", bundled_kb.path, "--json"
    )
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    assert {"f_mean", "random_f", "mean_of_others_f", "tau", "human_tau"} <= set(found)
    assert ("matching_f" in found and "random_asked_f" in found) == (method in ("shdpp", "query-memory"))
    assert ("thumbnail_first" in found) == (method == "dsse")


def range_of(size: int) -> Any:
    import torch

    return torch.arange(size)


def test_what_cannot_be_learned_from_is_said(
    features: Path, films: Path, tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadInput, match="queries or titles"):
        lessons(features, "shdpp")
    few = field_file(tmp_path / "few.h5", 3)
    with pytest.raises(BadInput, match="5 are needed"):
        lessons(few, "seqdpp")
    with h5py.File(tmp_path / "bare.h5", "w") as file:
        file.create_group("a")["user_summary"] = np.ones((2, 30))
    with pytest.raises(BadInput, match="no features with picks"):
        lessons(tmp_path / "bare.h5", "seqdpp")
    (tmp_path / "s.json").write_text('[{"train_keys": ["z"], "test_keys": []}]')
    with pytest.raises(BadInput, match="none of the films"):
        lessons(features, "seqdpp", splits=tmp_path / "s.json")
    with pytest.raises(BadInput, match="there is none 3"):
        lessons(features, "seqdpp", splits=tmp_path / "s.json", split=3)
    out = ("--out", tmp_path / "o")
    for arguments, code, said in (
        (("train", "skim", features, *out), 2, "skim needs --method, one of: dsse, policy"),
        (("train", "skim", features, "--method", "mucko", *out), 2, "skim needs --method"),
        (("train", "skim", features, "--method", "dsse", *out), 1, "queries or titles"),
        (("train", "skim", features, "--method", "seqdpp", "--films", "3", *out), 2, "--films goes with"),
        (("train", "skim", features, "--method", "seqdpp", "--split", "1", *out), 2, "--split goes with --splits"),
        (("train", "san", "clevr", "--method", "seqdpp", *out), 2, "--method is for skim, not for san"),
        (("train", "skim", tmp_path, "--method", "seqdpp", *out), 1, "no such file of films with notes"),
        (("eval", "skim", films), 2, "films with notes are for a --method"),
        (("eval", "skim", features, "--method", "mucko"), 1, "no film summarizer 'mucko'"),
        (("eval", "skim", features, "--weights", tmp_path), 2, "--weights goes with --method"),
        (("eval", "skim", films, "--method", "uniform", "--segments", "kts"), 2, "judged on their shots"),
    ):
        ran = shell(*arguments)
        assert ran.code == code and said in ran.err, ran.err
