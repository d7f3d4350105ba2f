"""The three fusions on a handful of questions: what they read, what they leave alone, what they write."""

from __future__ import annotations

import json
import math
import random

import numpy as np
import pytest
import torch

from kgmm.data.fvqa import FvqaQuestion
from kgmm.nn.answers import group_answers
from kgmm.nn.kdmn import KDMN
from kgmm.reason.kdmn.prior import Prior, reweigh
from kgmm.reason.kdmn.tensors import END_FEATURES, FEATURES, MemoryInput, WordTable, pack
from kgmm.train.choices import places
from kgmm.train.fit import Recipe, fit
from kgmm.train.guided.base import Plain
from kgmm.train.guided.policy import PolicyProblem
from kgmm.train.guided.prior import PriorProblem, Support, fit_prior, weigh
from kgmm.train.guided.teacher import FactlessStudent, Lesson, StudentProblem, schooling, targets, teacher_answers
from kgmm.train.kdmn import FvqaProblem, Split
from kgmm.train.memories import Example, FactBase, labels
from kgmm.train.twins import TwinProblem

USES = {"knife": "cut bread", "cup": "drink coffee", "bed": "sleep", "pen": "write", "oven": "bake", "broom": "sweep"}
TRIPLES = [(s, "UsedFor", o) for s, o in USES.items()]
NAMES = sorted(USES)


def _example(i, rng):
    things = [NAMES[(i + j) % len(NAMES)] for j in range(3)]
    at = [NAMES.index(t) for t in things]
    which = things[i % 3]
    asked = (0.2 * rng.normal(size=8) + 2 * np.eye(8)[NAMES.index(which)]).astype(np.float32)
    memory = MemoryInput(
        f"What can you use to {USES[which]}?",
        things,
        [TRIPLES[USES_AT[t]] for t in things],
        asked,
        rng.normal(size=(3, 8)).astype(np.float32),
        rng.random((3, 2)).astype(np.float32),
    )
    texts = [end for t in memory.triples for end in (t[0], t[2])]
    answers = np.array([[t[0] == which, False] for t in memory.triples], np.float32)
    gold = np.array([t[0] == which for t in memory.triples], np.float32)
    return Example(memory, answers, gold, texts, which, [f"f{a}" for a in at])


USES_AT = {s: i for i, (s, _, _) in enumerate(TRIPLES)}


class Small:
    """What the fusions need of an FVQA problem, from made-up questions."""

    def __init__(self, train=48, held=12):
        rng = np.random.default_rng(0)
        made = [_example(i, rng) for i in range(train + held)]
        self.train, self.held = made[:train], made[train:]
        self.words = WordTable([*NAMES, "cut", "bread"], np.eye(len(NAMES) + 2))
        self.train_batch, self.held_batch = (
            pack([e.memory for e in part], self.words) for part in (self.train, self.held)
        )
        self.right_ends, self.gold_facts = labels(self.train, 3)
        self.ways = None
        self.answers, self._said, self._choices = [], places(self.train, []), [None, None]
        network = {
            "words": self.words.dim,
            "sentence": 8,
            "features": len(FEATURES),
            "end_features": len(END_FEATURES),
            "dim": 12,
        }
        self.config = {"name": "kdmn", "data": "small", "network": network, "memory": 3}
        self.vocabulary = {"words": self.words.words}
        self.model = KDMN(**network)

    loss_of = FvqaProblem.loss_of


@pytest.fixture(scope="module")
def small():
    return Small()


@pytest.fixture(scope="module")
def split():
    rows = torch.arange(48)
    return Split([], rows[rows % 4 != 0], rows[rows % 4 == 0])


@pytest.fixture(scope="module")
def support():
    return Support(FactBase(TRIPLES, ["f"] * len(TRIPLES), None, None))


RECIPE = Recipe(epochs=3, batch=12, rate=1e-2, threads=0)


def test_answers_are_grouped_by_what_they_say(small):
    answers = group_answers([e.texts for e in small.held], 8)
    e = small.held[0]
    assert answers.texts[0] == list(dict.fromkeys(e.texts))
    assert [answers.texts[0][g] for g in answers.group[0, :6].tolist()] == e.texts
    assert answers.group[0, 6:].tolist() == [-1, -1]
    assert answers.texts[0][answers.places([e.answer for e in small.held])[0]] == e.answer


