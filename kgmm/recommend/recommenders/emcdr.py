"""EMCDR: an embedding-and-mapping framework for cross-domain recommendation (Man, Shen, Jin, Cheng, IJCAI 2017; survey Eq. 38)."""

import numpy as np

from kgmm.errors import KgmmError
from kgmm.recommend.base import Rows
from kgmm.recommend.cross import MappedRecommender, Mapping, ridge_map


class EmbeddingAndMapping(MappedRecommender):
    """min_θ Σ ‖f_θ(u¹) - u²‖² over the users of both, f linear or a perceptron k -> 2k -> k with tanh.

    As in the paper: Glorot's first weights, batches of 16, plain stochastic gradients, squared loss. Vectors are brought to
    mean 0 and deviation 1 first, which the paper leaves open. One tenth of the users says when the perceptron stops.

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
        (x, x_mean, x_scale), (y, y_mean, y_scale) = _standard(source), _standard(target)
        linear = self.mapping == "linear"
        found = ridge_map(x, y, self.shrink * len(x)) if linear else self._perceptron(x, y)
        return lambda vectors: found((vectors - x_mean) / x_scale) * y_scale + y_mean

    def _perceptron(self, x: Rows, y: Rows) -> Mapping:
        rng = np.random.default_rng(self.seed)
        wide, deep = x.shape[1], 2 * x.shape[1]
        sizes = ((wide, deep), (deep, wide))
        A, B = (rng.uniform(-1, 1, size) * np.sqrt(6 / sum(size)) for size in sizes)
        a, b = np.zeros(deep), np.zeros(wide)
        order = rng.permutation(len(x))
        held, learn = (order[: len(x) // 10], order[len(x) // 10 :]) if len(x) >= 20 else (order, order)
        best, kept = np.inf, (A, a, B, b)
        for _ in range(self.turns):
            for at in range(0, len(learn), 16):
                rows = learn[at : at + 16]
                hidden = np.tanh(x[rows] @ A + a)
                off = (hidden @ B + b - y[rows]) / len(rows)
                back = (off @ B.T) * (1 - hidden**2)
                B = B - self.step * hidden.T @ off
                b = b - self.step * off.sum(0)
                A = A - self.step * x[rows].T @ back
                a = a - self.step * back.sum(0)
            rng.shuffle(learn)
            loss = ((np.tanh(x[held] @ A + a) @ B + b - y[held]) ** 2).mean()
            if loss < best:
                best, kept = loss, (A, a, B, b)
        A, a, B, b = kept
        return lambda vectors: np.tanh(vectors @ A + a) @ B + b


def _standard(rows: Rows) -> tuple[Rows, Rows, Rows]:
    mean, scale = rows.mean(0), rows.std(0)
    scale = np.where(scale > 1e-9, scale, 1.0)
    return (rows - mean) / scale, mean, scale


METHOD = EmbeddingAndMapping
