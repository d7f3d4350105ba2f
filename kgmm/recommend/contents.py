"""What recommenders by contents share: terms of items, and users' vectors over what the items are, in one domain or two."""

from __future__ import annotations

import json
import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import BadInput, KgmmError
from kgmm.recommend.adding import NewItems
from kgmm.recommend.base import FactorRecommender, Rows
from kgmm.recommend.cross import CrossRecommender
from kgmm.recommend.factors import damped
from kgmm.recommend.ratings import Ratings


def counted(contents: Mapping[str, Any], items: Sequence[str], most: int) -> tuple[Any, list[str]]:
    """Return counts (items, terms), sparse, of the *most* terms that are in most items, and the terms.

    Args:
        contents: of an item: a text, tags, or tags with weights that are not negative.
        items: names; those without contents have an empty row.

    Raises:
        KgmmError: if no item has contents, or a weight is negative or no finite number.

    Example:
        >>> counts, terms = counted({"Alien": "in space, in fear", "Emma": ["love"]}, ["Alien", "Emma"], 10)
        >>> terms, counts.toarray().tolist()
        (['fear', 'in', 'love', 'space'], [[1.0, 2.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0]])
    """
    bags = [_bag(contents.get(item, ()), item) for item in items]
    spread = Counter(term for bag in bags for term in bag)
    if not spread:
        raise KgmmError("no rated item has contents; contents name items as the ratings do")
    terms = sorted(sorted(spread, key=lambda term: (-spread[term], term))[:most])
    return _table(bags, terms), terms


def _table(bags: Sequence[Mapping[str, float]], terms: Sequence[str]) -> Any:
    from scipy.sparse import csr_matrix

    number = {term: n for n, term in enumerate(terms)}
    found = [(n, number[t], value) for n, bag in enumerate(bags) for t, value in bag.items() if t in number]
    row, column = (np.array([one[at] for one in found], np.int64) for at in (0, 1))
    value = np.array([one[2] for one in found], np.float64)
    return csr_matrix((value, (row, column)), shape=(len(bags), len(terms)))


def _bag(content: Any, item: str) -> Mapping[str, float]:
    if isinstance(content, str):
        return Counter(re.findall(r"\w+", content.lower()))
    if not isinstance(content, Mapping):
        return Counter(map(str, content))
    bag = {str(term): float(value) for term, value in content.items()}
    if not all(np.isfinite(value) and value >= 0 for value in bag.values()):
        raise KgmmError(f"a weight of {item}'s contents is negative or no finite number")
    return bag


