"""CCA, kernel CCA and PLS find what two views share, and solve the equations they are said to solve."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.linalg

from kgmm.errors import KgmmError
from kgmm.fusion.projections import CCA, PLS, KernelCCA

RNG = np.random.default_rng(0)
SHARED = RNG.normal(size=(300, 3))
IMAGE = np.hstack([SHARED, RNG.normal(size=(300, 5))]) @ RNG.normal(size=(8, 12))
TEXT = np.hstack([SHARED, RNG.normal(size=(300, 2))]) @ RNG.normal(size=(5, 7))
METHODS = [CCA, KernelCCA, PLS]


def agreement(method, image, text):
    """How well the two views of unseen pairs correlate, direction by direction."""
    a, b = method.transform(image, "image"), method.transform(text, "text")
    return np.array([np.corrcoef(a[:, i], b[:, i])[0, 1] for i in range(a.shape[1])])


def test_cca_recovers_the_three_directions_both_views_share() -> None:
    cca = CCA(7).fit(IMAGE[:200], TEXT[:200])
    found = agreement(cca, IMAGE[200:], TEXT[200:])
    assert found[:3].min() > 0.99
    assert np.abs(found[3:]).max() < 0.4
    assert cca.strength[:3] == pytest.approx(agreement(cca, IMAGE[:200], TEXT[:200])[:3], abs=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_a_pair_unseen_in_training_lies_nearer_together_than_strangers(method) -> None:
    fitted = method(3).fit(IMAGE[:200], TEXT[:200])
    a, b = (fitted.transform(x[200:], kind) for x, kind in ((IMAGE, "image"), (TEXT, "text")))
    a, b = (z / np.linalg.norm(z, axis=1, keepdims=True) for z in (a, b))
    rank = ((a @ b.T) > (a * b).sum(1)[:, None]).mean(1)
    assert rank.mean() < 0.25  # chance is 0.5


def test_cca_solves_its_equation_with_the_ridge() -> None:
    cca = CCA(4, ridge=0.01).fit(IMAGE, TEXT)
    x, y = IMAGE - IMAGE.mean(0), TEXT - TEXT.mean(0)
    cxx, cyy, cxy = x.T @ x / 300, y.T @ y / 300, x.T @ y / 300
    cxx = cxx + 0.01 * np.trace(cxx) / len(cxx) * np.eye(len(cxx))
    cyy = cyy + 0.01 * np.trace(cyy) / len(cyy) * np.eye(len(cyy))
    literal = scipy.linalg.eigh(cxy @ np.linalg.inv(cyy) @ cxy.T, cxx, eigvals_only=True)[::-1][:4]
    assert cca.strength**2 == pytest.approx(literal, abs=1e-6)


def test_kernel_cca_solves_hardoons_equation() -> None:
    x, y = IMAGE[:40], TEXT[:40]
    kcca = KernelCCA(3, kappa=0.05).fit(x, y)
    center = np.eye(40) - 1 / 40
    kernels = []
    for z in (x, y):
        far = np.array([[((a - b) ** 2).sum() for b in z] for a in z])
        kernels.append(center @ np.exp(-far / far.mean()) @ center)
    kx, ky = kernels
    right_x, right_y = (k + 0.05 * np.trace(k) * np.eye(40) for k in kernels)
    literal = np.linalg.inv(right_x) @ ky @ np.linalg.inv(right_y) @ kx
    values = np.sort(np.linalg.eigvals(literal).real)[::-1][:3]
    assert kcca.strength**2 == pytest.approx(values, abs=1e-6)


def test_pls_directions_have_the_largest_covariances() -> None:
    pls = PLS(3).fit(IMAGE, TEXT)
    x, y = ((z - z.mean(0)) / z.std(0) for z in (IMAGE, TEXT))
    literal = scipy.linalg.svd(x.T @ y / 300, compute_uv=False)[:3]
    assert pls.strength == pytest.approx(literal, abs=1e-6)


def test_a_nonlinear_relation_shows_in_kernel_cca_only() -> None:
    angle = RNG.uniform(0, 2 * np.pi, 400)
    image = np.stack([np.cos(angle), np.sin(angle)], 1)
    text = np.stack([np.cos(2 * angle), np.sin(2 * angle)], 1)
    linear, kernel = (CCA(1).fit(image[:300], text[:300]), KernelCCA(1, kappa=0.003).fit(image[:300], text[:300]))
    assert abs(agreement(linear, image[300:], text[300:])[0]) < 0.3
    assert agreement(kernel, image[300:], text[300:])[0] > 0.8


@pytest.mark.parametrize("method", METHODS)
def test_singular_features_give_finite_projections(method) -> None:
    topics = np.exp(TEXT)
    topics = np.hstack([topics / topics.sum(1, keepdims=True), np.zeros((300, 1))])  # sums to one; one constant
    z = method(10).fit(IMAGE, topics).transform(topics, "text")
    assert np.isfinite(z).all() and 1 <= z.shape[1] <= 10


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("image", "text", "word"),
    [
        (np.where(np.arange(12) == 3, np.nan, IMAGE), TEXT, "nan"),
        (np.ones_like(IMAGE), TEXT, "constant"),
        (IMAGE[:1], TEXT[:1], "two"),
        (IMAGE, TEXT[:-1], "pair"),
        (IMAGE, np.empty((300, 0)), "text"),
        (None, TEXT, "missing"),
    ],
    ids=["NaN", "constant", "one pair", "unpaired", "empty modality", "missing modality"],
)
def test_what_cannot_be_fitted_is_refused_in_words(method, image, text, word) -> None:
    with pytest.raises(KgmmError, match=f"(?s){method.name}.*{word}"):
        method(3).fit(image, text)


def test_wrong_use_is_refused_in_words() -> None:
    with pytest.raises(KgmmError, match="fit first"):
        CCA(3).transform(IMAGE, "image")
    fitted = KernelCCA(3).fit(IMAGE, TEXT)
    with pytest.raises(KgmmError, match="12 columns"):
        fitted.transform(IMAGE, "text")
    with pytest.raises(KgmmError, match="sound"):
        fitted.transform(IMAGE, "sound")
    with pytest.raises(KgmmError, match="kappa"):
        KernelCCA(3, kappa=0)
    with pytest.raises(KgmmError, match="components"):
        CCA(0)


def test_cca_on_wiki_is_near_the_published_correlation_matching(shared_data: Path) -> None:
    """Rasiwasia et al. (2010) report mAP .249 and .196; theirs were other image features."""
    from kgmm.data.cross_modal import read_cross_modal
    from kgmm.evaluate.fusion import cross_modal_map

    data = read_cross_modal(shared_data / "wiki")
    found = cross_modal_map(CCA(10).fit(data.image_train, data.text_train).transform, data)
    assert found["image_to_text"]["map"] > 0.2
    assert found["text_to_image"]["map"] > 0.18
