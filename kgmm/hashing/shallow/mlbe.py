"""MLBE: multimodal latent binary embedding, a generative model of similarities (Zhen & Yeung, KDD 2012)."""

from typing import ClassVar, cast

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from kgmm.hashing.base import Hasher
from kgmm.hashing.correlation import canonical, extended, mean, product, ridged
from kgmm.hashing.features import MODALITIES, Array, Modality, Pair
from kgmm.hashing.kernel import square_distances
from kgmm.progress import Progress


class MLBE(Hasher):
    """Latent codes u_i, v_j in {±1} explain similarities within and between the modalities.

    s^x_ii' ~ N(u_i' diag(w^x) u_i', 1/θ), likewise for y, and s_ij ~ Bernoulli(σ(u_i' diag(w) v_j)), with
    Gaussian priors on the weights. The posterior is climbed by coordinate flips of bits and exact (w^x, w^y) or
    bounded (w, by Böhning's quadratic bound of the logistic) updates of weights.
    Within a modality similarity is a local radial kernel (on square roots where features are never negative);
    between them, whether two items share a label, log odds counted from the base rate.

    In the spirit of the paper where it leaves room: the hyper-priors are ours, and an item outside the training
    set takes bits of its own conditional given the training codes with equal weights and similarities that
    sum to one, without the term that couples bits; with the learned w^x, which unlike image features leave
    near zero, image codes were at chance on Wiki. O(n²c) a sweep, so at most *sample* pairs train it.

    Options:
        sample: largest number of training pairs; sweeps: over all bits.
        theta: precision θ of the similarities within a modality; prior: precision of the weights.
        neighbors, width: the kernel's width is *width* times the mean squared distance to this neighbour.
        block: items flipped together; 1 makes every step an ascent, more is faster.
    """

    name = "mlbe"
    supervised = True
    DEFAULTS: ClassVar = {
        "sample": 2000,
        "sweeps": 5,
        "theta": 1.0,
        "prior": 1.0,
        "neighbors": 20,
        "width": 0.25,
        "block": 100,
    }

    def _fit(self, image: Array, text: Array, labels: Array, progress: Progress) -> None:
        rows = np.sort(np.random.default_rng(self.seed).permutation(len(image))[: self.options["sample"]])
        between = (labels[rows] @ labels[rows].T > 0).astype(np.float64)
        within = []
        for kind, view in zip(MODALITIES, (image, text), strict=True):
            part = np.asarray(view[rows], np.float64)
            self.fitted[f"{kind}.root"] = bool((part >= 0).all())
            part = rooted(part, self.fitted[f"{kind}.root"])
            self.arrays[f"{kind}.mean"] = mean(part)
            self.arrays[f"{kind}.items"] = side = part - self.arrays[f"{kind}.mean"]
            distance = square_distances(side, side)
            k = min(self.options["neighbors"], len(side) - 1)
            width = self.options["width"] * float(np.partition(distance, k, axis=1)[:, k].mean())
            self.fitted[f"{kind}.width"] = max(width, 1e-12)
            kernel = np.exp(-distance / self.fitted[f"{kind}.width"])
            within.append(kernel - kernel.mean())
        start = self._start(self.arrays["image.items"], self.arrays["text.items"])
        found = embed(within[0], within[1], between, start, self.options, progress)
        u, v, w_x, w_y, w, self.fitted["objective"] = found
        self.arrays.update({"image.codes": u, "text.codes": v, "image.weights": w_x, "text.weights": w_y, "weights": w})

    def _start(self, x: Array, y: Array) -> Pair:
        """Return the codes of canonical directions, where the search begins."""
        w_x, w_y, _ = canonical(ridged(product(x, x), 1e-4), ridged(product(y, y), 1e-4), product(x, y))
        w_x, w_y = extended(w_x, w_y, self.bits, self.seed)
        return np.where(x @ w_x >= 0, 1.0, -1.0), np.where(y @ w_y >= 0, 1.0, -1.0)

    def _project(self, x: NDArray[np.floating], modality: Modality) -> NDArray[np.floating]:
        codes = self.arrays[f"{modality}.codes"]
        codes = codes - codes.mean(0)
        out = [np.empty((0, self.bits))]
        for start in range(0, len(x), 4096):
            part = rooted(np.asarray(x[start : start + 4096], np.float64), self.fitted[f"{modality}.root"])
            distance = square_distances(part - self.arrays[f"{modality}.mean"], self.arrays[f"{modality}.items"])
            distance -= distance.min(1, keepdims=True)  # far from all items, the nearest one still counts
            kernel = np.exp(-distance / self.fitted[f"{modality}.width"])
            out.append(kernel @ codes / kernel.sum(1, keepdims=True))
        return np.concatenate(out)


