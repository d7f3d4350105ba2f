"""SePH: codes whose distances follow a label distribution, then kernel logistic regression (Lin et al., CVPR 2015)."""

import itertools
from typing import ClassVar, cast

import numpy as np
import scipy.linalg
import scipy.optimize
from numpy.typing import NDArray

from kgmm.hashing.base import Hasher, pack
from kgmm.hashing.correlation import mean
from kgmm.hashing.features import MODALITIES, Array, Modality, batches
from kgmm.hashing.kernel import cluster_centers, rbf, square_distances
from kgmm.progress import Progress, silent

Floats = NDArray[np.floating]
Flags = NDArray[np.bool_]
STEPS = 100  #: of a regression at most


class SePH(Hasher):
    """Semantics-preserving hashing.

    Step 1 finds Ĥ minimizing KL(P‖Q) + α/(nc) ‖|Ĥ| - 1‖², P the label cosines and Q a Student distribution of
    code distances, by momentum with gains as t-SNE does. Step 2 learns each bit from each view by kernel
    logistic regression on RBF features of k-means bases. The unified code of a pair multiplies both views' odds.

    Options:
        alpha: weight of the distance to ±1.
        iterations: steps of gradient descent; rate: its learning rate.
        bases: number of RBF bases a view; ridge: weight of w'Kw in the regression.
        sample: largest number of pairs used in step 1 (it takes n² memory).
    """

    name = "seph"
    has_unified = True
    supervised = True
    DEFAULTS: ClassVar = {"alpha": 0.01, "iterations": 100, "rate": 500.0, "bases": 500, "ridge": 0.01, "sample": 4000}

    def _fit(self, image: Array, text: Array, labels: Array, progress: Progress) -> None:
        rows = np.random.default_rng(self.seed).permutation(len(image))[: self.options["sample"]]
        rows.sort()
        target = embed(labels[rows], self.bits, self.options, self.seed, progress) >= 0
        prior = target.mean(0).clip(1e-3, 1 - 1e-3)
        self.arrays["prior"] = np.log(prior / (1 - prior))
        for kind, x in zip(MODALITIES, (image, text), strict=True):
            self._fit_view(kind, np.asarray(x[rows], np.float64), target, progress)
        pairs = zip(batches(image), batches(text), strict=True)  # joint codes: log odds add up, the prior counted once
        odds = (self._project(x, "image") + self._project(y, "text") - self.arrays["prior"] for x, y in pairs)
        self.arrays["unified"] = np.concatenate([pack(part) for part in odds])

    def _fit_view(self, kind: Modality, x: Array, target: NDArray[np.bool_], progress: Progress) -> None:
        center = mean(x)
        x = x - center
        bases = cluster_centers(x, self.options["bases"], self.seed)
        width = float(square_distances(x, bases).mean())
        self.arrays[f"{kind}.mean"], self.arrays[f"{kind}.bases"] = center, bases
        self.fitted[f"{kind}.width"] = width
        penalty = self.options["ridge"] * rbf(bases, bases, width)
        features = rbf(x, bases, width)
        self.arrays[f"{kind}.weights"] = logistic(features, target, penalty, progress, f"{kind} regression")

    def _project(self, x: NDArray[np.floating], modality: Modality) -> NDArray[np.floating]:
        part = x - self.arrays[f"{modality}.mean"].astype(x.dtype)
        k = rbf(part, self.arrays[f"{modality}.bases"], self.fitted[f"{modality}.width"])
        w = self.arrays[f"{modality}.weights"].astype(x.dtype)
        return cast("NDArray[np.floating]", k @ w[:-1] + w[-1])


def label_distribution(labels: Array) -> NDArray[np.float32]:
    """Return P: label cosines, zero diagonal, sum 1, shape (n, n)."""
    unit = (labels / np.maximum(np.linalg.norm(labels, axis=1, keepdims=True), 1e-12)).astype(np.float32)
    p = unit @ unit.T
    np.fill_diagonal(p, 0)
    return cast("NDArray[np.float32]", p / max(float(p.sum(dtype=np.float64)), 1e-12))


