"""EMCDR: an embedding-and-mapping framework for cross-domain recommendation (Man, Shen, Jin, Cheng, IJCAI 2017; survey Eq. 38)."""

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import KgmmError
from kgmm.recommend.base import Rows
from kgmm.recommend.cross import MappedRecommender, Mapping, ridge_map

FOLDS = 5  #: parts of the users of both, each left out once
START = 0.5  #: of Glorot's first weights


class EmbeddingAndMapping(MappedRecommender):
    """min_θ Σ ‖f_θ(u¹) - u²‖² over the users of both, f linear or a perceptron k -> 2k -> k with tanh.

    As in the paper: batches of 16, plain stochastic gradients, squared loss, Glorot's first weights, here halved so that the
    perceptron begins nearly linear. Vectors are brought to mean 0 and a common scale first, which the paper leaves open; so does
    it when to stop: after as many passes as are best for users left out (five folds); then all users are learned from.

    Args:
        mapping: ``mlp`` or ``linear``.
        shrink: of the linear mapping, .01 in the paper.
        turns: passes of the perceptron over the users of both, at most.
        step: of its gradients.
    """

    def __init__(
        self, factors: int = 20, epochs: int = 50, rate: float = 0.01, weight: float = 0.05, mapping: str = "mlp",
        shrink: float = 0.01, turns: int = 200, step: float = 0.02, seed: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(factors, epochs, rate, weight, seed)
        if mapping not in ("mlp", "linear"):
            raise KgmmError(f"EMCDR's mapping is mlp or linear, not {mapping!r}")
        self.mapping, self.shrink, self.turns, self.step = mapping, shrink, turns, step

    def _mapping(self, source: Rows, target: Rows) -> Mapping:
        if self.mapping == "linear":
            (x, x_mean, x_scale), (y, y_mean, y_scale) = _standard(source), _standard(target)
            found = ridge_map(x, y, self.shrink * len(x))
        else:
            (x, x_mean, x_scale), (y, y_mean, y_scale) = _scaled(source), _scaled(target)
            found = self._perceptron(x, y)
        return lambda vectors: found((vectors - x_mean) / x_scale) * y_scale + y_mean

    def _perceptron(self, x: Rows, y: Rows) -> Mapping:
        order = np.random.default_rng(self.seed).permutation(len(x))
        folds = min(FOLDS, len(x))
        losses = np.zeros(self.turns)
        for fold in range(folds):
            held = order[fold::folds]
            losses += self._trained(x, y, np.setdiff1d(order, held), self.turns, held)[1]
        (A, a, B, b), _ = self._trained(x, y, order, int(losses.argmin()) + 1, order[:0])
        return lambda vectors: np.tanh(vectors @ A + a) @ B + b

    def _trained(
        self, x: Rows, y: Rows, learn: NDArray[np.int64], turns: int, held: NDArray[np.int64]
    ) -> tuple[tuple[Rows, Rows, Rows, Rows], Rows]:
        """Return the weights after so many passes over *learn*, and the squared error of *held* after each."""
        rng = np.random.default_rng(self.seed)
        wide, deep = x.shape[1], 2 * x.shape[1]
        sizes = ((wide, deep), (deep, wide))
        A, B = (START * rng.uniform(-1, 1, size) * np.sqrt(6 / sum(size)) for size in sizes)
        a, b = np.zeros(deep), np.zeros(wide)
        losses = np.zeros(turns)
        for turn in range(turns):
            order = rng.permutation(learn)
            for at in range(0, len(order), 16):
                rows = order[at : at + 16]
                hidden = np.tanh(x[rows] @ A + a)
                off = (hidden @ B + b - y[rows]) / len(rows)
                back = (off @ B.T) * (1 - hidden**2)
                B = B - self.step * hidden.T @ off
                b = b - self.step * off.sum(0)
                A = A - self.step * x[rows].T @ back
                a = a - self.step * back.sum(0)
            losses[turn] = ((np.tanh(x[held] @ A + a) @ B + b - y[held]) ** 2).sum()
        return (A, a, B, b), losses


def _standard(rows: Rows) -> tuple[Rows, Rows, Rows]:
    mean, scale = rows.mean(0), rows.std(0)
    scale = np.where(scale > 1e-9, scale, 1.0)
    return (rows - mean) / scale, mean, scale


def _scaled(rows: Rows) -> tuple[Rows, Rows, Rows]:
    """As :func:`_standard`, by one scale for all columns: those that hardly vary stay so."""
    mean, scale = rows.mean(0), float(np.sqrt(rows.var(0).mean()))
    scales = np.full(rows.shape[1], scale if scale > 1e-9 else 1.0)
    return (rows - mean) / scales, mean, scales


METHOD = EmbeddingAndMapping
