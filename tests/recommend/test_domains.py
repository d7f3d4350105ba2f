"""One data set cut in two domains by what its items are; cold users, beside means of both domains."""

import gzip
import json

import numpy as np
import pytest
from click.testing import CliRunner

import kgmm
from kgmm.cli import cli
from kgmm.data.item_fields import GENRES, cut_by_field, read_item_fields
from kgmm.data.made_ratings import made_domains
from kgmm.data.ratings import read_ratings
from kgmm.errors import BadInput, KgmmError
from kgmm.evaluate.recommend_cold import cold_errors, cold_users
from kgmm.recommend import create, crossing
from kgmm.recommend.ratings import Ratings


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A made world of two domains as one data set of RecBole, its items of two kinds and some of both."""
    place = tmp_path_factory.mktemp("films")
    two = made_domains(users=120, items=40, overlap=0.8, rated=0.4, bend=0.0, seed=3)
    rows = [f"{r.users[u]}\t{r.items[i]}\t{v}" for r in two for u, i, v in zip(r.user, r.item, r.value, strict=True)]
    (place / "w.inter").write_text("\n".join(["user_id:token\titem_id:token\trating:float", *rows]))
    kinds = {i: "Comedy" if i.startswith("t") else "Drama" for r in two for i in r.items}
    lines = [f"{i}\t{i} title\t{kind + ' War' if n % 2 else kind}" for n, (i, kind) in enumerate(kinds.items())]
    lines[0] = lines[0].replace("Comedy", "Comedy Drama")
    (place / "w.item").write_text("\n".join(["item_id:token\ttitle:token_seq\tclass:token_seq", *lines]))
    return place, two, lines[0].split("\t")[0]


def test_items_of_both_are_in_neither_domain(folder):
    place, two, both = folder
    rated = Ratings.of(
        [(r.users[u], r.items[i], v) for r in two for u, i, v in zip(r.user, r.item, r.value, strict=True)]
    )
    cut = cut_by_field(rated, read_item_fields(place), "class", "Comedy", "Drama")
    assert set(cut.target.items) == set(two.target.items) - {both}
    assert set(cut.source.items) == set(two.source.items)
    assert len(cut.target) + len(cut.source) < len(rated)
    with pytest.raises(BadInput, match="no field 'genre'; there are: title, class"):
        cut_by_field(rated, read_item_fields(place), "genre", "Comedy", "Drama")
    with pytest.raises(BadInput, match=r"no rated item has the class 'Western'; the most frequent are: .*Drama"):
        cut_by_field(rated, read_item_fields(place), "class", "Western", "Drama")
    with pytest.raises(BadInput, match="'Comedy' without 'Comedy'"):
        cut_by_field(rated, read_item_fields(place), "class", "Comedy", "Comedy")


def test_tables_of_items_as_movielens_releases_them(tmp_path):
    flags = "|".join("1" if genre in ("Animation", "Comedy") else "0" for genre in GENRES)
    tables = {
        "u.item": f"1|Café (1995)|01-Jan-1995||http://x|{flags}\n".encode("latin-1"),
        "movies.dat": "1::Café (1995)::Animation|Comedy\n".encode("latin-1"),
        "movies.csv": 'movieId,title,genres\n1,"Café, (1995)",Animation|Comedy\n'.encode(),
    }
    for name, text in tables.items():
        (tmp_path / name).write_bytes(text)
        assert read_item_fields(tmp_path / name)["genres"] == {"1": frozenset({"Animation", "Comedy"})}
    assert read_item_fields(tmp_path)["genres"]["1"] == {"Animation", "Comedy"}
    (tmp_path / "u.item").write_text("1|short\n")
    with pytest.raises(BadInput, match="expected 24 fields, found 2"):
        read_item_fields(tmp_path / "u.item")
    with pytest.raises(BadInput, match="holds no table of items"):
        read_item_fields((tmp_path / "empty").mkdir() or tmp_path / "empty")


def test_the_command_cuts_and_predicts_cold_users(folder):
    place = folder[0]

    def run(*more):
        return CliRunner().invoke(cli, ["eval", "recommend", str(place), "--domains", "class:Comedy:Drama", *more])

    asked = ("--method", "emcdr", "--cold", "0.3", "--set", "mapping=linear", "--set", "factors=6")
    told = json.loads(run(*asked, "--json").stdout)
    assert told["rmse"] < told["item-mean"]["rmse"] and told["ahead_of_item_mean_p"] < 0.05
    assert "both-means" in run(*asked).stdout
    assert run("--set", "factors").exit_code == 2 and run("--domains", "class:Comedy").exit_code == 2
    wrong = run("--method", "bpr")
    assert wrong.exit_code == 1 and "does not learn from a source; those that do: cbt" in str(wrong.exception)


def test_means_of_both_carry_how_high_a_user_rates():
    rng = np.random.default_rng(0)
    high = rng.normal(size=60)
    target, source = (
        Ratings.of([(f"u{u}", f"{d}{i}", 3 + high[u] + 0.1 * rng.normal()) for u in range(60) for i in range(15)])
        for d in "ts"
    )
    errors = cold_errors((target, source), {"ridge": create("ridge", factors=2)}, share=0.3)
    assert errors.rmse("both-means") < 0.5 * errors.rmse("item-mean")
    assert errors.ahead_p("both-means", "item-mean") < 0.01 and errors.users == 18
    with pytest.raises(KgmmError, match="rated by anyone else"):
        alone = Ratings.of([(u, f"only {u}", 3.0) for u in "abcdef"])
        cold_users((alone, alone), ["ridge"], share=0.5)
    assert {"tlrec", "dca", "topic-bridge"} <= set(crossing())


def test_packed_files_and_the_lines_of_what_is_wrong(tmp_path):
    text = "user,item,rating\na,x,5\na,y,3\nb,x,4\n"
    (tmp_path / "r.csv.gz").write_bytes(gzip.compress(text.encode()))
    lines = [json.dumps({"reviewerID": u, "asin": i, "overall": v}) for u, i, v in (("a", "x", 5.0), ("b", "y", 1.0))]
    (tmp_path / "books.json.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    assert read_ratings(tmp_path / "r.csv.gz").value.tolist() == [5, 3, 4] == read_ratings(tmp_path).value.tolist()
    assert read_ratings(tmp_path / "books.json.gz").items == ("x", "y")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(text.encode() * 50)[:-12])
    with pytest.raises(BadInput, match=r"cut\.csv\.gz: damaged or cut compressed file"):
        read_ratings(tmp_path / "cut.csv.gz")
    for value, said in (
        ("nan", "the rating nan is no finite"),
        ("", "there is no rating"),
        ("five", "'five' is no number"),
    ):
        (tmp_path / "w.csv").write_text(text.replace("a,y,3", f"a,y,{value}"))
        with pytest.raises(BadInput, match=f"w.csv:3: .*{said}"):
            read_ratings(tmp_path / "w.csv")


def test_ratings_below_0_are_no_confidence():
    rated = [("a", "x", 2), ("a", "y", -1), ("b", "x", 1), ("b", "y", 2)]
    with pytest.raises(KgmmError, match="the rating -1 is below 0 and no confidence"):
        create("als").fit(rated)
    assert np.isfinite(create("als", implicit=False).fit(rated).score("a", "y")).all()
    model = create("als").fit([("a", "x", 2), ("b", "y", 1)])
    with pytest.raises(KgmmError, match="the rating -3 is below 0"):
        model.recommend({"x": -3})


def test_a_user_without_a_letter_is_unknown(tmp_path):
    (tmp_path / "r.csv").write_text("user,item,rating\na,x,5\na,y,3\nb,x,4\n")
    kgmm.open(tmp_path / "kb").close()
    for user in ("", " ", "?"):
        done = CliRunner().invoke(cli, ["recommend", str(tmp_path / "kb"), user, "--ratings", str(tmp_path / "r.csv")])
        assert done.exit_code == 1 and isinstance(done.exception, KgmmError)


@pytest.mark.parametrize(
    ("method", "options", "said"),
    [
        ("mf", {"factors": -3}, "a whole number from 1"),
        ("mf", {"factors": 1e9}, "a whole number from 1"),
        ("emcdr", {"turns": 0}, "a whole number from 1"),
        ("emcdr", {"turns": "x"}, "a whole number from 1"),
        ("emcdr", {"mapping": 3}, "a text"),
        ("als", {"implicit": 1}, "true or false"),
        ("bpr", {"rate": float("nan")}, "a finite number"),
        ("bpr", {"seed": True}, "a whole number from 0"),
    ],
)
def test_options_are_of_the_kind_of_their_defaults(method, options, said):
    with pytest.raises(KgmmError, match=f"option {next(iter(options))} is .*: it needs {said}"):
        create(method, **options)


def test_times_may_be_dates(tmp_path):
    (tmp_path / "r.csv").write_text(
        "user,item,rating,date\na,x,5,2020-01-02\na,y,3,2019-12-31T12:00\nb,x,4,2020-01-01\n"
    )
    time = read_ratings(tmp_path / "r.csv").time
    assert (time - time[2]).tolist() == [86400, -43200, 0]
    (tmp_path / "w.csv").write_text("user,item,rating,date\na,x,5,2020-01-02\na,y,3,soon\n")
    with pytest.raises(BadInput, match=r"w\.csv:2: the time '2020-01-02' is no number"):
        read_ratings(tmp_path / "w.csv")
