"""What holds for every recommender: known users and new ones, saving, the same bits, bad input."""

import math

import numpy as np
import pytest

from kgmm.errors import BadInput, KgmmError, UnknownConcept
from kgmm.recommend import Ratings, create, load, methods
from kgmm.recommend.cross import CrossRecommender

#: settings with which each learns the planted tastes
SETTINGS = {
    "als": {"factors": 2},
    "bpr": {"factors": 2, "rate": 0.05, "epochs": 100},
    "mf": {"rate": 0.05, "epochs": 60},
    "walk": {"lift": 1.0},
}
PLAIN = ("item-mean", "popularity")  # the same for everyone
#: those of two domains are in test_cross.py and test_transfer.py
ALONE = [name for name in methods() if not isinstance(create(name), CrossRecommender)]


@pytest.fixture(scope="session", params=ALONE)
def model(request, tastes):
    return create(request.param, **SETTINGS.get(request.param, {})).fit(tastes)


def test_recommends_what_was_not_seen_best_first(model, tastes):
    found = model.recommend("u0", k=40)
    seen = {tastes.items[i] for i in tastes.item[tastes.user == tastes.user_number["u0"]]}
    assert {one.item for one in found} == set(tastes.items) - seen
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert len(model.recommend("u0", k=3, seen=True)) == 3


def test_finds_the_planted_taste_of_known_and_new_users(model, tastes):
    if model.name in PLAIN:
        return
    for kind in (0, 1):
        known = [one.item for one in model.recommend(f"u{kind}", k=5)]
        liked = {f"i{i}": 5.0 for i in range(kind, 12, 2)} | {
            f"i{i}": 1.0 for i in range(1 - kind, 6, 2) if model.rates
        }
        new = [one.item for one in model.recommend(liked, k=5)]
        assert all(int(item[1:]) % 2 == kind for item in known + new), (known, new)


def test_scores_are_those_that_rank(model):
    best = model.recommend("u3", k=4)
    assert model.score("u3", [one.item for one in best])[0].tolist() == pytest.approx([one.score for one in best])
    assert model.score(["u3", {"i1": 5}], ["i0", "i1", "i2"]).shape == (2, 3)
    assert np.allclose(model.all_scores([0, 5])[1], model.score(model.users[5], list(model.items))[0], atol=1e-5)


def test_a_saved_model_needs_no_ratings(model, tmp_path):
    model.save(tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    assert again.recommend("u7", k=9) == model.recommend("u7", k=9)
    assert again.recommend({"i3": 5, "i4": 1}) == model.recommend({"i3": 5, "i4": 1})
    assert again.options() == model.options()


def test_learns_the_same_bits_again(model, tastes):
    again = create(model.name, **model.options()).fit(tastes)
    assert all(np.array_equal(getattr(again, name), getattr(model, name)) for name in model.learned)


def test_unknown_users_and_items_are_told_with_near_names(model):
    with pytest.raises(UnknownConcept, match="near spellings: u1"):
        model.recommend("u1x")
    with pytest.raises(UnknownConcept, match="no item 'i999'"):
        model.recommend({"i999": 3})
    with pytest.raises(KgmmError, match="at least one item"):
        model.recommend({})
    with pytest.raises(KgmmError, match="no finite number"):
        model.recommend({"i1": math.nan})
    with pytest.raises(KgmmError, match="k = 0"):
        model.recommend("u1", k=0)


@pytest.mark.parametrize("name", ALONE)
def test_small_and_constant_ratings_have_results(name):
    one = create(name).fit([("ann", "Alien", 4)])
    assert one.recommend("ann") == [] and len(one.recommend("ann", seen=True)) == 1
    same = create(name).fit([(u, i, 3) for u in "abc" for i in "xyz"] + [("d", "x", 3)])
    assert all(math.isfinite(found.score) for found in same.recommend("d"))


@pytest.mark.parametrize("name", methods())
def test_what_learned_nothing_says_so(name):
    with pytest.raises(KgmmError, match="has learned nothing yet"):
        create(name).recommend("ann")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "there are no ratings"),
        ([("a", "x", float("nan"))], "1: the rating nan is no finite number"),
        ([("a", "x", 1), ("b", "y", "good")], "2: the rating 'good' is no number"),
        ([("a",)], "expected user, item"),
        ([("a", "x", 1), ("b", "y")], "2: expected user, item"),
        ([("a", None)], "1: expected user, item"),
    ],
)
def test_bad_ratings_name_the_row(rows, said):
    with pytest.raises(BadInput, match=said):
        Ratings.of(rows)


def test_the_latest_of_several_ratings_stays():
    assert Ratings.of([("a", "x", 1, 9), ("a", "x", 2, 3)]).value.tolist() == [1]
    assert Ratings.of([("a", "x", 1), ("a", "x", 2)]).value.tolist() == [2]


def test_names_may_be_numbers_and_frames_of_others():
    import pandas as pd

    frame = pd.DataFrame({"rating": [3.0, 4.0], "movieId": [10, 11], "userId": [1.0, 2.0]})
    assert Ratings.of(frame).users == ("1", "2") and Ratings.of(frame).items == ("10", "11")


def test_a_damaged_model_is_refused(tmp_path, tastes):
    place = tmp_path / "model.safetensors"
    create("popularity").fit(tastes).save(place)
    place.write_bytes(place.read_bytes()[:-40])
    with pytest.raises(BadInput, match="cannot be read as a recommender"):
        load(place)
    with pytest.raises(KgmmError, match="no recommender 'magic'"):
        create("magic")
    with pytest.raises(KgmmError, match="has no option factors"):
        create("popularity", factors=3)
