"""Adapted networks trained by ``kgmm train``: killed and resumed they end with the same bits; they are loaded without data."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from kgmm.cli import main
from kgmm.data.domains import Domain, read_domain
from kgmm.errors import BadInput, KgmmError
from kgmm.train.adapted import AdaptedProblem
from kgmm.train.fit import Recipe, fit
from kgmm.transfer import deep_methods, load

NAMES = np.array(["cat", "dog", "owl"])


def _domains(count: int = 90, side: int = 4) -> tuple[Domain, Domain]:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 2 * count)
    X = np.abs(rng.normal(size=(3, side**2)) * 2)[y] + rng.normal(size=(2 * count, side**2)) * 0.5
    X[count:] += 0.7
    return Domain("a", X[:count], NAMES[y[:count]]), Domain("b", X[count:], NAMES[y[count:]])


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    made = []
    for domain in _domains():
        made.append(tmp_path / f"{domain.name}.npz")
        np.savez(made[-1], X=domain.features, y=domain.labels)
    return made[0], made[1]


RECIPE = Recipe(epochs=6, batch=32, rate=3e-3, weight_decay=5e-4, threads=0)


class Killed(AdaptedProblem):
    calls = 0

    def loss(self, rows: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        if self.calls == 3 * 3 + 2:
            raise KeyboardInterrupt
        return super().loss(rows)


@pytest.mark.parametrize("name", deep_methods())
@pytest.mark.parametrize("picture", [None, (1, 4, 4)])
def test_a_killed_training_ends_with_the_same_bits(
    name: str, picture: tuple[int, int, int] | None, tmp_path: Path
) -> None:
    given = {"epochs": 6, "seed": 2, "picture": picture, "width": 16}
    whole = fit(AdaptedProblem(name, *_domains(), **given), tmp_path / "whole", RECIPE)
    with pytest.raises(KeyboardInterrupt):
        fit(Killed(name, *_domains(), **given), tmp_path / "cut", RECIPE)
    again = AdaptedProblem(name, *_domains(), **given)
    torch.manual_seed(9)  # what is still to be drawn follows from the checkpoint
    resumed = fit(again, tmp_path / "cut", RECIPE)
    assert resumed.epochs_run == 3 and resumed.figures == whole.figures and whole.epoch == 6
    a, b = (load_file(tmp_path / n / "model.safetensors") for n in ("whole", "cut"))
    assert a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)
    assert int(a["seen"]) == 6 * 90 and whole.figures["passes"] == 6
    found = load(tmp_path / "whole")
    target = _domains()[1]
    assert np.mean(found.predict(target.features) == target.labels) == pytest.approx(whole.figures["target_accuracy"])


def test_no_target_label_is_read_in_training() -> None:
    source, target = _domains()
    wrong = target._replace(labels=np.roll(target.labels, 7))
    none = target._replace(labels=np.empty(0, np.int64))
    states = []
    for other in (target, wrong, none):
        problem = AdaptedProblem("dan", source, other, epochs=2)
        for rows in torch.split(torch.arange(90), 30):
            problem.loss(rows).backward()
        states.append([p.grad.clone() for p in problem.model.parameters() if p.grad is not None])
    assert len(states[0]) == 4
    assert all(torch.equal(a, b) for other in states[1:] for a, b in zip(states[0], other, strict=True))
    assert "target_accuracy" not in problem.evaluate()


def test_transfer_grows_with_what_was_seen_and_helps() -> None:
    source, target = _domains()
    shares = []
    problem = AdaptedProblem("ddc", source, target, epochs=2, weight=1.0)
    problem.adapter.penalty = lambda here, there, share: shares.append(share) or here[0].sum() * 0  # type: ignore[method-assign,func-returns-value]
    for _ in range(2):
        for rows in torch.split(torch.arange(90), 30):
            problem.loss(rows)
    assert shares == [pytest.approx(2 / (1 + np.exp(-10 * seen / 180)) - 1) for seen in range(30, 180, 30)]


def test_the_command_goes_on_after_a_kill_and_its_folder_needs_no_data(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    source, target = files
    words = [
        "train",
        "dan",
        str(source),
        "--target",
        str(target),
        "--network",
        "pictures",
        "--epochs",
        "9",
        "--batch",
        "16",
    ]
    main([*words, "--out", str(tmp_path / "whole")])
    command = [sys.executable, "-c", "from kgmm.cli import main; main()", *words, "--out", str(tmp_path / "cut")]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while run.poll() is None and not (tmp_path / "cut" / "checkpoint.safetensors").exists():
        time.sleep(0.002)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert run.returncode == -signal.SIGKILL and (tmp_path / "cut" / "checkpoint.safetensors").exists()
    main([*words, "--out", str(tmp_path / "cut")])
    a, b = ((tmp_path / n / "model.safetensors").read_bytes() for n in ("whole", "cut"))
    assert a == b
    rows = read_domain(target)
    source.unlink()
    target.unlink()
    found = load(tmp_path / "cut")
    said = json.loads((tmp_path / "cut" / "config.json").read_text())["figures"]["target_accuracy"]
    assert found.picture_ == (1, 4, 4) and np.mean(found.predict(rows.features) == rows.labels) == pytest.approx(said)
    assert found.hidden(rows.features.reshape(-1, 1, 4, 4)).shape == (90, 256)


def test_a_resumed_training_refuses_other_data(tmp_path: Path) -> None:
    source, target = _domains()
    with pytest.raises(KeyboardInterrupt):
        fit(Killed("ddc", source, target, epochs=6), tmp_path, RECIPE)
    other = target._replace(features=target.features + 1)
    with pytest.raises(BadInput, match=r"other settings.*checksum"):
        fit(AdaptedProblem("ddc", source, other, epochs=6), tmp_path, RECIPE)


def test_the_command_says_what_it_cannot_learn_from(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = map(str, files)
    np.savez(tmp_path / "bare.npz", X=np.ones((5, 16)))
    np.savez(tmp_path / "narrow.npz", X=np.ones((5, 15)))
    out = ["--out", str(tmp_path / "o"), "--epochs", "1"]
    for words, code, told in (
        (["train", "dan", source], 2, "needs --target"),
        (["train", "dan", source, "--target", str(tmp_path / "narrow.npz")], 1, "16 and 15 features"),
        (["train", "dan", str(tmp_path / "bare.npz"), "--target", target], 1, "expected fts and labels"),
        (["train", "modules", "clevr", "--weight", "1"], 2, "--weight is for dan and dann"),
    ):
        with pytest.raises(SystemExit) as caught:
            main([*words, *out])
        assert caught.value.code == code and told in capsys.readouterr().err
    main(["train", "ddc", source, "--target", str(tmp_path / "bare.npz"), "--json", *out])
    assert set(json.loads(capsys.readouterr().out)["figures"]) == {"passes", "source_accuracy", "target_entropy"}
    with pytest.raises(KgmmError, match="no network 'msda'"):
        AdaptedProblem("msda", *_domains(), epochs=1)


def test_a_broken_folder_is_told(tmp_path: Path) -> None:
    fit(AdaptedProblem("dann", *_domains(), epochs=1, width=8), tmp_path, Recipe(epochs=1, threads=0))
    config, words = (json.loads((tmp_path / f"{n}.json").read_text()) for n in ("config", "vocabulary"))
    for change, told in (
        ({"width": 10**30}, "no whole numbers from 1"),
        ({"width": 1 << 24, "features": 1 << 24}, "do not fit the model"),
        ({"width": 9}, "do not fit the model"),
        ({"picture": [1, 3, 3]}, "16 features"),
        ({"picture": "x"}, "expected"),
        ({"name": "msda"}, "holds msda"),
        ({"weight": None, "features": None}, "no whole numbers"),
    ):
        (tmp_path / "config.json").write_text(json.dumps({**config, **change}))
        with pytest.raises(BadInput, match=told):
            load(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "vocabulary.json").write_text(json.dumps({"classes": [1, "a"]}))
    with pytest.raises(BadInput, match="its classes are no list"):
        load(tmp_path)
    (tmp_path / "vocabulary.json").write_text(json.dumps(words))
    assert load(tmp_path).classes_.tolist() == ["cat", "dog", "owl"]
    save_file({"seen": torch.zeros(())}, tmp_path / "model.safetensors")
    with pytest.raises(BadInput, match="do not fit"):
        load(tmp_path)
    with pytest.raises(BadInput, match="no trained model here"):
        load(tmp_path / "nowhere")
