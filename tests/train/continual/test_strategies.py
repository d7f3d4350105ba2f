"""Strategies of learning on: formulas as the papers have them, uniform memories, old rows that stay as they are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from kgmm.data.domains import Domain
from kgmm.data.streams import Scenario, Stream, permuted, split
from kgmm.errors import KgmmError
from kgmm.train.continual import create, methods, network
from kgmm.train.continual.growth import grow_embedding, grow_linear, grown_rows
from kgmm.train.continual.network import Learner, TaskWork
from kgmm.train.continual.reservoir import Reservoir
from kgmm.train.continual.ridge import SHRINKS, Ridge
from kgmm.train.continual.strategies.ewc import ElasticWeights, fisher_of


def digits(classes: int = 4, each: int = 40) -> Domain:
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(classes), each)
    return Domain("made", rng.normal(size=(classes, 12))[y] * 2 + rng.normal(size=(len(y), 12)), y)


def work_of(stream: Stream, number: int = 0) -> TaskWork:
    learner = Learner(stream, "plain", epochs=2)
    for _ in range(number + 1):
        learner.learn()
    return TaskWork(learner.model, stream.tasks[number], number, learner.parts[: number + 1], stream.told)


def test_fisher_is_the_mean_square_of_each_samples_gradient() -> None:
    work = work_of(permuted(digits(), 2))
    found = fisher_of(work, samples=5)
    rows = torch.linspace(0, work.size - 1, 5).round().long()
    x, y = work.take(rows)["x"], work.take(rows)["y"]
    # by hand, of the last layer: d(-log p(y|x)) / dW = (p - onehot(y)) h^T
    hidden = work.model.features(x).detach()
    error = work.model(x).softmax(1).detach() - nn.functional.one_hot(y, 4)
    by_hand = torch.stack([torch.outer(e, h).square() for e, h in zip(error, hidden, strict=True)]).mean(0)
    assert torch.allclose(found["head.weight"], by_hand, rtol=1e-4, atol=1e-9)


def test_penalty_of_one_task_is_the_papers() -> None:
    work = work_of(permuted(digits(), 2))
    ewc = ElasticWeights(weight=7.0)
    ewc.after(work)
    star = {name: values.detach().clone() for name, values in work.model.named_parameters()}
    fisher = fisher_of(work)
    with torch.no_grad():
        for values in work.model.parameters():
            values.add_(torch.randn_like(values) * 0.1)
    literal = sum((fisher[n] * (v - star[n]).square()).sum() for n, v in work.model.named_parameters()) * 7.0 / 2
    assert float(ewc.penalty(work)) == pytest.approx(float(literal), rel=1e-5)


def test_one_penalty_pulls_as_the_sum_of_all_tasks_penalties() -> None:
    stream = permuted(digits(), 2)
    learner = Learner(stream, "plain", epochs=2)
    ewc, kept = ElasticWeights(weight=3.0), []
    for number in range(2):
        learner.learn()
        work = TaskWork(learner.model, stream.tasks[number], number, learner.parts[: number + 1], False)
        ewc.after(work)
        kept.append((fisher_of(work), {n: v.detach().clone() for n, v in work.model.named_parameters()}))
    with torch.no_grad():
        for values in work.model.parameters():
            values.add_(torch.randn_like(values) * 0.1)
    named = dict(work.model.named_parameters())
    literal = sum(1.5 * (f[n] * (v - star[n]).square()).sum() for f, star in kept for n, v in named.items())
    ours = torch.autograd.grad(ewc.penalty(work), list(named.values()))
    theirs = torch.autograd.grad(literal, list(named.values()))
    assert all(torch.allclose(a, b, rtol=1e-3, atol=1e-6) for a, b in zip(ours, theirs, strict=True))


def test_reservoir_keeps_every_sample_with_the_same_chance() -> None:
    random = torch.Generator().manual_seed(0)
    counts, runs, stream, size = np.zeros(30), 3000, 30, 6
    for _ in range(runs):
        kept, held = Reservoir(size), [0] * size
        for number in range(stream):
            if (place := kept.place(number, random)) is not None:
                held[place] = number
        counts[held] += 1
    expected = runs * size / stream
    chi = float(((counts - expected) ** 2 / (expected * (1 - size / stream))).sum()) * (stream - 1) / stream
    assert chi < 58.3  # the 99.9 % point of 29 degrees of freedom


def test_reservoir_holds_what_was_offered_in_pairs() -> None:
    stream = permuted(digits(), 3)
    kept = Reservoir(25)
    for number in range(3):
        kept.offer(work_of(stream, number))
    assert len(kept.samples["x"]) == 25 and kept.seen == 3 * len(stream.tasks[0].y)
    for x, y, task in zip(*(kept.samples[k] for k in ("x", "y", "task")), strict=True):
        of = stream.tasks[int(task)]
        assert of.y[np.flatnonzero((of.x == x.numpy()).all(1))[0]] == int(y)
    assert set(kept.samples["task"].tolist()) == {0, 1, 2}


def test_ridge_task_by_task_is_ridge_at_once() -> None:
    rng = torch.Generator().manual_seed(1)
    x, y = torch.randn(90, 20, generator=rng), torch.arange(90) // 30
    apart = Ridge(1e-2)
    for number in range(3):
        apart.add(x[y == number], y[y == number], number + 1)
    rows = torch.cat([x.double(), torch.ones(90, 1)], 1)
    right = 2.0 * nn.functional.one_hot(y, 3).double() - 1
    shrink = torch.diag(torch.tensor([1e-2 * 90] * 20 + [1e-9 * 90], dtype=torch.float64))
    once = torch.linalg.solve(rows.T @ rows + shrink, rows.T @ right)
    weights, biases = apart.solve()
    assert torch.allclose(weights, once[:-1].T, atol=1e-10) and torch.allclose(biases, once[-1], atol=1e-10)


def test_the_chosen_ridge_is_the_best_on_samples_held_out_and_the_same_task_by_task() -> None:
    rng = torch.Generator().manual_seed(2)
    y = torch.arange(90) // 30
    x = torch.randn(3, 20, generator=rng)[y] + 2 * torch.randn(90, 20, generator=rng)
    apart, once = Ridge(), Ridge()
    for number in range(3):
        apart.add(x[y == number], y[y == number], number + 1)
    once.add(x, y, 3)
    rows, right = torch.cat([x.double(), torch.ones(90, 1)], 1), 2.0 * nn.functional.one_hot(y, 3).double() - 1
    held = torch.arange(90) % 5 == 4
    errors = {}
    for ridge in SHRINKS:
        shrink = torch.diag(torch.tensor([ridge * 72] * 20 + [1e-9 * 72], dtype=torch.float64))
        learned = torch.linalg.solve(rows[~held].T @ rows[~held] + shrink, rows[~held].T @ right[~held])
        errors[ridge] = float((rows[held] @ learned - right[held]).square().sum())
    assert apart.chosen() == once.chosen() == min(errors, key=errors.__getitem__) != SHRINKS[0]
    assert all(torch.allclose(a, b, atol=1e-10) for a, b in zip(apart.solve(), once.solve(), strict=True))
    again = Ridge()
    again.restore(apart.state())
    assert all(torch.equal(a, b) for a, b in zip(apart.solve(), again.solve(), strict=True))


@pytest.mark.parametrize("scenario", ["task", "domain", "class"])
def test_frozen_features_end_where_joint_training_of_the_head_ends(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "RANDOM", 200)
    stream = split(digits(), 2, scenario=scenario)
    apart, once = Learner(stream, "frozen"), Learner(stream, "frozen")
    apart.learn(), apart.learn()
    once.learn_at_once()
    assert apart.row() == once.row()
    assert torch.allclose(apart.model.head.weight, once.model.head.weight, atol=1e-5)


def test_distillation_is_the_distance_from_the_old_network() -> None:
    stream = split(digits(), 2, scenario="class")
    learner = Learner(stream, "lwf", epochs=1, weight=0.5)
    learner.learn()
    learner.model.grow(4)
    work = TaskWork(learner.model, stream.tasks[1], 1, learner.parts, False)
    lwf = learner.strategy
    lwf.before(work)
    with torch.no_grad():
        learner.model.head.weight.add_(0.3 * torch.randn_like(learner.model.head.weight))
    rows = torch.arange(10)
    plain = work.loss_on(work.take(rows))
    x = work.take(rows)["x"]
    p = (lwf.teacher(x)[:, :2] / 2).softmax(1)
    q = (work.model(x)[:, :2] / 2).log_softmax(1)
    literal = plain + 0.5 * 4 * (p * (p.log() - q)).sum(1).mean()
    assert float(lwf.loss(work, rows)) == pytest.approx(float(literal), rel=1e-4)


def test_old_rows_keep_their_bits_when_a_table_grows() -> None:
    layer, table = nn.Linear(5, 3), nn.Embedding(4, 5)
    grown, words = grow_linear(layer, 7, seed=2), grow_embedding(table, 6, seed=2, frozen=True)
    assert torch.equal(grown.weight[:3], layer.weight) and torch.equal(grown.bias[:3], layer.bias)
    assert torch.equal(words.weight[:4], table.weight)
    one_by_one = grow_linear(grow_linear(layer, 5, seed=2), 7, seed=2)
    assert torch.equal(one_by_one.weight, grown.weight)
    optimizer = torch.optim.SGD(words.parameters(), 0.1)
    words(torch.arange(6)).square().sum().backward()
    optimizer.step()
    assert torch.equal(words.weight[:4], table.weight) and not torch.equal(
        words.weight[4:], grown_rows(table.weight, 6, 2)[4:]
    )
    with pytest.raises(KgmmError, match="none is taken away"):
        grown_rows(layer.weight, 2)


@pytest.mark.parametrize("method", methods())
def test_a_task_to_come_does_not_move_old_rows_before_it_is_learned(method: str) -> None:
    learner = Learner(split(digits(), 2, scenario="class"), method, epochs=1)
    learner.learn()
    before = learner.model.head.weight.detach().clone()
    learner.row()
    learner.model.grow(4)
    assert torch.equal(learner.model.head.weight[:2], before)


def test_unknown_strategies_and_options_are_refused() -> None:
    with pytest.raises(KgmmError, match="no strategy of learning on 'magic'; there are: ewc, frozen"):
        create("magic")
    with pytest.raises(KgmmError, match="replay has no option weight"):
        create("replay", weight=1.0)
    with pytest.raises(KgmmError, match="size of replay is 0"):
        create("replay", size=0)
