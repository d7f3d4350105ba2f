r"""Multiple-kernel learning: one support vector machine on a weighted sum of kernels, $K = \sum_k \beta_k K_k$, β on the simplex.

``average`` weighs all the same, ``alignment`` by centred alignment with the labels (Cortes, Mohri, Rostamizadeh, JMLR
2012), ``simple`` by SimpleMKL's reduced gradient (Rakotomamonjy et al., JMLR 2008), whose gradient is
$-\frac 1 2 \alpha^\top K_k \alpha$.
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kgmm.errors import BadInput

Floats = NDArray[np.float64]
RULES = ("average", "alignment", "simple")


class MKL:
    """A classifier of two classes on several kernels; each is first divided by its mean diagonal.

    Args:
        rule: ``average``, ``alignment`` or ``simple``.
        C: what a margin's violation costs.
        steps: of the reduced gradient at most.

    After :meth:`fit`: ``weights_`` (kernels,), summing to 1; ``classes_``; ``objectives_`` of ``simple``, which falls.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> y = np.repeat([0, 1], 20)
        >>> good, noise = rng.normal(size=(2, 40, 3)) + np.stack([3 * y, 0 * y])[:, :, None]
        >>> MKL("alignment").fit([good @ good.T, noise @ noise.T], y).weights_.round(1).tolist()
        [1.0, 0.0]
    """

    def __init__(self, rule: str = "simple", C: float = 1.0, steps: int = 50, tol: float = 1e-5) -> None:
        if rule not in RULES:
            raise BadInput("mkl", f"no rule {rule!r}; there are: {', '.join(RULES)}")
        self.rule = rule
        self.C = C
        self.steps = steps
        self.tol = tol

    def fit(self, kernels: Sequence[ArrayLike], y: ArrayLike) -> Self:
        """Learn from kernels of the training rows, each (n, n); BadInput if they or the labels do not fit."""
        grams = [np.asarray(k, np.float64) for k in kernels]
        labels = np.asarray(y)
        if not grams or any(k.shape != (len(labels), len(labels)) or not np.isfinite(k).all() for k in grams):
            raise BadInput("mkl", f"needs finite kernels of shape ({len(labels)}, {len(labels)})")
        self.classes_, coded = np.unique(labels, return_inverse=True)
        if len(self.classes_) != 2:
            raise BadInput("y", f"{len(self.classes_)} classes; this learns two")
        signs = np.where(coded == 1, 1.0, -1.0)
        self.scales_ = np.array([max(float(np.trace(k)) / len(k), 1e-12) for k in grams])
        stack = np.stack(grams) / self.scales_[:, None, None]
        self.objectives_: list[float] = []
        if self.rule == "alignment":
            self.weights_ = _aligned(stack, signs)
        else:
            self.weights_ = np.full(len(stack), 1 / len(stack))
            if self.rule == "simple":
                self._descend(stack, signs)
        self._machine = _machine(np.tensordot(self.weights_, stack, 1), signs, self.C)
        return self

    def decision_function(self, kernels: Sequence[ArrayLike]) -> Floats:
        """Return how far rows lie on the second class's side, from kernels of them with the training rows: (m, n) each."""
        scaled = [np.asarray(k, np.float64) / s for k, s in zip(kernels, self.scales_, strict=True)]
        return np.asarray(self._machine.decision_function(np.tensordot(self.weights_, np.stack(scaled), 1)))

    def predict(self, kernels: Sequence[ArrayLike]) -> NDArray[Any]:
        """Return each row's class: (m,)."""
        return np.asarray(self.classes_[(self.decision_function(kernels) > 0).astype(int)])

    def _descend(self, stack: Floats, signs: Floats) -> None:
        value, gradient = objective(stack, signs, self.weights_, self.C)
        self.objectives_.append(value)
        for _ in range(self.steps):
            direction = _reduced(self.weights_, gradient)
            if not np.abs(direction).max() > self.tol:
                break
            negative = direction < 0
            step = float((-self.weights_[negative] / direction[negative]).min()) if negative.any() else 1.0
            for _ in range(30):
                moved = np.maximum(self.weights_ + step * direction, 0)
                moved /= moved.sum()
                new, slope = objective(stack, signs, moved, self.C)
                if new < value:
                    break
                step /= 2
            else:
                return
            gained = value - new
            self.weights_, value, gradient = moved, new, slope
            self.objectives_.append(value)
            if gained < self.tol * abs(value):
                return


def objective(stack: Floats, signs: Floats, weights: Floats, C: float) -> tuple[float, Floats]:
    r"""Return the machine's optimal value on a weighted sum of kernels, and its gradient in the weights.

    $J(\beta) = \max_\alpha 1^\top |\alpha| - \frac 1 2 \alpha^\top K_\beta \alpha$, where alpha carries the labels' signs.
    """
    gram = np.tensordot(weights, stack, 1)
    machine = _machine(gram, signs, C)
    alpha = np.zeros(len(signs))
    alpha[machine.support_] = machine.dual_coef_.ravel()
    quadratic = np.array([alpha @ k @ alpha for k in stack])
    return float(np.abs(alpha).sum() - 0.5 * weights @ quadratic), -0.5 * quadratic


def _machine(gram: Floats, signs: Floats, C: float) -> Any:
    from sklearn.svm import SVC

    return SVC(kernel="precomputed", C=C, tol=1e-8).fit(gram, signs)


def _reduced(weights: Floats, gradient: Floats) -> Floats:
    """Return the direction downhill that keeps the weights' sum and leaves no weight below 0 at once."""
    top = int(np.argmax(weights))
    apart = gradient - gradient[top]
    direction = np.where((weights <= 0) & (apart > 0), 0.0, -apart)
    direction[top] = 0.0
    direction[top] = -direction.sum()
    return np.asarray(direction)


def _aligned(stack: Floats, signs: Floats) -> Floats:
    from scipy.optimize import nnls

    centred = stack - stack.mean(axis=1, keepdims=True) - stack.mean(axis=2, keepdims=True)
    centred += stack.mean(axis=(1, 2), keepdims=True)
    flat = centred.reshape(len(stack), -1)
    ideal = np.outer(signs, signs).ravel()
    found, _ = nnls(flat.T, ideal)
    return np.asarray(found / found.sum()) if found.sum() > 0 else np.full(len(stack), 1 / len(stack))


METHOD = MKL
