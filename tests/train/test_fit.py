"""Training is reproducible, survives a kill, and writes what the model needs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from kgmm.errors import BadInput, KgmmError
from kgmm.nn.devices import pick_device
from kgmm.nn.folders import load_weights
from kgmm.train.fit import Recipe, fit


class Line:
    """y = 2 x + 1 from noisy samples."""

    metric = "fit"

    def __init__(self, kill_at: int | None = None) -> None:
        torch.manual_seed(3)
        self.x = torch.randn(64, 1)
        self.y = 2 * self.x + 1 + 0.01 * torch.randn(64, 1)
        torch.manual_seed(0)
        self.model = torch.nn.Sequential(
            torch.nn.Linear(1, 8), torch.nn.Dropout(0.2), torch.nn.ReLU(), torch.nn.Linear(8, 1)
        )
        self.size, self.config, self.vocabulary = 64, {"name": "line", "data": "made"}, {"words": []}
        self.kill_at, self.calls = kill_at, 0

    def loss(self, rows):
        self.calls += 1
        if self.calls == self.kill_at:
            raise KeyboardInterrupt
        return (self.model(self.x[rows]) - self.y[rows]).square().mean()

    def evaluate(self):
        return {"fit": -(self.model(self.x) - self.y).square().mean().item()}

    def write(self, folder: Path) -> None:
        (folder / "extra.txt").write_text("kept")


RECIPE = Recipe(epochs=6, batch=16, rate=0.05, patience=9, threads=0)


def test_a_killed_run_ends_as_if_it_had_not_been_killed(tmp_path):
    whole = fit(Line(), tmp_path / "whole", RECIPE)
    killed = Line(kill_at=4 * 3 + 2)
    with pytest.raises(KeyboardInterrupt):
        fit(killed, tmp_path / "killed", RECIPE)
    assert (tmp_path / "killed" / "checkpoint.safetensors").exists()
    again = Line()
    torch.manual_seed(6)  # the dropout still to come follows from the checkpoint, not from this process
    resumed = fit(again, tmp_path / "killed", RECIPE)
    assert resumed.epochs_run == 3 and resumed.figures == whole.figures
    a, b = (load_file(tmp_path / n / "model.safetensors") for n in ("whole", "killed"))
    assert all(torch.equal(a[k], b[k]) for k in a)
    assert not (tmp_path / "killed" / "checkpoint.safetensors").exists()


def test_same_seed_same_weights(tmp_path):
    fit(Line(), tmp_path / "a", RECIPE)
    fit(Line(), tmp_path / "b", RECIPE)
    a, b = (load_file(tmp_path / n / "model.safetensors") for n in "ab")
    assert all(torch.equal(a[k], b[k]) for k in a)


def test_the_folder_describes_the_model(tmp_path):
    trained = fit(Line(), tmp_path, RECIPE)
    lines = [json.loads(x) for x in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [x["epoch"] for x in lines] == list(range(1, 7))
    assert max(x["fit"] for x in lines) == pytest.approx(trained.figures["fit"], abs=1e-5)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["name"] == "line" and config["recipe"]["epochs"] == 6 and config["figures"] == trained.figures
    assert "parameters" in (tmp_path / "README.md").read_text() and (tmp_path / "extra.txt").exists()


def test_training_stops_when_nothing_improves(tmp_path):
    class Flat(Line):
        def evaluate(self):
            return {"fit": 0.5}

    assert fit(Flat(), tmp_path, Recipe(epochs=50, batch=16, patience=2, threads=0)).epochs_run == 3


def test_a_checkpoint_of_other_settings_is_not_continued(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        fit(Line(kill_at=6), tmp_path, RECIPE)
    with pytest.raises(BadInput, match=r"other settings \(epochs 6 → 7, patience 9 → 5, "):
        fit(Line(), tmp_path, Recipe(epochs=7, batch=16, threads=0))


def test_weights_that_do_not_fit_are_refused(tmp_path):
    fit(Line(), tmp_path, RECIPE)
    with pytest.raises(BadInput, match="do not fit"):
        load_weights(torch.nn.Linear(2, 2), tmp_path)
    with pytest.raises(BadInput, match="kgmm train"):
        load_weights(torch.nn.Linear(2, 2), tmp_path / "nowhere")
    (tmp_path / "model.safetensors").write_bytes(b"PK pickled")
    with pytest.raises(BadInput, match=r"model\.safetensors: not a safetensors file"):
        load_weights(torch.nn.Linear(2, 2), tmp_path)


def test_a_damaged_checkpoint_is_named(tmp_path):
    (tmp_path / "checkpoint.safetensors").write_bytes(b"half a")
    with pytest.raises(BadInput, match=r"checkpoint\.safetensors: not a checkpoint.*delete it"):
        fit(Line(), tmp_path, RECIPE)


def test_a_run_in_a_used_folder_leaves_nothing_of_the_old_one(tmp_path):
    fit(Line(), tmp_path, Recipe(epochs=9, batch=16, threads=0))
    fit(Line(), tmp_path, RECIPE)
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == RECIPE.epochs


def test_weights_can_be_read_by_whoever_can_read_the_card(tmp_path):
    fit(Line(), tmp_path, RECIPE)
    card, weights = ((tmp_path / name).stat().st_mode for name in ("README.md", "model.safetensors"))
    assert card == weights


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_that_teaches_nothing_is_refused(rate, tmp_path):
    with pytest.raises(KgmmError, match="learning rate"):
        fit(Line(), tmp_path, Recipe(rate=rate))


def test_a_device_torch_does_not_know_is_refused():
    with pytest.raises(KgmmError, match="no device 'toaster'"):
        pick_device("toaster")
