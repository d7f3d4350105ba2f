"""Memories of two steps hold the facts of bridges, and say which facts lead to them."""

from __future__ import annotations

import numpy as np
import pytest

from kgmm.data.two_facts import two_fact_questions
from kgmm.encode import text_encoder
from kgmm.reason.kdmn.memory import spread_further
from kgmm.train.memories import FactBase, bridge_labels, examples, labels, spoiled

THINGS = "cup knife dog lamp bed piano".split()
PLACES = "kitchen drawer kennel attic cellar studio".split()
TOPICS = "stove handle straw beam barrel easel".split()


@pytest.fixture
def base(tmp_path):
    near = [(thing, "AtLocation", place) for thing, place in zip(THINGS, PLACES, strict=True)]
    far = [(place, "HasA", topic) for place, topic in zip(PLACES, TOPICS, strict=True)]
    return FactBase(near + far, [f"f{i}" for i in range(12)], text_encoder("minilm"), tmp_path / "vectors")


@pytest.fixture
def asked(base):
    made = [q for q in two_fact_questions(base.triples, 60) if q.thing in THINGS and q.steps[1].relation == "HasA"]
    return [q.labelled(i, base.ids) for i, q in enumerate(made)]


def test_a_memory_of_two_steps_holds_both_facts_and_one_of_a_single_step_does_not(base, asked):
    assert asked
    for e, q in zip(examples(asked, base, 20, 2), asked, strict=True):
        assert {e.facts[i] for i in np.flatnonzero(e.bridge.any(1))} == set(q.bridges)
        assert {e.facts[i] for i in np.flatnonzero(e.gold)} == set(q.facts)
        assert e.answers.sum() == 1 and not set(np.flatnonzero(e.gold)) & set(np.flatnonzero(e.bridge.any(1)))
    for e in examples(asked, base, 20):
        assert e.bridge.sum() == 1 and e.gold.sum() == 0 == e.answers.sum()


def test_first_facts_leave_room_for_second_ones(base, asked):
    for e in examples(asked, base, 5, 2):
        first = [i for i, t in enumerate(e.memory.triples) if t[1] == "AtLocation"]
        assert first == [0, 1] and len(e.memory.triples) <= 5


def test_labels_of_the_way_are_padded_and_go_with_the_facts(base, asked):
    part = examples(asked, base, 20, 2)
    ways, gold = bridge_labels(part, 20), labels(part, 20)[1]
    assert ways.shape == (len(part), 20, 2) and gold.shape == (len(part), 20)
    assert (ways.sum((1, 2)) == 1).all() and (ways.sum(2) * gold).sum() == 0
    for e in part:
        row, end = (int(i[0]) for i in e.bridge.nonzero())
        assert e.texts[2 * row + end] in PLACES and e.texts[2 * row + 1 - end] in THINGS
    assert bridge_labels(spoiled(part, "shuffled"), 20).sum() == 0


def test_second_facts_of_a_likely_way_come_first_after_one_of_every_bridge():
    rows = spread_further(
        *np.array([[0.5, 0.4, 0.3, 0.9], [0, 0, 0, 0], [0.9, 0.9, 0.9, 0.1]], np.float32), [*"aaab"], 4
    )
    assert rows.tolist() == [0, 3, 1, 2]
    asked = spread_further(*np.array([[0.4, 0.5], [1, 0], [0.5, 0.5]], np.float32), [*"aa"], 1)
    assert asked.tolist() == [0]
