"""Every policy of trust: documented and cited; it finds the truth of made-up crowds, the same every time, in any order."""

from __future__ import annotations

import numpy as np
import pytest

from kgmm.errors import KgmmError
from kgmm.trust import DEFAULT, POLICIES, Belief, Claims, infer, infer_claims, policies
from tests.families import check_family


def crowd(items: int, people: int, values: int, each: int, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    """A crowd of good, middling and guessing contributors who are asked unevenly often; and the truth, by item."""
    rng = np.random.default_rng(seed)
    truth, skill = rng.integers(0, values, items), rng.choice([0.95, 0.7, 0.3], people)
    item = np.repeat(np.arange(items), each)
    asked = 1 / (1 + np.arange(people))
    who = np.concatenate([rng.choice(people, each, replace=False, p=asked / asked.sum()) for _ in range(items)])
    other = (truth[item] + rng.integers(1, values, len(item))) % values
    return [item, who, np.where(rng.random(len(item)) < skill[who], truth[item], other)], truth


def right(belief: Belief, truth: np.ndarray) -> float:
    return float((belief.values[belief.best()] == truth[belief.items]).mean())


def test_every_policy_has_a_row_in_the_docs_and_a_source() -> None:
    check_family(policies(), lambda name: POLICIES.module(name.replace("-", "_")), "trust.md")


@pytest.mark.parametrize("policy", policies())
class TestEvery:
    def test_probabilities_are_probabilities_and_one_value_of_an_item_is_true(self, policy: str) -> None:
        found = infer(*crowd(60, 12, 3, 4)[0], policy=policy)
        assert ((found.probability >= 0) & (found.probability <= 1)).all()
        whole = np.bincount(found.item, weights=found.probability)
        assert (whole <= 1 + 1e-9).all() and (whole > 0.5).all()

    def test_order_of_claims_changes_nothing(self, policy: str) -> None:
        said, _ = crowd(60, 12, 3, 4)
        turned = np.random.default_rng(1).permutation(len(said[0]))
        a, b = infer(*said, policy=policy), infer(*(part[turned] for part in said), policy=policy)
        assert (a.item == b.item).all() and (a.value == b.value).all()
        np.testing.assert_allclose(a.probability, b.probability, atol=1e-9)

    def test_names_are_as_good_as_numbers(self, policy: str) -> None:
        said, _ = crowd(30, 6, 2, 3)
        named = [[f"{kind}{n:03}" for n in part] for kind, part in zip("ikv", said, strict=True)]
        np.testing.assert_array_equal(infer(*said, policy=policy).probability, infer(*named, policy=policy).probability)

    def test_better_than_chance_and_reliability_is_found(self, policy: str) -> None:
        said, truth = crowd(300, 20, 3, 7)
        found = infer(*said, policy=policy)
        assert right(found, truth) > 0.85
        share = np.bincount(said[1], weights=said[2] == truth[said[0]]) / np.bincount(said[1])
        known = found.claims > 40
        assert np.corrcoef(found.reliability[known], share[known])[0, 1] > 0.9
        inside = (found.low <= share) & (share <= found.high)
        assert inside[known].mean() > (0.3 if policy == "majority" else 0.8)

    def test_of_facts_what_is_denied_is_less_likely(self, policy: str) -> None:
        facts, who = ["f1"] * 3 + ["f2"] * 3 + ["f3"], ["a", "b", "c"] * 2 + ["a"]
        no = [False, False, False, False, True, True, False]
        found = infer(facts, who, ["true"] * 7, against=no, policy=policy, open=True)
        f1, f2, f3 = found.probability
        assert f1 > f2 and f3 > f2 and f1 > 0.7

    def test_what_everybody_denies_is_unlikely(self, policy: str) -> None:
        said = (["f", "f", "g", "g"], ["a", "b", "a", "b"], ["true"] * 4)
        f, g = infer(*said, against=[True, True, False, False], policy=policy, open=True).probability
        assert f < 0.3 and g > 0.7

    def test_denials_count_among_labels(self, policy: str) -> None:
        item, who, value = ["x"] * 3, ["a", "b", "c"], ["cat", "cat", "dog"]
        assert infer(item, who, value, against=[False, True, False], policy=policy).to_dict()["x"] in ("dog", "cat")
        more = infer([*item, "x"], [*who, "d"], [*value, "cat"], against=[False, True, False, True], policy=policy)
        assert more.to_dict() == {"x": "dog"}


def test_dawid_skene_sees_through_a_contributor_who_lies() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 200)
    item, who = np.repeat(np.arange(200), 3), np.tile([0, 1, 2], 200)
    value = np.where(who == 0, truth[item], np.where(rng.random(600) < 0.75, truth[item], 1 - truth[item]))
    lies = np.concatenate([value, 1 - truth])  # a fourth, who always says the other
    said = [np.concatenate([item, np.arange(200)]), np.concatenate([who, np.full(200, 3)]), lies]
    assert right(infer(*said, policy="majority"), truth) < 0.9
    for policy in ("dawid-skene", "shared-dawid-skene"):
        found = infer(*said, policy=policy)
        assert right(found, truth) == 1.0 and found.reliability[3] < 0.01


