"""The base case of adapters: any of them learns from a shifted source, and says what it cannot learn from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from kgmm.cli import main
from kgmm.data.domains import read_domain
from kgmm.errors import BadInput, KgmmError
from kgmm.transfer import create, methods
from kgmm.transfer.adapters.dann import reversed_gradient
from kgmm.transfer.adapters.jan_a import JANA
from kgmm.transfer.adapters.msda import denoiser

FAST = {"dan", "dann", "ddc", "jan", "jan-a"}


def _made(name: str, **options: object) -> object:
    return create(name, **({"epochs": 4} if name in FAST else {}), **options)


def _worlds(seed: int = 0, count: int = 120) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Three classes of 12 features; the target is turned a little and shifted. Returns rows, masked y, domain, truth."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(3, 12)) * 2
    y = rng.integers(0, 3, 2 * count)
    X = centres[y] + rng.normal(size=(2 * count, 12))
    domain = np.repeat([1, -2], count)
    X[count:] += 1.0
    return X, np.where(domain > 0, y, -1), domain, y[count:]


@pytest.mark.parametrize("name", methods())
def test_any_adapter_is_right_on_a_shifted_target_and_the_same_twice(name: str) -> None:
    X, y, domain, truth = _worlds()
    one, two = (_made(name, seed=3).fit(X, y, sample_domain=domain) for _ in range(2))  # type: ignore[attr-defined]
    chances = one.predict_proba(X[120:])
    assert (one.predict(X[120:]) == truth).mean() > 0.75
    assert chances.shape == (120, 3) and np.allclose(chances.sum(axis=1), 1)
    assert np.array_equal(chances, two.predict_proba(X[120:]))
    assert one.score(X[120:], truth) == (one.predict(X[120:]) == truth).mean()


@pytest.mark.parametrize("name", methods())
def test_no_target_label_is_read_and_weight_0_is_the_source_only(name: str) -> None:
    X, y, domain, truth = _worlds()
    told = y.copy()
    told[120:] = truth
    masked, open_ = (_made(name).fit(X, labels, sample_domain=domain) for labels in (y, told))  # type: ignore[attr-defined]
    assert np.array_equal(masked.predict_proba(X), open_.predict_proba(X))
    plain = _made(name, weight=0).fit(X, y, sample_domain=domain)  # type: ignore[attr-defined]
    alone = _made(name, weight=0).fit(X[:120], y[:120])  # type: ignore[attr-defined]
    same = np.allclose(plain.predict_proba(X), alone.predict_proba(X))
    assert same or name in FAST, "a network's batches follow the larger domain"


@pytest.mark.parametrize("name", methods())
def test_nothing_is_left_of_an_earlier_fit(name: str) -> None:
    X, y, domain, _ = _worlds()
    again = _made(name).fit(X, y, sample_domain=domain)  # type: ignore[attr-defined]
    again.fit(X[:120], y[:120])
    alone = _made(name).fit(X[:120], y[:120])  # type: ignore[attr-defined]
    assert np.array_equal(again.predict_proba(X), alone.predict_proba(X))


@pytest.mark.parametrize("name", methods())
def test_any_adapter_says_what_it_cannot_learn_from(name: str) -> None:
    X, y, domain, _ = _worlds(count=10)
    fits = [
        ((X, np.zeros(20), domain), "1 classes"),
        ((np.where(X > 1, np.nan, X), y, domain), "NaN"),
        ((X, y[:5], domain), "20 rows"),
        ((X, y, np.zeros(20)), "above 0 for source"),
        ((X[:, :0], y, domain), r"0 feature\(s\)"),
        ((X, y, -np.ones(20)), "0 classes"),
    ]
    for arguments, told in fits:
        with pytest.raises(BadInput, match=told):
            _made(name).fit(*arguments)  # type: ignore[attr-defined]
    fitted = _made(name).fit(X, y, domain)  # type: ignore[attr-defined]
    with pytest.raises(BadInput, match="expecting 12 features"):
        fitted.predict(X[:, :3])
    three = _made(name).fit(np.zeros((4, 2)), [0, 1, 0, -1], [1, 1, 1, -1])  # type: ignore[attr-defined]
    assert len(three.predict(np.zeros((1, 2)))) == 1, "constant features, three samples"
    with pytest.raises(KgmmError, match="no option speed"):
        create(name, speed=3)


def test_the_closed_form_is_the_limit_of_many_corrupted_copies() -> None:
    rng = np.random.default_rng(0)
    rows, noise, copies = rng.normal(size=(40, 3)), 0.4, 20_000
    clean = np.tile(rows, (copies, 1))
    lost = np.hstack([clean * (rng.random(clean.shape) >= noise), np.ones((len(clean), 1))])
    literal = np.linalg.lstsq(lost, clean, rcond=None)[0].T
    assert denoiser(rows, noise, 0) == pytest.approx(literal, abs=0.01)


def test_reversal_keeps_rows_and_turns_the_gradient() -> None:
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    made = reversed_gradient(x, 0.5)
    assert torch.equal(made, x)
    (made * torch.tensor([3.0, 4.0])).sum().backward()
    assert x.grad is not None and x.grad.tolist() == [-1.5, -2.0]


def test_only_the_maps_of_the_adversarial_kernel_go_uphill() -> None:
    torch.manual_seed(0)
    adapter = JANA()
    adapter.extra_ = adapter.extra(4, 3)
    layers = [torch.randn(6, 4, requires_grad=True), torch.randn(6, 3, requires_grad=True)]
    other = (torch.randn(6, 4) + 1, torch.randn(6, 3))
    adapter.distance((layers[0], layers[1]), other).backward()
    uphill = [p.grad.clone() for p in adapter.extra_.parameters() if p.grad is not None]
    before = float(adapter.distance((layers[0], layers[1]), other).detach())
    with torch.no_grad():
        assert layers[0].grad is not None
        layers[0] -= 0.05 * layers[0].grad
    assert float(adapter.distance((layers[0], layers[1]), other).detach()) < before, "features go downhill"
    with torch.no_grad():
        for p, g in zip(adapter.extra_.parameters(), uphill, strict=True):
            p -= 0.05 * g
    assert len(uphill) == 2


def test_eval_transfer_on_files_and_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import scipy.io

    X, y, _domain, truth = _worlds()
    scipy.io.savemat(tmp_path / "a.mat", {"fts": X[:120], "labels": y[:120, None] + 1})
    np.savez(tmp_path / "b.npz", X=X[120:], y=truth + 1)
    command = ["eval", "transfer", "--source", str(tmp_path / "a.mat"), "--target", str(tmp_path / "b.npz")]
    main([*command, "--method", "msda", "--seeds", "2", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["accuracy"] > 0.75 and {"source_only", "target_only", "majority"} <= set(found)
    main(["eval", "transfer", str(tmp_path), "--method", "coral", "--seeds", "1"])
    assert len(capsys.readouterr().out.splitlines()) == 4


@pytest.mark.parametrize(
    "arrays, told",
    [
        ({"X": np.ones((2, 3))}, "expected fts and labels"),
        ({"X": np.ones((2, 3)), "y": np.ones(5)}, "5 labels"),
        ({"X": np.full((2, 3), np.inf), "y": np.ones(2)}, "no finite number"),
        ({"X": np.array([[{}]]), "y": np.ones(1)}, "plain arrays"),
    ],
)
def test_bad_domains_are_told(arrays: dict[str, np.ndarray], told: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "bad.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=told):
        read_domain(tmp_path / "bad.npz")


def test_office_and_digits_gain(shared_data: Path) -> None:
    """The field's pairs: one of Office-Caltech and one of digits; all are in ``benchmarks``."""
    from kgmm.data.domains import Domain
    from kgmm.evaluate.transfer import evaluate

    one, other = (read_domain(shared_data / "office_caltech" / f"surf_{n}.mat") for n in ("caltech10", "webcam"))
    with np.load(shared_data / "mnist_usps" / "mnist_usps.npz") as file:
        digits = [Domain(n, file[f"X{k}"].astype(float), file[f"Y{k}"]) for n, k in (("mnist", "s"), ("usps", "t"))]
    found = evaluate(one, other, "msda", 1), evaluate(*digits, "dan", 1, epochs=10)
    assert all(row["accuracy"] > row["source_only"] + 0.03 for row in found), found
