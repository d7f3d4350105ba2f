"""Joint learning of two domains: objectives against literal sums, gradients against differences, what is shared and what is not."""

from itertools import pairwise

import numpy as np
import pytest

from kgmm.data.made_ratings import made_domains
from kgmm.errors import KgmmError
from kgmm.evaluate.recommend_cold import cold_users
from kgmm.recommend import Ratings, create, load
from kgmm.recommend.cross import overlap
from kgmm.recommend.joint import misfit, neighbours
from kgmm.recommend.recommenders import dca

JOINT = ("consistency", "dca", "tlrec", "tpcf", "user-weights")


#: less work where that is enough
SETTINGS = {
    "consistency": {"rounds": 2, "turns": 40},
    "tpcf": {"turns": 60},
    "tlrec": {"turns": 60},
    "dca": {"turns": 100},
}


@pytest.fixture(scope="module")
def two():
    return made_domains(users=120, items=60, overlap=0.6, rated=0.3, bend=0.0, seed=1)


def same_slopes(objective, state, rel=1e-4):
    """The gradient is that of central differences, at one place of every part that is not 0."""
    slopes = objective(state)[1]
    rng = np.random.default_rng(0)
    for number, part in enumerate(state):
        at = tuple(rng.choice(np.argwhere(part)))
        moved = []
        for sign in (1, -1):
            copy = [p.copy() for p in state]
            copy[number][at] += sign * 1e-5
            moved.append(objective(copy)[0])
        assert slopes[number][at] == pytest.approx((moved[0] - moved[1]) / 2e-5, rel=rel, abs=1e-5), number


@pytest.mark.parametrize("name", JOINT)
def test_learns_saves_places_new_users_and_falls(name, two, tmp_path):
    model = create(name, **SETTINGS.get(name, {})).fit(two.target, source=two.source)
    for losses in () if name == "user-weights" else model.losses if name == "consistency" else [model.losses]:
        assert len(losses) > 5 and losses[-1] < 0.9 * losses[0]
        assert all(b <= a + 1e-9 * abs(a) for a, b in pairwise(losses))
    new = dict.fromkeys(two.target.items[:4], 5.0)
    assert len(model.recommend(two.target.users[0], k=5)) == len(model.recommend(new, k=5)) == 5
    only = next(user for user in two.source.users if user not in two.target.user_number)
    assert len(model.recommend(only, k=3)) == 3
    model.save(tmp_path / "m")
    assert load(tmp_path / "m").recommend(new) == model.recommend(new)
    again = create(name, **model.options()).fit(two.target, source=two.source)
    assert all(np.array_equal(getattr(again, kind), getattr(model, kind)) for kind in model.learned)


@pytest.mark.parametrize("name", JOINT)
def test_says_what_it_needs_and_beats_item_means_for_cold_users(name, two):
    with pytest.raises(KgmmError, match="learns from two domains"):
        create(name).fit(two.target)
    if name != "tpcf":
        apart = Ratings.of([("nobody", "x", 3), ("noone", "y", 4)])
        with pytest.raises(KgmmError, match="ratings in both domains; there are 0"):
            create(name).fit(two.target, source=apart)
    found = cold_users(two, [name], **SETTINGS.get(name, {}))
    assert found[name]["rmse"] < 0.9 * found["item-mean"]["rmse"]


def test_misfit_is_the_sum_over_ratings():
    rng = np.random.default_rng(0)
    rated = Ratings.of([(f"u{u}", f"i{i}", rng.random()) for u in range(5) for i in range(4) if (u + i) % 3])
    U, V, w = rng.normal(size=(5, 3)), rng.normal(size=(4, 3)), rng.random(len(rated))
    literal = sum(
        w[n] * (rated.value.mean(dtype=float) + U[u, :2] @ V[i, :2] + U[u, 2] + V[i, 2] - r) ** 2
        for n, (u, i, r) in enumerate(zip(rated.user, rated.item, rated.value, strict=True))
    )
    assert misfit(rated, U, V, rated.user, rated.item, w)[0] == pytest.approx(literal)
    same_slopes(lambda s: (lambda m: (m[0], list(m[1:])))(misfit(rated, s[0], s[1], rated.user, rated.item, w)), [U, V])


