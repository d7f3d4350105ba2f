"""The model over text and graph, its clues, and what a store leaves unsaid."""

import json

import numpy as np
import pytest

import kgmm
from kgmm.complete.clues import Neighbours, Rules
from kgmm.complete.joined import Joined
from kgmm.complete.ranking import figures, ranks
from kgmm.complete.triples import Known, Triples
from kgmm.errors import BadInput, UnknownConcept
from kgmm.patterns import graph_rules

ANIMALS = "dog cat cow horse sheep goat pig hen duck goose".split()
TOOLS = "hammer saw drill spade rake wrench chisel screwdriver axe pliers".split()
FACTS = (
    [(a, "IsA", "animal") for a in ANIMALS]
    + [(t, "IsA", "tool") for t in TOOLS]
    + [(a, "CapableOf", "eat") for a in ANIMALS[1:]]
    + [(t, "UsedFor", "work") for t in TOOLS]
    + [(t, "CapableOf", "work") for t in TOOLS[2:]]
)


@pytest.fixture(scope="module")
def kb(tmp_path_factory):
    with kgmm.open(tmp_path_factory.mktemp("complete") / "kb") as made:
        made.add(FACTS)
        yield made


def test_known_facts_are_not_repeated_and_probabilities_fall(kb):
    found = kb.complete("dog", "CapableOf", k=6)
    assert [one.probability for one in found] == sorted((one.probability for one in found), reverse=True)
    assert all(0 < one.probability < 1 for one in found)
    assert "/c/en/animal" not in {one.object for one in kb.complete("dog", "IsA", k=50)}
    assert "/c/en/dog" not in {one.object for one in kb.complete("dog", "IsA", k=50)}
    assert found[0].object == "/c/en/eat"
    for one in found:
        assert one.facts and all(kb.count(f.subject, f.predicate, f.object) for f in one.facts)


def test_rules_are_the_reason_where_they_give_the_answer(kb):
    found = {one.object: one for one in kb.complete("hammer", "CapableOf", k=10)}["/c/en/work"]
    assert found.reason.startswith("rule UsedFor(x, y) ⇒ CapableOf(x, y)")
    assert [(f.subject, f.predicate, f.object) for f in found.facts] == [("/c/en/hammer", "UsedFor", "/c/en/work")]


def test_what_was_never_seen_is_placed_by_its_name(kb):
    assert kb.concept("donkey") is None and kb.concept("mallet") is None
    donkey, mallet = (
        {one.object: one.probability for one in kb.complete(name, "IsA", k=20)} for name in ("donkey", "mallet")
    )
    assert donkey["/c/en/animal"] > donkey.get("/c/en/tool", 0) and mallet["/c/en/tool"] > mallet.get("/c/en/animal", 0)
    best = kb.complete("donkey", "IsA", k=1)[0]
    assert best.object == "/c/en/animal" and "near neighbours" in best.reason


def test_what_was_learned_is_kept_for_the_version_and_gives_the_same(kb):
    first = kb.complete("dog", "CapableOf")

    def files():
        return [(file, file.stat().st_mtime_ns) for file in (kb.path / "cache" / "made").glob("*/completion-*/arrays")]

    with kgmm.open(kb.path) as again:
        before = files()
        assert again.complete("dog", "CapableOf") == first
        assert before == files() and len(before) == 1
        before[0][0].write_bytes(b"damaged")
    with kgmm.open(kb.path) as again:
        assert again.complete("dog", "CapableOf") == first


def test_kept_facts_go_to_their_own_graph_once(tmp_path, shell):
    with kgmm.open(tmp_path / "kb") as made:
        made.add(FACTS)
    run = ("complete", tmp_path / "kb", "dog", "CapableOf", "-k", 3, "--keep", "--json")
    told = json.loads(shell(*run).out)
    kept = {one["object"]: one["probability"] for one in told["completions"] if one["kept"]}
    assert told["added"] == len(kept) > 0
    with kgmm.open(tmp_path / "kb") as made:
        facts = list(made.find(graph="completed"))
        assert {f.object: pytest.approx(f.weight, abs=1e-6) for f in facts} == kept
        assert all(f.source.startswith("kgmm complete: ") for f in facts)
    again = json.loads(shell(*run).out)
    assert not set(kept) & {one["object"] for one in again["completions"]}


