"""CRH: co-regularized hashing, boosted bits with large margins (Zhen & Yeung, NIPS 2012)."""

from typing import Any, ClassVar, cast

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from kgmm.hashing.correlation import covariances, extended, projected
from kgmm.hashing.features import Array, Pair
from kgmm.hashing.shallow._linear import LinearHasher
from kgmm.progress import Progress

Flags = NDArray[np.bool_]


class CRH(LinearHasher):
    """One bit at a time: w_x, w_y with margins |w'x| >= 1 that agree on similar pairs and differ on others.

    A bit minimizes mean [1 - |w_x'x|]₊ + mean [1 - |w_y'y|]₊ + γ Σ ω_n ℓ*_n + ridge (‖w_x‖² + ‖w_y‖²)/2 with
    ℓ*_n = s_n d_n² + (1 - s_n) τ(d_n), d_n = w_x'x_n - w_y'y_n, τ the smoothly clipped inverted square
    (see :func:`tau1_slope`). w_x and w_y alternate; each is found by the concave-convex procedure, whose convex problems
    take Pegasos steps. Between bits, AdaBoost raises the weights ω of pairs that the bit got wrong.
    Starts from canonical directions. Similar pairs share a label.

    Options:
        pairs: number of training pairs, half of them similar.
        gamma: weight γ of the pairs' losses; ridge: of the directions; a, lam: shape of τ.
        steps: Pegasos steps a convex problem; rounds: of alternation; batch: rows a step.
    """

    name = "crh"
    supervised = True
    DEFAULTS: ClassVar = {
        "pairs": 20_000,
        "gamma": 4.0,
        "ridge": 0.01,
        "a": 3.7,
        "lam": 0.4,
        "steps": 40,
        "rounds": 3,
        "batch": 512,
    }

    def _fit(self, image: Array, text: Array, labels: Array, progress: Progress) -> None:
        rng = np.random.default_rng(self.seed)
        pairs = covariances(image, text, 1e-4)
        means, scale = pairs.means, len(image) ** 0.5
        w_x, w_y = (w * scale for w in pairs.directions()[:2])  # whitened: unit variance in every direction
        x, y = projected(image, means[0], w_x), projected(text, means[1], w_y)
        first, second, similar = sample_pairs(labels, self.options["pairs"], rng)
        start = extended(np.eye(x.shape[1]), np.eye(y.shape[1]), self.bits, self.seed)
        weights = np.full(len(first), 1 / len(first))
        found: list[Pair] = []
        for bit in range(self.bits):
            u, v = self._bit(x, y, first, second, similar, weights, (start[0][:, bit], start[1][:, bit]), rng)
            found.append((u, v))
            agree = (x[first] @ u >= 0) == (y[second] @ v >= 0)
            weights = boosted(weights, agree == similar)
            progress(bit + 1, self.bits, "bits")
        u, v = (np.stack(side, 1) for side in zip(*found, strict=True))
        self._keep_both(means, (w_x @ u, w_y @ v))

    def _bit(
        self, x: Array, y: Array, first: Any, second: Any, similar: Flags, weights: Array, start: Pair, rng: Generator
    ) -> Pair:
        """Return w_x and w_y of one bit."""
        u, v = start
        for _ in range(self.options["rounds"]):
            u = self._one_side(u, x, first, y[second] @ v, similar, weights, rng)
            v = self._one_side(v, y, second, x[first] @ u, similar, weights, rng)
        return u, v

    def _one_side(
        self, w: Array, x: Array, rows: Any, other: Array, similar: Flags, weights: Array, rng: Generator
    ) -> Array:
        """Return w after Pegasos steps on the convex problem linearized at w (CCCP)."""
        o, anchor = self.options, w
        for step, pairs in enumerate(rng.choice(len(rows), size=(o["steps"], o["batch"]), p=weights)):
            own = x[rng.integers(0, len(x), o["batch"])]
            z, z0 = own @ w, own @ anchor
            # [1 - |z|]₊ = max(1, |z|) - |z|, the last term linearized
            margin = np.where(np.abs(z) > 1, np.sign(z), 0.0) - np.where(z0 >= 0, 1.0, -1.0)
            at, s = x[rows[pairs]], similar[pairs]
            d, d0 = at @ w - other[pairs], at @ anchor - other[pairs]
            # τ = τ₁ - τ₂ with τ₂ = d²/2 - aλ²/2, the last term linearized
            slope = np.where(s, 2 * d, tau1_slope(d, o["a"], o["lam"]) - d0)
            gradient = own.T @ margin / len(own) + o["gamma"] * (at.T @ slope) / len(pairs) + o["ridge"] * w
            w = w - gradient / (4 + o["gamma"] * 2 + step / 4)
        return w


def tau1_slope(d: Array, a: float, lam: float) -> Array:
    """Return the derivative of τ₁ = τ + d²/2 - aλ²/2, the convex part of the smoothly clipped inverted square τ.

    τ(d) is aλ²/2 - d²/2 up to λ, (aλ - |d|)² / (2(a - 1)) up to aλ, 0 beyond.
    """
    size = np.abs(d)
    middle = a * (d - lam * np.sign(d)) / (a - 1)
    return cast("Array", np.where(size <= lam, 0.0, np.where(size <= a * lam, middle, d)))


def boosted(weights: Array, right: Flags) -> Array:
    """Return the weights of pairs after one bit (AdaBoost): wrong ones count more."""
    error = float(np.clip(weights[~right].sum(), 1e-6, 0.5))
    alpha = 0.5 * np.log((1 - error) / error)
    fresh = weights * np.exp(np.where(right, -alpha, alpha))
    return cast("Array", fresh / fresh.sum())


def sample_pairs(labels: Array, count: int, rng: Generator) -> tuple[Any, Any, Flags]:
    """Return image rows, text rows and whether they share a label; about half do.

    For a similar pair a random label of the image's row is drawn, then a row that has it.
    """
    first, second = (rng.integers(0, len(labels), count) for _ in range(2))
    members = [np.flatnonzero(column) for column in labels.T]
    for n in range(0, count, 2):
        own = np.flatnonzero(labels[first[n]])
        if len(own):
            second[n] = rng.choice(members[rng.choice(own)])
    return first, second, (labels[first] * labels[second]).sum(1) > 0


METHOD = CRH