def test_neighbours_make_the_sum_over_pairs():
    rng = np.random.default_rng(0)
    row, column, value = np.repeat(np.arange(6), 5), np.tile(np.arange(5), 6), rng.normal(size=30)
    U, X = rng.normal(size=(6, 2)), value.reshape(6, 5)
    like = X @ X.T / np.outer(np.linalg.norm(X, axis=1), np.linalg.norm(X, axis=1))
    literal = 0.0
    for i in range(6):
        for j in sorted((j for j in range(6) if j != i), key=lambda j: -like[i, j])[:2]:
            literal += max(like[i, j], 0) / 2 * ((U[i] - U[j]) ** 2).sum() / 2
    assert np.trace(U.T @ (neighbours(row, column, value, (6, 5), 2) @ U)) == pytest.approx(literal)


def test_tied_factors_are_their_literal_objective(two):
    model = create("tlrec", factors=3, share=0.7, tie=2.0, smooth=0.4, weight=0.1)
    model._source = two.source
    rng = np.random.default_rng(0)
    tied = overlap(two.target, two.source)
    near = model._laplacians(two.target, tied, len(two.target.users))
    state = [rng.normal(size=(len(n), 4)) for r in two for n in (r.users, r.items)]
    literal = sum(
        0.1 * (part**2).sum() + 0.4 * np.trace(part.T @ (L @ part)) for part, L in zip(state, near, strict=True)
    )
    for n, (rated, share) in enumerate(zip(two, (1, 0.7), strict=True)):
        literal += share * misfit(rated, *state[2 * n : 2 * n + 2], rated.user, rated.item)[0]
    for u, v in zip(tied.target, tied.source, strict=True):
        literal += 2.0 * ((state[0][u] - state[2][v]) ** 2).sum()
    assert model._objective(state, two.target, tied, near)[0] == pytest.approx(literal)
    same_slopes(lambda parts: model._objective(parts, two.target, tied, near), state)


def rows(rated, mask):
    return [
        (rated.users[rated.user[n]], rated.items[rated.item[n]], float(rated.value[n])) for n in np.flatnonzero(mask)
    ]


def rmse(model, tests):
    off = [np.clip(model.score(u, i)[0, 0], 1, 5) - v for u, i, v in tests if i in model.items and u in model.users]
    assert len(off) > 0.9 * len(tests)
    return float(np.sqrt(np.mean(np.square(off))))


def test_collective_factors_gain_from_items_in_common():
    rated = made_domains(users=200, items=80, overlap=0, rated=0.3, seed=3).target
    mine, learn = rated.user < 60, np.random.default_rng(0).random(len(rated)) < 0.3
    train, source, tests = (rows(rated, mask) for mask in (mine & learn, ~mine, mine & ~learn))
    with_items = create("tpcf").fit(train, source=Ratings.of(source))
    assert rmse(with_items, tests) < 0.8 * rmse(create("tpcf", share=0.0).fit(train, source=source), tests)


def test_collective_factors_gain_from_patterns_alone():
    rng = np.random.default_rng(7)
    book = np.random.default_rng(1).uniform(1, 5, (6, 6))

    def drawn(prefix, users, items, share):
        X = book[rng.integers(0, 6, users)][:, rng.integers(0, 6, items)] + 0.2 * rng.normal(size=(users, items))
        kept = rng.random(X.shape) < share
        return [[(f"{prefix}{u}", f"{prefix}i{i}", X[u, i]) for u, i in np.argwhere(k)] for k in (kept, ~kept)]

    source, (train, tests) = Ratings.of(drawn("s", 150, 100, 0.6)[0]), drawn("t", 80, 60, 0.25)
    model = create("tpcf", clusters=6, turns=80).fit(train, source=source)
    assert all(b <= a + 1e-9 * a for a, b in pairwise(model.losses))
    codebook = create("cbt", user_clusters=6, item_clusters=6).fit(train, source=source)
    assert rmse(model, tests) < 0.5 * min(rmse(other, tests) for other in (codebook, create("item-mean").fit(train)))


