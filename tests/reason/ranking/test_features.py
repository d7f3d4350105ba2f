"""Readable features of (fact, answering end) pairs."""

from __future__ import annotations

import numpy as np
import pytest

import kgmm
from kgmm.reason.ranking.features import FEATURES, evidence, memory
from kgmm.reason.ranking.linear import LINEAR, linear
from kgmm.reason.ranking.weights import WEIGHTS
from kgmm.reason.task import Task
from kgmm.scene import SceneGraph, SceneObject
from kgmm.store import Fact


@pytest.fixture
def task(tmp_path):
    with kgmm.open(tmp_path / "kb") as kb:
        facts = ("knife UsedFor cutting", "knife IsA tool", "tool AtLocation garage", "cup UsedFor drinking")
        kb.add([Fact(f"/c/en/{s}", p, f"/c/en/{o}") for s, p, o in map(str.split, facts)])
        scene = SceneGraph("list", (SceneObject("o0", "knife"), SceneObject("o1", "cup")))
        yield Task(kb, scene, "Which object is used for cutting?")


def row(found, task, subject, predicate):
    name, c = task.store.terms.name, found.candidates
    ends = [(name(int(s)), name(int(p))) for s, p in zip(c.subject, c.predicate, strict=True)]
    return ends.index((f"/c/en/{subject}", predicate))


def test_each_fact_has_a_row_for_either_end(task):
    found = evidence(task)
    assert found.features.shape == (2 * len(found.candidates), len(FEATURES)) and len(WEIGHTS) == len(FEATURES)
    at = row(found, task, "knife", "UsedFor")
    as_subject, as_object = (dict(zip(FEATURES, found.features[2 * at + end], strict=True)) for end in (0, 1))
    assert as_subject["only_answer_seen"] == 1 and as_object["only_given_seen"] == 1
    assert as_subject["answer_is_subject"] == 1 and as_object["answer_is_subject"] == 0
    assert as_subject["given_all_said"] == 1 and as_object["answer_all_said"] == 1
    assert as_subject["relation_asked"] == as_object["relation_asked"] == 1
    assert as_subject["inherited"] == 0
    assert found.seen[2 * at] and not found.seen[2 * at + 1]


def test_an_inherited_fact_says_so(task):
    found = evidence(task)
    at = row(found, task, "tool", "AtLocation")
    assert found.features[2 * at, FEATURES.index("inherited")] == 1


def test_the_best_end_is_the_seen_thing_that_the_fact_is_about(task):
    found = evidence(task)
    scores = linear(found)
    assert int(scores.argmax()) == 2 * row(found, task, "knife", "UsedFor")
    left = np.arange(len(found.candidates)) > 0
    ends = LINEAR.answers(task, found, LINEAR.ends(task, found), left)
    assert np.array_equal(ends, np.where(np.repeat(left, 2), scores, -np.inf))
    sure = [LINEAR.confidence(found, s, 0) for s in np.sort(scores)]
    assert sure == sorted(sure) and 0 <= sure[0] <= sure[-1] <= 1
    remembered = memory(task, found, scores, 2)
    assert len(remembered) == 2 and remembered[0].fact.object == "/c/en/cutting"
    assert remembered[0].parts["evidence"] == pytest.approx(scores.max(), abs=1e-3)