def test_support_is_what_the_best_fact_says(support):
    knife, cup, bread = support("What can you use to cut bread?", ["knife", "cup", "cut bread"])
    assert knife > 0 and cup == 0 and bread == 0
    (half,) = support("What is bread?", ["knife"])
    assert 0 < half < knife


def test_support_is_the_best_of_all_facts_looked_at_one_by_one():
    rng = random.Random(0)
    words = "cat dog fish bird tree house river stone".split()
    facts = list(
        {
            (" ".join(rng.sample(words, 2)), "RelatedTo", " ".join(rng.sample(words, rng.randint(1, 3))))
            for _ in range(60)
        }
    )
    base = FactBase(facts, [""] * len(facts), None, None)
    rarity = {
        w: max(math.log(len(facts) / (1 + sum(w in f"{s} {o}".split() for s, _, o in facts))), 0.0) for w in words
    }
    for _ in range(20):
        said = set(rng.sample(words, 3))
        answers = rng.sample([e for s, _, o in facts for e in (s, o)], 5)
        for answer, found in zip(answers, Support(base)(" ".join(said), answers), strict=True):
            best = 0.0
            for s, _, o in facts:
                for a, other in ((s, o), (o, s)):
                    if a == answer:
                        shared = [w for w in other.split() if w in said]
                        best = max(best, sum(rarity[w] for w in shared) * len(shared) / len(other.split()))
            assert found == pytest.approx(best)


def test_the_prior_moves_answers_and_leaves_the_null_and_shares_alone(small, support):
    answers = group_answers([e.texts for e in small.held], 6)
    ends = torch.randn(len(small.held), 7)
    counts = support.table(small.held, answers.texts)
    after = reweigh(ends, answers, counts, Prior(1.0, 2.0, 0.5))
    before = ends.log_softmax(1)
    assert torch.allclose(after.exp().sum(1), torch.ones(len(ends)), atol=1e-5)
    assert torch.allclose(after[:, -1], before[:, -1], atol=1e-5)
    for b in range(len(ends)):
        for e in range(6):
            for other in range(6):
                if answers.group[b, e] == answers.group[b, other]:
                    assert after[b, e] - after[b, other] == pytest.approx(
                        float(before[b, e] - before[b, other]), abs=1e-4
                    )
    assert torch.allclose(reweigh(ends, answers, counts, Prior()), before, atol=1e-4)
    right = answers.places([e.answer for e in small.held])
    moved, kept = (answers.logits(log_p[:, :-1]).argmax(1) == right for log_p in (after, before))
    assert moved.float().mean() > kept.float().mean()


def test_a_prior_that_says_nothing_is_given_no_weight(small):
    answers = group_answers([e.texts for e in small.held], 6)
    logits = torch.randn(len(small.held), answers.most)
    prior = fit_prior(logits, torch.ones_like(logits), answers.mask(), answers.places([e.answer for e in small.held]))
    post = smoothed_posterior(logits, prior, answers)
    assert torch.equal(post.argmax(1), (prior.power * logits).masked_fill(~answers.mask(), -1e9).argmax(1))


def smoothed_posterior(logits, prior, answers):
    from kgmm.nn.posterior import posterior, smoothed

    flat = smoothed(torch.ones_like(logits), answers.mask(), prior.alpha)
    return posterior(logits, flat, answers.mask(), prior.power, prior.beta)


def test_prior_problem_reports_itself_beside_the_plain_network(tmp_path, small, split, support):
    problem = PriorProblem(small, split, support)
    figures = fit(problem, tmp_path, RECIPE).figures
    assert {"plain_held_top1", "held_top1", "beta"} <= figures.keys()
    assert figures["held_top1"] >= figures["plain_held_top1"]  # the facts say all there is to say here
    assert json.loads((tmp_path / "prior.json").read_text())["beta"] > 0


def test_weighing_a_network_without_facts_brings_it_the_facts(small, split, support, tmp_path):
    twin = TwinProblem(small, split)
    fit(twin, tmp_path, Recipe(epochs=1, batch=12, threads=0))
    assert weigh(twin, support)["held_top1"] == 1.0 > twin.evaluate()["held_top1"]


def test_a_teacher_is_asked_and_its_confidence_shared_out(tmp_path):
    import kgmm
    from kgmm.store import Fact

    kb = kgmm.open(tmp_path / "kb")
    kb.add([Fact(f"/c/en/{s}", "UsedFor", kgmm.language.names.concept(o)) for s, o in USES.items()])
    asked = [
        FvqaQuestion("1", "a.jpg", "Which object is used for baking?", "oven", (), "image", "", ("oven", "pen")),
        FvqaQuestion("2", "b.jpg", "Who painted the ceiling?", "nobody", (), "image", "", ()),
    ]
    with kb:
        first, second = teacher_answers(kb, asked)
    assert max(first, key=first.get) == "oven" and sum(first.values()) == pytest.approx(1.0)
    assert second == {}


