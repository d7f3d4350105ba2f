"""CMFH: collective matrix factorization hashing, one latent code a pair (Ding et al., CVPR 2014)."""

from typing import ClassVar

import numpy as np
import scipy.linalg

from kgmm.hashing.base import pack
from kgmm.hashing.correlation import mean, product, projected
from kgmm.hashing.features import Array, Pair, batches
from kgmm.hashing.shallow._linear import LinearHasher
from kgmm.progress import Progress, silent


class CMFH(LinearHasher):
    """Collective matrix factorization; unsupervised, it uses the pairing only.

    Minimizes Σ_m λ_m‖X_m - VU_m‖² + μ‖V - X_m P_m‖² + γ(‖V‖² + ‖U_m‖² + ‖P_m‖²), λ_m = ½, by exact
    block updates, so the objective falls at each. A query's code is sgn(xP_m); the unified code of a training
    pair is sgn(V - mean V).

    Options:
        mu: weight μ of the linear projections; gamma: ridge weight γ.
        sweeps: largest number of sweeps; fewer once the objective falls by less than 1e-6 of itself.
    """

    name = "cmfh"
    has_unified = True
    DEFAULTS: ClassVar = {"mu": 100.0, "gamma": 0.01, "sweeps": 100}

    def _fit(self, image: Array, text: Array, labels: Array, progress: Progress) -> None:
        means = mean(image), mean(text)
        found = factorize((image, text), means, self.bits, seed=self.seed, progress=progress, **self.options)
        a, _, p, self.fitted["objective"] = found
        self._keep_both(means, p)
        v = projected(image, means[0], a[0]) + projected(text, means[1], a[1])
        self.arrays["unified"] = pack(v - v.mean(0))


def factorize(
    views: Pair, means: Pair, bits: int, *, mu: float, gamma: float, sweeps: int, seed: int, progress: Progress = silent
) -> tuple[list[Array], list[Array], list[Array], list[float]]:
    """Return the A_m of V = Σ_m X_m A_m, the U_m, the P_m and the objective after each sweep.

    From the first update on V is linear in the features, so every update needs only the products X_m'X_k, which
    are summed once, batch by batch.
    """
    eye, both = np.eye(bits), range(2)
    gram = [[product(views[m], views[k], means[m], means[k]) for k in both] for m in both]
    solvers = [scipy.linalg.cho_factor(gram[m][m] + gamma / mu * np.eye(len(gram[m][m]))) for m in both]
    vv, xv = _random_start(views, means, bits, seed)
    a: list[Array] = []
    history: list[float] = []
    p = [scipy.linalg.cho_solve(solver, c) for solver, c in zip(solvers, xv, strict=True)]
    for sweep in range(sweeps):
        u = [scipy.linalg.solve(vv + 2 * gamma * eye, c.T, assume_a="pos") for c in xv]
        system = sum(0.5 * side @ side.T for side in u) + (2 * mu + gamma) * eye
        a = [scipy.linalg.solve(system, (0.5 * u[m].T + mu * p[m]).T, assume_a="pos").T for m in both]
        xv = [gram[m][0] @ a[0] + gram[m][1] @ a[1] for m in both]
        vv = a[0].T @ xv[0] + a[1].T @ xv[1]
        p = [scipy.linalg.cho_solve(solver, c) for solver, c in zip(solvers, xv, strict=True)]
        history.append(_objective(gram, vv, xv, u, p, mu, gamma))
        progress(sweep + 1, sweeps, "sweeps")
        if len(history) > 1 and history[-2] - history[-1] < 1e-6 * abs(history[-1]):
            break
    return a, u, p, history


def _random_start(views: Pair, means: Pair, bits: int, seed: int) -> tuple[Array, list[Array]]:
    """Return V'V and X_m'V of a random V, which is drawn batch by batch."""
    random = np.random.default_rng(seed)
    vv, xv = np.zeros((bits, bits)), [np.zeros((x.shape[1], bits)) for x in views]
    for part in zip(*(batches(x, c) for x, c in zip(views, means, strict=True)), strict=True):
        v = random.normal(size=(len(part[0]), bits))
        vv += v.T @ v
        for total, x in zip(xv, part, strict=True):
            total += x.T @ v
    return vv, xv


def _objective(
    gram: list[list[Array]], vv: Array, xv: list[Array], u: list[Array], p: list[Array], mu: float, gamma: float
) -> float:
    """Return the value that :func:`factorize` lowers."""
    value = gamma * np.trace(vv)
    for m, (c, a, b) in enumerate(zip(xv, u, p, strict=True)):
        value += 0.5 * (np.trace(gram[m][m]) - 2 * (a.T * c).sum() + (a * (vv @ a)).sum())
        value += mu * (np.trace(vv) - 2 * (b * c).sum() + (b * (gram[m][m] @ b)).sum())
        value += gamma * ((a**2).sum() + (b**2).sum())
    return float(value)


METHOD = CMFH