def rooted(x: Array, root: bool) -> Array:
    """Return the square roots of features that were never negative in training (Hellinger distance of histograms)."""
    return cast("Array", np.sqrt(np.maximum(x, 0)) if root else x)


def settle(u: Array, linear: Array, quadratic: Array, sweeps: int = 5) -> Array:
    """Return codes after flips, bit by bit, that raise linear·u - u'Qu/2 of each row."""
    diagonal = np.diag(quadratic)
    for _ in range(sweeps):
        before = u.copy()
        for k in range(u.shape[1]):
            pull = linear[:, k] - u @ quadratic[:, k] + diagonal[k] * u[:, k]
            u[:, k] = np.where(pull > 0, 1.0, np.where(pull < 0, -1.0, u[:, k]))
        if (u == before).all():
            break
    return u


def offset(s: Array) -> float:
    """Return the log odds of similar pairs: where codes say nothing, the base rate holds."""
    rate = float(np.clip(s.mean(), 1e-6, 1 - 1e-6))
    return float(np.log(rate / (1 - rate)))


def sigmoid(a: Array) -> Array:
    """Return 1 / (1 + exp(-a)) without overflow."""
    return 0.5 * (1 + np.tanh(a / 2))


def log_posterior(
    s_x: Array, s_y: Array, s: Array, u: Array, v: Array, w_x: Array, w_y: Array, w: Array, theta: float, prior: float
) -> float:
    """Return the logarithm of the posterior, up to a constant."""
    a = (u * w) @ v.T + offset(s)
    value = float((s * a - np.logaddexp(0, a)).sum())
    for observed, codes, weights in ((s_x, u, w_x), (s_y, v, w_y)):
        value -= theta / 2 * float(((observed - (codes * weights) @ codes.T) ** 2).sum())
    return value - prior / 2 * float((w_x**2).sum() + (w_y**2).sum() + (w**2).sum())


def embed(
    s_x: Array, s_y: Array, s: Array, start: Pair, options: dict[str, float], progress: Progress
) -> tuple[Array, Array, Array, Array, Array, list[float]]:
    """Return codes U, V, the weights w^x, w^y, w and the log posterior after each sweep."""
    u, v = start[0].copy(), start[1].copy()
    theta, prior, block = options["theta"], options["prior"], int(options["block"])
    w = np.full(u.shape[1], 1 / u.shape[1] ** 0.5)
    history: list[float] = []
    w_x, w_y = within_weights(s_x, u, theta, prior), within_weights(s_y, v, theta, prior)
    for sweep in range(int(options["sweeps"])):
        u = flip(u, v, s_x, s, w_x, w, theta, block)
        v = flip(v, u, s_y, s.T, w_y, w, theta, block)
        w_x, w_y = within_weights(s_x, u, theta, prior), within_weights(s_y, v, theta, prior)
        w = between_weights(s, u, v, w, prior)
        history.append(log_posterior(s_x, s_y, s, u, v, w_x, w_y, w, theta, prior))
        progress(sweep + 1, int(options["sweeps"]), "sweeps")
    return u, v, w_x, w_y, w, history


def flip(u: Array, v: Array, s_x: Array, s: Array, w_x: Array, w: Array, theta: float, block: int) -> Array:
    """Return one modality's codes after flips, block of items by block, given all others."""
    u = u.copy()
    bound = w[:, None] * (v.T @ v) * w / 4
    odds = offset(s)
    for start in range(0, len(u), block):
        rows = slice(start, start + block)
        a = (u[rows] * w) @ v.T
        linear = ((s[rows] - sigmoid(a + odds) + a / 4) @ v) * w
        linear += 2 * theta * ((s_x[rows] @ u - np.diag(s_x)[rows, None] * u[rows]) * w_x)  # s_ii is constant in u_i
        gram = u.T @ u - u[rows].T @ u[rows] if block == 1 else u.T @ u
        u[rows] = settle(u[rows], linear, bound + 2 * theta * w_x[:, None] * gram * w_x, sweeps=2)
    return u


def within_weights(s_x: Array, u: Array, theta: float, prior: float) -> Array:
    """Return the w^x that maximizes the posterior: a ridge regression on products of bits."""
    gram = (u.T @ u) ** 2
    right = np.einsum("ik,ik->k", u, s_x @ u)
    return cast("Array", scipy.linalg.solve(theta * gram + prior * np.eye(len(gram)), theta * right, assume_a="pos"))


def between_weights(s: Array, u: Array, v: Array, w: Array, prior: float) -> Array:
    """Return a w that raises the posterior: one step of Böhning's bound."""
    a = (u * w) @ v.T
    gram = (u.T @ u) * (v.T @ v) / 4
    right = np.einsum("ik,ik->k", u, (s - sigmoid(a + offset(s)) + a / 4) @ v)
    return cast("Array", scipy.linalg.solve(gram + prior * np.eye(len(gram)), right, assume_a="pos"))


METHOD = MLBE