def test_students_learn_from_all_but_the_tuning_questions(small, split):
    rows, labelled = schooling(Split([], split.labelled[:6], split.tune), 48, True)
    assert sorted(rows.tolist()) == sorted(set(range(48)) - set(split.tune.tolist()))
    assert labelled.sum() == 6 and set(rows[:6].tolist()) == set(split.labelled[:6].tolist())
    assert len(schooling(split, 48, False)[0]) == len(split.labelled)


@pytest.mark.parametrize("problem", [StudentProblem, FactlessStudent])
def test_a_student_of_few_labels_learns_what_its_teacher_knows(problem, small, split, tmp_path):
    few = Split([], split.labelled[:3], split.tune)
    taught = [{e.answer: 1.0} for e in small.train]
    alone = {StudentProblem: Plain, FactlessStudent: TwinProblem}[problem](small, few)
    recipe = Recipe(epochs=25, batch=12, rate=1e-2, threads=0, patience=25)
    pupil = problem(small, few, taught, Lesson(0.5, temperature=1.0))
    lonely = fit(alone, tmp_path / "alone", recipe).figures["top1"]
    assert fit(pupil, tmp_path / "taught", recipe).figures["top1"] > lonely + 0.1


def test_a_students_loss_mixes_label_and_teacher(small, split):
    taught = [{e.answer: 0.6, "no end says this": 0.4} for e in small.train]
    rows = torch.arange(8)
    whole = {}
    for weight in (0.0, 0.5, 1.0):
        problem = StudentProblem(small, split, taught, Lesson(weight), seed=1)
        problem.model.eval()
        whole[weight] = problem.loss(rows).item()
    assert whole[0.5] == pytest.approx((whole[0.0] + whole[1.0]) / 2, abs=1e-5)
    plain = Plain(small, split, seed=1)
    plain.model.eval()
    assert whole[0.0] == pytest.approx(plain.loss(rows).item(), abs=1e-5)


def test_what_the_memory_does_not_support_is_the_nulls():
    assert targets([{"cup": 0.7, "moon": 0.3}], [["cup", "pen"]]).tolist() == [
        [pytest.approx(0.7), 0.0, pytest.approx(0.3)]
    ]


@pytest.mark.parametrize("retrieval", ["reinforce", "supervised", "cosine"])
def test_policies_pick_k_facts_and_train(retrieval, small, split, tmp_path):
    problem = PolicyProblem(small, split, k=1, retrieval=retrieval)
    before = {k: v.clone() for k, v in problem.policy.state_dict().items()}
    fit(problem, tmp_path, RECIPE)
    pointer = problem.model(small.held_batch)[0]
    assert ((pointer > -1e30).any(2).sum(1) == 1).all()
    moved = any(not torch.equal(v, before[k]) for k, v in problem.policy.state_dict().items())
    assert moved == (retrieval != "cosine")


def test_reward_alone_teaches_which_fact_to_read(tmp_path):
    """Cosines are noise; the fact whose end the question says is the one to read, and no label says so to the policy."""
    small = Small(train=240, held=60)
    split = Split([], torch.arange(200), torch.arange(200, 240))
    recipe = Recipe(epochs=25, batch=20, rate=1e-2, threads=0, patience=25)
    found = {}
    for retrieval in ("cosine", "reinforce"):
        problem = PolicyProblem(small, split, k=1, retrieval=retrieval, draws=3, weight=3.0)
        found[retrieval] = fit(problem, tmp_path / retrieval, recipe).figures["held_fact1"]
    assert found["reinforce"] > 0.8 and found["reinforce"] > found["cosine"] + 0.3


def test_an_unknown_retrieval_is_refused(small, split):
    with pytest.raises(ValueError, match="reinforce, supervised, cosine"):
        PolicyProblem(small, split, retrieval="luck")


def test_tuning_questions_are_not_learned_from(small, split):
    plain = Plain(small, split)
    tuned = small.train_batch.take(split.tune)
    assert plain.size == len(split.labelled) and not set(split.tune.tolist()) & set(split.labelled.tolist())
    assert torch.equal(plain.tune_batch.question, tuned.question)
