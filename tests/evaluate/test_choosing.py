"""Methods chosen without target labels: the labels change nothing but the figures, and figures are what choices come to."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from kgmm.cli import main
from kgmm.data.domains import Domain
from kgmm.errors import BadInput, KgmmError
from kgmm.evaluate.choosing import choose, table

FEW = {"source only": ("coral", {"weight": 0}), "coral": ("coral", {}), "msda": ("msda", {})}
SCORERS = {"entropy", "importance", "dev", "circular"}


def _domain(name: str, seed: int, rows: int = 90, moved: float = 0.0) -> Domain:
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(rows) % 3)
    means = np.random.default_rng(9).normal(size=(3, 8)) * 2
    X = means[y] + rng.normal(size=(rows, 8)) * np.linspace(1, 1 + moved, 8) + moved
    return Domain(name, X, y + 5)


def test_what_is_chosen_does_not_hang_on_target_labels() -> None:
    one, other = _domain("one", 0), _domain("other", 1, moved=1.0)
    found = choose([(one, other), (other, one)], FEW, seeds=2)
    shuffled = [Domain(d.name, d.features, np.random.default_rng(3).permutation(d.labels)) for d in (one, other)]
    blind = choose([(one, shuffled[1]), (other, shuffled[0])], FEW, seeds=2)
    assert set(found["scorers"]) == SCORERS
    for name in SCORERS:
        assert found["scorers"][name]["picked"] == blind["scorers"][name]["picked"]
        assert sum(found["scorers"][name]["picked"].values()) == 4
        assert 0 <= found["scorers"][name]["accuracy"] <= found["oracle"]
        assert found["scorers"][name]["accuracy"] == pytest.approx(np.mean(found["scorers"][name]["accuracies"]))
    assert found["source_only"] == found["candidates"]["source only"] > 0.6 > blind["source_only"]
    assert found["any"] == pytest.approx(np.mean(list(found["candidates"].values())))
    assert found["source_only"] <= found["best_candidate"] <= found["oracle"]
    assert choose([(one, other), (other, one)], FEW, seeds=2) == found, "same bits twice"
    assert all(name in table(found) for name in (*SCORERS, "oracle", "msda"))


def test_one_candidate_is_chosen_by_all() -> None:
    found = choose([(_domain("one", 0), _domain("other", 1))], {"coral": ("coral", {})}, seeds=1)
    assert all(row["picked"] == {"coral": 1} for row in found["scorers"].values())
    assert {row["accuracy"] for row in found["scorers"].values()} == {found["oracle"]} == {found["any"]}
    assert "source_only" not in found


def test_what_cannot_be_chosen_from_is_told() -> None:
    one = _domain("one", 0)
    with pytest.raises(BadInput, match="twenty"):
        choose([(_domain("small", 1, rows=12), one)], FEW)
    with pytest.raises(BadInput, match="features"):
        choose([(one, Domain("wide", np.ones((9, 4)), one.labels[:9]))], FEW)
    with pytest.raises(KgmmError, match="candidates"):
        choose([(one, one)], {})
    with pytest.raises(BadInput, match="has one class"):
        choose([(Domain("flat", one.features, np.full(90, 5)), one)], FEW)


def test_the_command_prints_one_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, seed in (("one", 0), ("other", 1)):
        made = _domain(name, seed, rows=45, moved=float(seed))
        np.savez(tmp_path / f"{name}.npz", X=made.features, y=made.labels)
    asked = ["eval", "transfer", "--source", str(tmp_path / "one.npz"), "--target", str(tmp_path / "other.npz")]
    main([*asked, "--choose", "--seeds", "1", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["pairs"] == [["one", "other"]] and len(found["candidates"]) == 9 and set(found["scorers"]) == SCORERS
    with pytest.raises(SystemExit) as ended:
        main([*asked, "--choose", "--method", "dan"])
    assert ended.value.code == 2 and "--method" in capsys.readouterr().err
