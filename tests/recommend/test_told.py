"""Texts, pictures and knowledge of items from files, in every method that reads them; posters that a store names."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import kgmm
from kgmm.cli import cli
from kgmm.data.item_contents import read_contents
from kgmm.data.made_contents import made_contents
from kgmm.errors import BadInput, KgmmError
from kgmm.evaluate.recommend import evaluate
from kgmm.recommend import create
from kgmm.recommend.told import as_terms, as_vectors, fit_told, words_of

RATED = [
    ("ann", "alien", 5),
    ("ann", "emma", 1),
    ("bob", "emma", 5),
    ("bob", "alien", 1),
    ("cy", "aliens", 5),
    ("cy", "persuasion", 1),
]
TEXTS = {
    "alien": "fear and monsters in deep space", "aliens": "monsters and soldiers in deep space", "prometheus": "old monsters in space",
    "emma": "marriage, love and manners in a village", "persuasion": "love and manners after a broken marriage",
    "sanditon": "love and manners by the sea",
}  # fmt: skip


def run(*arguments):
    return CliRunner().invoke(cli, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("told")
    (folder / "ratings.csv").write_text("user,item,rating\n" + "\n".join(f"{u},{i},{v}" for u, i, v in RATED))
    (folder / "texts").mkdir()
    (folder / "pictures").mkdir()
    rng = np.random.default_rng(0)
    for item, text in TEXTS.items():
        (folder / "texts" / f"{item}.txt").write_text(text)
        dark = "space" in text
        pixels = rng.integers(0, 60, (40, 30, 3)) if dark else rng.integers(150, 255, (40, 30, 3))
        Image.fromarray(pixels.astype(np.uint8)).save(folder / "pictures" / f"{item}.png")
    with kgmm.open(folder / "kb") as store:
        store.add([kgmm.Fact(user, "rated", film, weight=value) for user, film, value in RATED])
        store.add([(film, "MadeBy", "scott" if "space" in text else "austen") for film, text in TEXTS.items()])
    return folder


def best(done):
    assert done.exit_code == 0, (done.output, done.exception)
    return [one["label"] for one in json.loads(done.stdout)["items"]]


@pytest.mark.parametrize("method", ["profile", "topic-bridge", "cdcl"])
def test_contents_are_read_by_the_command(place, method):
    asked = ["recommend", place / "kb", "ann", "--ratings", place / "ratings.csv", "--method", method, "--json"]
    found = best(run(*asked, "--contents", place / "texts", "--contents", place / "pictures"))
    assert sorted(found) == ["aliens", "persuasion"]
    if method == "profile":
        assert found[0] == "aliens"


def test_a_stores_items_have_the_texts_of_their_names_and_its_facts_are_tags(place):
    asked = ["recommend", place / "kb", "ann", "--method", "profile", "--json"]
    assert best(run(*asked))[0] == best(run(*asked, "--contents", place / "texts"))[0] == "aliens"


def test_the_walk_goes_over_likeness_to_what_nobody_has_rated(place):
    asked = ["recommend", place / "kb", "ann", "--ratings", place / "ratings.csv", "--json"]
    for kind, encoder in (("texts", "glove"), ("pictures", "minilm")):
        found = best(run(*asked, "--contents", place / kind, "--text-encoder", encoder))
        assert "prometheus" in found and "sanditon" in found
    near = fit_told(create("walk", lift=1.0, near=2), RATED, contents=TEXTS).recommend({"alien": 5}, 6)
    order = [one.item for one in near]
    assert order.index("prometheus") < order.index("sanditon")


def test_evaluation_is_told_contents(place, tmp_path):
    told = made_contents(seed=2)
    rated = told.target
    rows = zip(rated.user, rated.item, rated.value, strict=True)
    (tmp_path / "r.csv").write_text(
        "user,item,rating\n" + "\n".join(f"{rated.users[u]},{rated.items[i]},{v}" for u, i, v in rows)
    )
    (tmp_path / "films.item").write_text(
        "item_id:token\twords:token_seq\n" + "\n".join(f"{i}\t{t}" for i, t in told.contents[0].items())
    )
    asked = ["eval", "recommend", tmp_path / "r.csv", "--method", "topic-bridge", "--json"]
    done = run(*asked, "--contents", tmp_path / "films.item")
    assert done.exit_code == 0, done.exception
    found = json.loads(done.stdout)
    assert found["rmse"] == pytest.approx(evaluate(rated, "topic-bridge", contents=told.contents[0])["rmse"], abs=1e-6)
    assert found["rmse"] < evaluate(rated, "item-mean")["rmse"]
    with pytest.raises(KgmmError, match="bpr does not read contents"):
        evaluate(rated, "bpr", contents=told.contents[0])
    assert "does not read contents" in str(run(*asked[:4], "bpr", "--contents", tmp_path / "films.item").exception)


def test_knowledge_is_tags_where_terms_are_wanted():
    facts = [(film, "by", "scott" if "space" in text else "austen") for film, text in TEXTS.items()]
    model = fit_told(create("profile"), RATED, knowledge=facts)
    assert model.recommend("ann", 1)[0].item == "aliens"
    with pytest.raises(KgmmError, match="mf cannot use knowledge"):
        fit_told(create("mf"), RATED, knowledge=facts)


def test_kinds_become_terms_or_vectors():
    rng = np.random.default_rng(0)
    vectors = {f"i{n}": np.eye(4)[n % 4] + 0.05 * rng.normal(size=4) for n in range(40)}
    words = words_of(vectors, most=4, near=1)
    assert (
        all(words[f"i{n}"].keys() == words[f"i{n % 4}"].keys() for n in range(40))
        and len(set(map(str, map(list, words.values())))) == 4
    )
    assert as_terms([{"a": "x y"}, {"b": ["t"]}]) == [{"a": "x y"}, {"b": ["t"]}]
    both = as_vectors([{"a": np.ones(2)}, {"a": np.zeros(3), "b": np.ones(3)}], "", "")
    assert both["a"].tolist() == [1, 1, 0, 0, 0] and both["b"].tolist() == [0, 0, 1, 1, 1]


def test_files_that_hold_no_contents_are_told(tmp_path):
    with pytest.raises(BadInput, match="no text or picture named as an item"):
        read_contents(tmp_path)
    (tmp_path / "x.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match="no UTF-8"):
        read_contents(tmp_path)
    (tmp_path / "x.txt").write_bytes(b"a" * (2 << 20))
    with pytest.raises(BadInput, match="longer than a MiB"):
        read_contents(tmp_path)
    (tmp_path / "m.jsonl").write_text(
        '{"asin": "B1", "title": "a film", "categories": [["x", "y"]]}\n{"asin": "B2", "title": null, "categories": []}\n'
    )
    assert read_contents(tmp_path / "m.jsonl") == [{"B1": "a film x y"}]


def test_a_store_names_posters_within_its_folder(place, tmp_path):
    folder = tmp_path / "kb"
    with kgmm.open(folder) as store:
        store.add([kgmm.Fact(user, "rated", film, weight=value) for user, film, value in RATED])
        for film, file in (("aliens", "covers/1.png"), ("persuasion", "../../secret.png")):
            store.add([(film, "picture", f'"{file}"')])
    (folder / "pictures" / "covers").mkdir(parents=True)
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(folder / "pictures" / "covers" / "1.png")
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "secret.png")
    page = tmp_path / "b.html"
    assert run("recommend", folder, "ann", "--html", page).exit_code == 0
    assert page.read_text().count("<img") == 1 and '<img alt="aliens" src="data:image/' in page.read_text()
    for named in (str(tmp_path / "secret.png"), "http://example.org/a.png", "covers/1.png\0"):
        with kgmm.open(folder) as store:
            store.remove("aliens", "picture")
            if "\0" not in named:
                store.add([("aliens", "picture", f'"{named}"')])
        assert run("recommend", folder, "ann", "--html", page).exit_code == 0
        assert "<img" not in page.read_text()
