"""Each closed-form method against its objective written out literally, on data small enough for loops."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.linalg
import scipy.stats
import torch

from kgmm import hashing
from kgmm.hashing.deep import dmhor
from kgmm.hashing.shallow import cmfh, crh, imh, mlbe, scm_orth, seph
from kgmm.hashing.shallow._linear import quantizing_rotation

N, D_X, D_Y = 40, 6, 5


@pytest.fixture(scope="module")
def pairs():
    """Pairs of three kinds with some noise, centred, and their labels as indicators."""
    random = np.random.default_rng(0)
    kind = np.arange(N) % 3
    image = random.normal(size=(3, D_X))[kind] + random.normal(size=(N, D_X))
    text = random.normal(size=(3, D_Y))[kind] + random.normal(size=(N, D_Y))
    return image - image.mean(0), text - text.mean(0), np.eye(3)[kind]


def weights(method):
    return method.arrays["image.weights"], method.arrays["text.weights"]


def same_up_to_sign(a, b):
    return np.abs(np.abs((a * b).sum(0)) - np.linalg.norm(a, axis=0) * np.linalg.norm(b, axis=0)).max()


def likeness(labels):
    """S = 2 L L' - 1 with rows of L of unit length, pair by pair."""
    unit = [row / np.sqrt(sum(v * v for v in row)) for row in labels]
    return np.array([[2 * sum(a * b for a, b in zip(i, j, strict=True)) - 1 for j in unit] for i in unit])


# --- CVH: min sum_ij W_ij d_ij with W = I, s.t. sum_k A_k' X_k' X_k A_k = I ----------------------------


def cvh_distance(image, text, a_x, a_y):
    """The sum over pairs of the distance between both codes before the sign."""
    return sum(float(((x @ a_x - y @ a_y) ** 2).sum()) for x, y in zip(image, text, strict=True))


def test_cvh_reaches_the_least_distance_under_its_constraint(pairs):
    image, text, _ = pairs
    bits = 4
    a_x, a_y = weights(hashing.create("cvh", bits, ridge=1e-12).fit(image, text))
    constraint = a_x.T @ image.T @ image @ a_x + a_y.T @ text.T @ text @ a_y
    assert np.abs(constraint - np.eye(bits)).max() < 1e-6
    cxx, cyy, cxy = image.T @ image, text.T @ text, image.T @ text
    cost = np.block([[cxx, -cxy], [-cxy.T, cyy]])
    least = scipy.linalg.eigh(cost, scipy.linalg.block_diag(cxx, cyy), eigvals_only=True)[:bits]
    assert cvh_distance(image, text, a_x, a_y) == pytest.approx(least.sum(), abs=1e-6)


# --- IMH: min over F of sum_m |X_m W_m - F|^2 + beta |W_m|^2 + lambda tr F' L_m F -----------------------


def imh_value(views, f, w, beta, lam, k):
    total = 0.0
    for x, a in zip(views, w, strict=True):
        total += ((x @ a - f) ** 2).sum() + beta * (a**2).sum()
        near = [sorted((j for j in range(N) if j != i), key=lambda j: ((x[i] - x[j]) ** 2).sum())[:k] for i in range(N)]
        for i in range(N):
            for j in range(i):
                if j in near[i] or i in near[j]:
                    total += lam * ((f[i] - f[j]) ** 2).sum()
    return float(total)


def test_imh_solves_its_eigenproblem_and_its_regressions(pairs):
    image, text, _ = pairs
    beta, lam, k, bits = 1.0, 1.0, 5, 3
    total = sum(imh.smoothness(x, beta, lam, k) for x in (image, text))
    values, vectors = np.linalg.eigh(total)
    f = vectors[:, :bits]
    w = weights(hashing.create("imh", bits, beta=beta, lam=lam, neighbors=k).fit(image, text))
    for x, a in zip((image, text), w, strict=True):
        literal = np.linalg.inv(x.T @ x + beta * np.eye(x.shape[1])) @ x.T @ f
        assert same_up_to_sign(a, literal) < 1e-6
        slope = x.T @ (x @ literal - f) + beta * literal
        assert np.abs(slope).max() < 1e-8
    turned = [
        np.sign((a * (np.linalg.inv(x.T @ x + beta * np.eye(x.shape[1])) @ x.T @ f)).sum(0)) * a
        for x, a in zip((image, text), w, strict=True)
    ]
    assert imh_value((image, text), f, turned, beta, lam, k) == pytest.approx(values[:bits].sum(), abs=1e-6)


