"""From scores to probabilities: a monotone curve of what was right on rows kept apart, and thresholds by relation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]


def softmax_top(score: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], Doubles]:
    """Return the *k* best places, the best first, and each one's share of exp(score) over all; −∞ has none.

    Example:
        >>> softmax_top(np.array([0.0, 0.0, -np.inf], np.float32), 3)[1].tolist()
        [0.5, 0.5]
    """
    k = min(k, int(np.isfinite(score).sum()))
    part = np.argpartition(-score, k - 1)[:k] if k < len(score) else np.arange(len(score))
    best = part[np.lexsort((part, -score[part]))][:k]
    if not k:
        return best, np.empty(0)
    top = float(score[best[0]])
    share = np.exp(score[best].astype(np.float64) - top) / np.exp(score.astype(np.float64) - top).sum()
    return best, share


@dataclass(frozen=True)
class Curve:
    """A non-decreasing curve from shares to probabilities, straight between its corners.

    Args:
        at: shares, ascending.
        value: probabilities there.
    """

    at: Doubles
    value: Doubles

    @classmethod
    def fit(cls, shares: Doubles, right: NDArray[np.bool_], bins: int = 20) -> Curve:
        """Return the curve of what share of candidates was right: means of equally many, pooled where they fall.

        Each bin has half a right and half a wrong candidate more, so that nothing is certain. Source: pool adjacent violators,
        Ayer et al. 1955; Zadrozny and Elkan, KDD 2002.

        Example:
            >>> curve = Curve.fit(np.array([0.1] * 50 + [0.9] * 50), np.array([False] * 50 + [True] * 50), bins=2)
            >>> curve(np.array([0.1, 0.9])).round(2).tolist()
            [0.01, 0.99]
        """
        order = np.argsort(shares, kind="stable")
        parts = [p for p in np.array_split(order, max(1, min(bins, len(order) // 10))) if len(p)]
        pooled: list[list[float]] = []  # share, probability, weight
        for part in parts:
            pooled.append([float(shares[part].mean()), (right[part].sum() + 0.5) / (len(part) + 1), float(len(part))])
            while len(pooled) > 1 and pooled[-2][1] >= pooled[-1][1]:
                (a, p, v), (b, q, w) = pooled[-2:]
                pooled[-2:] = [[(a * v + b * w) / (v + w), (p * v + q * w) / (v + w), v + w]]
        if not pooled:
            return cls(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
        table = np.array(pooled)
        return cls(table[:, 0], table[:, 1])

    def __call__(self, shares: Doubles) -> Doubles:
        """Return the probabilities of shares."""
        found: Doubles = np.interp(shares, self.at, self.value)
        return found


def threshold(probability: Doubles, right: NDArray[np.bool_], usual: float = 0.5) -> float:
    """Return the probability that makes F1 of what is kept best; *usual* where nothing is right.

    It lies half-way to the next lower one, so that what is as sure as the last one kept is kept on whichever side rounding puts it.

    Example:
        >>> threshold(np.array([0.9, 0.6, 0.2]), np.array([True, True, False]))
        0.4
    """
    if not right.any():
        return usual
    order = np.argsort(-probability, kind="stable")
    hits = np.cumsum(right[order])
    harmonic = 2 * hits / (np.arange(1, len(order) + 1) + right.sum())
    last = float(probability[order][int(harmonic.argmax())])
    return (last + float(probability[probability < last].max(initial=0.0))) / 2


@dataclass(frozen=True)
class Odds:
    """Whether a question's first candidate is right, by logistic regression: features, and what each kind of question adds.

    Args:
        mean: (f,) of the features.
        spread: (f,) standard deviations.
        weight: (1 + f,) of 1 and the features, standardized.
        kind: (kinds,) added to the log-odds.
    """

    mean: Doubles
    spread: Doubles
    weight: Doubles
    kind: Doubles

    @classmethod
    def fit(
        cls, features: Doubles, kind: NDArray[np.int64], right: NDArray[np.bool_], kinds: int, held: float = 1.0
    ) -> Odds:
        """Return the regression of *right* (n,) on features (n, f) and kinds (n,), held to 0 by an L2 penalty but for the constant.

        By Newton's method; each kind moves as far from the others as its questions bear out against *held*, the features against 1.
        Of nothing, all is as likely as not.

        Example:
            >>> odds = Odds.fit(np.zeros((40, 1)), np.arange(40) // 20, np.arange(40) >= 20, 2)
            >>> odds(np.zeros((2, 1)), np.array([0, 1])).round(1).tolist()
            [0.1, 0.9]
        """
        if not len(features):
            wide = features.shape[1]
            return cls(np.zeros(wide), np.ones(wide), np.zeros(1 + wide), np.zeros(kinds))
        mean, spread = features.mean(0), np.maximum(features.std(0), 1e-6)
        inner = np.concatenate([np.ones((len(features), 1)), (features - mean) / spread], 1)
        table = np.concatenate([inner, np.eye(kinds)[kind]], 1)
        held_by = np.full(table.shape[1], held)
        held_by[: inner.shape[1]] = 1.0
        held_by[0] = 1e-3
        found = np.zeros(table.shape[1])
        for _ in range(50):
            sure = 1 / (1 + np.exp(-np.clip(table @ found, -30, 30)))
            slope = table.T @ (sure - right) + held_by * found
            curve = (table * (sure * (1 - sure))[:, None]).T @ table + np.diag(held_by)
            step = np.linalg.solve(curve, slope)
            found = found - step * min(1.0, 4.0 / max(float(np.abs(step).max()), 1e-12))
            if np.abs(step).max() < 1e-8:
                break
        return cls(mean, spread, found[: inner.shape[1]], found[inner.shape[1] :])

    def __call__(self, features: Doubles, kind: NDArray[np.int64]) -> Doubles:
        """Return the probabilities of features (n, f) of questions of kinds (n,)."""
        logit = self.weight[0] + (features - self.mean) / self.spread @ self.weight[1:] + self.kind[kind]
        found: Doubles = 1 / (1 + np.exp(-np.clip(logit, -30, 30)))
        return found
