"""Trust: what is likely to be true where many people claim things, and how far each of them is to be trusted.

One file a policy in ``methods``, found by its name; all work on arrays of claims and know nothing of stores or files.

>>> belief = infer(["a", "a", "a"], ["ann", "bob", "cy"], ["cat", "cat", "dog"], policy="majority")
>>> belief.to_dict(), belief.probability.round(2).tolist()
({'a': 'cat'}, [0.67, 0.33])
"""

from typing import Any

from numpy.typing import ArrayLike

from kgmm.families import Family
from kgmm.trust.belief import Belief, answered
from kgmm.trust.claims import Claims

DEFAULT = "shared-dawid-skene"  #: the policy where none is named
TABLES = ("dawid-skene", "shared-dawid-skene")  #: describe a contributor by a table of values
POLICIES = Family(f"{__name__}.methods", "policy")

__all__ = ["DEFAULT", "Belief", "Claims", "infer", "infer_claims", "policies"]


def policies() -> list[str]:
    """Return the names of all policies: the files of the folder, listed without importing them.

    >>> policies()
    ['beta-bernoulli', 'dawid-skene', 'hierarchy', 'majority', 'shared-dawid-skene']
    """
    return sorted(name.replace("_", "-") for name in POLICIES.names())


def infer(
    item: ArrayLike,
    contributor: ArrayLike,
    value: ArrayLike,
    *,
    confidence: ArrayLike | None = None,
    against: ArrayLike | None = None,
    policy: str = DEFAULT,
    open: bool = False,
    **options: Any,
) -> Belief:
    """Weigh claims: who (*contributor*) says that something (*item*) has which *value*.

    Args:
        item: names or numbers, shape (n,), as are contributor and value.
        contributor: who makes each claim.
        value: what is claimed; of an item one value is true, and with ``hierarchy`` all above it.
        confidence: how much of a claim each counts for, in (0, 1]; 1 if not given.
        against: whether a claim is that the value is *not* the item's.
        policy: one of :func:`policies`.
        open: whether values are no fixed set of labels, and none that is claimed may be true, as with facts; policies that
            describe contributors by tables of values then ask of each value by itself whether it is true.
        **options: the policy's own.

    Returns:
        The probability of each (item, value) pair that is claimed, and a report of each contributor.

    Raises:
        KgmmError: if there are no claims, arrays do not fit, or there is no such policy or option.

    Example:
        >>> said = [("1", "ann", "yes"), ("1", "bob", "no"), ("2", "ann", "no"), ("2", "cy", "no"), ("1", "cy", "yes")]
        >>> infer(*zip(*said)).to_dict()
        {'1': 'yes', '2': 'no'}
    """
    return infer_claims(Claims.of(item, contributor, value, confidence, against), policy, open, **options)


def infer_claims(claims: Claims, policy: str = DEFAULT, open: bool = False, **options: Any) -> Belief:
    """Weigh claims that are encoded already; see :func:`infer`."""
    plain = policy.lower().replace("_", "-")
    if plain not in policies():
        POLICIES.module(policy)  # raises, naming those there are
    weigh = POLICIES.module(plain.replace("-", "_")).infer
    given = POLICIES.options(plain, weigh, options)
    if open and plain in TABLES:
        return answered(weigh(claims.asked_singly(), **given), claims)
    found = weigh(claims, **given)
    assert isinstance(found, Belief)
    return found