class ContentRecommender(CrossRecommender):
    """A user's vector is over what items are; r ≈ μ + b_i + b_u + user · item, with damped means b_i (``item-mean``).

    What an item is stands in one space for the items of both domains, so a user's ratings in either make one vector.
    """

    learned = (*CrossRecommender.learned, "terms")
    terms: NDArray[np.uint8]

    #: terms of each kind of content, at most
    most = 2000
    share: float

    def fit(self, ratings: Any, source: Any = None, contents: Any = None) -> Self:
        """Learn from ratings, those of a source if there is one, and what the items of both are.

        Args:
            ratings: of the domain to recommend in.
            source: ratings of another.
            contents: item -> text, tags, or tags with weights; or a list of such mappings, one for each modality.

        Raises:
            BadInput: if there are no ratings, or one is no finite number.
            KgmmError: if there are no contents.
        """
        kinds = [contents] if isinstance(contents, Mapping) else list(contents or ())
        if not kinds:
            raise KgmmError(f"the recommender {self.name} learns what items are: fit(ratings, contents={{item: text}})")
        self._kinds = kinds
        self._other = None if source is None else Ratings.of(source, "ratings of the source")
        FactorRecommender.fit(self, ratings)
        del self._kinds, self._other
        return self

    def _fit(self, ratings: Ratings) -> None:
        row = {name: n for n, name in enumerate(ratings.items)}
        who = {name: n for n, name in enumerate(ratings.users)}
        domains = [(ratings, 1.0)] + ([(self._other, self.share)] if self._other is not None else [])
        user, item, left, share = [], [], [], []
        for rated, weight in domains:
            mean = np.array([rated.value.mean(dtype=np.float64)], np.float32)
            bias = damped(rated.item, rated.value - mean[0], len(rated.items))
            left.append(rated.value - mean[0] - bias[rated.item])
            user.append(np.array([who.setdefault(name, len(who)) for name in rated.users])[rated.user])
            item.append(np.array([row.setdefault(name, len(row)) for name in rated.items])[rated.item])
            share.append(np.full(len(rated), weight))
            if rated is ratings:
                self.mean, self.item_bias = mean, bias
        counts, terms = zip(*(counted(kind, list(row), self.most) for kind in self._kinds), strict=True)
        self.terms = np.frombuffer(json.dumps(terms).encode(), np.uint8)
        own = np.arange(len(row)) < len(ratings.items)
        there = np.isin(np.arange(len(row)), np.concatenate(item[1:])) if len(item) > 1 else ~own
        F = self._features(list(counts), own, there)
        rows = [np.concatenate(part) for part in (user, item, left, share)]
        order = np.argsort(rows[0], kind="stable")
        _, i, r, s = (part[order] for part in rows)
        ends = np.cumsum(np.bincount(rows[0], minlength=len(who)))[:-1]
        parts = zip(np.split(i, ends), np.split(r, ends), np.split(s, ends), strict=True)
        vectors = np.stack([self._vector(F[a], b.astype(np.float64), c) for a, b, c in parts])
        self.user_factors, self.user_bias = vectors[:, :-1].astype(np.float32), vectors[:, -1].astype(np.float32)
        self.item_factors = F[: len(ratings.items)].astype(np.float32)
        self._also(list(who)[len(ratings.users) :])

    def _placed(self, items: NDArray[np.int32], values: Rows) -> tuple[Rows, float]:
        left = (values - self.mean[0] - self.item_bias[items]).astype(np.float64)
        vector = self._vector(self.item_factors[items].astype(np.float64), left, np.ones(len(items)))
        return vector[:-1].astype(np.float32), float(vector[-1])

    def _takes(self, kinds: list[dict[str, Any]]) -> None:
        if len(kinds) != len(self._known_terms()):
            raise KgmmError(f"contents of {len(kinds)} kinds are given; it learned from {len(self._known_terms())}")

    def _known_terms(self) -> list[list[str]]:
        found: list[list[str]] = json.loads(self.terms.tobytes())
        return found

    def _check(self, path: str | Path) -> None:
        super()._check(path)
        try:
            terms = self._known_terms()
        except ValueError as error:
            raise BadInput(path, f"its terms cannot be read: {error}") from error
        if not isinstance(terms, list) or not all(isinstance(t, str) for kind in terms for t in kind):
            raise BadInput(path, "its terms are no lists of texts")

    def _added(self, new: NewItems, kinds: list[dict[str, Any]]) -> None:
        terms = self._known_terms()
        kinds = kinds or [{} for _ in terms]
        bags = [[_bag(kind.get(item, ()), item) for item in new.names] for kind in kinds]
        counts = [_table(mine, words) for mine, words in zip(bags, terms, strict=True)]
        try:
            F = self._mapped(counts)
        except (ValueError, IndexError) as error:  # of a file that was put together by hand
            raise KgmmError(f"the model's map of contents does not fit its terms: {error}") from error
        item = np.repeat(np.arange(len(new.names), dtype=np.int32), new.counts)
        self._appended(F, damped(item, new.values - self.mean[0], len(new.names)))

    @abstractmethod
    def _mapped(self, counts: list[Any]) -> Rows:
        """Return what new items of the target are (items, k), of counts by the terms that were learned from."""

    @abstractmethod
    def _features(self, counts: list[Any], target: NDArray[np.bool_], source: NDArray[np.bool_]) -> Rows:
        """Return what items are (items, k), of counts (items, terms) per modality; masks say whose domain an item is of."""

    @abstractmethod
    def _vector(self, F: Rows, left: Rows, share: Rows) -> Rows:
        """Return a user's vector (k + 1), the bias last, by their items (n, k), what is left of ratings, and its shares."""


class TopicRecommender(ContentRecommender):
    """A user's vector over topics is the ridge regression of what is left of their ratings: (Fᵀ S F + weight)⁻¹ Fᵀ S r."""

    weight: float

    def _vector(self, F: Rows, left: Rows, share: Rows) -> Rows:
        wide = np.column_stack([F, np.ones(len(F))])
        matrix = wide.T @ (share[:, None] * wide) + self.weight * np.eye(wide.shape[1])
        found: Rows = np.linalg.solve(matrix, wide.T @ (share * left))
        return found
