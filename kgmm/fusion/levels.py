"""Fusion of two modalities in a classifier: early, intermediate or late (Zhu, Wang & Li 2019, Figure 1)."""

from typing import Any, Literal, Self, cast, get_args

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from kgmm.errors import KgmmError
from kgmm.hashing.features import MODALITIES, Array, check_finite, check_labels, check_pairs, fitted_rows, indicators

Views = dict[str, NDArray[np.float32]]
Level = Literal["early", "intermediate", "late", "image", "text"]
Rule = Literal["product", "average", "stacking"]
LEVELS: tuple[Level, ...] = get_args(Level)
RULES: tuple[Rule, ...] = get_args(Rule)
FOLDS = 3  #: parts that stacking cuts the training pairs into
HIDDEN, RATE, DECAY, DROPOUT = 128, 1e-3, 1e-3, 0.5  #: width of a layer, and the settings of AdamW and dropout

__all__ = ["LEVELS", "RULES", "FusionClassifier"]


class FusionNet(nn.Module):
    """Two hidden layers, :data:`HIDDEN` wide, and one score a category.

    Args:
        dims: modality -> number of features.
        categories: number of scores.
        own_layers: whether each modality has its own part of the first layer, or one layer reads all features.

    Shapes: modality -> (n, d) in, (n, categories) out.
    """

    def __init__(self, dims: dict[str, int], categories: int, *, own_layers: bool) -> None:
        super().__init__()
        self.kinds: tuple[str, ...] = tuple(dims)
        own = {k: (d, HIDDEN // len(dims)) for k, d in dims.items()}
        parts = own if own_layers else {"all": (sum(dims.values()), HIDDEN)}
        self.first: nn.ModuleDict = nn.ModuleDict({kind: nn.Linear(*shape) for kind, shape in parts.items()})
        width, between = sum(out for _, out in parts.values()), (nn.ReLU(), nn.Dropout(DROPOUT))
        self.rest: nn.Sequential = nn.Sequential(
            *between, nn.Linear(width, HIDDEN), *between, nn.Linear(HIDDEN, categories)
        )

    def forward(self, views: dict[str, Tensor]) -> Tensor:
        """Return scores before the softmax."""
        if "all" in self.first:
            found = self.first["all"](torch.cat([views[k] for k in self.kinds], 1))
        else:
            found = torch.cat([self.first[k](views[k]) for k in self.kinds], 1)
        out: Tensor = self.rest(found)
        return out


class FusionClassifier:
    """A classifier of pairs whose modalities meet at a chosen level.

    All levels are networks of two hidden layers of equal width, so that only the place of meeting differs:

    - ``early`` (feature fusion): the two feature vectors side by side enter one network;
    - ``intermediate``: each modality has its own first layer, the second is shared;
    - ``late`` (semantic fusion): each modality has a network; their posteriors are combined;
    - ``image``, ``text``: that modality alone, the yardstick.

    Args:
        level: where the modalities meet.
        rule: of late fusion. ``product``: posteriors multiply, over the categories' prior, which is right where
            the modalities are independent given the category; ``average``; ``stacking``: a logistic regression
            on the log posteriors of held-out thirds of the training pairs.
        seed: everything random follows from it.
        epochs: of the training (AdamW, batches of 128).

    Example:
        >>> rng = np.random.default_rng(0)
        >>> kind = np.arange(120) % 2
        >>> image, text = (rng.normal(size=(120, 3)) + 3 * kind[:, None] for _ in range(2))
        >>> fused = FusionClassifier("late", epochs=20).fit(image, text, kind)
        >>> bool((fused.predict_proba(image, text).argmax(1) == kind).mean() > 0.95)
        True
    """

    def __init__(
        self, level: Level = "intermediate", rule: Rule = "product", seed: int = 0, *, epochs: int = 60
    ) -> None:
        if level not in LEVELS:
            raise KgmmError(f"fusion level must be one of {', '.join(LEVELS)}, not {level!r}")
        if rule not in RULES:
            raise KgmmError(f"the rule of late fusion must be one of {', '.join(RULES)}, not {rule!r}")
        self.level = level
        self.rule = rule
        self.seed: int = seed
        self.epochs: int = epochs
        self._nets: dict[str, nn.Module] = {}
        self._scale: dict[str, tuple[Array, Array]] = {}
        self._prior: Array = np.empty(0)
        self._stack: Any = None

    @property
    def reads(self) -> tuple[str, ...]:
        """The modalities it reads."""
        return (self.level,) if self.level in MODALITIES else MODALITIES

    def fit(self, image: ArrayLike, text: ArrayLike, labels: ArrayLike) -> Self:
        """Learn from pairs.

        Args:
            image: shape (n, d_image).
            text: shape (n, d_text), row i belonging to row i of *image*.
            labels: one category a pair, shape (n,), or an indicator matrix, shape (n, categories).

        Raises:
            KgmmError: if a modality is missing or constant, rows do not pair up, values are not finite, or
                there is one category only.
        """
        name = f"{self.level} fusion"
        pairs = dict(zip(MODALITIES, check_pairs(name, image, text), strict=True))
        target = indicators(name, labels, len(pairs["image"]))
        check_labels(name, target, instead="")
        self._scale = {kind: (x.mean(0), np.where(x.std(0) > 0, x.std(0), 1.0)) for kind, x in pairs.items()}
        target = target / np.maximum(target.sum(1, keepdims=True), 1)
        self._prior = (target.sum(0) + 1) / (target.sum() + target.shape[1])
        views: Views = {kind: self._scaled(x, kind) for kind, x in pairs.items()}
        if self.level == "late":
            self._nets = {kind: self._train({kind: views[kind]}, target) for kind in MODALITIES}
            self._stack = self._stacked(views, target) if self.rule == "stacking" else None
        else:
            self._nets = {self.level: self._train({k: views[k] for k in self.reads}, target)}
        return self

    def predict_proba(self, image: ArrayLike | None, text: ArrayLike | None) -> Array:
        """Return the probability of each category, shape (n, categories), rows summing to one.

        Late fusion does without one modality (None): the posterior is then the other's.

        Raises:
            KgmmError: before fit, or if a modality is missing, misshapen or not finite.
        """
        if not self._nets:
            raise KgmmError(f"{self.level} fusion: call fit first")
        given = zip(MODALITIES, (image, text), strict=True)
        views: Views = {kind: self._checked(x, kind) for kind, x in given if kind in self.reads and x is not None}
        missing = [kind for kind in self.reads if kind not in views]
        if missing and (self.level != "late" or not views):
            read = " and ".join(self.reads)
            raise KgmmError(f"{self.level} fusion: the {missing[0]} features are missing; it reads {read}")
        counts = [str(len(x)) for x in views.values()]
        if len(set(counts)) > 1:
            raise KgmmError(f"{self.level} fusion: {' and '.join(counts)} rows do not pair up")
        if self.level != "late":
            return _posterior(self._nets[self.level], views)
        return self._combined([np.log(_posterior(self._nets[k], {k: x}) + 1e-12) for k, x in views.items()])

    def _combined(self, logs: list[Array]) -> Array:
        """Return one posterior from those of the modalities."""
        if len(logs) == 1:
            return cast("Array", np.exp(logs[0]))
        if self.rule == "average":
            return cast("Array", np.exp(np.stack(logs)).mean(0))
        if self.rule == "stacking":
            found = np.full_like(logs[0], 1e-12)
            found[:, self._stack.classes_] = self._stack.predict_proba(np.hstack(logs))
            return cast("Array", found / found.sum(1, keepdims=True))
        odds = sum(logs) - np.log(self._prior)
        odds = np.exp(odds - odds.max(1, keepdims=True))
        return cast("Array", odds / odds.sum(1, keepdims=True))

    def _stacked(self, views: Views, target: Array) -> Any:
        """Return a logistic regression on posteriors that networks gave to pairs they were not trained on."""
        from sklearn.linear_model import LogisticRegression

        order = np.random.default_rng(self.seed).permutation(len(target))
        logs = np.zeros((len(target), 2 * target.shape[1]))
        for held in np.array_split(order, FOLDS):
            rest = np.setdiff1d(order, held)
            nets = {kind: self._train({kind: x[rest]}, target[rest]) for kind, x in views.items()}
            logs[held] = np.hstack([np.log(_posterior(nets[k], {k: x[held]}) + 1e-12) for k, x in views.items()])
        return LogisticRegression(C=0.1, max_iter=2000).fit(logs, target.argmax(1))

    def _scaled(self, x: NDArray[np.floating], kind: str) -> NDArray[np.float32]:
        center, spread = self._scale[kind]
        return ((np.asarray(x, np.float64) - center) / spread).astype(np.float32)

    def _checked(self, x: ArrayLike, kind: str) -> NDArray[np.float32]:
        name = f"{self.level} fusion"
        rows = fitted_rows(x, name, kind, len(self._scale[kind][0]))
        check_finite(rows, f"{name}: {kind} features")
        return self._scaled(rows, kind)

    def _train(self, views: Views, target: Array) -> nn.Module:
        """Return a network fitted to views of the same pairs."""
        generator = torch.Generator().manual_seed(self.seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            dims = {kind: x.shape[1] for kind, x in views.items()}
            net = FusionNet(dims, target.shape[1], own_layers=self.level == "intermediate")
            inputs = {kind: torch.from_numpy(x) for kind, x in views.items()}
            wanted = torch.from_numpy(target.astype(np.float32))
            optimizer = torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY)
            for _ in range(self.epochs):
                for rows in torch.split(torch.randperm(len(wanted), generator=generator), 128):
                    loss = F.cross_entropy(net({kind: x[rows] for kind, x in inputs.items()}), wanted[rows])
                    optimizer.zero_grad()
                    loss.backward()  # type: ignore[no-untyped-call]
                    optimizer.step()
        return net.eval()


def _posterior(net: nn.Module, views: Views) -> Array:
    with torch.no_grad():
        out = net({kind: torch.from_numpy(x) for kind, x in views.items()})
    return cast("Array", torch.softmax(out.double(), 1).numpy())