def test_what_cannot_be_completed_is_said(kb, tmp_path, shell):
    with pytest.raises(UnknownConcept, match="no relation 'Loves'"):
        kb.complete("dog", "Loves")
    with pytest.raises(BadInput, match="from 1 up"):
        kb.complete("dog", "IsA", k=0)
    with kgmm.open(tmp_path / "few") as few:
        few.add([("a", "IsA", "b")])
        with pytest.raises(BadInput, match="1 facts are too few"):
            few.complete("a", "IsA")
    assert shell("complete", kb.path, "dog", "Loves").code == 1


def test_rules_are_those_that_are_mined(kb):
    rows = [(f.subject, f.predicate, f.object) for f in kb.find()]
    rules = Rules(Triples.of(rows))
    names = rules.triples.relations
    own = {
        (names[r.body % len(names)], r.body >= len(names), names[r.head]): (r.support, round(r.confidence, 6))
        for found in rules.of.values()
        for r in found
        if r.head < len(names)
    }
    mined = graph_rules(kb, 2, 5, min_confidence=0.0, min_head_coverage=0.0).to_dicts()
    wanted = {
        (row["body"][0].split("(")[0], "(y, x)" in row["body"][0], row["head"].split("(")[0]): (
            row["support"],
            round(row["confidence"], 6),
        )
        for row in mined
        if row["confidence"] >= 0.05
    }
    assert own == wanted and own


def test_neighbours_equal_a_literal_sum():
    rng = np.random.default_rng(0)
    text = rng.normal(size=(8, 4)).astype(np.float32)
    text /= np.linalg.norm(text, axis=1, keepdims=True)
    triples = Triples.of(
        [(f"e{a}", "r", f"e{b}") for a, b in rng.integers(0, 8, (14, 2)).tolist()],
        also=[(f"e{n}", "r", "e0") for n in range(8)],
    )
    made = Neighbours(triples, text).scores(np.array([2]), np.array([0]))[0]
    wanted = np.zeros(8)
    for other in range(8):
        answers = sorted({o for s, _, o in triples.rows.tolist() if s == other})
        if other != 2 and answers:
            wanted[answers] += max(float(text[other] @ text[2]), 0) ** 6 / len(answers) ** 0.5
    assert np.allclose(made, wanted, atol=1e-5)


def test_weights_do_better_than_any_clue_alone_where_each_tells_something():
    rng = np.random.default_rng(1)
    kinds = rng.normal(size=(6, 16))
    text = np.repeat(kinds, 20, 0) + rng.normal(size=(120, 16)) * 0.5
    text = (text / np.linalg.norm(text, axis=1, keepdims=True)).astype(np.float32)
    answer = (np.arange(120) // 20 + rng.choice([0, 0, 0, 1], 120)) % 6
    rows = [(f"e{n:03}", "of", f"k{answer[n]}") for n in range(120)]
    rng.shuffle(rows)
    triples = Triples.of(rows[:80], also=rows)
    vectors = np.concatenate([text, rng.normal(size=(6, 16)).astype(np.float32)])
    model = Joined(epochs=30, size=16).fit(triples, vectors, triples.numbered(rows[80:100]))
    asked = [column[:20] for column in triples.asked(triples.numbered(rows[100:]))]
    known = Known(triples, triples.rows)
    joined = figures(ranks(model.scores, tuple(asked), known))["mrr"]
    frequency = figures(ranks(lambda e, r: triples.frequency[r], tuple(asked), known))["mrr"]
    assert joined > 1.3 * frequency
