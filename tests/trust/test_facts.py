"""Assertions of facts: what rules out, follows from and bears out what; a million in seconds is measured elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from kgmm.errors import KgmmError
from kgmm.trust import Claims, infer_claims, policies
from kgmm.trust.facts import infer_facts

SAID = [
    ("rome", "CapitalOf", "italy", "ann"),
    ("rome", "CapitalOf", "italy", "bob"),
    ("rome", "CapitalOf", "spain", "cy"),
    ("rome", "HasA", "forum", "cy"),
    ("rome", "HasA", "river", "ann"),
]


@pytest.mark.parametrize("policy", policies())
def test_objects_of_a_functional_relation_rule_each_other_out_and_others_do_not(policy: str) -> None:
    likely, belief = infer_facts(*zip(*SAID, strict=True), policy=policy, functional={"CapitalOf"})
    assert likely[0] == likely[1] > likely[2] and likely[0] + likely[2] <= 1 + 1e-6
    assert likely[4] > 0.5
    free, _ = infer_facts(*zip(*SAID, strict=True), policy=policy)
    assert free[2] > likely[2]
    assert belief.report()["claims"].sum() == len(SAID)


@pytest.mark.parametrize("policy", policies())
def test_numbers_as_a_store_has_them_weigh_as_names_do(policy: str) -> None:
    columns = [np.unique(column, return_inverse=True)[1] for column in zip(*SAID, strict=True)]
    functional = {int(columns[1][0])}
    numbers, _ = infer_facts(*columns, policy=policy, functional=functional)
    words, _ = infer_facts(*zip(*SAID, strict=True), policy=policy, functional={"CapitalOf"})
    np.testing.assert_allclose(numbers, words)


def test_what_follows_is_at_least_as_likely() -> None:
    said = [
        ("rex", "IsA", "dog", "ann"), ("rex", "IsA", "dog", "bob"), ("rex", "IsA", "dog", "cy"), ("rex", "IsA", "animal", "dee"),
        ("rex", "CapableOf", "dog", "ann"), ("rex", "CapableOf", "animal", "dee"), ("tom", "IsA", "animal", "dee"),
    ]  # fmt: skip
    parents = [("dog", "mammal"), ("mammal", "animal")]
    likely, _ = infer_facts(*zip(*said, strict=True), policy="hierarchy", parents=parents)
    assert likely[3] >= likely[0] > likely[6]
    alone, _ = infer_facts(*zip(*said, strict=True), policy="hierarchy")
    assert alone[3] < alone[0]


def test_a_denial_has_the_probability_of_the_fact_it_denies() -> None:
    said = [("a", "IsA", "b", "ann"), ("a", "IsA", "b", "bob"), ("a", "IsA", "b", "cy")]
    likely, _ = infer_facts(*zip(*said, strict=True), against=[False, True, True], policy="beta-bernoulli")
    assert likely[0] == likely[1] == likely[2] < 0.5


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(KgmmError, match="one length"):
        infer_facts(["a"], ["IsA", "IsA"], ["b"], ["ann"])
    with pytest.raises(KgmmError, match="no claims"):
        infer_facts([], [], [], [])


def test_on_made_up_claims_at_every_level_the_hierarchy_finds_more_than_counting() -> None:
    """300 things, a tree of 3 × 4 × 4 kinds; people name a kind, or one above it, or a wrong one."""
    rng = np.random.default_rng(0)
    leaves = [f"{a}.{b}.{c}" for a in range(3) for b in range(4) for c in range(4)]
    parents = [(leaf, leaf[:3]) for leaf in leaves] + [(leaf[:3], leaf[0]) for leaf in leaves]
    truth = rng.choice(leaves, 300)
    item, who, value = [], [], []
    skill = rng.dirichlet([2, 2, 2], 15)  # exact, above, wrong
    for n, true in enumerate(truth):
        for k in rng.choice(15, 6, replace=False):
            how = rng.choice(3, p=skill[k])
            said = true if how == 0 else rng.choice([true[:3], true[0]]) if how == 1 else rng.choice(leaves)
            item.append(n)
            who.append(int(k))
            value.append(str(said))
    claims = Claims.of(item, who, value)
    right = {}
    for name, given in (("majority", {}), ("hierarchy", {"parents": parents})):
        found = infer_claims(claims, name, **given)
        leaf = np.array([len(v) == 5 for v in found.values])[found.value]
        score = np.where(leaf, found.probability, -1)
        best = {int(i): str(found.values[found.value[rows[np.argmax(score[rows])]]])
                for i in range(300) if len(rows := np.flatnonzero(found.item == i))}  # fmt: skip
        right[name] = np.mean([best[n] == truth[n] for n in range(300)])
    assert right["hierarchy"] > right["majority"] + 0.05