def test_collective_factors_are_their_literal_objective_over_three_sources(two):
    rng = np.random.default_rng(0)
    items = Ratings.of([(f"v{n % 9}", two.target.items[n % 7], rng.random()) for n in range(60)])
    alone = Ratings.of([(f"w{n % 8}", f"z{n % 5}", rng.random()) for n in range(40)])
    sources = [two.source, items, alone]
    model = create("tpcf", factors=2, clusters=3, share=[0.5, 2.0, 3.0], weight=0.1)
    plan, sizes, users = model._plan(two.target, sources, model.share)
    assert users[: len(two.target.users)] == two.target.users and set(two.source.users) <= set(users)
    state = {name: rng.normal(size=size) for name, size in sizes.items()}
    soft = {k: np.exp(v) / np.exp(v).sum(1, keepdims=True) for k, v in state.items() if k[0] in "AC"}
    literal = sum((0.02 if name[0] in "ABC" else 0.1) * (part**2).sum() for name, part in state.items())
    item_rows = {name: n for n, name in enumerate(two.target.items)}
    user_rows = {name: n for n, name in enumerate(users)}
    for rated, share, left, right in (
        (two.target, 1, "U", "V"), (two.source, 0.5, "U", "V0"), (items, 2.0, "U1", "V"), (alone, 3.0, "U2", "V2"),
    ):  # fmt: skip
        for u, i, r in zip(rated.user, rated.item, rated.value, strict=True):
            a = user_rows[rated.users[u]] if left == "U" else u
            b = item_rows[rated.items[i]] if right == "V" else i
            x, y = state[left][a], state[right][b]
            guess = rated.value.mean(dtype=float) + x[:-1] @ y[:-1] + x[-1] + y[-1]
            if rated is two.target or rated is alone:
                p, q = ("A", "C") if rated is two.target else ("A2", "C2")
                guess += soft[p][a] @ state["B"] @ soft[q][b]
            literal += share * (r - guess) ** 2
    names = list(state)
    assert model._objective(list(state.values()), names, plan)[0] == pytest.approx(literal)
    same_slopes(lambda parts: model._objective(parts, names, plan), list(state.values()))
    fitted = model.fit(two.target, source=sources)
    assert fitted.user_factors.shape == (len(users), 5) and fitted.item_factors.shape == (len(two.target.items), 5)
    with pytest.raises(KgmmError, match="3 shares for 1 sources"):
        model.fit(two.target, source=two.source)


def test_users_who_differ_in_the_source_lose_their_weight():
    two = made_domains(users=200, items=80, overlap=1.0, rated=0.25, bend=0.0, seed=9)
    rng = np.random.default_rng(0)
    names, wrong = list(two.source.users), np.arange(0, 200, 2)
    for to, of in zip(wrong, rng.permutation(wrong), strict=True):
        names[to] = two.source.users[of]
    source = Ratings.of(
        [
            (names[u], two.source.items[i], v)
            for u, i, v in zip(two.source.user, two.source.item, two.source.value, strict=True)
        ]
    )
    learn = rng.random(len(two.target)) < 0.3
    train, tests = rows(two.target, learn), rows(two.target, ~learn)
    selecting = create("consistency", turns=50).fit(train, source=source)
    plain = create("consistency", selection=0.0, turns=50).fit(train, source=source)
    trust = [
        np.mean([selecting.user_trust[selecting.users.index(two.source.users[u])] for u in who])
        for who in (wrong, wrong + 1)
    ]
    assert trust[0] < 0.9 * trust[1] and (plain.user_trust == 1).all()
    assert rmse(selecting, tests) < rmse(plain, tests)


def test_each_users_weight_is_the_least_squares_one():
    from kgmm.recommend.recommenders.user_weights import shares

    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(5), 4)
    own, carried, value = rng.normal(size=(3, 20))
    found = shares(user, own, carried, value, 5, 0.7)
    tried = np.linspace(0, 1, 2001)
    best = tried[((value - tried[:, None] * own - (1 - tried[:, None]) * carried) ** 2).sum(1).argmin()]
    for u in range(5):
        at = user == u
        errors = ((value[at] - tried[:, None] * own[at] - (1 - tried[:, None]) * carried[at]) ** 2).sum(1)
        assert found[u] == pytest.approx(tried[(errors + 0.7 * (tried - best) ** 2).argmin()], abs=2e-3)


def test_users_with_few_ratings_lean_on_the_source():
    two = made_domains(users=200, items=80, overlap=0.6, rated=0.3, bend=0.5, seed=4)
    both = [u for u, name in enumerate(two.target.users) if name in two.source.user_number]
    seen, mask = np.zeros(len(two.target.users), int), np.ones(len(two.target), bool)
    for n, u in enumerate(two.target.user):
        seen[u] += 1
        mask[n] = seen[u] <= 3 or u not in both[::3]
    train, tests = rows(two.target, mask), rows(two.target, ~mask)
    model = create("user-weights").fit(train, source=two.source)
    assert rmse(model, tests) < 0.85 * rmse(create("ridge").fit(train, source=two.source), tests)
    share = [
        np.mean([model.user_share[model.users.index(two.target.users[u])] for u in who])
        for who in (both[::3], both[1::3])
    ]
    assert share[0] < share[1] and (model.user_share[len({u for u, _, _ in train}) :] == 0).all()


