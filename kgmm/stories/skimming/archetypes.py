r"""Archetypes that films and pictures of their title share: co-archetypal analysis (Song et al., CVPR 2015; Eq. 26).

$\|X - Z A^X\|^2 + \|Y - Z A^Y\|^2 + \gamma \|X B^X - Y B^Y\|^2$ with $Z = X B^X$ is made small by blocks; all columns of the
four matrices lie on the simplex. Only inner products of the points are used.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

Floats = NDArray[np.float64]
STEPS = 12  #: of accelerated gradient in each block
ENOUGH = 1e-4  #: relative change of the objective after which it is over
ROUNDS = 40


@dataclass(frozen=True, eq=False)
class Archetypes:
    """p archetypes of n points X and m points Y."""

    of_x: Floats  #: A^X (p, n): each point as a mixture of archetypes
    of_y: Floats  #: A^Y (p, m)
    from_x: Floats  #: B^X (n, p): each archetype as a mixture of points
    from_y: Floats  #: B^Y (m, p)
    objective: tuple[float, ...]  #: after the start, and after each block

    def scores(self) -> Floats:
        r"""Return how much each point of X matters, $\sum_j (B^X A^X)_{ij}$ (Eq. 27), shape (n,); they sum to n.

        >>> archetypes(np.eye(2), np.zeros((0, 2)), 2).scores().round(2).tolist()
        [1.0, 1.0]
        """
        return np.asarray(self.from_x @ self.of_x.sum(axis=1))


def archetypes(
    x: Floats, y: Floats, count: int, gamma: float = 1.0, *, rounds: int = ROUNDS, enough: float = ENOUGH
) -> Archetypes:
    """Return *count* archetypes of the rows of *x* (n, d), near what the rows of *y* (m, d) can be mixed to; m may be 0.

    It is over after *rounds*, or where one lowers the objective by less than *enough* of it; the larger *gamma*, the more
    rounds it takes to the end.
    """
    steps = STEPS
    points = np.vstack([x, y])
    gram = points @ points.T
    n = len(x)
    kxx, kxs, kyx, kyy = gram[:n, :n], gram[:n], gram[n:, :n], gram[n:, n:]
    squares = float(np.trace(gram))
    b = np.zeros((n, count))
    b[_furthest(kxx, count), np.arange(count)] = 1
    by = np.full((len(y), count), 1 / max(len(y), 1))
    a = np.full((count, len(points)), 1 / count)
    largest = float(eigh(kxx, eigvals_only=True, subset_by_index=[n - 1, n - 1])[0])
    told: list[float] = []

    def note() -> None:
        fit = squares - 2 * float(np.sum((b.T @ kxs) * a)) + float(np.sum((b.T @ kxx @ b) * (a @ a.T)))
        told.append(fit + gamma * _apart(kxx, kyx, kyy, b, by))

    by = mixed(kyy, kyx @ b, by, steps)
    note()
    for _ in range(rounds):
        before = told[-1]
        a = mixed(b.T @ kxx @ b, b.T @ kxs, a, steps)
        note()
        left = kxs - kxx @ b @ a  # inner products of X with what is not yet explained
        for j in range(count):
            weight = float(a[j] @ a[j])
            if weight + gamma * (len(y) > 0) < 1e-12:
                continue
            pull = weight * (kxx @ b[:, j]) + left @ a[j]
            pull = pull + gamma * (kyx.T @ by[:, j]) if len(y) else pull
            hessian = weight + (gamma if len(y) else 0.0)
            new = mixed(kxx, (pull / hessian)[:, None], b[:, j : j + 1], steps, largest)[:, 0]
            left -= np.outer(kxx @ (new - b[:, j]), a[j])
            b[:, j] = new
        note()
        by = mixed(kyy, kyx @ b, by, steps)
        note()
        if before - told[-1] <= enough * max(before, 1e-12):
            break
    return Archetypes(a[:, :n], a[:, n:], b, by, tuple(told))


def _apart(kxx: Floats, kyx: Floats, kyy: Floats, b: Floats, by: Floats) -> float:
    """Return the squared distance between the archetypes and their counterparts; 0 where there are no pictures."""
    if not len(by):
        return 0.0
    return float(np.sum(b * (kxx @ b)) - 2 * np.sum(by * (kyx @ b)) + np.sum(by * (kyy @ by)))


def mixed(gram: Floats, target: Floats, start: Floats, steps: int, largest: float = 0.0) -> Floats:
    """Return mixtures W on the simplex that bring the columns of G W - 2 T down: each (w G w)/2 - t w is made small.

    Args:
        gram: inner products of what is mixed, (k, k).
        target: inner products of that with each column's aim, (k, columns).
        start: (k, columns), on the simplex; what comes back is nowhere worse.
        steps: of the accelerated projected gradient (Beck and Teboulle, 2009).
        largest: eigenvalue of *gram*, where it is known.

    Example:
        >>> mixed(np.eye(2), np.array([[0.9], [0.3]]), np.array([[0.5], [0.5]]), 50).round(3).tolist()
        [[0.8], [0.2]]
    """
    if not start.size:
        return start
    size = len(gram) - 1
    bound = largest or float(eigh(gram, eigvals_only=True, subset_by_index=[size, size])[0])
    bound = max(bound * (1 + 1e-9), 1e-12)
    w, ahead, t = start, start, 1.0
    for _ in range(steps):
        new = simplex(ahead - (gram @ ahead - target) / bound)
        t_new = (1 + (1 + 4 * t * t) ** 0.5) / 2
        ahead, w, t = new + (t - 1) / t_new * (new - w), new, t_new

    def cost(z: Floats) -> Floats:
        return np.asarray((z * (gram @ z)).sum(axis=0) / 2 - (z * target).sum(axis=0))

    return np.where(cost(w) <= cost(start), w, start)


def simplex(columns: Floats) -> Floats:
    """Return the nearest point of the simplex for each column (Held, Wolfe and Crowder, 1974).

    >>> simplex(np.array([[2.0, 0.2], [0.0, 0.4]])).round(2).tolist()
    [[1.0, 0.4], [0.0, 0.6]]
    """
    falling = -np.sort(-columns, axis=0)
    excess = np.cumsum(falling, axis=0) - 1
    rank = np.arange(1, len(columns) + 1)[:, None]
    last = (falling > excess / rank).sum(axis=0) - 1
    level = excess[last, np.arange(columns.shape[1])] / (last + 1)
    return np.asarray(np.maximum(columns - level, 0))


def _furthest(gram: Floats, count: int) -> NDArray[np.int64]:
    """Return points that lie far from one another (FurthestSum; Mørup and Hansen, 2012), from the one farthest from the mean."""
    own = np.diag(gram)
    far = np.sqrt(np.maximum(own[:, None] + own[None] - 2 * gram, 0))
    chosen = [int(np.argmax(own - 2 * gram.mean(axis=1)))]
    total = far[chosen[0]].copy()
    while len(chosen) < count:
        total[chosen] = -np.inf
        new = int(np.argmax(total))
        chosen.append(new)
        total += np.where(np.isfinite(total), far[new], 0)
    return np.array(chosen, np.int64)
