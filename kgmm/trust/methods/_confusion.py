"""The expectation maximization of Dawid and Skene: contributors as tables of what they say by what is true."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from kgmm.compiled import compiled
from kgmm.errors import KgmmError
from kgmm.trust.belief import Belief, believed
from kgmm.trust.claims import Claims, Floats, Ints

#: at most so many rounds, as crowd-kit does by default, or until probabilities move by less on the average
ROUNDS, CLOSE = 100, 1e-6
CELLS = 100_000_000  #: of all tables together: contributors x values x what can be said
WORTH_SAYING = 1e-3  #: a pair that nobody claims is part of what is believed from this probability on
LEAST = 1e-10  #: the least probability whose logarithm is taken

#: of counts (contributors, values, symbols) and which symbols are right (values, symbols), what is added to the counts
Prior = Callable[[Floats, NDArray[np.bool_]], Floats | float]


def believed_by_tables(policy: str, claims: Claims, prior: Prior) -> Belief:
    """Return the belief in which contributors are tables, see :func:`truth`; also in values that nobody claims.

    Where all who spoke always say the same, what they do not say may be likelier; such pairs are there from
    :data:`WORTH_SAYING` on.
    """
    likely = truth(claims, prior)
    probability = likely[claims.pair_item, claims.pair_value]
    likely[claims.pair_item, claims.pair_value] = 0
    item, value = np.nonzero(likely >= WORTH_SAYING)
    return believed(policy, claims, probability, (item, value, likely[item, value]))


def truth(claims: Claims, prior: Prior) -> Floats:
    """Return the probability of each value of each item, shape (items, values).

    E: log T_ij = log p_j + sum over claims of log pi^k_{j,said}; M: pi^k_{j,s} is proportional to what *prior* adds plus
    the sum of T_ij over the items of which k says s. What can be said of a value is the value, and, where anyone denies
    one, that it is not. Begins with the shares of :meth:`Claims.votes`. In log space, one pass over the claims
    a step, without random numbers.

    Raises:
        KgmmError: if the tables would have more than :data:`CELLS` cells.
    """
    items, people, values = len(claims.items), len(claims.contributors), len(claims.values)
    symbols = 2 * values if claims.against.any() else values
    if people * values * symbols > CELLS:
        raise KgmmError(
            f"{people} contributors and {values} values are too many for a table of each; ask of each value by itself"
            " (open=True), or use beta-bernoulli"
        )
    right = np.eye(values, symbols, dtype=np.bool_)
    if symbols > values:  # "not x" is right of every other value
        right[:, values:] = ~np.eye(values, dtype=np.bool_)
    order = np.argsort(claims.item, kind="stable")
    ends = np.cumsum(np.bincount(claims.item, minlength=items))
    said = (claims.contributor * symbols + claims.value + values * claims.against)[order]
    sure = claims.confidence[order]
    likely: Floats = _begin(claims)
    for _ in range(ROUNDS):
        counts = _counts(ends, said, sure, likely, people * symbols).reshape(people, symbols, values).transpose(0, 2, 1)
        table = counts + prior(counts, right)
        table = table / np.maximum(table.sum(2, keepdims=True), LEAST)
        log = np.log(np.maximum(table, LEAST)).transpose(0, 2, 1).reshape(people * symbols, values)
        share = np.log(np.maximum(likely.mean(0), LEAST))
        before, likely = likely, _posterior(ends, said, sure, log, share)
        if np.abs(likely - before).mean() < CLOSE:
            break
    return likely


@compiled
def _counts(ends: Ints, said: Ints, sure: Floats, likely: Floats, symbols: int) -> Floats:
    """Return how often each symbol was said where each value is true, shape (symbols of all, values)."""
    counts = np.zeros((symbols, likely.shape[1]))
    at = 0
    for item in range(len(ends)):
        while at < ends[item]:
            for value in range(likely.shape[1]):
                counts[said[at], value] += sure[at] * likely[item, value]
            at += 1
    return counts


@compiled
def _posterior(ends: Ints, said: Ints, sure: Floats, log: Floats, share: Floats) -> Floats:
    """Return the probability of each value of each item, shape (items, values), from log tables and log shares."""
    likely = np.empty((len(ends), len(share)))
    at = 0
    for item in range(len(ends)):
        most = -np.inf
        for value in range(len(share)):
            score = share[value]
            for claim in range(at, ends[item]):
                score += sure[claim] * log[said[claim], value]
            likely[item, value] = score
            most = max(most, score)
        at, whole = ends[item], 0.0
        for value in range(len(share)):
            likely[item, value] = np.exp(likely[item, value] - most)
            whole += likely[item, value]
        for value in range(len(share)):
            likely[item, value] /= whole
    return likely


def _begin(claims: Claims) -> Floats:
    """Return the shares of votes (items, values); an item that has only denials begins alike for what is not denied."""
    likely = np.zeros((len(claims.items), len(claims.values)))
    likely[claims.pair_item, claims.pair_value] = claims.votes()
    whole = likely.sum(1, keepdims=True)
    without = np.flatnonzero(whole[:, 0] == 0)
    if len(without):
        likely[without] = 1.0
        denied = np.isin(claims.pair_item, without)
        likely[claims.pair_item[denied], claims.pair_value[denied]] = 1.0 / len(claims.values)
        whole = likely.sum(1, keepdims=True)
    return np.asarray(likely / whole)
