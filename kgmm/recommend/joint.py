"""What joint factorizations share: a domain's squared errors with their gradients, likeness of rows, and descent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.recommend.base import Rows
from kgmm.recommend.ratings import Ratings

#: parts -> the objective and its gradient, one array per part
Objective = Callable[[list[Rows]], tuple[float, list[Rows]]]


def minimized(objective: Objective, start: list[Rows], turns: int) -> tuple[list[Rows], list[float]]:
    """Minimize by L-BFGS; return the parts and the objective at the start and after every turn, which never rises.

    A part whose gradient is exactly 0 somewhere stays there what it was.

    Example:
        >>> found, losses = minimized(lambda parts: (float((parts[0] ** 2).sum()), [2 * parts[0]]), [np.ones(3)], 20)
        >>> bool(abs(found[0]).max() < 1e-6), losses[0]
        (True, 3.0)
    """
    from scipy.optimize import minimize

    shapes = [part.shape for part in start]
    ends = np.cumsum([part.size for part in start])[:-1]

    def parts(flat: Rows) -> list[Rows]:
        return [part.reshape(shape) for part, shape in zip(np.split(flat, ends), shapes, strict=True)]

    def told(flat: Rows) -> tuple[float, Rows]:
        loss, slopes = objective(parts(flat))
        return loss, np.concatenate([slope.ravel() for slope in slopes])

    first = np.concatenate([part.ravel() for part in start]).astype(np.float64)
    losses = [told(first)[0]]

    def note(intermediate_result: Any) -> None:
        losses.append(float(intermediate_result.fun))

    options = {"maxiter": turns, "maxfun": 4 * turns + 20}
    found = minimize(told, first, jac=True, method="L-BFGS-B", callback=note, options=options)
    return parts(found.x), losses


def misfit(
    ratings: Ratings, U: Rows, V: Rows, users: NDArray[Any], items: NDArray[Any], weights: Rows | None = None
) -> tuple[float, Rows, Rows]:
    """Return Σ w (r - μ - b_u - b_i - u·v)² and its gradients by U and V, whose last columns are the biases.

    Args:
        ratings: of one domain; μ is their mean.
        U: (rows, k + 1).
        V: (rows, k + 1).
        users: the row of U of every rating.
        items: the row of V of every rating.
        weights: of the ratings; 1 each if None.
    """
    from scipy.sparse import csr_matrix

    A, B = U[users], V[items]
    off = np.einsum("rk,rk->r", A[:, :-1], B[:, :-1]) + A[:, -1] + B[:, -1]
    off += float(ratings.value.mean(dtype=np.float64)) - ratings.value
    pull = off if weights is None else weights * off
    errors = csr_matrix((pull, (users, items)), shape=(len(U), len(V)))
    dU = 2 * np.column_stack([errors @ V[:, :-1], np.bincount(users, pull, len(U))])
    dV = 2 * np.column_stack([errors.T @ U[:, :-1], np.bincount(items, pull, len(V))])
    return float(pull @ off), dU, dV


def summed(group: NDArray[np.int32], rows: Rows, count: int) -> Rows:
    """Return the sums of each group's rows, (count, k)."""
    return np.column_stack([np.bincount(group, column, count) for column in rows.T])


def neighbours(row: NDArray[Any], column: NDArray[Any], value: Rows, shape: tuple[int, int], count: int) -> Any:
    """Return the Laplacian (sparse, rows × rows) of each row's *count* nearest by the cosine of what it holds; only likes count.

    tr(Uᵀ L U) is Σ s_ij ‖u_i - u_j‖² over the pairs.
    """
    from scipy.sparse import csr_matrix, diags

    X = csr_matrix((value, (row, column)), shape=shape)
    lengths = np.sqrt(np.asarray(X.multiply(X).sum(1)).ravel())
    X = diags(1 / np.maximum(lengths, 1e-12)) @ X
    count = min(count, shape[0] - 1)
    who, like = np.zeros((shape[0], count), np.int64), np.zeros((shape[0], count))
    for at in range(0, shape[0], 1000):
        block = (X[at : at + 1000] @ X.T).toarray()
        block[np.arange(len(block)), np.arange(at, at + len(block))] = -np.inf
        who[at : at + 1000] = np.argsort(-block, axis=1, kind="stable")[:, :count]
        like[at : at + 1000] = np.take_along_axis(block, who[at : at + 1000], 1)
    like = np.maximum(like, 0) / max(count, 1)
    rows = np.repeat(np.arange(shape[0]), count)
    S = csr_matrix((like.ravel(), (rows, who.ravel())), shape=(shape[0], shape[0]))
    S = (S + S.T) / 2
    return diags(np.asarray(S.sum(1)).ravel()) - S
