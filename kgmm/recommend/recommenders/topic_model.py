"""Topics of several modalities, some common to both platforms, some of each alone (in the spirit of Min et al., 2015)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.recommend.base import Rows
from kgmm.recommend.contents import TopicRecommender
from kgmm.recommend.joint import summed


class ModalTopics(TopicRecommender):
    """An item's shares θ of topics draw its words of every modality m, from φ^m; an item of one platform has no topic of the other.

    max Σ_m Σ_iw c^m_iw ln Σ_k θ_ik φ^m_kw + alpha Σ ln θ + beta Σ ln φ, by expectation maximization, which never lowers it; the
    paper samples, and has users' own documents.

    Args:
        common: topics of both platforms.
        own: topics of each alone.
        alpha: pseudo-counts of an item's topics, above 0.
        beta: of a topic's words, above 0.
        share: of the source's ratings.
        weight: of the squares of a user's vector.
        turns: of expectation and maximization.
        seed: of the first topics.
    """

    def __init__(
        self, common: int = 8, own: int = 2, alpha: float = 0.1, beta: float = 0.05, share: float = 1.0,
        weight: float = 0.3, turns: int = 100, seed: int = 0,
    ) -> None:  # fmt: skip
        self.common, self.own, self.alpha, self.beta = common, own, alpha, beta
        self.share, self.weight, self.turns, self.seed = share, weight, turns, seed

    learned = (*TopicRecommender.learned, "phi")
    phi: Rows

    def _features(self, counts: list[Any], target: NDArray[np.bool_], source: NDArray[np.bool_]) -> Rows:
        rng = np.random.default_rng(self.seed)
        n = len(target)
        allowed = np.column_stack(
            [
                np.ones((n, self.common)),
                np.repeat(target[:, None], self.own, 1),
                np.repeat(source[:, None], self.own, 1),
            ]
        )
        theta = allowed * rng.uniform(0.5, 1.5, allowed.shape)
        theta /= theta.sum(1, keepdims=True)
        phi = [rng.dirichlet(np.ones(one.shape[1]), allowed.shape[1]) for one in counts]
        cells = [one.tocoo() for one in counts]
        self.losses: list[float] = []
        for _ in range(self.turns):
            loss = -self.alpha * float(np.log(theta[allowed > 0]).sum())
            grown, words = self.alpha * allowed, []
            for one, p in zip(cells, phi, strict=True):
                loss -= self.beta * float(np.log(p).sum())
                a, b = theta[one.row], p[:, one.col].T
                q = np.einsum("nk,nk->n", a, b)
                loss -= float(one.data @ np.log(q))
                expected = a * b * (one.data / q)[:, None]
                grown = grown + summed(one.row, expected, n)
                fresh = self.beta + summed(one.col, expected, p.shape[1]).T
                words.append(fresh / fresh.sum(1, keepdims=True))
            self.losses.append(loss)
            theta, phi = grown / grown.sum(1, keepdims=True), words
        self.phi = np.column_stack(phi).astype(np.float32)
        return theta

    def _mapped(self, counts: list[Any]) -> Rows:
        from scipy.sparse import hstack

        words = hstack(counts).tocoo()
        allowed = np.ones((words.shape[0], self.common + 2 * self.own))
        allowed[:, self.common + self.own :] = 0  # the source's own
        theta = allowed / allowed.sum(1, keepdims=True)
        for _ in range(self.turns):
            both = theta[words.row] * self.phi[:, words.col].T
            expected = both * (words.data / np.maximum(both.sum(1), 1e-300))[:, None]
            theta = self.alpha * allowed + summed(words.row, expected, len(theta))
            theta = theta / theta.sum(1, keepdims=True)
        found: Rows = theta
        return found


METHOD = ModalTopics
