"""CMFH: collective matrix factorization hashing, one latent code a pair (Ding et al., CVPR 2014)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import scipy.linalg

from kgmm.encode.hashing._base import MODALITIES, Array, pack
from kgmm.encode.hashing._linear import LinearHasher, mean
from kgmm.progress import Progress


class CMFH(LinearHasher):
    """Collective matrix factorization; unsupervised, it uses the pairing only.

    Minimizes Σ_m λ_m‖X_m - VU_m‖² + μ‖V - X_m P_m‖² + γ(‖V‖² + ‖U_m‖² + ‖P_m‖²), λ_m = ½, by exact
    block updates, so the objective falls at each. A query's code is sgn(xP_m); the unified code of a training
    pair is sgn(V - mean V).

    Options:
        mu: weight μ of the linear projections.
        gamma: ridge weight γ.
        sweeps: largest number of sweeps; fewer once the objective falls by less than 1e-6 of itself.
    """

    name = "cmfh"
    DEFAULTS: ClassVar = {"mu": 100.0, "gamma": 0.01, "sweeps": 100}

    def _fit(self, image: Array, text: Array, labels: Array | None, progress: Progress) -> None:
        means = mean(image), mean(text)
        views = [np.asarray(x, np.float64) - m for x, m in zip((image, text), means, strict=True)]
        v, _, p, history = factorize(views, self.bits, seed=self.seed, progress=progress, **self.options)
        self.fitted["objective"] = history
        for kind, center, matrix in zip(MODALITIES, means, p, strict=True):
            self._keep(kind, center, matrix)
        self.arrays["unified"] = pack(v - v.mean(0))


def factorize(
    views: list[Array],
    bits: int,
    *,
    mu: float,
    gamma: float,
    sweeps: int,
    seed: int,
    progress: Progress,
) -> tuple[Array, list[Array], list[Array], list[float]]:
    """Return V, the U_m, the P_m and the objective after each sweep."""
    n, eye = len(views[0]), np.eye(bits)
    v: Array = np.random.default_rng(seed).normal(size=(n, bits))
    solvers = [scipy.linalg.cho_factor(x.T @ x + gamma / mu * np.eye(x.shape[1])) for x in views]
    history: list[float] = []
    for sweep in range(sweeps):
        u = [scipy.linalg.solve(v.T @ v + 2 * gamma * eye, v.T @ x, assume_a="pos") for x in views]
        p = [scipy.linalg.cho_solve(s, x.T @ v) for s, x in zip(solvers, views, strict=True)]
        target = sum(0.5 * x @ a.T + mu * x @ b for x, a, b in zip(views, u, p, strict=True))
        system = sum(0.5 * a @ a.T for a in u) + (2 * mu + gamma) * eye
        v = scipy.linalg.solve(system, target.T, assume_a="pos").T
        history.append(objective(views, v, u, p, mu, gamma))
        progress(sweep + 1, sweeps, "sweeps")
        if len(history) > 1 and history[-2] - history[-1] < 1e-6 * abs(history[-1]):
            break
    p = [scipy.linalg.cho_solve(s, x.T @ v) for s, x in zip(solvers, views, strict=True)]
    return v, u, p, history


def objective(views: list[Array], v: Array, u: list[Array], p: list[Array], mu: float, gamma: float) -> float:
    """Return the value that :func:`factorize` lowers."""
    value = gamma * float((v**2).sum())
    for x, a, b in zip(views, u, p, strict=True):
        value += 0.5 * float(((x - v @ a) ** 2).sum()) + mu * float(((v - x @ b) ** 2).sum())
        value += gamma * float((a**2).sum() + (b**2).sum())
    return value


METHOD = CMFH
