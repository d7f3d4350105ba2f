"""What is believed after all claims were weighed: how likely each value is, and how far each contributor is to be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import beta

from kgmm.trust.claims import NO, YES, Claims, Floats, Ints

#: Beta(1, 1): what is known of a contributor before the first claim, for the interval of their reliability
BEFORE = 1.0


@dataclass(frozen=True, eq=False)
class Belief:
    """Probabilities of (item, value) pairs, and a report for each contributor.

    Of the m pairs that are claimed, and those that a policy finds likely though nobody claims them, ``item`` and ``value``
    (m,) are positions in ``items`` and ``values``, in order of items; ``probability`` (m,) is in
    [0, 1]. Of contributors (k,): ``claims`` is how many, ``reliability`` the expected share of right ones, ``low`` and
    ``high`` its 95 % interval, ``agreement`` the share of others' claims of the same items that say the same (nan where
    nobody else speaks).
    """

    policy: str
    items: NDArray[Any]
    values: NDArray[Any]
    item: Ints
    value: Ints
    probability: Floats
    contributors: NDArray[Any]
    claims: Ints
    reliability: Floats
    low: Floats
    high: Floats
    agreement: Floats

    def best(self) -> Ints:
        """Return the position of the likeliest value of each item, shape (items,); of equals the one that comes first."""
        order = np.lexsort((self.value, -self.probability, self.item))
        first = order[np.unique(self.item[order], return_index=True)[1]]
        return self.value[first]

    def to_dict(self) -> dict[Any, Any]:
        """Return the likeliest value of each item by name."""
        return dict(zip(self.items.tolist(), self.values[self.best()].tolist(), strict=True))

    def to_polars(self) -> pl.DataFrame:
        """Return columns item, value, probability."""
        columns = {"item": self.items[self.item].tolist(), "value": self.values[self.value].tolist()}
        return pl.DataFrame({**columns, "probability": self.probability})

    def report(self) -> pl.DataFrame:
        """Return a row for each contributor: contributor, claims, reliability, low, high, agreement."""
        columns = {"contributor": self.contributors.tolist(), "claims": self.claims, "reliability": self.reliability}
        return pl.DataFrame({**columns, "low": self.low, "high": self.high, "agreement": self.agreement})


def believed(
    policy: str, claims: Claims, probability: Floats, others: tuple[Ints, Ints, Floats] | None = None
) -> Belief:
    """Return the belief in which each of the claims' pairs has this *probability*, shape (pairs,).

    *others* are further pairs, which nobody claims: item, value and probability.
    """
    who, people = claims.contributor, len(claims.contributors)
    true = np.clip(probability[claims.pair], 0, 1)
    right = claims.sums(who, claims.confidence * np.where(claims.against, 1 - true, true), people)
    said = claims.sums(who, claims.confidence, people)
    item, value = claims.pair_item, claims.pair_value
    if others is not None:
        item, value = np.concatenate([item, others[0]]), np.concatenate([value, others[1]])
        probability = np.concatenate([probability, others[2]])
    order = np.lexsort((value, item))
    a, b = right + BEFORE, np.maximum(said - right, 0) + BEFORE
    return Belief(
        policy,
        claims.items,
        claims.values,
        item[order],
        value[order],
        probability[order],
        claims.contributors,
        np.bincount(who, minlength=people),
        right / said,
        beta.ppf(0.025, a, b),
        beta.ppf(0.975, a, b),
        _agreement(claims),
    )


def answered(singly: Belief, claims: Claims) -> Belief:
    """Return the belief about *claims* of what was found of them as yes-or-no questions."""
    yes, no = singly.value == YES, singly.value == NO
    probability = np.zeros(len(claims.pairs))
    probability[singly.item[no]] = 1 - singly.probability[no]  # what everybody denies has no answer "yes"
    probability[singly.item[yes]] = singly.probability[yes]
    whole = claims.sums(claims.pair_item, probability, len(claims.items))[claims.pair_item]
    return believed(singly.policy, claims, probability / np.maximum(whole, 1))  # one value of an item is true at most


def _agreement(claims: Claims) -> Floats:
    symbol = claims.pair * 2 + claims.against
    alike = np.bincount(symbol)[symbol] - 1
    others = np.bincount(claims.item)[claims.item] - 1
    met = claims.sums(claims.contributor, others.astype(np.float64), len(claims.contributors))
    same = claims.sums(claims.contributor, alike.astype(np.float64), len(claims.contributors))
    return np.asarray(np.divide(same, met, out=np.full(len(met), np.nan), where=met > 0))
