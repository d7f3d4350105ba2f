"""Dawid–Skene with a prior that contributors share, so that who said little is taken for one of the crowd.

Tables of what people say have K·L·(L-1) free entries (K people, L values); where answers are few for that, maximum
likelihood (Dawid & Skene 1979) fits chance. Here the rows of all tables have one Dirichlet prior (as in Kim & Ghahramani,
AISTATS 2012, section 2), whose mean is re-estimated with the tables: the crowd's share of right answers, wrong ones spread
evenly. Its weight, in answers for each row, grows with the entries that each answer has to pay for, as shrinkage does:
LEAST + SHARE · K·L·(L-1) / n.
"""

import numpy as np
from numpy.typing import NDArray

from kgmm.trust.belief import Belief
from kgmm.trust.claims import Claims, Floats
from kgmm.trust.methods._confusion import believed_by_tables

LEAST, SHARE = 0.25, 2.0


def infer(claims: Claims) -> Belief:
    """Return the posterior of each value after expectation maximization from the shares of votes."""
    values = len(claims.values)
    entries = len(claims.contributors) * values * (values - 1)
    weight = LEAST + SHARE * entries / len(claims)

    def prior(counts: Floats, right: NDArray[np.bool_]) -> Floats:
        share = (counts.sum(0) * right).sum() / counts.sum()
        kinds = right.sum(1, keepdims=True), (~right).sum(1, keepdims=True)
        mean = np.where(right, share / kinds[0], (1 - share) / np.maximum(kinds[1], 1))
        return np.asarray(weight * mean)

    return believed_by_tables("shared-dawid-skene", claims, prior)
