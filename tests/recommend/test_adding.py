"""Items that came after the fit: placed by who rated them or by what they are, in every method, without learning again."""

import numpy as np
import pytest

from kgmm.data.made_contents import made_contents
from kgmm.data.made_ratings import made_domains
from kgmm.errors import KgmmError, UnknownConcept
from kgmm.recommend import Ratings, create, load, methods
from kgmm.recommend.contents import ContentRecommender
from kgmm.recommend.cross import CrossRecommender

ALONE = [name for name in methods() if not isinstance(create(name), CrossRecommender)]
BY_CONTENTS = [name for name in methods() if isinstance(create(name), ContentRecommender)]
CROSS = [name for name in methods() if name not in (*ALONE, *BY_CONTENTS)]
SETTINGS = {
    "als": {"factors": 2},
    "bpr": {"factors": 2, "rate": 0.05, "epochs": 100},
    "mf": {"rate": 0.05, "epochs": 60},
    "walk": {"lift": 1.0},
    "consistency": {"rounds": 2, "turns": 40},
    "dca": {"turns": 60},
    "tlrec": {"turns": 60},
    "tpcf": {"turns": 60},
}


def rows(rated, mask):
    return [
        (rated.users[rated.user[n]], rated.items[rated.item[n]], float(rated.value[n])) for n in np.flatnonzero(mask)
    ]


@pytest.mark.parametrize("name", ALONE)
def test_a_new_item_goes_to_those_who_like_its_kind(name, tastes, tmp_path):
    new = tastes.item == tastes.item_number["i6"]
    held = new & (np.cumsum(new) > 12)  # a dozen ratings place it
    model = create(name, **SETTINGS.get(name, {})).fit(rows(tastes, ~new))
    before = model.score("u1", "i5")[0, 0]
    told = [r for r in rows(tastes, new & ~held) if name not in ("als", "bpr", "walk") or r[2] > 3]
    model.add_items(told)
    assert model.items[-1] == "i6" and len(model.items) == 40
    scores = model.score([f"u{n}" for n in range(60)], "i6")[:, 0]
    if name not in ("popularity", "item-mean"):
        likes = np.arange(60) % 2 == 0
        assert scores[likes].mean() > scores[~likes].mean() + 0.5 * scores.std()
    assert all(one.item != "i6" for one in model.recommend(told[0][0], 40))
    assert any(one.item == "i6" for one in model.recommend({"i8": 5.0}, 40))
    assert name == "walk" or abs(model.score("u1", "i5")[0, 0] - before) < 1e-6
    assert name in ("popularity", "item-mean") or len(model.similar("i6", 3)) == 3
    model.save(tmp_path / "m")
    assert load(tmp_path / "m").recommend("u7", 9) == model.recommend("u7", 9)


@pytest.mark.parametrize("name", CROSS)
def test_a_new_item_of_two_domains_is_rated_as_by_its_users(name, tmp_path):
    two = made_domains(users=120, items=60, overlap=0.6, rated=0.4, bend=0.0, seed=1)
    new = two.target.item == 5
    held = new & (np.cumsum(new) % 4 == 0)
    model = create(name, **SETTINGS.get(name, {})).fit(rows(two.target, ~new), source=two.source)
    model.add_items(rows(two.target, new & ~held))
    tests = [(u, v) for u, _, v in rows(two.target, held) if u in model.users]
    found = model.score([u for u, _ in tests], two.target.items[5])[:, 0]
    values = np.array([v for _, v in tests])
    usual = two.target.value[new & ~held].mean()
    assert len(tests) > 8 and ((found - values) ** 2).mean() < 0.8 * ((usual - values) ** 2).mean()


@pytest.mark.parametrize("name", BY_CONTENTS)
def test_a_new_item_is_placed_by_what_it_is(name, tmp_path):
    told = made_contents(seed=1)
    new = np.isin(told.target.item, np.arange(8))
    names = set(told.target.items[:8])
    model = create(name).fit(rows(told.target, ~new), source=told.source, contents=told.contents)
    item = model.items[0]
    model.save(tmp_path / "m")
    model = load(tmp_path / "m")
    model.add_items(contents=[{k: v for k, v in kind.items() if k in names} for kind in told.contents])
    tests = [r for r in rows(told.target, new) if r[0] in model.users]
    found = np.array([model.score(u, i)[0, 0] for u, i, _ in tests])
    values = np.array([v for _, _, v in tests])
    assert np.corrcoef(found, values)[0, 1] > (0.4 if name == "profile" else 0.6)
    # an item under another name is what it was
    model.add_items(contents=[{"again": kind[item]} for kind in told.contents])
    assert np.allclose(model.item_factors[-1], model.item_factors[0], atol=0.03)
    with pytest.raises(KgmmError, match="contents of 1 kinds are given; it learned from 2"):
        model.add_items(contents={"more": "w1"})
    model.add_items([(model.users[0], "rated only", 5.0)])
    assert model.item_bias[-1] > 0 and model.items[-1] == "rated only"