def test_few_answers_by_many_people_are_read_better_with_a_shared_prior() -> None:
    gains = []
    for seed in range(6):
        said, truth = crowd(300, 120, 5, 5, seed)
        gains.append(right(infer(*said), truth) - right(infer(*said, policy="dawid-skene"), truth))
    assert np.mean(gains) > 0.02


def test_a_value_nobody_claims_is_believed_where_those_who_spoke_never_say_anything_else() -> None:
    # y always says 1, whatever is true, z and w say what is; of item 0 only y spoke, and most items are 0
    items = np.arange(1, 50)
    truth = (items % 10 == 0).astype(int)
    item = np.concatenate([[0], items, items, items])
    who = np.concatenate([["y"], np.full(49, "y"), np.full(49, "z"), np.full(49, "w")])
    value = np.concatenate([[1], np.ones(49, int), truth, truth])
    assert infer(item, who, value, policy="dawid-skene").to_dict()[0] == 0


def test_confidence_is_how_much_of_a_claim_counts() -> None:
    said = (["x", "x", "x"], ["a", "b", "c"], ["cat", "dog", "dog"])
    assert infer(*said, policy="majority", confidence=[1, 0.4, 0.4]).to_dict() == {"x": "cat"}
    assert infer(*said, policy="beta-bernoulli", confidence=[1, 0.4, 0.4]).to_dict() == {"x": "cat"}


def test_dog_speaks_for_mammal() -> None:
    parents = [("dog", "mammal"), ("cat", "mammal"), ("mammal", "animal"), ("animal", "thing"), ("car", "thing")]
    claims = Claims.of(["x"] * 4, ["a", "b", "c", "d"], ["dog", "mammal", "animal", "car"])
    found = infer_claims(claims, "hierarchy", parents=parents)
    by = dict(zip(found.values[found.value].tolist(), found.probability.tolist(), strict=True))
    assert by["animal"] >= by["mammal"] >= by["dog"] > by["car"]
    flat = infer_claims(claims, "hierarchy")
    assert flat.probability.std() < 1e-6  # without knowing what lies above what, all four are alike


def test_a_circle_of_parents_ends() -> None:
    said = Claims.of(["x", "x"], ["a", "b"], ["dog", "canine"])
    assert infer_claims(said, "hierarchy", parents=[("dog", "canine"), ("canine", "dog")]).probability.max() <= 1


def test_another_relation_between_the_same_things_bears_a_fact_out() -> None:
    rng = np.random.default_rng(0)
    item, who, about, no = [], [], [], []
    for n in range(200):  # true facts are stated by two relations, false ones by one, and three deny them
        good = n % 2 == 0
        for relation in ("at", "near") if good or n % 20 == 1 else ("at",):
            item.append(f"{relation} {n}")
            who.append(f"w{rng.integers(5)}")
            about.append(str(n))
            no.append(False)
        for judge in range(0 if good else 3):
            item.append(f"at {n}")
            who.append(f"judge {judge}")
            about.append(str(n))
            no.append(True)
    item += ["at lone", "at borne", "near borne"]
    who += ["new", "new", "w1"]
    about += ["lone", "borne", "borne"]
    no += [False] * 3
    found = infer(item, who, ["true"] * len(item), against=no, policy="hierarchy", open=True, about=about)
    by = dict(zip(found.items[found.item].tolist(), found.probability.tolist(), strict=True))
    assert by["at borne"] > by["at lone"] + 0.05


def test_agreement_is_with_others_only() -> None:
    found = infer(["x", "x", "x", "y"], ["a", "b", "c", "a"], ["1", "1", "2", "1"], policy="majority")
    assert found.agreement.tolist() == [0.5, 0.5, 0.0]
    assert np.isnan(infer(["x"], ["a"], ["1"], policy="majority").agreement).all()
    assert found.report().columns == ["contributor", "claims", "reliability", "low", "high", "agreement"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"item": [], "contributor": [], "value": []}, "no claims"),
        ({"item": ["x"], "contributor": ["a", "b"], "value": ["1"]}, "one length"),
        ({"confidence": [0.0]}, "claim 0: a confidence"),
        ({"confidence": [float("nan")]}, "claim 0: a confidence"),
        ({"policy": "oracle"}, "no policy 'oracle'; there are: "),
        ({"policy": "majority", "parents": []}, "majority has no option parents"),
        ({"policy": "beta-bernoulli", "right": 0}, "above 0"),
        ({"policy": "hierarchy", "about": ["x", "y"]}, "one entry for each"),
    ],
)
def test_what_cannot_be_weighed_is_said(given: dict[str, object], told: str) -> None:
    with pytest.raises(KgmmError, match=told):
        infer(**({"item": ["x"], "contributor": ["a"], "value": ["1"]} | given))  # type: ignore[arg-type]


def test_tables_too_large_are_refused_and_the_way_out_is_named() -> None:
    n = 30_000
    with pytest.raises(KgmmError, match="open=True"):
        infer(np.arange(n), np.arange(n) % 50, np.arange(n), policy=DEFAULT)
    assert len(infer(np.arange(n), np.arange(n) % 50, np.arange(n), policy=DEFAULT, open=True).probability) == n
