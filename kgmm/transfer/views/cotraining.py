"""Co-training (Blum & Mitchell, COLT 1998): two views label for each other what they are surest of."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kgmm.errors import BadInput

Floats = NDArray[np.float64]


class CoTraining:
    """A classifier a view, each adding the unlabelled rows it is surest of to what both learn from.

    Args:
        rounds, pool: how often, and how many unlabelled rows are looked at each time (the paper's 30 and 75).
        each: rows a view adds for each class in a round; by default in the classes' proportion, 1 for the rarest.
        seed: of the pool.

    After :meth:`fit`: ``classes_``, ``labels_`` (n,): what was given or added, -1 for rows that stayed unlabelled.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> y = np.repeat([0, 1], 30)
        >>> one, two = rng.normal(size=(2, 60, 1)) + 3 * y[:, None]
        >>> told = np.where(np.arange(60) % 10 == 0, y, -1)
        >>> bool((CoTraining(rounds=5).fit(one, two, told).predict(one, two) == y).mean() > 0.9)
        True
    """

    def __init__(self, rounds: int = 30, pool: int = 75, each: int | None = None, seed: int = 0) -> None:
        self.rounds = rounds
        self.pool = pool
        self.each = each
        self.seed = seed

    def fit(self, one: ArrayLike, two: ArrayLike, y: ArrayLike) -> Self:
        """Learn from two views, (n, d) and (n, e), and labels, -1 where there is none.

        Raises:
            BadInput: if the views differ in rows, a number is not finite, or fewer than two classes are labelled.
        """
        views, labels = _views(one, two), np.asarray(y)
        if labels.shape != (len(views[0]),) or labels.dtype.kind not in "iu":
            raise BadInput("y", f"labels of shape {labels.shape} for {len(views[0])} rows; whole numbers, -1 for none")
        self.classes_ = np.unique(labels[labels >= 0])
        if len(self.classes_) < 2:
            raise BadInput("y", f"{len(self.classes_)} classes have labels; two are needed")
        self.labels_ = labels.copy()
        counts = np.array([(labels == c).sum() for c in self.classes_])
        share = np.maximum(1, counts // counts.min()) if self.each is None else np.full(len(counts), self.each)
        random = np.random.default_rng(self.seed)
        waiting = random.permutation(np.flatnonzero(labels < 0))
        pool, waiting = waiting[: self.pool], waiting[self.pool :]
        for _ in range(self.rounds):
            if not len(pool):
                break
            self._learn(views)
            taken: dict[int, Any] = {}
            for view, classifier in zip(views, self.classifiers_, strict=True):
                chances = classifier.predict_proba(view[pool])
                for place, wanted in enumerate(share):
                    best = np.argsort(-chances[:, place], kind="stable")[:wanted]
                    for at in best[chances[best].argmax(axis=1) == place]:
                        taken.setdefault(int(pool[at]), self.classes_[place])
            for row, label in taken.items():
                self.labels_[row] = label
            pool = pool[~np.isin(pool, list(taken))]
            room = self.pool - len(pool)
            pool, waiting = np.concatenate([pool, waiting[:room]]), waiting[room:]
        self._learn(views)
        return self

    def _learn(self, views: tuple[Floats, Floats]) -> None:
        from sklearn.linear_model import LogisticRegression

        known = self.labels_ >= 0
        self.classifiers_ = [LogisticRegression(max_iter=500).fit(v[known], self.labels_[known]) for v in views]

    def disagreement(self, one: ArrayLike, two: ArrayLike) -> float:
        r"""Return how often the views' classifiers tell two classes; needs no label.

        $P(f_1 \ne f_2) \ge \max(P(f_1 \ne y), P(f_2 \ne y))$ (the survey's Eq. 1) where the views are independent given the
        class and each is right more often than not on every class; where they err together it says too little.
        """
        first, second = (c.predict(v) for c, v in zip(self.classifiers_, _views(one, two), strict=True))
        return float(np.mean(first != second))

    def predict_proba(self, one: ArrayLike, two: ArrayLike) -> Floats:
        """Return the product of both views' posteriors, normalized: (n, classes)."""
        views = _views(one, two)
        first, second = (c.predict_proba(v) for c, v in zip(self.classifiers_, views, strict=True))
        both = np.maximum(first * second, 1e-300)
        return np.asarray(both / both.sum(axis=1, keepdims=True))

    def predict(self, one: ArrayLike, two: ArrayLike) -> NDArray[Any]:
        """Return each row's class: (n,)."""
        return np.asarray(self.classes_[self.predict_proba(one, two).argmax(axis=1)])


def _views(one: ArrayLike, two: ArrayLike) -> tuple[Floats, Floats]:
    a, b = np.asarray(one, np.float64), np.asarray(two, np.float64)
    if a.ndim != 2 or b.ndim != 2 or len(a) != len(b) or not a.size or not b.size:
        raise BadInput("views", f"views of shapes {a.shape} and {b.shape} do not show the same things")
    if not np.isfinite(a).all() or not np.isfinite(b).all():
        raise BadInput("views", "a number is not finite")
    return a, b


METHOD = CoTraining
