"""Plain completion models: losses and ranks against literal ones, and that they learn UMLS."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kgmm.complete.calibrate import Curve, softmax_top
from kgmm.complete.models import KINDS, Embedding, loss, scores
from kgmm.complete.ranking import figures, rank, ranks
from kgmm.complete.triples import Known, Triples
from kgmm.data.triples import is_head_first, read_triples
from kgmm.errors import BadInput, KgmmError
from kgmm.evaluate.completion import evaluate


def literal_score(kind, e, r, a):
    """The paper's score of one triple, in Python's complex numbers."""
    half = len(e) // 2
    if kind == "distmult":
        return sum(x * y * z for x, y, z in zip(e, r, a, strict=True))
    if kind == "transe":
        return -sum(abs(x + y - z) for x, y, z in zip(e, r, a, strict=True))
    ce, ca = ([complex(v[k], v[k + half]) for k in range(half)] for v in (e, a))
    if kind == "complex":
        cr = [complex(r[k], r[k + half]) for k in range(half)]
        return sum((x * y * z.conjugate()).real for x, y, z in zip(ce, cr, ca, strict=True))
    cr = [complex(math.cos(r[k]), math.sin(r[k])) for k in range(half)]
    return -math.sqrt(sum(abs(x * y - z) ** 2 for x, y, z in zip(ce, cr, ca, strict=True)))


@pytest.mark.parametrize("kind", KINDS)
def test_scores_and_loss_are_the_papers(kind):
    rng = np.random.default_rng(1)
    e, r, answers = (rng.normal(size=(n, 6)).astype(np.float32) for n in (3, 3, 5))
    made = scores(KINDS[kind].question(torch.tensor(e), torch.tensor(r)), torch.tensor(answers), KINDS[kind].norm)
    wanted = [[literal_score(kind, e[m].tolist(), r[m].tolist(), a.tolist()) for a in answers] for m in range(3)]
    assert np.allclose(made.numpy(), wanted, atol=1e-4)
    right = [4, 0, 2]
    by_hand = -np.mean(
        [math.log(math.exp(row[at]) / sum(map(math.exp, row))) for row, at in zip(wanted, right, strict=True)]
    )
    assert loss(made, torch.tensor(right)).item() == pytest.approx(by_hand, abs=1e-4)


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=12), st.data())
def test_rank_is_the_mean_over_all_orders_of_ties(values, data):
    answer = data.draw(st.integers(0, len(values) - 1))
    better = [v for v in values if v > values[answer]]
    same = [v for v in values if v == values[answer]]
    possible = [len(better) + 1 + k for k in range(len(same))]
    assert rank(np.array(values, np.float32), answer) == pytest.approx(np.mean(possible))


def test_filtered_ranks_equal_a_literal_search():
    rng = np.random.default_rng(0)
    rows = sorted({(f"e{a}", f"r{r}", f"e{b}") for a, r, b in rng.integers(0, [9, 2, 9], (60, 3)).tolist()})
    triples = Triples.of(rows)
    table = rng.integers(0, 4, (9, 4, 9)).astype(np.float32)
    judged = triples.rows[::3]
    found = ranks(lambda e, r: table[e, r], triples.asked(judged), Known(triples, triples.rows))
    wanted = []
    for turned in (False, True):
        for s, r, o in judged.tolist():
            e, q, a = (o, r + 2, s) if turned else (s, r, o)
            others = [
                x
                for x in range(9)
                if x == a or ((x, r, o) if turned else (s, r, x)) not in set(map(tuple, triples.rows.tolist()))
            ]
            values = [table[e, q, x] for x in others]
            wanted.append(sum(v > table[e, q, a] for v in values) + (sum(v == table[e, q, a] for v in values) + 1) / 2)
    assert found.tolist() == wanted


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_learns_the_same_bits(kind):
    ring = Triples.of([(f"p{n}", "next", f"p{(n + 1) % 20}") for n in range(20)])
    one, two, other = (Embedding(kind, size=8, epochs=3, seed=seed).fit(ring).entity for seed in (0, 0, 1))
    assert torch.equal(one, two) and not torch.equal(one, other)


def test_large_sets_are_compared_with_a_sample_and_still_learned(monkeypatch):
    monkeypatch.setattr("kgmm.complete.models.SAMPLED", 40)
    ring = Triples.of([(f"p{n:03}", "next", f"p{(n + 1) % 120:03}") for n in range(120)])
    model = Embedding("complex", size=64, epochs=150, batch=32, shrink=0.0).fit(ring)
    found = figures(ranks(model.scores, ring.asked(ring.rows), Known(ring, ring.rows)))
    assert found["mrr"] > 0.9


def test_columns_tell_which_holds_the_relation(tmp_path, shared_data):
    assert is_head_first(read_triples(shared_data / "kg_small/nations/train.txt", head_first=True))
    assert read_triples(shared_data / "conceptnet100k/train.txt")[0] == ("hockey", "ReceivesAction", "play on ice")
    (tmp_path / "bad.txt").write_text("a\tb\tc\na\tb\n")
    with pytest.raises(BadInput, match=r"bad\.txt:2: expected three columns"):
        read_triples(tmp_path / "bad.txt")


def test_umls_is_learned(shared_data, shell):
    folder = shared_data / "kg_small/umls"
    files = (folder / "train.txt", "--valid", folder / "valid.txt", "--test", folder / "test.txt")
    found = json.loads(
        shell("eval", "completion", *files, "--model", "complex", "--epochs", "30", "--size", "100", "--json").out
    )
    assert found["mrr"] >= 0.85 and found["mrr"] > 1.2 * found["frequency"]["mrr"] > 2 * found["random"]["mrr"]
    assert found["ece"] < 0.1
    assert {"hits@1", "hits@3", "hits@10"} <= set(found)


def test_what_cannot_be_done_is_said():
    with pytest.raises(KgmmError, match="no model 'magic'"):
        evaluate([("a", "r", "b")], [], [("a", "r", "b")], "magic")
    with pytest.raises(KgmmError, match="no test row"):
        evaluate([("a", "r", "b")], [], [("a", "other", "b")])


def test_shares_and_curves_are_probabilities():
    best, share = softmax_top(np.array([1.0, 2.0, -np.inf, 1.0], np.float32), 3)
    whole = 2 * math.exp(1) + math.exp(2)
    assert best.tolist() == [1, 0, 3] and share.tolist() == pytest.approx(
        [math.exp(2) / whole] + [math.exp(1) / whole] * 2
    )
    rng = np.random.default_rng(0)
    shares = rng.random(4000)
    curve = Curve.fit(shares, rng.random(4000) < shares**2)
    asked = np.linspace(0, 1, 50)
    assert np.all(np.diff(curve(asked)) >= 0) and np.abs(curve(asked) - asked**2).max() < 0.08