# --- SCM: max tr W_x' X' S Y W_y, S between -1 and 1 ----------------------------------------------------


def test_scm_never_forms_the_likenesses_it_uses(pairs):
    image, text, labels = pairs
    zero = np.zeros(D_X), np.zeros(D_Y)
    literal = image.T @ likeness(labels) @ text
    assert np.abs(scm_orth.semantic_covariance(image, text, labels, zero) - literal).max() < 1e-9


def test_scm_orth_solves_its_generalized_eigenproblem(pairs):
    image, text, labels = pairs
    w_x, w_y = weights(hashing.create("scm-orth", 2, ridge=1e-12).fit(image, text, labels))
    cxx, cyy, cxy = image.T @ image, text.T @ text, image.T @ likeness(labels) @ text
    assert np.abs(w_x.T @ cxx @ w_x - np.eye(2)).max() < 1e-6
    left = cxy @ np.linalg.inv(cyy) @ cxy.T
    values = scipy.linalg.eigh(left, cxx, eigvals_only=True)[::-1]
    for bit in range(2):
        assert np.abs(left @ w_x[:, bit] - values[bit] * cxx @ w_x[:, bit]).max() < 1e-6 * values[0]
    reached = np.trace(w_x.T @ cxy @ w_y)
    assert reached == pytest.approx(np.sqrt(values[:2]).sum(), rel=1e-6)


def test_scm_seq_takes_from_the_likenesses_what_each_bit_explains(pairs):
    image, text, labels = pairs
    bits = 6
    w_x, w_y = weights(hashing.create("scm-seq", bits, ridge=1e-9).fit(image, text, labels))
    rest = bits * likeness(labels)
    cxx = image.T @ image + 1e-9 * np.trace(image.T @ image) / D_X * np.eye(D_X)
    cyy = text.T @ text + 1e-9 * np.trace(text.T @ text) / D_Y * np.eye(D_Y)
    last = np.inf
    for bit in range(bits):
        c = image.T @ rest @ text
        values, vectors = scipy.linalg.eigh(c @ np.linalg.inv(cyy) @ c.T, cxx)
        if np.sqrt(values[-1]) > last * (1 + 1e-9):
            break
        last = np.sqrt(values[-1])
        assert same_up_to_sign(w_x[:, bit : bit + 1], vectors[:, -1:]) < 1e-6
        h_x, h_y = np.where(image @ w_x[:, bit] >= 0, 1, -1), np.where(text @ w_y[:, bit] >= 0, 1, -1)
        before = (rest**2).sum()
        rest = rest - np.outer(h_x, h_y)
        assert (rest**2).sum() < before  # |sgn sgn' - cS|^2 falls with each bit
    assert bit >= 2


# --- CMFH -----------------------------------------------------------------------------------------------


def cmfh_value(views, v, u, p, mu, gamma):
    total = gamma * sum(float(a) ** 2 for a in v.ravel())
    for x, a, b in zip(views, u, p, strict=True):
        for i in range(N):
            total += 0.5 * float(((x[i] - v[i] @ a) ** 2).sum()) + mu * float(((v[i] - x[i] @ b) ** 2).sum())
        total += gamma * (sum(float(e) ** 2 for e in a.ravel()) + sum(float(e) ** 2 for e in b.ravel()))
    return total


CENTRED = np.zeros(D_X), np.zeros(D_Y)