def cost_and_gradient(h: Floats, p: Floats, alpha: float) -> tuple[float, Floats]:
    """Return KL(P‖Q) + α/(nc) ‖|Ĥ| - 1‖² and its gradient in Ĥ, shape (n, c)."""
    n, c = h.shape
    near = square_distances(h, h)
    near *= 0.25
    near += 1
    np.reciprocal(near, out=near)
    np.fill_diagonal(near, 0)
    q = near / near.sum(dtype=np.float64).astype(near.dtype)
    positive = p > 0
    kl = float((p[positive] * np.log(p[positive] / np.maximum(q[positive], 1e-12))).sum(dtype=np.float64))
    off = np.abs(h) - 1
    q -= p
    q *= -near  # M = (P - Q) ∘ N
    gradient = q.sum(1)[:, None] * h - q @ h + (2 * alpha / (n * c)) * off * np.sign(h)
    return kl + alpha / (n * c) * float((off**2).sum(dtype=np.float64)), gradient


def embed(labels: Array, bits: int, options: dict[str, float], seed: int, progress: Progress) -> NDArray[np.float32]:
    """Return the best Ĥ found, shape (n, bits)."""
    p = label_distribution(labels)
    h = (1e-4 * np.random.default_rng(seed).normal(size=(len(labels), bits))).astype(np.float32)
    best, best_cost = h, np.inf
    step, gain = np.zeros_like(h), np.ones_like(h)
    for i in range(int(options["iterations"])):
        cost, gradient = cost_and_gradient(h, p, options["alpha"])
        if cost < best_cost:
            best, best_cost = h, cost
        gain = np.where(np.sign(gradient) != np.sign(step), gain + 0.2, gain * 0.8).clip(0.01)
        step = (0.5 * step - options["rate"] * gain * gradient).astype(np.float32)
        h = h + step
        h = h - h.mean(0)
        progress(i + 1, int(options["iterations"]), "codes")
    return best


def logistic(k: Floats, target: Flags, penalty: Floats, progress: Progress = silent, what: str = "") -> Array:
    """Return weights (bases + 1, bits) of one logistic regression a bit, all solved together by L-BFGS.

    Minimizes the negative log-likelihood plus w'(penalty)w; the last row is the intercept, free of penalty.
    The variables are scaled by a Cholesky factor of the bound K'K/4 + 2·penalty on the Hessian (Böhning 1992),
    since RBF columns are nearly collinear.
    """
    n, m = k.shape
    sign = np.where(target, 1.0, -1.0)
    design = np.hstack([k, np.ones((n, 1))])
    bound = design.T @ design / 4
    bound[:m, :m] += 2 * penalty
    bound += 1e-9 * np.trace(bound) / len(bound) * np.eye(len(bound))
    factor = scipy.linalg.cholesky(bound, lower=True)
    scaled = scipy.linalg.solve_triangular(factor, design.T, lower=True).T
    whole = np.zeros_like(bound)
    whole[:m, :m] = penalty
    half = scipy.linalg.solve_triangular(factor, whole, lower=True)
    inner = scipy.linalg.solve_triangular(factor, half.T, lower=True)

    def value(flat: Array) -> tuple[float, Array]:
        v = flat.reshape(m + 1, -1)
        margin = sign * (scaled @ v)
        pv = inner @ v
        loss = np.logaddexp(0, -margin).sum() + (v * pv).sum()
        slope = -sign / (1 + np.exp(np.minimum(margin, 500)))
        return float(loss), (scaled.T @ slope + 2 * pv).ravel()

    done = itertools.count(1)
    how = {"method": "L-BFGS-B", "options": {"maxiter": STEPS}, "callback": lambda _: progress(next(done), STEPS, what)}
    found = scipy.optimize.minimize(value, np.zeros((m + 1) * target.shape[1]), jac=True, **how)
    return cast("Array", scipy.linalg.solve_triangular(factor.T, found.x.reshape(m + 1, -1), lower=False))


METHOD = SePH
