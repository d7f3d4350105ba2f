r"""Deep asymmetric transfer network (Wang, Cui, Zhu, AAAI 2018; Eqs 2-5 of the survey): labels of a rich modality for a poor one.

Each domain has an autoencoder; a map G leads from the target's layer to the source's, whose classifier it uses:

$J = \|Z^c_S - Z^c_T G\|_F^2 + \lambda \|G\|_F^2 - \frac \alpha {n} \sum \log \operatorname{softmax}(z_T G \vartheta_S)_y
+ \beta \|\bar z_S - \overline{z_T G}\|^2$

The paper leaves layer sizes and weights open; with encoders fixed G starts from its ridge solution.
"""

from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from kgmm.errors import BadInput
from kgmm.transfer.base import matrix

Floats = NDArray[np.float64]
RATE, DECAY, BATCH = 1e-3, 1e-4, 64


class DATN:
    """A classifier of a target with few labels, by way of a source with many and of pairs that show the same things.

    Args:
        width: of either domain's layer.
        ridge: lambda, on G.
        alpha, beta: weights of the target's few labels and of the distance of means.
        epochs: of the autoencoders; G and the target's encoder are trained for as many steps of all data.
        seed: everything random follows from it.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> y = np.tile([0, 1], 40)
        >>> rich, poor = rng.normal(size=(80, 6)) + 3 * y[:, None], rng.normal(size=(80, 4)) - 2 * y[:, None]
        >>> few = np.where(np.arange(80) < 4, y, -1)
        >>> made = DATN(width=8).fit(rich, y, poor, few, np.stack([np.arange(20)] * 2, axis=1))
        >>> bool((made.predict(poor) == y).mean() > 0.9)
        True
    """

    def __init__(
        self,
        width: int = 16,
        ridge: float = 1.0,
        alpha: float = 0.1,
        beta: float = 1.0,
        epochs: int = 30,
        seed: int = 0,
    ) -> None:
        self.width = width
        self.ridge = ridge
        self.alpha = alpha
        self.beta = beta
        self.epochs = epochs
        self.seed = seed

    def fit(
        self, source: ArrayLike, source_labels: ArrayLike, target: ArrayLike, target_labels: ArrayLike, pairs: ArrayLike
    ) -> Self:
        """Learn from source rows (n, d) with labels, target rows (m, e), -1 where one has no label, and pairs of rows.

        Args:
            pairs: shape (k, 2): a row of the source and one of the target that show the same thing.

        Raises:
            BadInput: if shapes do not fit, a pair names no row, or the source has fewer than two classes.
        """
        xs, xt = matrix(source), matrix(target)
        ys, yt, both = np.asarray(source_labels), np.asarray(target_labels), np.asarray(pairs)
        if ys.shape != (len(xs),) or yt.shape != (len(xt),):
            raise BadInput("y", f"{len(xs)} and {len(xt)} rows, labels of shapes {ys.shape} and {yt.shape}")
        if both.ndim != 2 or both.shape[1] != 2 or not len(both) or both.dtype.kind not in "iu":
            raise BadInput("pairs", f"shape {both.shape}; expected rows of the source beside rows of the target")
        if both.min() < 0 or (both.max(axis=0) >= [len(xs), len(xt)]).any():
            raise BadInput("pairs", "one names a row that is not there")
        self.classes_, coded = np.unique(ys, return_inverse=True)
        if len(self.classes_) < 2:
            raise BadInput("y", f"source rows have {len(self.classes_)} classes; a classifier needs two")
        known = np.isin(yt, self.classes_)
        told = np.full(len(yt), -1)
        told[known] = np.searchsorted(self.classes_, yt[known])
        self._learn(xs, torch.as_tensor(coded), xt, torch.as_tensor(told), torch.as_tensor(both))
        return self

    def fit_pairs(self, source: ArrayLike, target: ArrayLike) -> Self:
        """Learn both layers and the map alone, from rows that show the same thing in pairs, (n, d) and (n, e), without labels.

        Raises:
            BadInput: if these are not as many rows on both sides.
        """
        xs, xt = matrix(source), matrix(target)
        if len(xs) != len(xt):
            raise BadInput("pairs", f"{len(xs)} and {len(xt)} rows; each row has its other half")
        self._learn(xs, None, xt, torch.full((len(xt),), -1), torch.arange(len(xs))[:, None].expand(-1, 2))
        return self

    def layer(self, which: int) -> tuple[Floats, Floats, Floats]:
        """Return how rows come to the layer of the source (0) or target (1), ``tanh((rows - mean) @ map + bias)``: mean, map, bias."""
        mean, spread = self.scales_[which]
        encoder = self.encoders_[which]
        weight, bias = (part.detach().double().numpy() for part in (encoder.weight, encoder.bias))
        return mean, weight.T / spread[:, None], bias

    def _scaled(self, rows: Floats, which: int) -> Tensor:
        mean, spread = self.scales_[which]
        return torch.as_tensor((rows - mean) / spread, dtype=torch.float32)

    def _learn(self, source: Floats, ys: Tensor | None, target: Floats, yt: Tensor, pairs: Tensor) -> None:
        self.scales_ = [(x.mean(axis=0), np.where(x.std(axis=0) > 0, x.std(axis=0), 1.0)) for x in (source, target)]
        xs, xt = self._scaled(source, 0), self._scaled(target, 1)
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            self.encoders_ = [_autoencoder(x, self.width, self.epochs) for x in (xs, xt)]
            with torch.no_grad():
                zs, zt = (torch.tanh(encode(x)) for encode, x in zip(self.encoders_, (xs, xt), strict=True))
            if ys is not None:
                self.classifier_ = _softmax(zs, ys, len(self.classes_), self.epochs)
            self.map_ = nn.Parameter(ridge_map(zt[pairs[:, 1]], zs[pairs[:, 0]], self.ridge))
            self._lead(zs, xt, yt, pairs)

    def _lead(self, zs: Tensor, xt: Tensor, yt: Tensor, pairs: Tensor) -> None:
        """Train the map, and a little the target's layer, towards the source's layer *zs*."""
        parameters: list[dict[str, Any]] = [
            {"params": [self.map_]},
            {"params": self.encoders_[1].parameters(), "lr": RATE / 10},
        ]
        optimizer = torch.optim.Adam(parameters, RATE)
        for _ in range(10 * self.epochs):
            loss = self.loss(zs, torch.tanh(self.encoders_[1](xt)), yt, pairs)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()

    def loss(self, zs: Tensor, zt: Tensor, yt: Tensor, pairs: Tensor) -> Tensor:
        """Return J, a mean over pairs, for both domains' layers, the target's labels (-1: none) and pairs."""
        mapped = zt @ self.map_
        pair = (zs[pairs[:, 0]] - mapped[pairs[:, 1]]).square().sum() + self.ridge * self.map_.square().sum()
        known = yt >= 0
        label = F.cross_entropy(self.classifier_(mapped[known]), yt[known]) if known.any() else mapped.new_zeros(())
        return pair / len(pairs) + self.alpha * label + self.beta * (zs.mean(0) - mapped.mean(0)).square().sum()

    def predict_proba(self, target: ArrayLike) -> Floats:
        """Return the probability of each of ``classes_`` for rows of the target: (n, classes)."""
        with torch.no_grad():
            mapped = torch.tanh(self.encoders_[1](self._scaled(matrix(target), 1))) @ self.map_
            return np.asarray(self.classifier_(mapped).softmax(1).double().numpy())

    def predict(self, target: ArrayLike) -> NDArray[Any]:
        """Return the likeliest class of each row: (n,)."""
        return np.asarray(self.classes_[self.predict_proba(target).argmax(axis=1)])


