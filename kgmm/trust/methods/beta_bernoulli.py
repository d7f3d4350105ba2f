"""Beta–Bernoulli: a contributor is right with a probability of their own, Beta-distributed beforehand.

One coin for each contributor (the one-coin model of Ghosh et al., EC 2011, for several values): r_k ~ Beta(RIGHT, WRONG);
a claim names the truth with r_k, else one of the other m - 1 values alike; a denial of a value is right with r_k.
Expectation maximization with the mean of each posterior. What nobody claims may be true too, so that a lone claim is as
likely as its contributor is right.
"""

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import KgmmError
from kgmm.trust.belief import Belief, believed
from kgmm.trust.claims import Claims

RIGHT, WRONG = 4.0, 1.0  #: who is not known is right four times of five, as sure as five claims would make it
ROUNDS, CLOSE = 200, 1e-6


def infer(claims: Claims, right: float = RIGHT, wrong: float = WRONG) -> Belief:
    """Return the posterior of each value; *right* and *wrong* are the parameters of the Beta prior.

    There are as many values to choose from as all claims name, and two at least. KgmmError if a parameter is not above 0.
    """
    if min(right, wrong) <= 0:
        raise KgmmError(f"the parameters of a Beta prior are above 0, not {right} and {wrong}")
    people, m = len(claims.contributors), max(len(claims.values), 2)
    said = claims.sums(claims.contributor, claims.confidence, people)
    likely = claims.votes()
    for _ in range(ROUNDS):
        true = likely[claims.pair]
        good = claims.sums(claims.contributor, claims.confidence * np.where(claims.against, 1 - true, true), people)
        r = np.clip((good + right) / (said + right + wrong), 1e-9, 1 - 1e-9)[claims.contributor]
        gain = np.where(claims.against, np.log1p(-r) - np.log(r), np.log(r) - np.log1p(-r) + np.log(m - 1))
        score = claims.sums(claims.pair, claims.confidence * gain, len(claims.pairs))
        before, likely = likely, among(claims, score, m)
        if np.abs(likely - before).max() < CLOSE:
            break
    return believed("beta-bernoulli", claims, likely)


def among(claims: Claims, score: NDArray[np.float64], m: int) -> NDArray[np.float64]:
    """Return the probability of each pair from its log *score*, among *m* values; those that no one names score 0."""
    at, items = claims.pair_item, len(claims.items)
    top = np.zeros(items)
    np.maximum.at(top, at, score)
    rest = np.maximum(m - np.bincount(at, minlength=items), 0) * np.exp(-top)
    share = np.exp(score - top[at])
    return np.asarray(share / (claims.sums(at, share, items) + rest)[at])
