"""Measure every policy of trust on a crowd whose truth is known; the truth chooses nothing."""

import time
from typing import Any

from kgmm.data.crowd import Crowd
from kgmm.errors import KgmmError
from kgmm.trust import DEFAULT, Claims, infer_claims, policies


def evaluate(crowd: Crowd) -> dict[str, Any]:
    """Infer the truth by each policy and compare.

    Returns ``accuracy`` by policy and that of the ``default`` one: the share of items right among those that have both a
    truth and an answer; ``policy``, the default's name; ``seconds`` by policy; how many items are ``judged``, items,
    answers, contributors and values. KgmmError if no item has both.

    Example:
        >>> evaluate(Crowd(["1", "1", "1"], ["ann", "bob", "cy"], ["yes", "yes", "no"], {"1": "yes"}))["default"]
        1.0
    """
    claims = Claims.of(crowd.item, crowd.contributor, crowd.value)
    answered = set(crowd.item)
    known = {item: truth for item, truth in crowd.truth.items() if item in answered}
    if not known:
        raise KgmmError("no item has both an answer and a truth")
    accuracy, seconds = dict[str, float](), dict[str, float]()
    for policy in policies():
        start = time.perf_counter()
        found = infer_claims(claims, policy).to_dict()
        seconds[policy] = round(time.perf_counter() - start, 3)
        accuracy[policy] = sum(found[item] == truth for item, truth in known.items()) / len(known)
    return {
        "accuracy": accuracy,
        "default": accuracy[DEFAULT],
        "policy": DEFAULT,
        "seconds": seconds,
        "judged": len(known),
        "items": len(claims.items),
        "answers": len(claims),
        "contributors": len(claims.contributors),
        "values": len(claims.values),
    }