def test_cmfh_falls_each_sweep_and_ends_where_no_block_can_improve(pairs):
    image, text, _ = pairs
    views, mu, gamma = (image, text), 10.0, 0.01
    a, u, p, history = cmfh.factorize(views, CENTRED, 4, mu=mu, gamma=gamma, sweeps=3000, seed=0)
    v = image @ a[0] + text @ a[1]
    assert all(b <= a + 1e-9 for a, b in itertools.pairwise(history))
    assert history[-1] == pytest.approx(cmfh_value(views, v, u, p, mu, gamma), abs=1e-6)
    for x, b in zip(views, p, strict=True):
        assert np.abs(-2 * mu * x.T @ (v - x @ b) + 2 * gamma * b).max() < 1e-6
    slope = 2 * gamma * v
    for x, a, b in zip(views, u, p, strict=True):
        slope = slope - (x - v @ a) @ a.T + 2 * mu * (v - x @ b)
    assert np.abs(slope).max() < 1e-2 * np.abs(v).max() * mu  # stopped at 1e-6 of the objective


def test_cmfh_from_products_takes_the_steps_that_the_factors_themselves_take(pairs):
    image, text, _ = pairs
    views, mu, gamma, eye = (image, text), 10.0, 0.01, np.eye(3)
    v = np.random.default_rng(7).normal(size=(N, 3))
    for _ in range(5):
        u = [np.linalg.inv(v.T @ v + 2 * gamma * eye) @ v.T @ x for x in views]
        p = [np.linalg.inv(x.T @ x + gamma / mu * np.eye(x.shape[1])) @ x.T @ v for x in views]
        target = sum(0.5 * x @ a.T + mu * x @ b for x, a, b in zip(views, u, p, strict=True))
        v = target @ np.linalg.inv(sum(0.5 * a @ a.T for a in u) + (2 * mu + gamma) * eye)
    a, *_ = cmfh.factorize(views, CENTRED, 3, mu=mu, gamma=gamma, sweeps=5, seed=7)
    assert np.abs(image @ a[0] + text @ a[1] - v).max() < 1e-9


def test_every_block_update_of_cmfh_is_a_minimum_of_its_block(pairs):
    image, text, _ = pairs
    views, mu, gamma = (image, text), 10.0, 0.01
    a, u, p, _ = cmfh.factorize(views, CENTRED, 3, mu=mu, gamma=gamma, sweeps=5, seed=0)
    v = image @ a[0] + text @ a[1]
    random = np.random.default_rng(1)
    here = cmfh_value(views, v, u, p, mu, gamma)
    for _ in range(20):
        moved = [b + 1e-3 * random.normal(size=b.shape) for b in p]
        assert cmfh_value(views, v, u, moved, mu, gamma) > here


# --- QCH and CCA-ITQ: the rotation ----------------------------------------------------------------------


@pytest.mark.parametrize("bits", [3, 5, 9])
def test_the_rotation_is_orthonormal_and_a_procrustes_solution(pairs, bits):
    z = pairs[1] / pairs[1].std(0)
    r, b, losses = quantizing_rotation(z, bits, seed=0)
    small = r.T @ r if bits <= D_Y else r @ r.T
    assert np.abs(small - np.eye(len(small))).max() < 1e-9
    literal = sum((b[i, k] - sum(z[i, d] * r[d, k] for d in range(D_Y))) ** 2 for i in range(N) for k in range(bits))
    assert literal == pytest.approx(losses[-1], abs=1e-6)
    if bits >= D_Y:
        assert all(later <= sooner + 1e-9 for sooner, later in itertools.pairwise(losses))
        still = z.T @ b @ r.T  # at a Procrustes solution this is symmetric and positive
        again = scipy.linalg.svd(z.T @ b, full_matrices=False)
        assert np.trace(still) <= again[1].sum() + 1e-6


