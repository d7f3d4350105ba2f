"""CBT: a codebook of rating patterns carried to another domain, no user or item being in both (Li, Yang, Xue, IJCAI 2009)."""

import numpy as np
from numpy.typing import NDArray

from kgmm.recommend.base import Rows
from kgmm.recommend.cross import CrossRecommender
from kgmm.recommend.ratings import Ratings


class CodebookTransfer(CrossRecommender):
    """The source's users and items are clustered; the means of its blocks, B, are the codebook; the target is U B Vᵀ, rows one-hot.

    min ‖[X - U B Vᵀ] ∘ M‖²_F over memberships U and V: each user, then each item, takes the cluster with the least error; the
    objective never rises. The source's missing ratings are filled by damped means; its rows and columns are clustered by
    k-means in turn, where the paper factorizes into three.

    Args:
        user_clusters: rows of the codebook; at most as many as the source's users.
        item_clusters: columns.
        turns: of both memberships, at most.
        seed: of the first centres.
    """

    def __init__(self, user_clusters: int = 20, item_clusters: int = 20, turns: int = 30, seed: int = 0) -> None:
        self.user_clusters, self.item_clusters, self.turns, self.seed = user_clusters, item_clusters, turns, seed

    def _fit(self, ratings: Ratings) -> None:
        B = self._codebook(self._source)
        rng = np.random.default_rng(self.seed)
        users, items = len(ratings.users), len(ratings.items)
        value = ratings.value.astype(np.float64)
        v = rng.integers(0, B.shape[1], items)
        u = np.zeros(users, np.int64)
        self.losses: list[float] = []
        for _ in range(self.turns):
            u = _nearest(ratings.user, B[:, v[ratings.item]], value, users)
            v = _nearest(ratings.item, B[u[ratings.user]].T, value, items)
            self.losses.append(float(((value - B[u[ratings.user], v[ratings.item]]) ** 2).sum()))
            if len(self.losses) > 1 and self.losses[-2] - self.losses[-1] < 1e-9:
                break
        self.user_factors, self.item_factors = B[u].astype(np.float32), np.eye(B.shape[1], dtype=np.float32)[v]
        self.user_bias, self.item_bias = np.zeros(users, np.float32), np.zeros(items, np.float32)
        self.mean, self.codebook = np.zeros(1, np.float32), B.astype(np.float32)

    learned = (*CrossRecommender.learned, "codebook")

    def _codebook(self, source: Ratings) -> Rows:
        from kgmm.recommend.recommenders.item_mean import ItemMean

        model = ItemMean().fit(source)
        X = model.mean[0] + model.user_bias[:, None] + model.item_bias[None, :]
        X = X.astype(np.float64)
        X[source.user, source.item] = source.value
        k, m = min(self.user_clusters, len(source.users)), min(self.item_clusters, len(source.items))
        rows = _clusters(X, k, self.seed)
        columns = _clusters(X.T, m, self.seed)
        for _ in range(3):  # each side by the means of the other's clusters
            rows = _clusters(X @ _shares(columns, m), k, self.seed)
            columns = _clusters((_shares(rows, k).T @ X).T, m, self.seed)
        codebook: Rows = _shares(rows, k).T @ X @ _shares(columns, m)
        return codebook

    def _placed(self, items: NDArray[np.int32], values: Rows) -> tuple[Rows, float]:
        columns = self.codebook[:, self.item_factors[items].argmax(1)]
        return self.codebook[((columns - values) ** 2).sum(1).argmin()], 0.0

    def _item_placed(self, users: NDArray[np.int32], values: Rows) -> tuple[Rows, float]:
        errors = ((self.user_factors[users] - values[:, None]) ** 2).sum(0)
        return np.eye(len(errors), dtype=np.float32)[errors.argmin()], 0.0


def _nearest(group: NDArray[np.int32], wanted: Rows, value: Rows, count: int) -> NDArray[np.int64]:
    """For each group the row of *wanted* (clusters, ratings) whose squared errors over the group's ratings are least."""
    errors = np.stack([np.bincount(group, (row - value) ** 2, count) for row in wanted])
    nearest: NDArray[np.int64] = errors.argmin(0)
    return nearest


def _shares(cluster: NDArray[np.int64], count: int) -> Rows:
    """(n, count): one over the size of a row's cluster in its column, so that products are means."""
    one = np.eye(count)[cluster]
    shares: Rows = one / np.maximum(one.sum(0), 1)
    return shares


def _clusters(X: Rows, count: int, seed: int) -> NDArray[np.int64]:
    from sklearn.cluster import KMeans

    found: NDArray[np.int64] = KMeans(count, n_init=3, random_state=seed).fit_predict(X).astype(np.int64)
    return found


METHOD = CodebookTransfer
