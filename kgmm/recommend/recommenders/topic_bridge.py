"""A bridge of topics from texts to items of another domain (in the spirit of Roy et al., 2012)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import KgmmError
from kgmm.recommend.base import Rows
from kgmm.recommend.contents import TopicRecommender


class TopicBridge(TopicRecommender):
    """Topics of all items' terms, of both domains, are one space; a user's ratings in either make a vector over topics.

    The paper learns topics from a stream; here they are those of LDA, or of non-negative factorization, by scikit-learn.

    Args:
        topics: how many.
        by: ``lda`` or ``nmf``.
        share: of the source's ratings.
        weight: of the squares of a user's vector.
        turns: over the items.
        seed: of the first topics.
    """

    def __init__(
        self, topics: int = 10, by: str = "lda", share: float = 1.0, weight: float = 0.3, turns: int = 30, seed: int = 0
    ) -> None:
        if by not in ("lda", "nmf"):
            raise KgmmError(f"topics are found by lda or nmf, not {by!r}")
        self.topics, self.by, self.share, self.weight = topics, by, share, weight
        self.turns, self.seed = turns, seed

    learned = (*TopicRecommender.learned, "components")
    components: Rows

    def _features(self, counts: list[Any], target: NDArray[np.bool_], source: NDArray[np.bool_]) -> Rows:
        from scipy.sparse import hstack
        from sklearn.decomposition import NMF, LatentDirichletAllocation

        terms = hstack(counts).tocsr()
        model: Any = LatentDirichletAllocation(self.topics, max_iter=self.turns, random_state=self.seed)
        if self.by == "nmf":
            count = min(self.topics, *terms.shape)
            model = NMF(count, init="nndsvda", max_iter=10 * self.turns, tol=1e-3, random_state=self.seed)
        F = model.fit_transform(terms)
        self.components = model.components_.astype(np.float32)
        return self._shares(F, terms)

    def _mapped(self, counts: list[Any]) -> Rows:
        from scipy.optimize import nnls
        from scipy.sparse import hstack

        terms = hstack(counts).tocsr()
        C = self.components.astype(np.float64)
        if self.by == "nmf":
            F = np.stack([nnls(C.T, row)[0] for row in terms.toarray()])
        else:
            F = np.stack([_topics_of(row, C) for row in terms.toarray()])
        return self._shares(F, terms)

    def _shares(self, F: Rows, terms: Any) -> Rows:
        F = np.where(np.asarray(terms.sum(1)) > 0, F, 0)
        shares: Rows = F / np.maximum(F.sum(1, keepdims=True), 1e-12)
        return shares


def _topics_of(row: Rows, components: Rows, turns: int = 100) -> Rows:
    """A new item's topics by the variational bound of Hoffman, Blei, Bach (NIPS 2010), topics held; as scikit-learn's transform."""
    from scipy.special import digamma

    known = np.flatnonzero(row)
    topics = np.exp(digamma(components) - digamma(components.sum(1, keepdims=True)))[:, known]
    prior, mine = 1 / len(components), np.ones(len(components))
    for _ in range(turns):
        before = mine
        share = np.exp(digamma(mine) - digamma(mine.sum()))
        mine = prior + share * (topics @ (row[known] / (share @ topics + 1e-12)))
        if np.abs(mine - before).mean() < 1e-3:
            break
    return mine


METHOD = TopicBridge
