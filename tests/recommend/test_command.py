"""``kgmm recommend``: from a store's ratings and knowledge, from a file, from a model; the board."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import kgmm
from kgmm.cli import cli
from kgmm.recommend import Recommendation
from kgmm.recommend.board import board

FILMS = {"alien": "scott", "aliens": "cameron", "prometheus": "scott", "emma": "austen", "sanditon": "austen"}
RATED = [("ann", "alien", 5), ("ann", "emma", 1), ("bob", "alien", 5), ("bob", "aliens", 5), ("cy", "aliens", 4)]


@pytest.fixture(scope="module")
def kb(tmp_path_factory):
    place = tmp_path_factory.mktemp("recommend") / "kb"
    with kgmm.open(place) as store:
        store.add([(film, "MadeBy", maker) for film, maker in FILMS.items()])
        store.add([kgmm.Fact(user, "rated", film, weight=value) for user, film, value in RATED])
        store.add([("dee", "rated", film) for film in ("prometheus", "sanditon")])
    return place


def run(*arguments):
    return CliRunner().invoke(cli, ["recommend", *map(str, arguments)])


def test_ratings_and_knowledge_of_a_store(kb, tmp_path):
    done = run(kb, "ann", "-k", 3, "--json", "--save", tmp_path / "m.safetensors")
    told = json.loads(done.stdout)
    why = {one["label"]: one["reasons"] for one in told["items"]}
    assert (
        done.exit_code == 0
        and told["items"][0]["label"] == "aliens"
        and set(why) == {"aliens", "prometheus", "sanditon"}
    )
    assert why["prometheus"][0] == "alien -MadeBy-> scott <-MadeBy- prometheus"
    assert "another user" in told["items"][0]["reasons"][0] and "bob" not in done.stdout
    again = run(kb, "ann", "-k", 3, "--json", "--model", tmp_path / "m.safetensors")
    assert again.stdout == done.stdout
    lines = run(kb, "ann", "-k", 2).stdout.splitlines()
    assert lines[0].split()[0] == "1" and lines[0].endswith("aliens") and "MadeBy" in lines[-1]


def test_ratings_of_a_file(kb, tmp_path):
    file = tmp_path / "ratings.csv"
    file.write_text("user,item,rating\nu1,alien,5\nu1,emma,4\nu2,alien,4\nu2,aliens,5\n")
    told = json.loads(run(kb, "u1", "--ratings", file, "--json").stdout)
    assert [one["item"] for one in told["items"]] == ["aliens"]
    plain = json.loads(run(kb, "u1", "--ratings", file, "--method", "popularity", "--json").stdout)
    assert plain["method"] == "popularity" and plain["items"][0]["reasons"] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nobody"], "no user 'nobody'"),
        (["ann", "--relation", "Likes"], "no fact of this relation"),
        (["ann", "--method", "magic"], "no recommender 'magic'"),
        (["ann", "--model", "/nowhere/m"], "m"),
    ],
)
def test_what_is_wrong_is_told(kb, arguments, said):
    done = run(kb, *arguments)
    assert done.exit_code == 1 and said in str(done.exception)


def test_the_board_shows_posters_and_escapes_all(kb, tmp_path):
    Image.fromarray(np.full((30, 20, 3), 90, np.uint8)).save(tmp_path / "aliens.png")
    (tmp_path / "prometheus.jpg").write_bytes(b"no picture")
    page = tmp_path / "b.html"
    assert run(kb, "ann", "--html", page, "--pictures", tmp_path).exit_code == 0
    text = page.read_text()
    assert text.count('<img alt="aliens" src="data:image/') == 1 and text.count("<img") == 1
    assert "scott" in text and "http:" not in text and "https:" not in text
    hostile = "<script>alert(1)</script>"
    made = board(hostile, hostile, [Recommendation(hostile, 1.0, (hostile,))], labels={hostile: hostile})
    assert "<script" not in made and made.count("&lt;script&gt;") >= 5


def test_posters_stay_within_their_folder(tmp_path):
    inside = tmp_path / "pictures"
    inside.mkdir()
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "secret.png")
    (inside / "linked.png").symlink_to(tmp_path / "secret.png")
    for item in ("../secret", "linked", "..", "a\0b", "", "x" * 5000):
        assert "<img" not in board("ann", "walk", [Recommendation(item, 1.0)], pictures=inside)
