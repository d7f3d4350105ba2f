"""``kgmm eval skim``: the field's figures on the field's files, bad ones told, and never F alone."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from kgmm.cli import main
from kgmm.data.annotated_films import Annotated, read_annotated, read_splits
from kgmm.errors import BadInput, KgmmError
from kgmm.evaluate.skims import evaluate

h5py = pytest.importorskip("h5py", reason="needs the extra video")


def _told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    main(["eval", "skim", *arguments, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def _file(place: Path, **changes: Any) -> Path:
    """A file in the field's layout: two films of 120 frames, three people."""
    random = np.random.default_rng(1)
    with h5py.File(place, "w") as file:
        for name in ("video_1", "video_2"):
            group = file.create_group(name)
            data: dict[str, Any] = {
                "user_summary": (random.random((3, 120)) < 0.15).astype(np.float32),
                "n_frames": 120,
                "change_points": np.array([[0, 29], [30, 79], [80, 119]]),
                "picks": np.arange(0, 120, 15),
                "features": random.random((8, 5)).astype(np.float32),
                "gtscore": random.random(8),
                **changes,
            }
            for key, value in data.items():
                if value is not None:
                    group[key] = value
    return place


def test_tvsum_as_published(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _told(capsys, "--annotations", str(shared_data / "tvsum" / "ydata-anno.tsv.gz"))
    assert (found["films"], found["people"]) == (50, 20)
    expected = {"random_f": (0.153, 0.01), "human_pairwise_f": (0.257, 0.003), "mean_of_others_f": (0.359, 0.003)}
    expected |= {"human_tau": (0.178, 0.002), "human_rho": (0.204, 0.002)}
    for name, (value, near) in expected.items():
        assert found[name] == pytest.approx(value, abs=near), name


def test_correlations_are_scipys_and_a_person_agrees_with_oneself() -> None:
    random = np.random.default_rng(0)
    people = random.integers(1, 6, (4, 600)).astype(float)
    at = np.arange(0, 600, 60)
    film = Annotated("f", 600, people)
    found = evaluate([film], {"f": people[0]})
    rhos = [spearmanr(people[0, at], person[at]).statistic for person in people]
    assert found["rho"] == pytest.approx(np.mean(rhos))
    taus = [kendalltau(people[a, at], people[b, at]).statistic for a in range(4) for b in range(a)]
    assert found["human_tau"] == pytest.approx(np.mean(taus))
    assert found["f_max"] == 1 and found["f_mean"] < 1


def test_one_person_and_constant_scores_have_no_figure_where_none_is_defined() -> None:
    film = Annotated("f", 120, np.ones((1, 120)))
    found = evaluate([film], {"f": np.ones(120)})
    assert found["human_pairwise_f"] is found["human_tau"] is found["tau"] is found["rho"] is None
    assert 0 <= found["random_f"] <= 1


def test_hdf5_files_are_judged_on_their_change_points(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = _file(tmp_path / "data.h5")
    films = read_annotated(file)
    assert [film.starts.tolist() for film in films if film.starts is not None] == [[0, 30, 80, 120]] * 2
    (tmp_path / "scores.json").write_text(json.dumps({film.name: film.importance.tolist() for film in films}))
    (tmp_path / "splits.json").write_text('[{"train_keys": ["video_1"], "test_keys": ["x/video_2"]}]')
    found = _told(capsys, str(file), "--scores", str(tmp_path / "scores.json"))
    assert found["protocol"]["segments"] == "kts" and {"f_mean", "f_max", "tau", "rho", "random_f"} <= set(found)
    assert _told(capsys, str(file), "--segments", "fixed")["protocol"]["frames"] == 60
    assert read_splits(tmp_path / "splits.json") == [(["video_1"], ["video_2"])]
    assert _told(capsys, str(file), "--splits", str(tmp_path / "splits.json"))["films"] == 1
    main(["eval", "skim", str(file), "--scores", str(tmp_path / "scores.json")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith("scores given") and lines[3].startswith("random scores"), "F is never alone"


@pytest.mark.parametrize(
    "changes, told",
    [
        ({"user_summary": None}, "has no user_summary"),
        ({"user_summary": np.ones(5)}, "user_summary is no array of 2 dimensions"),
        ({"n_frames": 500}, "n_frames is 500"),
        ({"change_points": np.array([[0, 10], [5, 8]])}, "one after the other"),
        ({"change_points": np.zeros((0, 2), int)}, "from the first frame on"),
        ({"gtscore": np.full(8, np.nan)}, "not finite"),
        ({"picks": np.arange(3)}, "different lengths"),
    ],
)
def test_bad_hdf5_is_told_by_film(changes: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=f"film video_1: .*{told}"):
        read_annotated(_file(tmp_path / "bad.h5", **changes))


@pytest.mark.parametrize(
    "text, told",
    [
        ("f\tVT\n", ":1: expected film"),
        ("f\tVT\t1,x\n", ":1: a score is no number"),
        ("f\tVT\t1,2\nf\tVT\t1\n", ":2: 1 scores"),
        ("f\tVT\t1,nan\n", ":1: a score is not finite"),
        ("\n", "holds no film"),
    ],
)
def test_bad_tables_are_told_by_line(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text(text)
    with pytest.raises(BadInput, match=told):
        read_annotated(tmp_path / "a.tsv")
    (tmp_path / "a.tsv.gz").write_bytes(gzip.compress(text.encode())[:-9])
    with pytest.raises(BadInput):
        read_annotated(tmp_path / "a.tsv.gz")


def test_scores_and_protocols_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    film = Annotated("f", 120, np.random.default_rng(0).random((2, 120)))
    for scores in ({}, {"f": np.ones(7)}, {"f": np.full(120, np.nan)}):
        with pytest.raises(BadInput, match=r"^f: "):
            evaluate([film], scores)
    with pytest.raises(KgmmError, match="f has no change points"):
        evaluate([film], segments="kts")
    (tmp_path / "noise.h5").write_bytes(b"\x89HDF\r\n" + bytes(100))
    with pytest.raises(BadInput, match=r"noise\.h5"):
        read_annotated(tmp_path / "noise.h5")
