"""One data set cut in two domains by what its items are; cold users, beside means of both domains."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from kgmm.cli import cli
from kgmm.data.item_fields import GENRES, cut_by_field, read_item_fields
from kgmm.data.made_ratings import made_domains
from kgmm.errors import BadInput, KgmmError
from kgmm.evaluate.recommend import cold_errors, cold_users
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
