"""Whole networks for small pictures: any deep adapter over pixels, in any shape they are given."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from kgmm.cli import main
from kgmm.errors import BadInput, KgmmError
from kgmm.nn.small_pictures import SmallPictures
from kgmm.transfer import create, deep_methods


def _strokes(count: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pictures of 12 × 12 with a lying or a standing stroke at any place; the target's are thicker and noisy."""
    rng = np.random.default_rng(seed)
    y = np.tile([0, 1], count)
    X = np.zeros((2 * count, 12, 12))
    for i, (row, column) in enumerate(rng.integers(1, 8, (2 * count, 2))):
        thick = 1 if i < count else 2
        X[i, row : row + thick, 2:10] = 1
        X[i] = np.roll(X[i], column, axis=1)
        X[i] = X[i].T if y[i] else X[i]
    X[count:] += np.abs(rng.normal(size=(count, 12, 12))) * 0.2
    domain = np.repeat([1, -1], count)
    return X, np.where(domain > 0, y, -1), domain, y[count:]


@pytest.mark.parametrize("name", deep_methods())
def test_a_network_over_pixels_tells_strokes_at_any_place(name: str) -> None:
    X, y, domain, truth = _strokes()
    given = {"epochs": 15, "width": 32, "weight": 0.2, "seed": 1}
    whole = create(name, **given).fit(X, y, sample_domain=domain)
    assert isinstance(whole.layers_.hidden, SmallPictures) and whole.picture_ == (1, 12, 12)
    assert (whole.predict(X[60:]) == truth).mean() > 0.8
    flat = create(name, **given, picture_shape=(12, 12)).fit(X.reshape(120, -1), y, sample_domain=domain)
    assert np.array_equal(flat.predict_proba(X[60:]), whole.predict_proba(X[60:].reshape(60, 1, 12, 12)))
    assert whole.hidden(X[:3]).shape == (3, 32)


def test_the_body_is_the_formula_of_its_layers() -> None:
    torch.manual_seed(0)
    body = SmallPictures((3, 8, 12), 5).eval()
    first, second, wide = (body.layers[i] for i in (0, 3, 7))
    rows = torch.randn(2, 3 * 8 * 12)
    with torch.no_grad():
        found = body(rows)
        level = rows.view(2, 3, 8, 12)
        for layer in (first, second):
            padded = torch.nn.functional.pad(level, (2, 2, 2, 2))
            places = padded.unfold(2, 5, 1).unfold(3, 5, 1)
            summed = torch.einsum("nchwij,ocij->nohw", places, layer.weight) + layer.bias[:, None, None]
            n, o, h, w = summed.shape
            level = summed.view(n, o, h // 2, 2, w // 2, 2).amax((3, 5)).clamp_min(0)
        literal = (level.flatten(1) @ wide.weight.T + wide.bias).clamp_min(0)
    assert torch.allclose(found, literal, atol=1e-5)


def test_shapes_that_do_not_fit_are_told() -> None:
    X, y, domain, _ = _strokes(10)
    flat = X.reshape(20, -1)
    for rows, shape, told in (
        (flat, (12, 13), "144 features, where picture_shape says 1 × 12 × 13"),
        (X, (3, 4, 12), "pictures of 1 × 12 × 12, where picture_shape says 3 × 4 × 12"),
        (flat, (144,), r"expected \(height, width\)"),
        (flat, (12.0, 12), r"expected \(height, width\)"),
        (flat, (72, 2), "sides of 4 to 128 pixels"),
    ):
        with pytest.raises(BadInput, match=told):
            create("dan", epochs=1, picture_shape=shape).fit(rows, y, sample_domain=domain)
    fitted = create("dan", epochs=1).fit(X, y, sample_domain=domain)
    with pytest.raises(BadInput, match="pictures of 3 × 8 × 6, expected 1 × 12 × 12"):
        fitted.predict(flat.reshape(20, 3, 8, 6))
    heads = create("dan", epochs=1).fit(flat, y, sample_domain=domain)
    with pytest.raises(BadInput, match="expected rows of features"):
        heads.predict(X)
    assert heads.picture_ is None and fitted.fit(flat, y, sample_domain=domain).picture_ is None


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there_is_told() -> None:
    X, y, domain, _ = _strokes(10)
    with pytest.raises(KgmmError, match="no GPU"):
        create("dann", device="cuda").fit(X, y, sample_domain=domain)
    one, two = (create("dann", device=d, epochs=1).fit(X, y, domain).predict_proba(X) for d in ("auto", "cpu"))
    assert np.array_equal(one, two)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("name", deep_methods())
def test_networks_learn_on_a_gpu(name: str) -> None:
    X, y, domain, truth = _strokes()
    fitted = create(name, width=32, weight=0.2, device="cuda").fit(X, y, sample_domain=domain)
    assert (fitted.predict(X[60:]) == truth).mean() > 0.8


def test_eval_transfer_of_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    X, y, _, truth = _strokes(30)
    np.savez(tmp_path / "a.npz", X=X[:30], y=y[:30])
    np.savez(tmp_path / "b.npz", X=X[30:].reshape(30, -1), y=truth)
    command = ["eval", "transfer", "--source", str(tmp_path / "a.npz"), "--target", str(tmp_path / "b.npz")]
    figures = []
    for network in ("pictures", "features"):
        main([*command, "--method", "ddc", "--network", network, "--seeds", "1", "--json"])
        figures.append(json.loads(capsys.readouterr().out))
    assert figures[0]["accuracy"] > 0.6 and figures[0]["accuracies"] != figures[1]["accuracies"]


def test_digits_gain_more_from_whole_networks(shared_data: Path) -> None:
    from kgmm.data.domains import read_domains
    from kgmm.evaluate.transfer import evaluate

    mnist, usps = read_domains(shared_data / "mnist_usps" / "mnist_usps.npz")
    whole = evaluate(mnist, usps, "dan", 1, network="pictures", epochs=4)
    heads = evaluate(mnist, usps, "dan", 1, epochs=4)
    assert whole["accuracy"] > max(heads["accuracy"], whole["source_only"] + 0.03), (whole, heads)
