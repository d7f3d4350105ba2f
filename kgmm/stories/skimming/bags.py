r"""Where in films their tags are: multiple-instance learning, films being bags of segments (Wang et al., TMM 2012; Eq. 24).

A segment has a tag with $v = \sigma(w^\top f + b)$, a film with $1 - \prod_j (1 - v_j)$ (noisy or; Viola, Platt and Zhang, 2005).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

Floats = NDArray[np.float64]
RIDGE = 0.01  #: what the square of the weights costs
STARTS = 3  #: starting points, beside the mean difference of the films with and without the tag


def loss(
    weights: Floats, instances: Floats, bags: NDArray[np.int64], labels: NDArray[np.bool_], ridge: float = RIDGE
) -> tuple[float, Floats]:
    """Return the negative log-likelihood of films' tags with the ridge, and its gradient.

    Args:
        weights: (d + 1,): w, then b.
        instances: (n, d), a row a segment.
        bags: (n,): the film of each, 0 … films - 1.
        labels: (films,): whether each has the tag.
        ridge: times the square of w.
    """
    logits = instances @ weights[:-1] + weights[-1]
    absent = -np.logaddexp(0, logits)  # log(1 - v)
    none = np.bincount(bags, absent, len(labels))  # log of the product: no segment has it
    none = np.minimum(none, -1e-12)
    some = np.log(-np.expm1(none))
    value = -float(np.where(labels, some, none).sum()) + ridge * float(weights[:-1] @ weights[:-1])
    present = np.exp(logits + absent)  # v
    # d log(1 - prod)/d logit = v * prod / (1 - prod); d log prod / d logit = -v
    factor = np.where(labels, -np.exp(none - some), 1.0)[bags]
    slope = factor * present
    gradient = np.append(instances.T @ slope + 2 * ridge * weights[:-1], slope.sum())
    return value, gradient


def located(
    instances: ArrayLike, bags: ArrayLike, labels: ArrayLike, ridge: float = RIDGE, starts: int = STARTS
) -> Floats:
    """Return how likely each segment has a tag, shape (n,), learned from which films have it.

    The likelihood has several peaks: of the weights reached from a few starts, which are the same each time, the
    likeliest are taken. Rows are centred and scaled to a mean square of one first.

    Args:
        instances: (n, d), a row a segment of any film.
        bags: (n,): the film of each.
        labels: (films,): whether it has the tag; some have, some have not.
        ridge: times the square of the weights.
        starts: directions tried beside the mean difference: from the mean of films without the tag to the segments that
            are farthest from all of these.

    Example:
        >>> rows = [[1, 0], [0, 1], [1, 0], [1, 0], [0, 1], [1, 0]]
        >>> located(rows, [0, 0, 1, 1, 2, 2], [True, False, True]).round().tolist()
        [0.0, 1.0, 0.0, 0.0, 1.0, 0.0]
    """
    rows, of, has = np.asarray(instances, np.float64), np.asarray(bags, np.int64), np.asarray(labels, bool)
    rows = rows - rows.mean(axis=0)
    small = _turned(rows / (float(np.sqrt((rows**2).sum(axis=1).mean())) or 1.0))
    positive = has[of]
    centre = small[~positive].mean(axis=0)
    directions = [small[positive].mean(axis=0) - centre]
    directions += [small[i] - centre for i in _apart(small, positive, of, starts)]
    size = float(np.bincount(of).mean())
    best: tuple[float, Floats] | None = None
    for direction in directions:
        length = float(np.linalg.norm(direction))
        w = direction / length * 2 if length > 1e-9 else direction
        start = np.append(w, -float(centre @ w) - np.log(max(size, 2.0)))
        made = minimize(loss, start, (small, of, has, ridge), method="L-BFGS-B", jac=True, options={"maxiter": 200})
        if best is None or made.fun < best[0] - 1e-9:
            best = float(made.fun), np.asarray(made.x)
    assert best is not None
    logits = small @ best[1][:-1] + best[1][-1]
    return np.asarray(np.exp(-np.logaddexp(0, -logits)))


def _turned(rows: Floats) -> Floats:
    """Return the rows in the coordinates they span: the ridge's solution lies there, and there are far fewer of them."""
    if rows.shape[1] <= len(rows):
        return rows
    u, s, _ = np.linalg.svd(rows, full_matrices=False)
    return np.asarray(u * s)


def _apart(rows: Floats, positive: NDArray[np.bool_], of: NDArray[np.int64], count: int) -> list[int]:
    """Return segments of films with the tag that are like some of every other such film, and like none without it."""
    inside, outside = np.flatnonzero(positive), np.flatnonzero(~positive)
    distance = -2 * rows[inside] @ rows.T + (rows**2).sum(axis=1) + (rows[inside] ** 2).sum(axis=1)[:, None]
    distance = np.maximum(distance, 0)
    films = np.unique(of[inside])
    near = np.stack([distance[:, of == film].min(axis=1) for film in films])
    worth = distance[:, outside].min(axis=1) - near.mean(axis=0)
    return [int(i) for i in inside[np.argsort(-worth, kind="stable")[:count]]]
