"""Hierarchy: values lie above each other, so that "dog" speaks for "mammal", and relations bear each other out.

A contributor names the truth itself, something above it, or something wrong: three shares with a Dirichlet prior (Jung, Kim &
Shim, "Crowdsourced truth discovery in the presence of hierarchies for knowledge fusion", EDBT 2019, Eq. 1). A value is
true if it is the truth or lies above it. That another relation between the same things is claimed as well is one more
witness, whose worth is learned as a contributor's is: how often it stands by what is true, and by what is not; it never
speaks against a fact.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kgmm.errors import KgmmError
from kgmm.trust.belief import Belief, believed
from kgmm.trust.claims import Claims, Floats, Ints
from kgmm.trust.methods.beta_bernoulli import among

EXACT, ABOVE, WRONG = 4.0, 1.0, 1.0  #: the Dirichlet prior: what contributors do, as sure as six claims would make it
ROUNDS, CLOSE = 200, 1e-6


def infer(claims: Claims, parents: Iterable[tuple[Any, Any]] = (), about: ArrayLike | None = None) -> Belief:
    """Return for each value how likely it is to be true: the truth itself, or above it.

    Args:
        claims: of each item one most special value is true.
        parents: (value, value above it), such as IsA facts; only what the claims name, and what lies between, matters.
        about: for each claim, what it is about apart from its relation, such as its subject and object in one string;
            claims of different items about the same thing bear each other out.

    Raises:
        KgmmError: if *about* is of another length than the claims.

    Example:
        >>> said = Claims.of(["it"] * 3, ["ann", "bob", "cy"], ["dog", "mammal", "cat"])
        >>> belief = infer(said, parents=[("dog", "mammal"), ("cat", "mammal")])
        >>> dict(zip(said.values[belief.value], belief.probability.round(2).tolist()))
        {'cat': 0.42, 'dog': 0.42, 'mammal': 1.0}
    """
    over = above(claims.values, parents)
    borne = _borne_out(claims, about)
    rows, truths = claims.candidates()
    kinds, higher = _kinds(claims, over, rows, truths)
    alone = not len(over)
    prior = np.array([EXACT, 0.0 if alone else ABOVE, WRONG])
    m, pairs, people = max(len(claims.values), 2), len(claims.pairs), len(claims.contributors)
    said = claims.sums(claims.contributor, claims.confidence, people)
    who, sure, denied = claims.contributor[rows], claims.confidence[rows], claims.against[rows]
    likely = claims.votes()
    for _ in range(ROUNDS):
        shares = _shares(claims, likely, rows, truths, kinds, prior, said)
        exact, higher_up, wrong = (np.maximum(shares[:, kind], 1e-9)[who] for kind in range(3))
        miss = np.log(wrong) - np.log(m - 1)
        gain = np.where(kinds == 0, np.log(exact) - miss, 0.0)
        gain = np.where(kinds == 1, np.log(higher_up / higher) - miss, gain)
        no = np.where(kinds == 2, 0.0, np.log(wrong) - np.log1p(-wrong))
        score = claims.sums(truths, sure * np.where(denied, no, gain), pairs) + _witness(borne, likely)
        before, likely = likely, among(claims, score, m)
        if np.abs(likely - before).max() < CLOSE:
            break
    return believed("hierarchy", claims, np.minimum(likely + _below(claims, over, likely), 1.0))


def above(values: NDArray[Any], parents: Iterable[tuple[Any, Any]]) -> Ints:
    """Return sorted numbers lower * len(values) + higher, positions of values of which the second lies above the first.

    >>> above(np.array(["animal", "dog"]), [("dog", "mammal"), ("mammal", "animal")]).tolist()
    [2]
    """
    direct: dict[Any, list[Any]] = {}
    for child, parent in parents:
        direct.setdefault(child, []).append(parent)
    code: Mapping[Any, int] = {name: at for at, name in enumerate(values.tolist())}
    found = set[int]()
    for name, at in code.items():
        seen, ahead = {name}, list(direct.get(name, ()))
        while ahead:
            higher = ahead.pop()
            if higher not in seen:
                seen.add(higher)
                ahead += direct.get(higher, ())
        found.update(at * len(code) + code[other] for other in seen if other != name and other in code)
    return np.array(sorted(found), np.int64)


def _member(numbers: Ints, ordered: Ints) -> NDArray[np.bool_]:
    if not len(ordered):
        return np.zeros(len(numbers), np.bool_)
    at = np.minimum(np.searchsorted(ordered, numbers), len(ordered) - 1)
    return np.asarray(ordered[at] == numbers)


def _kinds(claims: Claims, over: Ints, rows: Ints, truths: Ints) -> tuple[Ints, Floats]:
    """Of each claim if each pair of its item were the truth: 0 exact, 1 above it, 2 wrong; how many lie above it."""
    n = len(claims.values)
    value, truth = claims.value[rows], claims.pair_value[truths]
    kinds = np.where(value == truth, 0, np.where(_member(truth * n + value, over), 1, 2))
    lower = over // n if len(over) else over
    return kinds, np.maximum(np.bincount(lower, minlength=n), 1)[truth].astype(np.float64)


def _shares(
    claims: Claims, likely: Floats, rows: Ints, truths: Ints, kinds: Ints, prior: Floats, said: Floats
) -> Floats:
    """Return how often each contributor is exact, above, wrong: shape (contributors, 3), rows sum to 1."""
    people = len(said)
    weight = likely[truths] * claims.confidence[rows]
    # a denial of what is true is wrong; one of what is not is right, which is as good as exact
    done = np.where(claims.against[rows], np.where(kinds == 2, 0, 2), kinds)
    counts = claims.sums(claims.contributor[rows] * 3 + done, weight, people * 3).reshape(people, 3)
    rest = np.maximum(said - counts.sum(1), 0)  # nothing that anyone names is true: claims are wrong, denials right
    no = claims.sums(claims.contributor, claims.confidence * claims.against, people) / said
    counts[:, 0] += rest * no
    counts[:, 2] += rest * (1 - no)
    counts += prior
    return np.asarray(counts / counts.sum(1, keepdims=True))


def _borne_out(claims: Claims, about: ArrayLike | None) -> NDArray[np.bool_] | None:
    """Return of each pair whether another item has a claim about the same thing; None if nothing is known of that."""
    if about is None:
        return None
    things = np.asarray(about)
    if len(things) != len(claims):
        raise KgmmError(f"about must have one entry for each of {len(claims)} claims, not {len(things)}")
    thing = np.unique(things, return_inverse=True)[1].astype(np.int64)
    spoken = np.unique(np.stack([thing, claims.item], 1)[~claims.against], axis=0)
    times = np.bincount(spoken[:, 0], minlength=int(thing.max()) + 1)
    borne = np.zeros(len(claims.pairs), np.bool_)
    borne[claims.pair[times[thing] > 1]] = True
    return borne


def _witness(borne: NDArray[np.bool_] | None, likely: Floats) -> Floats:
    if borne is None:
        return np.zeros(len(likely))
    by_true = (likely[borne].sum() + 1) / (likely.sum() + 2)
    by_false = ((1 - likely)[borne].sum() + 1) / ((1 - likely).sum() + 2)
    with_it, without = np.log(by_true / by_false), np.log((1 - by_true) / (1 - by_false))
    return np.asarray(np.where(borne, max(with_it, 0.0), min(without, 0.0)))  # never speaks against what it stands by


def _below(claims: Claims, over: Ints, likely: Floats) -> Floats:
    """Return of each pair the probability that the truth is one of the other pairs of its item that lie below it."""
    if not len(over):
        return np.zeros(len(likely))
    count = np.bincount(claims.pair_item, minlength=len(claims.items))
    begin = np.cumsum(count) - count
    size = count[claims.pair_item]
    first = np.repeat(np.arange(len(likely)), size)
    second = begin[claims.pair_item][first] + np.arange(len(first)) - (np.cumsum(size) - size)[first]
    value = claims.pair_value
    lies = _member(value[second] * len(claims.values) + value[first], over)
    return claims.sums(first[lies], likely[second[lies]], len(likely))
