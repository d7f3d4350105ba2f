r"""Regularized multi-task learning (Evgeniou & Pontil, KDD 2004): each task's weights are common ones and its own.

$w_t = w_0 + v_t$, $\min \sum \xi + \frac{\lambda_1}{T} \sum_t \|v_t\|^2 + \lambda_2 \|w_0\|^2$, which is one support vector
machine on pairs of row and task with $K_{st}(x, z) = (1 / \mu + \delta_{st}) x^\top z$, $\mu = T \lambda_2 / \lambda_1$,
$C = T / (2 \lambda_1)$.
"""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kgmm.compiled import njit
from kgmm.errors import BadInput
from kgmm.transfer.tasks.base import Floats, Ints, places_of, tasks_of

FORMS = ("features", "kernel")


class MTL:
    """A classifier of two classes for several tasks, without an intercept (give a column of ones).

    Args:
        mu: 0 is near one model for all tasks, infinity one for each.
        C: what a margin's violation costs.
        form: ``features`` (rows n times tasks d wide) or ``kernel`` (n times n); both are one decision function.

    Example:
        >>> X = np.array([[1.0], [-1.0], [2.0], [-2.0]])
        >>> MTL().fit(X, [1, 0, 1, 0], ["a", "a", "b", "b"]).predict(X, ["b", "a", "a", "b"]).tolist()
        [1, 0, 1, 0]
    """

    def __init__(self, mu: float = 1.0, C: float = 1.0, form: str = "features", tol: float = 1e-8) -> None:
        if not mu > 0 or not C > 0 or form not in FORMS:
            raise BadInput("mtl", f"mu {mu} and C {C} are above 0, form one of {', '.join(FORMS)}")
        self.mu = mu
        self.C = C
        self.form = form
        self.tol = tol

    def fit(self, X: ArrayLike, y: ArrayLike, task: ArrayLike) -> Self:
        """Learn; BadInput if there are not two classes, or rows, classes and tasks do not fit."""
        rows, values, places, self.tasks_ = tasks_of(X, y, task)
        self.classes_, coded = np.unique(values, return_inverse=True)
        if len(self.classes_) != 2:
            raise BadInput("y", f"{len(self.classes_)} classes; this learns two")
        self._rows, self._places, self._signs = rows, places, np.where(coded == 1, 1.0, -1.0)
        if self.form == "features":
            wide = self.features(rows, places)
            gram = wide @ wide.T
        else:
            gram = self.kernel(rows, places, rows, places)
        self._alpha = _dual(gram, self._signs, self.C, self.tol)
        return self

    def features(self, rows: Floats, places: Ints) -> Floats:
        r"""Return $[x / \sqrt\mu, 0, …, x, …, 0]$ for each row: (n, (tasks + 1) d)."""
        count, wide = rows.shape
        made = np.zeros((count, len(self.tasks_) + 1, wide))
        made[:, 0] = rows / np.sqrt(self.mu)
        made[np.arange(count), places + 1] = rows
        return made.reshape(count, -1)

    def kernel(self, a: Floats, of_a: Ints, b: Floats, of_b: Ints) -> Floats:
        """Return the kernel of pairs of row and task: (m, n)."""
        return np.asarray((1 / self.mu + (of_a[:, None] == of_b[None])) * (a @ b.T))

    def decision_function(self, X: ArrayLike, task: ArrayLike) -> Floats:
        """Return how far each row lies on the second class's side: (n,)."""
        rows, places = np.asarray(X, np.float64), places_of(task, self.tasks_)
        weights = self._alpha * self._signs
        if self.form == "features":
            common = self.features(self._rows, self._places).T @ weights
            return np.asarray(self.features(rows, places) @ common)
        return np.asarray(self.kernel(rows, places, self._rows, self._places) @ weights)

    def predict(self, X: ArrayLike, task: ArrayLike) -> NDArray[Any]:
        """Return each row's class: (n,)."""
        return np.asarray(self.classes_[(self.decision_function(X, task) > 0).astype(int)])


def _dual(gram: Floats, signs: Floats, C: float, tol: float) -> Floats:
    """Return the multipliers of a machine without intercept by coordinate descent (Hsieh et al., ICML 2008)."""
    return np.asarray(_descended(gram * signs[:, None] * signs[None], C, tol, 10_000))


@njit()
def _descended(q: Any, C: Any, tol: Any, passes: Any) -> Any:
    alpha, gradient = np.zeros(len(q)), np.full(len(q), -1.0)
    for _ in range(passes):
        worst = 0.0
        for i in range(len(q)):
            if q[i, i] <= 0:
                continue
            new = min(max(alpha[i] - gradient[i] / q[i, i], 0.0), C)
            moved = new - alpha[i]
            if moved != 0:
                alpha[i] = new
                gradient += moved * q[:, i]
                worst = max(worst, abs(moved) * np.sqrt(q[i, i]))
        if worst < tol:
            break
    return alpha


METHOD = MTL
