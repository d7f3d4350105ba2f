"""Majority: the share of claims that a value has, each as much as its confidence; the baseline of truth inference."""

from kgmm.trust.belief import Belief, believed
from kgmm.trust.claims import Claims


def infer(claims: Claims) -> Belief:
    """Return for each value the share of what is said of its item and against it that speaks for it."""
    return believed("majority", claims, claims.votes())