@pytest.mark.parametrize("name", ["cca-itq", "qch"])
def test_rotated_codes_are_nearer_to_signs_than_unrotated_ones(pairs, name):
    image, text, labels = pairs
    method = hashing.create(name, 4, seed=0).fit(image, text, labels)
    w_x, w_y = weights(method)
    z = (image @ w_x + text @ w_y) / 2
    literal = sum((abs(value) - 1) ** 2 for value in z.ravel())
    assert literal == pytest.approx(method.fitted["objective"][-1], abs=1e-6)
    random = scipy.stats.ortho_group.rvs(4, size=20, random_state=0)
    assert literal <= np.mean([((np.abs(z @ r) - 1) ** 2).sum() for r in random])


# --- CRH ------------------------------------------------------------------------------------------------


def literal_tau(d, a, lam):
    if abs(d) <= lam:
        return -0.5 * d * d + a * lam * lam / 2
    if abs(d) <= a * lam:
        return (d * d - 2 * a * lam * abs(d) + a * a * lam * lam) / (2 * (a - 1))
    return 0.0


def test_crh_splits_its_loss_into_convex_parts():
    d, a, lam = np.linspace(-4, 4, 801), 3.7, 0.4
    convex = np.array([literal_tau(x, a, lam) for x in d]) + 0.5 * d**2 - a * lam**2 / 2
    assert np.diff(convex, 2).min() > -1e-12
    numeric = np.gradient(convex, d)
    assert np.abs(numeric - crh.tau1_slope(d, a, lam))[1:-1].max() < 0.01


def crh_value(image, text, u, v, pairs, o):
    first, second, similar = pairs
    total = sum(max(0.0, 1 - abs(float(x @ u))) for x in image) / len(image)
    total += sum(max(0.0, 1 - abs(float(y @ v))) for y in text) / len(text)
    for a, b, s in zip(first, second, similar, strict=True):
        d = float(image[a] @ u - text[b] @ v)
        total += o["gamma"] / len(first) * (d * d if s else literal_tau(d, o["a"], o["lam"]))
    return total + o["ridge"] / 2 * float(u @ u + v @ v)


def test_a_bit_of_crh_lowers_the_loss_it_starts_from(pairs):
    image, text, labels = pairs
    x, y = image / image.std(0), text / text.std(0)
    method = hashing.create("crh", 1, pairs=400, steps=80, batch=64)
    random = np.random.default_rng(0)
    first, second, similar = crh.sample_pairs(labels, 400, random)
    start = np.eye(D_X)[0], np.eye(D_Y)[0]
    u, v = method._bit(x, y, first, second, similar, np.full(400, 1 / 400), start, random)
    before, after = (crh_value(x, y, *w, (first, second, similar), method.options) for w in (start, (u, v)))
    assert after < before - 0.1


def test_boosting_leaves_half_of_the_weight_on_wrong_pairs():
    right = np.array([True, True, True, False])
    fresh = crh.boosted(np.full(4, 0.25), right)
    assert fresh[~right].sum() == pytest.approx(0.5)


# --- MLBE -----------------------------------------------------------------------------------------------


def mlbe_value(s_x, s_y, s, u, v, w_x, w_y, w, theta, prior):
    odds = mlbe.offset(s)
    total = 0.0
    for i in range(len(u)):
        for j in range(len(u)):
            a = float((u[i] * w * v[j]).sum()) + odds
            total += s[i, j] * a - np.log(1 + np.exp(a))
            total -= theta / 2 * (s_x[i, j] - float((u[i] * w_x * u[j]).sum())) ** 2
            total -= theta / 2 * (s_y[i, j] - float((v[i] * w_y * v[j]).sum())) ** 2
    return total - prior / 2 * float((w_x**2).sum() + (w_y**2).sum() + (w**2).sum())


