"""Recommenders' figures: splits, rankings against literal forms, and Cornac's own figures where it is installed."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from kgmm.cli import cli
from kgmm.data.ratings import read_ratings
from kgmm.errors import BadInput, KgmmError
from kgmm.evaluate.recommend import _ranking, evaluate, split
from kgmm.recommend import Ratings


@pytest.fixture(scope="module")
def rated():
    rng = np.random.default_rng(0)
    rows = {
        (int(u), int(i)) for u, i in zip(rng.integers(0, 40, 900), rng.integers(0, 30, 900) ** 2 // 30, strict=True)
    }
    return Ratings.of([(u, i, float(rng.integers(1, 6)), float(t)) for t, (u, i) in enumerate(sorted(rows))])


def test_splits_keep_apart_what_they_say(rated):
    ratio, last, time = (split(rated, how, seed=3) for how in ("ratio", "leave-one-out", "time"))
    assert len(ratio.train) + len(ratio.value) + ratio.unknown == len(rated)
    assert np.bincount(last.user).max() == 1
    assert time.later == 0 and ratio.later > 0.2
    assert time.train.time.max() < np.sort(rated.time)[int(len(rated) * 0.8)] + 1
    with pytest.raises(KgmmError, match="needs the times"):
        split(Ratings.of([("a", "x"), ("b", "y")]), "time")
    with pytest.raises(KgmmError, match="too few"):
        split(Ratings.of([("a", "x")]), "ratio")
    with pytest.raises(KgmmError, match="no split 'magic'"):
        split(rated, "magic")


def test_a_ranking_equals_its_literal_form():
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    row, order = _ranking(scores, np.array([1, 4]), np.array([True, True, False, True, True, True]))
    assert order.tolist() == [0, 1, 3, 4, 5]
    assert row["auc"] == pytest.approx((2 + 1) / 6)
    assert row["map"] == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert row["mrr"] == 0.5
    assert row["ndcg@10"] == pytest.approx((1 / np.log2(3) + 1 / np.log2(5)) / (1 + 1 / np.log2(3)))
    assert (row["recall@10"], row["precision@10"], row["hit@10"]) == (1, 0.2, 1)


def test_figures_are_cornacs(rated, tmp_path):
    cornac = pytest.importorskip("cornac")
    from cornac.eval_methods import RatioSplit
    from cornac.metrics import AUC, MAE, MAP, MRR, NDCG, RMSE, Precision, Recall

    data = [
        (rated.users[u], rated.items[i], float(v)) for u, i, v in zip(rated.user, rated.item, rated.value, strict=True)
    ]
    apart = RatioSplit(data, test_size=0.2, rating_threshold=4.0, seed=7, exclude_unknowns=True)
    models = [cornac.models.MF(k=10, max_iter=25, learning_rate=0.01, lambda_reg=0.02, seed=7), cornac.models.MostPop()]
    metrics = [RMSE(), MAE(), AUC(), MAP(), MRR(), NDCG(k=10), Recall(k=10), Precision(k=10)]
    names = ("rmse", "mae", "auc", "map", "mrr", "ndcg@10", "recall@10", "precision@10")
    experiment = cornac.Experiment(apart, models, metrics, verbose=False, save_dir=str(tmp_path))
    experiment.run()
    ours = evaluate(rated, "mf", seed=7)
    theirs = experiment.result[0].metric_avg_results
    for name, metric in zip(names, metrics, strict=True):
        assert ours[name] == pytest.approx(theirs[metric.name], abs=1e-3), name
    # ties of popularity are broken otherwise
    assert ours["popularity"]["auc"] == pytest.approx(experiment.result[1].metric_avg_results["AUC"], abs=1e-6)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("u.data", "1\t10\t3\t5\n2\t10\t4\t6\n"),
        ("ratings.dat", "1::10::3::5\n2::10::4::6\n"),
        ("ratings.csv", "userId,movieId,rating,timestamp\n1,10,3,5\n2,10,4,6\n"),
        ("ml.inter", "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t10\t3\t5\n2\t10\t4\t6\n"),
        ("Books.csv", "1,10,3.0,5\n2,10,4.0,6\n"),
        (
            "Books.jsonl",
            '{"user_id":"1","parent_asin":"10","rating":3.0,"timestamp":5}\n{"user_id":"2","parent_asin":"10","rating":4.0,"timestamp":6}\n',
        ),
    ],
)
def test_reads_the_fields_layouts(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    for place in (tmp_path, tmp_path / name):
        found = read_ratings(place)
        assert (found.users, found.items) == (("1", "2"), ("10",))
        assert (found.value.tolist(), found.time.tolist()) == ([3, 4], [5, 6])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("user,item,rating\na,x,good\n", "the rating 'good' is no number"),
        ("user,item,rating\na,x,nan\n", "no finite number"),
        ("justonecolumn\nfoo\n", "found one column"),
        ("", "cannot be read"),
        ("user,item,rating\n", "there are no ratings"),
    ],
)
def test_bad_files_are_told_in_one_line(tmp_path, text, said):
    (tmp_path / "r.csv").write_text(text)
    with pytest.raises(BadInput, match=said):
        read_ratings(tmp_path / "r.csv")
    with pytest.raises(BadInput, match="holds no ratings"):
        (tmp_path / "empty").mkdir()
        read_ratings(tmp_path / "empty")


def test_the_command_prints_figures_and_warns_of_the_future(tmp_path, rated):
    rows = zip(rated.user, rated.item, rated.value, rated.time, strict=True)
    (tmp_path / "u.data").write_text("".join(f"{u}\t{i}\t{v}\t{t}\n" for u, i, v, t in rows))
    run = CliRunner().invoke(cli, ["eval", "recommend", str(tmp_path), "--method", "mf", "--seed", "1", "--json"])
    assert run.exit_code == 0, run.output
    found = json.loads(run.stdout)
    assert {"rmse", "ndcg@10", "recall@10", "auc", "popularity", "random"} <= set(found)
    assert "future" in found["warning"]
    run = CliRunner().invoke(cli, ["eval", "recommend", str(tmp_path), "--split", "time", "--method", "popularity"])
    assert run.exit_code == 0 and "warning" not in run.output and "ndcg@10" in run.output


def test_users_are_cut_to_few_ratings_and_knowledge_is_given(tmp_path):
    rng = np.random.default_rng(0)
    ratings = Ratings.of([(u, int(i), int(i % 2) * 4 + 1) for u in range(30) for i in rng.permutation(60)[:25]])
    apart = split(ratings, seed=3, few=(2, 4))
    counts = np.bincount(apart.train.user)
    assert counts.min() >= 2 and counts.max() <= 4 and len(set(counts)) == 3
    assert np.array_equal(split(ratings, seed=3, few=(2, 4)).train.item, apart.train.item)
    assert len(split(ratings, seed=3).train) == 600
    with pytest.raises(KgmmError, match="not 0-4"):
        split(ratings, few=(0, 4))
    with pytest.raises(KgmmError, match="bpr cannot use knowledge"):
        evaluate(ratings, "bpr", knowledge=[("1", "r", "2")])
    rows = zip(ratings.user, ratings.item, ratings.value, strict=True)
    text = "\n".join(f"{ratings.users[u]},{ratings.items[i]},{v}" for u, i, v in rows)
    (tmp_path / "ratings.csv").write_text("user,item,rating\n" + text)
    facts = "\n".join(f"{i}\tkind\todd{i % 2}" for i in range(60))
    (tmp_path / "made.kg").write_text("head_id:token\trelation_id:token\ttail_id:token\n" + facts)
    asked = ["eval", "recommend", str(tmp_path), "--method", "walk", "--few", "1-3", "--knowledge", str(tmp_path)]
    run = CliRunner().invoke(cli, [*asked, "--json"])
    found = json.loads(run.stdout)
    assert run.exit_code == 0 and found["few"] == [1, 3] and found["ndcg@10"] > found["popularity"]["ndcg@10"]
    assert CliRunner().invoke(cli, [*asked[:5], "--few", "nine"]).exit_code == 2
