"""Recommenders of two domains: what they learn of users whom the target never saw; their sums against literal ones."""

from itertools import pairwise

import numpy as np
import pytest

from kgmm.data.made_ratings import made_domains
from kgmm.errors import KgmmError
from kgmm.evaluate.recommend_cold import cold_users
from kgmm.recommend import Ratings, create, load
from kgmm.recommend.recommenders.latent_attributes import attributes, sparse_codes
from kgmm.recommend.recommenders.xptrans import LikenessTransfer

CROSS = ("cbt", "emcdr", "latent-attributes", "ridge", "xptrans")


@pytest.fixture(scope="module")
def two():
    return made_domains(users=120, items=60, overlap=0.6, rated=0.3, bend=0.0, seed=1)


@pytest.mark.parametrize("name", CROSS)
def test_learns_saves_and_places_new_users(name, two, tmp_path):
    model = create(name).fit(two.target, source=two.source)
    new = dict.fromkeys(two.target.items[:4], 5.0)
    assert len(model.recommend(two.target.users[0], k=5)) == len(model.recommend(new, k=5)) == 5
    model.save(tmp_path / "m")
    assert load(tmp_path / "m").recommend(new) == model.recommend(new)
    again = create(name).fit(two.target, source=two.source)
    assert all(np.array_equal(getattr(again, kind), getattr(model, kind)) for kind in model.learned)


@pytest.mark.parametrize("name", CROSS)
def test_says_what_it_needs(name, two):
    with pytest.raises(KgmmError, match="learns from two domains"):
        create(name).fit(two.target)
    if name != "cbt":
        apart = Ratings.of([("nobody", "x", 3), ("noone", "y", 4)])
        with pytest.raises(KgmmError, match="ratings in both domains; there are 0"):
            create(name).fit(two.target, source=apart)
    with pytest.raises(KgmmError, match="has no option magic"):
        create(name, magic=1)


def test_users_of_the_source_only_are_recommended_the_targets_items(two):
    model = create("ridge").fit(two.target, source=two.source)
    only = next(user for user in two.source.users if user not in two.target.user_number)
    found = model.recommend(only, k=3)
    assert len(found) == 3 and all(one.item in two.target.item_number for one in found)


def test_ridge_is_its_closed_form():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 4)), rng.normal(size=(30, 3))
    W = create("ridge", shrink=0.5)._mapping(x, y)
    literal = y.T @ x @ np.linalg.inv(x.T @ x + 0.5 * np.eye(4))  # users are columns in the equation
    assert np.allclose(W(x), (literal @ x.T).T)


def test_sparse_codes_and_attributes_fall_and_stay_in_their_balls():
    rng = np.random.default_rng(0)
    blocks = [rng.normal(size=(5, 60)), rng.normal(size=(4, 60))]
    D, _, losses = attributes(blocks, 8, 0.1, 12)
    assert all(b <= a + 1e-9 for a, b in pairwise(losses))
    assert all((np.linalg.norm(d, axis=0) <= 1 + 1e-9).all() for d in D)
    codes = sparse_codes(D[0], blocks[0], 0.1, steps=5000)
    slope = 2 * D[0].T @ (D[0] @ codes - blocks[0])  # optimality of the lasso
    assert np.abs(slope[codes != 0] + 0.1 * np.sign(codes[codes != 0])).max() < 1e-3
    assert (np.abs(slope[codes == 0]) <= 0.1 + 1e-3).all()


def test_likeness_is_the_sum_over_pairs_and_its_gradient_is_that_of_differences(two):
    model = LikenessTransfer(factors=3, source_factors=2, tie=2.0)
    model._source = two.source
    both = model._both(two.target)
    rng = np.random.default_rng(0)
    domains = [(two.target, 3, 1.0), (two.source, 2, 0.5)]
    state = [rng.uniform(0.1, 1, (len(n), k)) for r, k, _ in domains for n in (r.users, r.items)]
    loss, slopes = model._objective(state, domains, both)
    literal = 0.0
    for n, (r, _, share) in enumerate(domains):
        U, V = state[2 * n], state[2 * n + 1]
        literal += share * sum((U[u] @ V[i] - v) ** 2 for u, i, v in zip(r.user, r.item, r.value, strict=True))
        literal += 0.02 * ((U**2).sum() + (V**2).sum())
    A, B = state[0][both.target], state[2][both.source]
    literal += 2.0 / len(A) * ((A @ A.T - B @ B.T) ** 2).sum()
    assert loss == pytest.approx(literal)
    for part in (0, 1, 2, 3):
        at = (both.target[0] if part == 0 else both.source[0] if part == 2 else 1, 1)
        moved = [[p.copy() for p in state] for _ in range(2)]
        for sign, copy in zip((1, -1), moved, strict=True):
            copy[part][at] += sign * 1e-5
        rise = (model._objective(moved[0], domains, both)[0] - model._objective(moved[1], domains, both)[0]) / 2e-5
        assert slopes[part][at] == pytest.approx(rise, rel=1e-4)


@pytest.mark.parametrize("name", ["cbt", "xptrans"])
def test_every_turn_falls(name, two):
    losses = create(name).fit(two.target, source=two.source).losses
    assert len(losses) > 2 and all(b <= a + 1e-9 for a, b in pairwise(losses))
    assert losses[-1] < 0.9 * losses[0]


def test_codebook_finds_planted_blocks():
    rng = np.random.default_rng(0)
    book = np.array([[5, 1, 3], [1, 5, 2], [3, 2, 5]], float)

    def drawn(prefix, users, items, share):
        u, i = np.nonzero(rng.random((users, items)) < share)
        return Ratings.from_columns([f"{prefix}{x}" for x in u], [f"{prefix}i{x}" for x in i], book[u % 3, i % 3])

    source, target = drawn("s", 60, 45, 0.8), drawn("t", 60, 45, 0.3)
    model = create("cbt", user_clusters=3, item_clusters=3).fit(target, source=source)
    # every pair of the target, rated or not, is a block's value
    off = [model.score(f"t{u}", [f"ti{i}" for i in range(45)])[0] - book[u % 3, np.arange(45) % 3] for u in range(60)]
    assert np.abs(off).mean() < 0.3


def test_cold_users_are_rated_better_with_the_source():
    found = cold_users(
        made_domains(users=300, items=100, overlap=0.8, rated=0.3, bend=0.0, seed=2), ["ridge", "emcdr"], share=0.3
    )
    assert found["ridge"]["rmse"] < 0.9 * found["item-mean"]["rmse"]
    assert found["users"] == 72 and found["ratings"] > 500


def test_the_command_predicts_cold_users_from_a_source(tmp_path, two):
    import json

    from click.testing import CliRunner

    from kgmm.cli import cli

    for name, rated in zip(("target", "source"), two, strict=True):
        rows = zip(rated.user, rated.item, rated.value, strict=True)
        text = "".join(f"{rated.users[u]},{rated.items[i]},{v}\n" for u, i, v in rows)
        (tmp_path / f"{name}.csv").write_text("user,item,rating\n" + text)
    run = CliRunner().invoke(
        cli,
        [
            "eval",
            "recommend",
            f"{tmp_path}/target.csv",
            "--source",
            f"{tmp_path}/source.csv",
            "--method",
            "ridge",
            "--json",
        ],
    )
    found = json.loads(run.stdout)
    assert run.exit_code == 0 and found["rmse"] < found["item-mean"]["rmse"] and found["users"] == 14
