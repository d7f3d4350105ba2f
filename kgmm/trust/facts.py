"""Claims that are facts: which of them rule each other out, follow from each other and bear each other out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from kgmm.errors import KgmmError
from kgmm.trust import DEFAULT, Belief, Claims, infer_claims
from kgmm.trust.claims import Floats, Ints, coded
from kgmm.trust.methods.hierarchy import above

#: relations that hold of what lies above an object if they hold of the object: in a kitchen is in a room
UPWARD = ("IsA", "InstanceOf", "AtLocation", "PartOf", "HasA", "MadeOf")
USES_STORE = "hierarchy"  #: the policy that knows what lies above what, and that relations bear each other out


def infer_facts(
    subject: ArrayLike,
    predicate: ArrayLike,
    object: ArrayLike,
    contributor: ArrayLike,
    *,
    confidence: ArrayLike | None = None,
    against: ArrayLike | None = None,
    policy: str = DEFAULT,
    functional: Collection[Any] = (),
    parents: Iterable[tuple[Any, Any]] = (),
    upward: Collection[Any] = UPWARD,
) -> tuple[Floats, Belief]:
    """Weigh assertions of facts: names or numbers, arrays of one length n; see :func:`kgmm.trust.infer`.

    A fact is a question of its own, true or not; but of a subject with a *functional* relation one object is true at most, so that
    to claim one is to speak against the others. Where nobody contests a fact, policies by tables believe it; ``beta-bernoulli``
    and ``hierarchy`` believe it as far as they trust who claims it. With ``hierarchy`` facts about the same two things in different
    relations bear each other out, and a fact in an *upward* relation is at least as likely as one whose object lies below its own.

    Args:
        subject, predicate, object, contributor: the facts, and who claims each.
        confidence: as in infer, and so are against and policy.
        functional: relations that have one object for each subject.
        parents: (object, what lies above it), such as the IsA facts of a store; for ``hierarchy``.
        upward: relations that hold of what lies above.

    Returns:
        The probability of each claim's fact, shape (n,), which is that of the fact also where the claim denies it; and the belief,
        whose contributors carry the reports. Its items are numbers.

    Raises:
        KgmmError: as infer.

    Example:
        >>> said = [("x", "IsA", "dog", "ann"), ("x", "IsA", "dog", "bob"), ("x", "IsA", "mammal", "cy"), ("y", "IsA", "cat", "cy")]
        >>> likely, _ = infer_facts(*zip(*said), policy="hierarchy", parents=[("dog", "mammal")])
        >>> bool(likely[0] == likely[1] <= likely[2]), bool(likely[3] < likely[0])
        (True, True)
    """
    (_, s), (relations, p), (objects, o) = coded(subject), coded(predicate), coded(object)
    if not len(s) == len(p) == len(o):
        raise KgmmError(f"facts need arrays of one length, not {len(s)}, {len(p)}, {len(o)}")
    single = np.isin(relations, list(functional))[p] if len(functional) else np.zeros(len(p), np.bool_)
    question = s * max(len(relations), 1) + p
    fact = question * max(len(objects), 1) + o
    item = np.where(single, 2 * question, 2 * fact + 1)
    value = np.where(single, o + 1, 0)  # 0: that it is so
    claims = Claims.of(item, contributor, value, confidence, against)
    if policy.lower() != USES_STORE:
        belief = infer_claims(claims, policy, open=True)
        return _of_claims(claims, belief), belief
    over = above(objects, parents)
    n = len(objects)
    belief = infer_claims(
        claims,
        policy,
        about=s * n + o,
        parents=[(int(low) + 1, int(high) + 1) for low, high in zip(over // n, over % n, strict=True)],
    )
    likely = _of_claims(claims, belief)
    return _upward(likely, question, o, np.isin(relations, list(upward))[p], over, n), belief


def _of_claims(claims: Claims, belief: Belief) -> Floats:
    """Return the probability of each claim's pair, found in the belief's pairs."""
    pairs = belief.item * len(claims.values) + belief.value
    return np.asarray(belief.probability[np.searchsorted(pairs, claims.coded)])


def _upward(likely: Floats, question: Ints, object: Ints, upward: Any, over: Ints, n: int) -> Floats:
    """Return probabilities none of which is below that of a fact it follows from."""
    if not len(over) or not upward.any():
        return likely
    best = dict[tuple[int, int], float]()
    rows = np.flatnonzero(upward)
    for q, o, p in zip(question[rows].tolist(), object[rows].tolist(), likely[rows].tolist(), strict=True):
        best[q, o] = max(best.get((q, o), 0.0), p)
    raised = dict(best)
    higher: dict[int, list[int]] = {}
    for number in over.tolist():
        higher.setdefault(number // n, []).append(number % n)
    for (q, o), p in best.items():
        for up in higher.get(o, ()):
            if (q, up) in raised:
                raised[q, up] = max(raised[q, up], p)
    likely = likely.copy()
    likely[rows] = [raised[q, o] for q, o in zip(question[rows].tolist(), object[rows].tolist(), strict=True)]
    return likely
