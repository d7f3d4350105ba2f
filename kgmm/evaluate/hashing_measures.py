"""How good a Hamming ranking is: mean average precision, precision–recall, precision within a radius."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.hashing.base import Codes, unpack

#: recall levels at which precision is reported
RECALLS = np.round(np.arange(0.1, 1.01, 0.1), 1)


def measures(
    queries: Codes,
    database: Codes,
    relevant: NDArray[np.bool_],
    bits: int,
    cutoff: int = 50,
    radius: int = 2,
) -> dict[str, Any]:
    """Rank the database by Hamming distance for each query; ties keep the database's order.

    Average precision is (1/R) Σ_k P(k) rel(k), R the relevant items in the list ranked (whole, or cut off);
    a query that has none counts 0. Precision within a radius counts 0 where nothing lies in it.

    Args:
        queries: packed codes, shape (q, bytes).
        database: packed codes, shape (n, bytes).
        relevant: which item is relevant to which query, shape (q, n).
        bits: length of a code.
        cutoff: length of the list of the second figure.
        radius: of the ball whose precision is given.

    Returns:
        ``map``, ``map50`` (named after the cut-off), ``precision_recall``: [[recall, precision], …],
        ``precision_radius_2``.
    """
    base = unpack(database, bits)
    full: list[float] = []
    cut: list[float] = []
    inside: list[float] = []
    curves = np.zeros(len(RECALLS))
    for start in range(0, len(queries), 256):
        part = unpack(queries[start : start + 256], bits)
        distance = ((bits - part @ base.T) / 2).round().astype(np.int16)
        order = np.argsort(distance, axis=1, kind="stable")
        hits = np.take_along_axis(relevant[start : start + 256], order, axis=1)
        full.extend(average_precision(hits))
        cut.extend(average_precision(hits[:, :cutoff]))
        ball = distance <= radius
        good = (ball & relevant[start : start + 256]).sum(1)
        inside.extend(good / np.maximum(ball.sum(1), 1))
        curves += interpolated(hits).sum(0)
    curve = [[float(r), float(p)] for r, p in zip(RECALLS, curves / max(len(queries), 1), strict=True)]
    return {
        "map": float(np.mean(full)),
        f"map{cutoff}": float(np.mean(cut)),
        f"precision_radius_{radius}": float(np.mean(inside)),
        "precision_recall": curve,
    }


def average_precision(hits: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the average precision of ranked lists, shape (q,).

    Example:
        >>> average_precision(np.array([[True, False, True], [False, False, False]])).round(3).tolist()
        [0.833, 0.0]
    """
    found = hits.cumsum(1)
    precision = found / np.arange(1, hits.shape[1] + 1)
    out: NDArray[np.float64] = (precision * hits).sum(1) / np.maximum(found[:, -1], 1)
    return out


def interpolated(hits: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the best precision at or after each recall level, shape (q, levels)."""
    found = hits.cumsum(1)
    precision = found / np.arange(1, hits.shape[1] + 1)
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    need = np.ceil(RECALLS * np.maximum(found[:, -1:], 1) - 1e-9)
    at = np.stack([np.searchsorted(row, levels) for row, levels in zip(found, need, strict=True)])
    out: NDArray[np.float64] = np.take_along_axis(best, np.minimum(at, hits.shape[1] - 1), axis=1)
    out[found[:, -1] == 0] = 0
    return out