def ridge_map(target: Tensor, source: Tensor, ridge: float) -> Tensor:
    r"""Return $G = (Z_T^\top Z_T + \lambda I)^{-1} Z_T^\top Z_S$: (d_T, d_S)."""
    gram = target.T @ target + ridge * torch.eye(target.shape[1], dtype=target.dtype)
    found: Tensor = torch.linalg.solve(gram, target.T @ source)
    return found


def _autoencoder(rows: Tensor, width: int, epochs: int) -> nn.Linear:
    encode, decode = nn.Linear(rows.shape[1], width), nn.Linear(width, rows.shape[1])
    optimizer = torch.optim.Adam([*encode.parameters(), *decode.parameters()], RATE, weight_decay=DECAY)
    for _ in range(epochs):
        for part in torch.split(torch.randperm(len(rows)), BATCH):
            loss = (decode(torch.tanh(encode(rows[part]))) - rows[part]).square().mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
    return encode


def _softmax(rows: Tensor, labels: Tensor, classes: int, epochs: int) -> nn.Linear:
    scores = nn.Linear(rows.shape[1], classes)
    optimizer = torch.optim.Adam(scores.parameters(), 10 * RATE, weight_decay=DECAY)
    for _ in range(epochs):
        for part in torch.split(torch.randperm(len(rows)), BATCH):
            loss = F.cross_entropy(scores(rows[part]), labels[part])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return scores.requires_grad_(False)


METHOD = DATN