def test_a_map_that_does_not_fit_its_terms_is_told():
    told = made_contents(seed=1)
    for name, kind in (("topic-model", "phi"), ("topic-bridge", "components"), ("cdcl", "axes")):
        model = create(name).fit(told.target, contents=told.contents)
        setattr(model, kind, getattr(model, kind)[:2, :3])
        with pytest.raises(KgmmError, match="does not fit its terms"):
            model.add_items(contents=[{"new": "w1 w9 v3"}, {"new": "v1 v2"}])
        assert "new" not in model._item_number


def test_topics_by_nmf_place_new_items_too():
    told = made_contents(seed=1)
    model = create("topic-bridge", by="nmf").fit(told.target, contents=told.contents)
    model.add_items(contents=[{"again": kind[model.items[0]]} for kind in told.contents])
    assert np.allclose(model.item_factors[-1], model.item_factors[0], atol=0.03)


@pytest.mark.parametrize("implicit", [True, False])
def test_als_places_by_the_closed_form_of_a_turn(tastes, implicit):
    model = create("als", factors=4, implicit=implicit).fit(tastes)
    mine = tastes.item == 3
    model.add_items(
        [(tastes.users[u], "twin", float(v)) for u, v in zip(tastes.user[mine], tastes.value[mine], strict=True)]
    )
    assert np.allclose(model.item_factors[-1], model.item_factors[3], atol=1e-3)  # the items' turn is the last
    assert np.allclose(model.gram, model.item_factors.T @ model.item_factors, rtol=1e-4)


def test_bpr_places_at_the_top_of_its_literal_sum(tastes):
    model = create("bpr", factors=3, rate=0.05, epochs=50, weight=0.02).fit(tastes)
    users = np.array([0, 4, 8], np.int32)
    vector, bias = model._item_placed(users, np.ones(3, np.float32))
    U, V = model.user_factors.astype(float), model.item_factors.astype(float)
    S = U @ V.T + model.item_bias
    chosen = np.zeros(S.shape, bool)
    chosen[tastes.user, tastes.item] = True

    def total(theta):
        x, found, draws = U @ theta[:-1] + theta[-1], 0.0, 0.0
        for u in range(len(U)):
            if u in users:
                found += np.mean(-np.log1p(np.exp(S[u, ~chosen[u]] - x[u])))
                draws += 1
            else:
                share = 1 / (len(V) + 1 - chosen[u].sum())
                found += share * (-np.log1p(np.exp(x[u] - S[u, chosen[u]]))).sum()
                draws += share * chosen[u].sum()
        return found - 0.02 * draws * (theta**2).sum() / 2

    best = np.append(vector, bias).astype(float)
    moved = [total(best + step) for step in 0.05 * np.vstack([np.eye(4), -np.eye(4)])]
    assert all(total(best) > value for value in moved)


def test_what_cannot_be_added_is_told(tastes):
    model = create("mf", epochs=2).fit(tastes)
    for rated, said in (
        ([("u0", "i1", 5)], "knows the item 'i1' already"),
        ([], "there are no ratings"),
        (None, "no item is given"),
        ([("u0", "new", float("nan"))], "no finite number"),
    ):
        with pytest.raises(KgmmError, match=said):
            model.add_items(rated)
    with pytest.raises(UnknownConcept, match="no user 'nobody'"):
        model.add_items([("nobody", "new", 5)])
    with pytest.raises(KgmmError, match="does not read contents"):
        model.add_items(contents={"new": "a text"})
    with pytest.raises(KgmmError, match="has learned nothing"):
        create("als").add_items([("u0", "new", 5)])
    assert model.items == tastes.items and "new" not in model._item_number


def test_what_users_have_seen_stays_in_rows(tastes):
    model = create("popularity").fit(tastes)
    model.add_items([("u5", "b", 4), ("u0", "b", 2), ("u5", "a", 1)])
    whole = create("popularity").fit(
        Ratings.of([*rows(tastes, tastes.user >= 0), ("u5", "b", 4), ("u0", "b", 2), ("u5", "a", 1)])
    )
    for user in ("u0", "u5", "u9"):
        found = [{m.items[i]: float(v) for i, v in zip(*m._rated(user), strict=True)} for m in (model, whole)]
        assert found[0] == found[1]
    assert np.array_equal(model.item_count, whole.item_count)
