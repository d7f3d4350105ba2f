"""Dawid–Skene: each contributor a table of what they say by what is true, by maximum likelihood (Dawid & Skene 1979)."""

from kgmm.trust.belief import Belief
from kgmm.trust.claims import Claims
from kgmm.trust.methods._confusion import believed_by_tables


def infer(claims: Claims) -> Belief:
    """Return the posterior of each value after expectation maximization from the shares of votes."""
    return believed_by_tables("dawid-skene", claims, lambda counts, right: 0.0)
