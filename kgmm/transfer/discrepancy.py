r"""How far two samples are apart: maximum mean discrepancies, joint ones, their test, and weights of kernels.

$\mathrm{MMD}^2(P, Q) = E k(x, x') + E k(y, y') - 2 E k(x, y)$ (Gretton et al., A kernel two-sample test, JMLR 2012).
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from kgmm.errors import BadInput

Floats = NDArray[np.float64]
Estimate = Literal["biased", "unbiased", "linear"]
#: widths of DAN's and JAN's Gaussian kernels, as multiples of the mean squared distance (Long et al., 2015, 2017)
WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """Return the squared Euclidean distances of the rows of (m, d) and (n, d): (m, n)."""
    apart = (x * x).sum(1)[:, None] + (y * y).sum(1)[None] - 2 * x @ y.T
    return apart.clamp_min(0)


def median_width(x: ArrayLike, y: ArrayLike) -> float:
    """Return the median squared distance of two different rows of both samples; 1 if that is 0.

    Example:
        >>> median_width([[0.0]], [[2.0]])
        4.0
    """
    rows = torch.as_tensor(np.vstack([np.asarray(x, np.float64), np.asarray(y, np.float64)]))
    apart = squared_distances(rows, rows)
    found = apart[~torch.eye(len(rows), dtype=torch.bool)]
    middle = float(found.median()) if len(found) else 0.0
    return middle if middle > 0 else 1.0


def gaussian(x: Tensor, y: Tensor, width: float, multiples: Sequence[float] = (1.0,)) -> Tensor:
    """Return the mean over *multiples* of Gaussian kernels of squared width multiple times *width*: (m, n)."""
    apart = squared_distances(x, y)
    return torch.stack([torch.exp(-apart / (2 * multiple * width)) for multiple in multiples]).mean(0)


def mmd_of(kernel: Tensor, count: int, estimate: Estimate = "biased") -> Tensor:
    """Return the squared MMD of the first *count* of the rows that a kernel matrix (m + n, m + n) compares, and the rest.

    ``biased`` is the V-statistic, never below 0; ``unbiased`` the U-statistic, whose mean is 0 where both laws are one;
    ``linear`` the mean over pairs of consecutive rows, which needs as many rows of both (the last odd one is left out).

    Raises:
        BadInput: if a sample is too small for it: one row, two for ``unbiased`` and ``linear``.
    """
    m, n = count, len(kernel) - count
    least = 1 if estimate == "biased" else 2
    if min(m, n) < least:
        raise BadInput("mmd", f"samples of {m} and {n} rows; {estimate} needs {least} of each")
    own, other, across = kernel[:m, :m], kernel[m:, m:], kernel[:m, m:]
    if estimate == "biased":
        return own.mean() + other.mean() - 2 * across.mean()
    if estimate == "unbiased":
        inside = (own.sum() - own.trace()) / (m * (m - 1)) + (other.sum() - other.trace()) / (n * (n - 1))
        return inside - 2 * across.mean()
    return linear_terms(kernel, count).mean()


def linear_terms(kernel: Tensor, count: int) -> Tensor:
    """Return the summands of the linear-time estimate, one for each two rows: (min(m, n) // 2,)."""
    pairs = min(count, len(kernel) - count) // 2
    x1, x2 = torch.arange(0, 2 * pairs, 2), torch.arange(1, 2 * pairs, 2)
    y1, y2 = x1 + count, x2 + count
    return kernel[x1, x2] + kernel[y1, y2] - kernel[x1, y2] - kernel[x2, y1]


def mmd(x: ArrayLike, y: ArrayLike, estimate: Estimate = "unbiased", width: float | None = None) -> float:
    """Return the squared maximum mean discrepancy of two samples under a Gaussian kernel.

    Args:
        x, y: shapes (m, d) and (n, d), finite.
        estimate: see :func:`mmd_of`.
        width: squared; by default the median squared distance.

    Raises:
        BadInput: if the shapes do not fit, a number is not finite, or a sample is too small.

    Example:
        >>> round(mmd([[0.0], [0.1]], [[5.0], [5.1]], "biased"), 2)
        0.81
    """
    a, b = _samples(x, y)
    rows = torch.as_tensor(np.vstack([a, b]))
    kernel = gaussian(rows, rows, median_width(a, b) if width is None else width)
    return float(mmd_of(kernel, len(a), estimate))


def joint_mmd(x: Sequence[ArrayLike], y: Sequence[ArrayLike], estimate: Estimate = "biased") -> float:
    """Return the squared MMD under the product of one Gaussian kernel a layer (JMMD; Long et al., ICML 2017).

    Args:
        x, y: for each layer one sample of both domains, (m, d) and (n, d), rows in the same order in all layers.

    Example:
        >>> one, two = [[0.0], [1.0]], [[0.0], [1.0]]
        >>> joint_mmd([one, two], [one, two])
        0.0
    """
    layers = [_samples(a, b) for a, b in zip(x, y, strict=True)]
    if len({(len(a), len(b)) for a, b in layers}) != 1:
        raise BadInput("mmd", "layers have different numbers of rows")
    kernel = torch.ones(1, dtype=torch.float64)
    for a, b in layers:
        rows = torch.as_tensor(np.vstack([a, b]))
        kernel = kernel * gaussian(rows, rows, median_width(a, b))
    return float(mmd_of(kernel, len(layers[0][0]), estimate))


def permutation_test(x: ArrayLike, y: ArrayLike, permutations: int = 200, seed: int = 0) -> float:
    """Return the p-value of "both samples have one law": how often shuffled rows are as far apart (unbiased MMD).

    Example:
        >>> rng = np.random.default_rng(0)
        >>> permutation_test(rng.normal(size=(40, 2)), rng.normal(size=(40, 2)) + 2) < 0.01
        True
    """
    a, b = _samples(x, y)
    rows = torch.as_tensor(np.vstack([a, b]))
    kernel = gaussian(rows, rows, median_width(a, b))
    found = float(mmd_of(kernel, len(a), "unbiased"))
    random = np.random.default_rng(seed)
    orders = (torch.as_tensor(random.permutation(len(rows))) for _ in range(permutations))
    further = sum(float(mmd_of(kernel[o][:, o], len(a), "unbiased")) >= found for o in orders)
    return (1 + further) / (1 + permutations)


def kernel_weights(x: ArrayLike, y: ArrayLike, multiples: Sequence[float] = WIDTHS, ridge: float = 1e-3) -> Floats:
    r"""Return weights of Gaussian kernels, summing to 1, that tell two samples apart best by the linear-time estimate.

    $\min_\beta \beta^\top (Q + \varepsilon I) \beta$ with $d^\top \beta = 1, \beta \ge 0$, where d are the kernels'
    estimates and Q the covariance of their summands (Gretton et al., NIPS 2012). Where no kernel's estimate is above 0
    all weigh the same.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> float(kernel_weights(rng.normal(size=(50, 2)), rng.normal(size=(50, 2)) + 1).sum().round(6))
        1.0
    """
    from scipy.optimize import nnls

    a, b = _samples(x, y)
    rows = torch.as_tensor(np.vstack([a, b]))
    width = median_width(a, b)
    terms = np.stack([linear_terms(gaussian(rows, rows, width, [k]), len(a)).numpy() for k in multiples])
    if terms.shape[1] < 2 or not (mean := terms.mean(axis=1)).max() > 0:
        return np.full(len(multiples), 1 / len(multiples))
    q = np.cov(terms) + ridge * np.eye(len(multiples))
    # with a scale free, min b'Qb - 2 d'b over b >= 0 has the same direction, and is a least-squares problem
    factor = np.linalg.cholesky(q)
    beta, _ = nnls(factor.T, np.linalg.solve(factor, mean))
    return np.asarray(beta / beta.sum())


def _samples(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    a, b = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or not len(a) or not len(b):
        raise BadInput("mmd", f"samples of shapes {a.shape} and {b.shape} cannot be compared")
    if not np.isfinite(a).all() or not np.isfinite(b).all():
        raise BadInput("mmd", "a number is not finite")
    return a, b
