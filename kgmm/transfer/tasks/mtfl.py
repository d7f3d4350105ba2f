r"""Convex multi-task feature learning (Argyriou, Evgeniou, Pontil, Machine Learning 2008): few features shared by all tasks.

$\min_{W, D} \sum_{t,i} (y_{ti} - w_t^\top x_{ti})^2 + \gamma \sum_t w_t^\top D^+ w_t$, $D \succeq 0$, $\operatorname{tr} D \le 1$;
at the optimum the penalty is $\gamma \|W\|_*^2$, the squared trace norm.
"""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from kgmm.errors import BadInput
from kgmm.transfer.tasks.base import Floats, places_of, tasks_of

LEVELS = 16  #: how often epsilon is made smaller on the way


class MTFL:
    """Ridge regression of several tasks in a metric they share and that is learned, without an intercept.

    Args:
        gamma: strength of the penalty, above 0.
        steps: of the alternation at most, at each of the levels of epsilon.
        epsilon: what keeps the metric invertible; smaller is nearer to the optimum.

    After :meth:`fit`: ``coef_`` (tasks, d), ``metric_`` (d, d), ``objectives_``, which falls.

    Example:
        >>> X = np.eye(2)
        >>> MTFL(0.01).fit(np.vstack([X, X]), [1, 0, 2, 0], [0, 0, 1, 1]).predict([[1, 0]], [1]).round(1).tolist()
        [2.0]
    """

    def __init__(self, gamma: float = 1.0, steps: int = 200, epsilon: float = 1e-8, tol: float = 1e-10) -> None:
        if not gamma > 0:
            raise BadInput("mtfl", f"gamma is {gamma}; it is above 0")
        self.gamma = gamma
        self.steps = steps
        self.epsilon = epsilon
        self.tol = tol

    def fit(self, X: ArrayLike, y: ArrayLike, task: ArrayLike) -> Self:
        """Learn; BadInput if rows, values and tasks do not fit, or a value is no number."""
        rows, values, places, self.tasks_ = tasks_of(X, y, task)
        if values.dtype.kind not in "fiub":
            raise BadInput("y", "holds no numbers")
        parts = [(rows[places == t], values[places == t].astype(np.float64)) for t in range(len(self.tasks_))]
        wide = rows.shape[1]
        self.metric_ = np.eye(wide) / wide
        self.objectives_: list[float] = []
        # a small epsilon at once would lock the directions the first metric happens to favour
        for epsilon in np.geomspace(max(1.0, self.epsilon), self.epsilon, 1 + LEVELS):
            for step in range(self.steps):
                self._alternate(parts, float(epsilon))
                if step and self.objectives_[-2] - self.objectives_[-1] < self.tol * self.objectives_[-1]:
                    break
        return self

    def _alternate(self, parts: list[tuple[Floats, Floats]], epsilon: float) -> None:
        self.coef_ = np.stack([_ridge(x, v, self.metric_, self.gamma) for x, v in parts])
        scatter = self.coef_.T @ self.coef_ + epsilon * np.eye(len(self.metric_))
        values, vectors = np.linalg.eigh(scatter)
        roots = np.sqrt(np.maximum(values, 0))
        self.metric_ = (vectors * roots / roots.sum()) @ vectors.T
        errors = sum(float(((v - x @ w) ** 2).sum()) for (x, v), w in zip(parts, self.coef_, strict=True))
        self.objectives_.append(errors + self.gamma * float(roots.sum()) ** 2)

    def predict(self, X: ArrayLike, task: ArrayLike) -> Floats:
        """Return each row's value under its task: (n,)."""
        rows = np.asarray(X, np.float64)
        return np.asarray((rows * self.coef_[places_of(task, self.tasks_)]).sum(axis=1))


def _ridge(rows: Floats, values: Floats, metric: Floats, gamma: float) -> Floats:
    r"""Return the weights $D X^\top (X D X^\top + \gamma I)^{-1} y$ that are best in the metric D."""
    inside = rows @ metric @ rows.T + gamma * np.eye(len(rows))
    return np.asarray(metric @ rows.T @ np.linalg.solve(inside, values))


METHOD = MTFL