def made_platforms(seed):
    """Profiles on two platforms of 12 values each: two shared factors, two of each platform alone."""
    rng = np.random.default_rng(seed)
    shared, mine, yours = (rng.normal(size=(400, 2)) for _ in range(3))
    A, B = rng.normal(size=(2, 4, 12))
    return [1 / (1 + np.exp(-np.hstack([shared, own]) @ W / 1.5)) for own, W in ((mine, A), (yours, B))]


def explained(codes, wanted):
    """R² on the last 100 rows of a linear regression on the first 300."""
    rows = np.column_stack([codes, np.ones(len(codes))])
    off = rows[300:] @ np.linalg.lstsq(rows[:300], wanted[:300], rcond=None)[0] - wanted[300:]
    return 1 - (off**2).sum() / ((wanted[300:] - wanted[:300].mean(0)) ** 2).sum()


@pytest.mark.parametrize("seed", [0, 1])
def test_common_codes_predict_the_other_platform_and_own_codes_do_not(seed):
    first, second = made_platforms(seed)
    net, _ = dca.associated(first[:300], second[:300], (2, 2, 2), 1e-3, 1e-3, 400)
    own, common, _ = net.parts(net.codes(first, None))
    assert explained(common, second) > 0.9 * explained(first, second) > 0.25
    assert abs(explained(own, second)) < 0.05 and explained(own, first) > 0.3
    made = net.profiles(net.codes(first, None))[1][300:]
    usual = ((second[300:] - second[:300].mean(0)) ** 2).sum()
    assert ((made - second[300:]) ** 2).sum() < 0.8 * usual


def test_masked_weights_stay_exactly_zero():
    first, second = made_platforms(3)
    net, losses = dca.associated(first[:100], second[:100], (2, 3, 4), 1e-3, 1e-3, 50)
    assert (net.encode[0][5:] == 0).all() and (net.encode[1][:2] == 0).all()
    assert (net.decode[0][:, 5:] == 0).all() and (net.decode[1][:, :2] == 0).all()
    assert (net.encode[0][:5] != 0).all() and (net.decode[1][:, 2:] != 0).all()
    assert all(b <= a for a, b in pairwise(losses))


def test_the_coders_loss_is_the_printed_one():
    rng = np.random.default_rng(0)
    xs, sizes = [rng.random((7, 3)), rng.random((7, 4))], (1, 2, 2)
    masks = [np.array([1, 1, 1, 0, 0]), np.array([0, 1, 1, 1, 1])]
    state = []
    for x, mask in zip(xs, masks, strict=True):
        state += [rng.normal(size=(5, x.shape[1])) * mask[:, None], rng.normal(size=(x.shape[1], 5)) * mask]
    state += [rng.normal(size=5), rng.normal(size=3), rng.normal(size=4)]
    literal = 0.1 * sum((W**2).sum() for W in state[:4])
    for n in range(7):
        for on in ((1, 1), (1, 0), (0, 1)):
            h = 1 / (1 + np.exp(-sum(on[i] * state[2 * i] @ xs[i][n] for i in (0, 1)) - state[4]))
            literal += 0.2 * np.abs(h).sum()
            for i in (0, 1):
                literal += ((1 / (1 + np.exp(-state[2 * i + 1] @ h - state[5 + i])) - xs[i][n]) ** 2).sum()
    assert dca.loss(state, xs, sizes, 0.1, 0.2)[0] == pytest.approx(literal)
    same_slopes(lambda parts: dca.loss(parts, xs, sizes, 0.1, 0.2), state)


def test_profiles_outside_their_range_are_refused():
    with pytest.raises(KgmmError, match=r"values in \[0, 1\]"):
        dca.associated(np.full((3, 2), 1.5), np.zeros((3, 2)), (1, 1, 1), 0.1, 0.1, 5)
    with pytest.raises(KgmmError, match="same rows"):
        dca.associated(np.zeros((3, 2)), np.zeros((4, 2)), (1, 1, 1), 0.1, 0.1, 5)
