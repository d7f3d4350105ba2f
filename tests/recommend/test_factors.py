"""Factor models against literal forms of what they minimize."""

import numpy as np
import pytest

from kgmm.errors import KgmmError
from kgmm.recommend import create
from kgmm.recommend.kernels import padded, rating_steps, rating_steps_beside, strata


def test_als_turns_are_the_closed_forms(tastes):
    for implicit in (True, False):
        model = create("als", factors=4, epochs=3, implicit=implicit, weight=0.3, alpha=2.0).fit(tastes)
        V = model.item_factors.astype(float)
        user = 5
        mine = tastes.user == user
        rated, values = tastes.item[mine], tastes.value[mine].astype(float)
        c, p = np.ones(len(tastes.items)), np.zeros(len(tastes.items))
        c[rated], p[rated] = (1 + 2.0 * values, 1.0) if implicit else (1.0, values)
        if not implicit:
            c = np.isin(np.arange(len(c)), rated).astype(float)
        exact = np.linalg.solve(V.T @ (c[:, None] * V) + 0.3 * len(rated) * np.eye(4), V.T @ (c * p))
        placed, _ = model._placed(rated.astype(np.int32), values.astype(np.float32))
        assert np.allclose(placed, exact, atol=1e-3)


@pytest.mark.parametrize("implicit", [True, False])
def test_gradients_of_als_lead_to_the_closed_form(tastes, implicit):
    model = create("als", factors=4, epochs=2, implicit=implicit, weight=0.3).fit(tastes)
    near = create("als", factors=4, epochs=2, implicit=implicit, weight=0.3, gradients=12).fit(tastes)
    assert np.allclose(near.item_factors, model.item_factors, atol=2e-3)
    few = create("als", factors=4, epochs=15, implicit=implicit, weight=0.3, gradients=3).fit(tastes)
    out = np.zeros_like(few.item_factors)
    few.gradients = 0
    few._side(tastes.by_item, few.user_factors, out)
    assert np.abs(out - few.item_factors).max() < 0.05 * np.abs(out).max()  # each turn goes on from the last
    with pytest.raises(KgmmError, match="gradients"):
        create("als", gradients=-1)


def test_als_objective_falls(tastes):
    def loss(model):
        found = tastes.value - (model.user_factors[tastes.user] * model.item_factors[tastes.item]).sum(1)
        squares = (model.user_factors[tastes.user] ** 2).sum() + (model.item_factors[tastes.item] ** 2).sum()
        return (found**2).sum() + 0.1 * squares

    losses = [loss(create("als", factors=3, epochs=n, implicit=False).fit(tastes)) for n in (1, 2, 4, 8)]
    assert losses == sorted(losses, reverse=True)


def test_gradient_steps_are_literal_and_their_loss_falls(tastes):
    model = create("mf", factors=3, epochs=2, rate=0.02).fit(tastes)
    rng = np.random.RandomState(0)
    U, V = (rng.normal(0, 0.01, (len(n), 3)) for n in (tastes.users, tastes.items))
    bu, bi, mean = np.zeros(len(U)), np.zeros(len(V)), tastes.value.mean()
    for _ in range(2):
        for u, i, r in zip(tastes.user, tastes.item, tastes.value, strict=True):
            e = r - mean - bu[u] - bi[i] - U[u] @ V[i]
            U[u], V[i] = U[u] + 0.02 * (e * V[i] - 0.02 * U[u]), V[i] + 0.02 * (e * U[u] - 0.02 * V[i])
            bu[u] += 0.02 * (e - 0.02 * bu[u])
            bi[i] += 0.02 * (e - 0.02 * bi[i])
    assert np.allclose(model.user_factors, U, atol=1e-5) and np.allclose(model.item_bias, bi, atol=1e-5)
    assert np.all(np.diff(create("mf", rate=0.02).fit(tastes).losses) < 0)


def test_runs_that_go_beside_each_other_share_nothing(tastes):
    order, starts = strata(tastes.user, tastes.item)
    assert sorted(order) == list(range(len(tastes)))
    for s in range(4):
        parts = [order[starts[4 * s + t] : starts[4 * s + t + 1]] for t in range(4)]
        for names in (tastes.user, tastes.item):
            sets = [set(names[part]) for part in parts]
            assert sum(map(len, sets)) == len(set().union(*sets))
    rows = [column[order] for column in (tastes.user, tastes.item, tastes.value)]
    rng = np.random.default_rng(1)
    start, lanes = [], ()
    for names in (tastes.users, tastes.items):
        vectors, lanes = padded(rng.normal(0, 0.1, (len(names), 3)).astype(np.float32))
        start.append(vectors)
    start += [np.zeros(len(n), np.float32) for n in (tastes.users, tastes.items)]
    one, two = ([part.copy() for part in start] for _ in range(2))
    numbers = [np.float32(x) for x in (3, 0.02, 0.02)]
    losses = rating_steps(*rows, *one, *numbers, 3, lanes)
    assert np.allclose(losses, rating_steps_beside(*rows, starts, *two, *numbers, 3, lanes), rtol=1e-5)
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(one, two, strict=True))


def test_pairs_that_are_ahead_grow(tastes):
    model = create("bpr", rate=0.05, epochs=60).fit(tastes)
    right = []
    for user in range(len(tastes.users)):
        scores = model.all_scores([user])[0]
        mine = tastes.item[tastes.user == user]
        others = np.setdiff1d(np.arange(len(tastes.items)), mine)
        right.append((scores[mine][:, None] > scores[others][None]).mean())
    assert np.mean(right) > 0.6
    new, _ = model._placed(np.arange(0, 20, 2, dtype=np.int32), np.ones(10, np.float32))
    assert new @ model.item_factors[::2].mean(0) > new @ model.item_factors[1::2].mean(0)


@pytest.mark.parametrize("factors", [1, 5, 16, 40])
def test_any_length_of_vectors(tastes, factors):
    for name in ("bpr", "mf", "als"):
        model = create(name, factors=factors, epochs=2).fit(tastes)
        assert model.item_factors.shape == (40, factors)
