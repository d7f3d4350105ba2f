"""Rows set apart, odds of first candidates, clues whatever the relation, entities held out."""

import json

import numpy as np
import pytest

from kgmm.complete.apart import LIKE, PART, WANTED, set_apart
from kgmm.complete.calibrate import Odds, threshold
from kgmm.complete.certainty import TOP, Candidates, Certainty, likeliest
from kgmm.complete.clues import Linked
from kgmm.complete.joined import Joined
from kgmm.complete.triples import Triples
from kgmm.errors import KgmmError
from kgmm.evaluate.calibration import calibration
from kgmm.evaluate.completion_inductive import evaluate_inductive

ANIMALS = (
    "dog cat cow horse sheep goat pig hen duck goose donkey mule ox bull lamb calf pony rabbit hamster mouse".split()
)
TOOLS = "hammer saw drill spade rake wrench chisel screwdriver axe pliers mallet file sander vice level ruler".split()
FACTS = [(a, "IsA", "animal") for a in ANIMALS] + [(t, "IsA", "tool") for t in TOOLS]
FACTS += [(a, "HasA", "leg") for a in ANIMALS] + [(t, "UsedFor", "work") for t in TOOLS]


def test_rows_are_set_apart_beside_the_kept_ones_and_for_relations_that_they_lack():
    rows = [(f"a{n % 60}", "many", f"b{n % 75}") for n in range(300)]
    rows += [(f"a{n}", "few", f"c{n % 3}") for n in range(9)] + [("a1", "one", "b2"), ("lonely", "many", "a1")]
    kept = [(f"b{n}", "many", f"c{n % 9}") for n in range(WANTED - 5)]
    triples = Triples.of(rows, also=kept)
    known = triples.numbered(kept)
    left, apart = set_apart(triples, known)
    drawn = {tuple(row) for row in apart[len(known) :].tolist()}
    assert np.array_equal(apart[: len(known)], known)
    assert drawn | {tuple(r) for r in left.rows.tolist()} == {tuple(r) for r in triples.rows.tolist()}
    assert len(drawn) + len(left.rows) == len(triples.rows)
    count = {name: sum(r == triples.relation_number[name] for _, r, _ in drawn) for name in ("many", "few", "one")}
    assert (left.degree > 0)[triples.degree > 0].all()  # each entity keeps a row that is learned from
    assert count == {"many": 301 // LIKE, "few": 9 // PART, "one": 0}


def test_odds_are_probabilities_of_kinds_that_differ():
    rng = np.random.default_rng(0)
    kind, feature = rng.integers(0, 3, 3000), rng.normal(size=(3000, 2))
    logit = feature[:, 0] + np.array([-2.0, 0.0, 1.5])[kind]
    right = rng.random(3000) < 1 / (1 + np.exp(-logit))
    odds = Odds.fit(feature[:2000], kind[:2000], right[:2000], 4)
    sure = odds(feature[2000:], kind[2000:])
    pairs = list(zip(sure.tolist(), right[2000:].tolist(), strict=True))
    assert calibration(pairs)["ece"] < 0.05
    kinds_alone = Odds.fit(np.zeros((2000, 1)), np.zeros(2000, np.int64), right[:2000], 1)
    assert np.mean((sure - right[2000:]) ** 2) < 0.85 * np.mean(
        (kinds_alone(np.zeros((1000, 1)), np.zeros(1000, np.int64)) - right[2000:]) ** 2
    )
    unseen = odds(np.zeros((1, 2)), np.array([3]))[0]  # a kind of which nothing was learned is as all are
    assert 0.3 < unseen < 0.7


@pytest.mark.parametrize("differ", [False, True])
def test_kinds_of_questions_move_apart_only_where_other_rows_bear_it_out(differ):
    rng = np.random.default_rng(0)
    rows = [(f"e{n}", f"r{n % 30}", f"a{n}") for n in range(900)]
    triples = Triples.of(rows[:1], also=rows)
    triples = Triples(triples.entities, tuple(sorted({r for _, r, _ in rows})), np.empty((0, 3), np.int64))
    kept = triples.numbered(rows)
    chance = np.where(np.arange(60) % 2, 0.9, 0.2) if differ else np.full(60, 0.5)
    guess = {
        (e, r): a if rng.random() < chance[r] else e for e, r, a in zip(*map(list, triples.asked(kept)), strict=True)
    }

    def scorer(entity, relation):
        out = np.zeros((len(entity), len(triples.entities)), np.float32)
        out[np.arange(len(entity)), [guess[pair] for pair in zip(entity.tolist(), relation.tolist(), strict=True)]] = 9
        return out

    found = Candidates.of(scorer, triples, kept)
    assert found.best.shape == (1800, TOP) and found.right(triples, kept)[0].all()
    certainty = Certainty.by(found, triples, kept)
    assert (certainty.first.kind.std() > 1) if differ else (certainty.first.kind.std() < 0.1)
    sure = certainty(found.features, found.asked[:, 1], found.share)
    assert np.abs(sure[:, 0] - chance[found.asked[:, 1]]).mean() < 0.07 and (np.diff(sure, axis=1) <= 0).all()
    e, r = found.asked[0].tolist()
    best, one = likeliest(certainty, triples, scorer(np.array([e]), np.array([r]))[0], e, r, TOP)
    assert best.tolist() == found.best[0].tolist() and one.tolist() == pytest.approx(sure[0].tolist())


def test_a_threshold_lies_between_what_is_kept_and_what_is_not():
    assert threshold(np.array([0.9, 0.8, 0.1]), np.array([True, True, False])) == pytest.approx(0.45)
    assert threshold(np.array([0.9, 0.8]), np.array([False, False]), 0.3) == 0.3


def test_clues_whatever_the_relation_equal_literal_ones():
    rng = np.random.default_rng(0)
    triples = Triples.of([(f"e{a}", f"r{r}", f"e{b}") for a, r, b in rng.integers(0, [7, 2, 7], (12, 3)).tolist()])
    n = len(triples.entities)
    text = rng.normal(size=(n, 4)).astype(np.float32)
    made = Linked(triples, text).scores(np.array([2]))
    bound = np.zeros((n, n))
    for s, _, o in triples.rows.tolist():
        bound[s, o] = bound[o, s] = 1
    walk = bound / np.maximum(bound.sum(1, keepdims=True), 1)
    assert np.allclose(made[0][0], bound[2]) and np.allclose(made[1][0], np.sqrt(walk @ walk)[2], atol=1e-6)
    assert np.allclose(made[2][0], text @ text[2], atol=1e-5)
    assert np.allclose(made[3][0], np.log1p(triples.degree)) and made[4][0].tolist() == np.eye(n)[2].tolist()
    unseen = Linked(triples, text).scores(np.array([-1]), text[:1])
    assert not unseen[0].any() and not unseen[1].any() and not unseen[4].any() and unseen[2].any()


def test_the_same_seed_gives_the_same_bits_and_another_others():
    triples = Triples.of(FACTS)
    text = np.random.default_rng(0).normal(size=(len(triples.entities), 16)).astype(np.float32)
    left, apart = set_apart(triples, triples.rows[:0])
    one, two, other = (Joined(epochs=3, size=8, seed=seed).fit(left, text, apart) for seed in (0, 0, 1))
    asked = np.array([0, 1]), np.array([0, 4])
    assert np.array_equal(one.weights, two.weights) and np.array_equal(one.scores(*asked), two.scores(*asked))
    assert not np.array_equal(one.scores(*asked), other.scores(*asked))


def test_entities_held_out_are_known_by_their_names(tmp_path, shell):
    found = evaluate_inductive(FACTS, 0.3, epochs=30, size=16)
    assert found["questions"] > 5 and found["mrr"] > 1.5 * found["random"]["mrr"]
    assert found["mrr"] > found["frequency"]["mrr"]  # which cannot tell an animal from a tool
    assert evaluate_inductive(FACTS, 0.3, epochs=30, size=16)["mrr"] == found["mrr"]
    file = tmp_path / "all.txt"
    file.write_text("".join("\t".join(row) + "\n" for row in FACTS))
    given = ("eval", "completion", file, "--valid", file, "--test", file, "--head-first", "--inductive", 0.3)
    told = json.loads(shell(*given, "--epochs", 30, "--size", 16, "--json").out)
    assert told["mrr"] == found["mrr"] and told["held_out"] == found["held_out"]
    assert shell(*given, "--model", "complex").code == 2
    with pytest.raises(KgmmError, match=r"between 0 and 0\.5"):
        evaluate_inductive(FACTS, 0.9)