def test_mlbe_climbs_its_posterior_to_where_no_single_flip_helps(pairs):
    image, text, labels = pairs
    rows = slice(0, 16)
    s_x, s_y = (np.exp(-((x[rows, None] - x[rows]) ** 2).sum(-1) / 8) for x in (image, text))
    s = (labels[rows] @ labels[rows].T > 0).astype(float)
    random = np.random.default_rng(0)
    start = tuple(np.where(random.random((16, 3)) < 0.5, -1.0, 1.0) for _ in range(2))
    options = {"theta": 1.0, "prior": 1.0, "block": 1, "sweeps": 30}
    u, v, w_x, w_y, w, history = mlbe.embed(s_x, s_y, s, start, options, lambda *_: None)
    value = mlbe_value(s_x, s_y, s, u, v, w_x, w_y, w, 1.0, 1.0)
    assert history[-1] == pytest.approx(value, abs=1e-6)
    assert all(b >= a - 1e-6 for a, b in itertools.pairwise(history))
    slope = (
        2
        * np.array(
            [
                sum((s_x[i, j] - (u[i] * w_x * u[j]).sum()) * u[i, k] * u[j, k] for i in range(16) for j in range(16))
                for k in range(3)
            ]
        )
        / 2
        - w_x
    )
    assert np.abs(slope).max() < 1e-6


# --- SePH -----------------------------------------------------------------------------------------------


def seph_cost(h, p, alpha):
    n, c = h.shape
    near = {(i, j): 1 / (1 + 0.25 * ((h[i] - h[j]) ** 2).sum()) for i in range(n) for j in range(n) if i != j}
    whole = sum(near.values())
    kl = sum(p[i, j] * np.log(p[i, j] / (q / whole)) for (i, j), q in near.items() if p[i, j] > 0)
    return float(kl + alpha / (n * c) * ((np.abs(h) - 1) ** 2).sum())


def test_sephs_divergence_and_gradient(pairs):
    _, _, labels = pairs
    labels = labels[:12]
    p = seph.label_distribution(labels).astype(np.float64)
    assert p.sum() == pytest.approx(1, abs=1e-6) and np.diag(p).max() == 0
    h = np.random.default_rng(0).normal(size=(12, 3))
    cost, gradient = seph.cost_and_gradient(h.copy(), p, 0.01)
    assert cost == pytest.approx(seph_cost(h, p, 0.01), abs=1e-6)
    for i, k in ((0, 0), (3, 1), (11, 2)):
        up, down = h.copy(), h.copy()
        up[i, k] += 1e-5
        down[i, k] -= 1e-5
        numeric = (seph_cost(up, p, 0.01) - seph_cost(down, p, 0.01)) / 2e-5
        assert gradient[i, k] == pytest.approx(numeric, abs=1e-6)


def test_sephs_regression_is_stationary(pairs):
    image, _, labels = pairs
    bases = image[:10]
    k = np.exp(-((image[:, None] - bases) ** 2).sum(-1) / 10)
    inner = np.exp(-((bases[:, None] - bases) ** 2).sum(-1) / 10)
    target = labels.astype(bool)
    w = seph.logistic(k, target, 0.01 * inner)

    def value(weights):
        odds = k @ weights[:-1] + weights[-1]
        sign = np.where(target, 1, -1)
        return np.logaddexp(0, -sign * odds).sum() + 0.01 * np.einsum("ib,ij,jb", weights[:-1], inner, weights[:-1])

    for direction in np.random.default_rng(0).normal(size=(10, *w.shape)):
        slope = (value(w + 1e-5 * direction) - value(w - 1e-5 * direction)) / 2e-5
        assert abs(slope) < 1e-2


# --- DMHOR ----------------------------------------------------------------------------------------------


def test_dmhors_weights_are_orthogonal(pairs):
    image, text, labels = pairs
    method = hashing.create("dmhor", 4, seed=0, epochs=3).fit(image, text, labels)
    for w in method.weights():
        gram = (w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w).detach()
        assert float((gram - torch.eye(len(gram))).abs().max()) < 1e-3


def test_dmhors_penalty_brings_weights_nearer_to_orthogonal_ones(pairs):
    image, text, labels = pairs
    gaps = [
        float(
            sum(
                dmhor.orthogonality_gap(w)
                for w in hashing.create("dmhor", 4, seed=0, epochs=150, hard=False, orthogonal=g)
                .fit(image, text, labels)
                .weights()
            ).detach()
        )
        for g in (0.0, 1.0)
    ]
    assert gaps[1] < 0.5 * gaps[0]
