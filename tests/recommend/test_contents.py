"""Recommenders by what items are: one space for two domains, found by hand or by topics."""

from itertools import pairwise

import numpy as np
import pytest

from kgmm.data.made_contents import made_contents
from kgmm.errors import KgmmError
from kgmm.evaluate.recommend_cold import cold_users
from kgmm.recommend import create, load
from kgmm.recommend.contents import counted
from kgmm.recommend.recommenders.cdcl import Atoms, coded, drawn

BY_CONTENTS = ("cdcl", "profile", "topic-bridge", "topic-model")


@pytest.fixture(scope="module")
def told():
    return made_contents(seed=1)


@pytest.mark.parametrize("name", BY_CONTENTS)
def test_learns_saves_and_places_new_users(name, told, tmp_path):
    model = create(name).fit(told.target, source=told.source, contents=told.contents)
    new = dict.fromkeys(told.target.items[:4], 5.0)
    only = next(user for user in told.source.users if user not in told.target.user_number)
    assert len(model.recommend(only, k=5)) == len(model.recommend(new, k=5)) == len(model.similar("t1", k=5)) == 5
    model.save(tmp_path / "m")
    assert load(tmp_path / "m").recommend(new) == model.recommend(new)
    again = create(name).fit(told.target, source=told.source, contents=told.contents)
    assert all(np.array_equal(getattr(again, kind), getattr(model, kind)) for kind in model.learned)
    with pytest.raises(KgmmError, match="learns what items are"):
        create(name).fit(told.target, source=told.source)
    with pytest.raises(KgmmError, match="no rated item has contents"):
        create(name).fit(told.target, contents={"else": "a text"})


@pytest.mark.parametrize("name", BY_CONTENTS)
def test_cold_users_are_predicted_though_no_item_is_in_both(name, told):
    found = cold_users((told.target, told.source), [name], contents=told.contents)
    assert found[name]["rmse"] < 0.95 * found["item-mean"]["rmse"]


@pytest.mark.parametrize("name", BY_CONTENTS)
def test_one_domain_is_enough_and_an_item_without_contents_has_its_mean(name, told):
    text = {item: words for item, words in told.contents[0].items() if item != "t0"}
    model = create(name).fit(told.target, contents=text)
    assert len(model.recommend(told.target.users[0], k=3)) == 3
    if name != "topic-model":  # there the pseudo-counts remain
        assert (model.item_factors[told.target.item_number["t0"]] == 0).all()


def test_a_profile_is_the_weighted_union_by_hand():
    tags = {"a": {"x": 1, "y": 3}, "b": ["x"], "c": ["y"]}
    target, source = [("u", "a", 4), ("v", "a", 2), ("u", "b", 5)], [("u", "c", 1), ("v", "c", 5)]
    model = create("profile", share=0.5, damping=1.0).fit(target, source=source, contents=tags)
    mean, bias = model.mean[0], model.item_bias
    a, b, c = 4 - mean - bias[0], 5 - mean - bias[1], 1 - 3.0  # the source's only item has the mean 3
    x = (0.25 * a + b) / (0.25 + 1 + 1.0)
    y = (0.75 * a + 0.5 * c) / (0.75 + 0.5 + 1.0)
    assert model.user_factors[0].tolist() == pytest.approx([x, y], abs=1e-6)
    assert model.score("u", "b")[0, 0] == pytest.approx(mean + bias[1] + x, abs=1e-6)


def test_topics_climb_and_stay_in_their_platform(told):
    model = create("topic-model", common=3, own=2).fit(told.target, source=told.source, contents=told.contents)
    assert all(b <= a + 1e-9 * abs(a) for a, b in pairwise(model.losses)) and model.losses[-1] < model.losses[0]
    assert (model.item_factors[:, 5:] == 0).all() and (model.item_factors[:, :5] > 0).all()
    assert np.allclose(model.item_factors.sum(1), 1)


def test_the_topic_models_loss_is_the_literal_one():
    rng = np.random.default_rng(0)
    bags = {f"i{n}": {f"w{k}": int(rng.integers(1, 4)) for k in range(3)} for n in range(4)}
    model = create("topic-model", common=2, own=0, alpha=0.3, beta=0.2, turns=1)
    counts, _ = counted(bags, list(bags), 10)
    model._features([counts], np.ones(4, bool), np.zeros(4, bool))
    draw = np.random.default_rng(0)
    theta = draw.uniform(0.5, 1.5, (4, 2))
    theta /= theta.sum(1, keepdims=True)
    phi = draw.dirichlet(np.ones(3), 2)
    literal = -sum(counts[i, w] * np.log(theta[i] @ phi[:, w]) for i in range(4) for w in range(3))
    assert model.losses[0] == pytest.approx(literal - 0.3 * np.log(theta).sum() - 0.2 * np.log(phi).sum())


def test_an_atoms_odds_are_the_literal_integral_over_its_strength():
    rng = np.random.default_rng(0)
    made = Atoms(
        [rng.normal(size=(3, 4)), rng.normal(size=(3, 2))], np.array([0.2, 0.5, 0.4]), np.array([1.5, 0.7]), 2.0
    )
    w, xs, s = np.array([0.8, 0.0, -0.5]), [rng.normal(size=4), rng.normal(size=2)], np.linspace(-12, 12, 40001)
    for seen in ((1.0, 1.0), (1.0, 0.0)):
        left = [(x - w @ D)[None] for x, D in zip(xs, made.dictionaries, strict=True)]
        a, b = made.pull(1, left, [np.array([there]) for there in seen])
        joint = {}
        for z in (0, 1):
            log = np.log(made.usual[1] if z else 1 - made.usual[1]) - made.spread * s**2 / 2
            for x, D, noise, there in zip(xs, made.dictionaries, made.noise, seen, strict=True):
                off = x[:, None] - (w @ D)[:, None] - z * D[1][:, None] * s
                log = log - there * noise * (off**2).sum(0) / 2
            joint[z] = log
        wanted = np.log(np.exp(joint[1]).sum() / np.exp(joint[0]).sum())
        assert made.odds(1, a, b)[0] == pytest.approx(wanted, abs=1e-6)
        assert (b / (made.spread + a))[0] == pytest.approx(s[joint[1].argmax()], abs=1e-3)


def test_planted_atoms_are_found_by_both_modalities_down_to_the_noise():
    rng = np.random.default_rng(1)
    codes = rng.normal(size=(300, 4)) * (rng.random((300, 4)) < 0.4)
    xs = [codes @ rng.normal(size=(4, p)) + 0.1 * rng.normal(size=(300, p)) for p in (12, 6)]
    known = [np.ones(300), (np.arange(300) % 3 > 0) * 1.0]
    xs[1] *= known[1][:, None]
    atoms, _ = drawn(xs, known, 12, 1.0, 1.0, 100, 0)
    assert 1 / np.sqrt(atoms.noise) == pytest.approx([0.1, 0.1], abs=0.02)
    held = coded(atoms, xs, known)
    for x, D, there in zip(xs, atoms.dictionaries, known, strict=True):
        assert ((x - held @ D)[there > 0] ** 2).mean() < 0.05 * (x[there > 0] ** 2).mean()
    assert np.allclose(coded(atoms, [x[5:9] for x in xs], [k[5:9] for k in known]), held[5:9], atol=1e-4)


def test_bad_contents_are_refused():
    with pytest.raises(KgmmError, match="weight of x's contents is negative"):
        counted({"x": {"tag": -1}}, ["x"], 5)
    with pytest.raises(KgmmError, match="lda or nmf"):
        create("topic-bridge", by="magic")
