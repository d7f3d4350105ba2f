"""Visual patterns on pictures with planted parts: found, named, placed; files and folders that are none are told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import kgmm
from benchmarks.visual_patterns import judged, planted
from kgmm.errors import BadInput, KgmmError
from kgmm.patterns import Transactions, candidates, mine_pictures
from kgmm.patterns.folder import read_pictures
from kgmm.patterns.visual import _TEXT, Activations, _one_thing, _overlap, _sets, word_clusters
from tests.conftest import Ran


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pictures")
    made = planted(60, seed=200)
    lines = []
    for number, one in enumerate(made):
        Image.fromarray(one.pixels).save(place / f"p{number:02}.png")
        lines.append(json.dumps({"file": f"p{number:02}.png", "caption": one.caption, "class": one.event}))
    (place / "captions.jsonl").write_text("\n".join(lines))
    return place


def test_planted_parts_are_found_named_placed_and_become_candidates(
    folder: Path, tmp_path: Path, shell: Callable[..., Ran]
) -> None:
    page, kb = tmp_path / "board.html", tmp_path / "kb"
    run = shell(
        "mine",
        "pictures",
        folder,
        "--captions",
        folder / "captions.jsonl",
        "--html",
        page,
        "--write",
        kb,
        "pictures",
        "--json",
    )
    assert run.code == 0, run.err
    told = json.loads(run.out)
    read = read_pictures(folder, folder / "captions.jsonl")
    from kgmm.patterns import VisualPattern

    number = {path.name: i for i, path in enumerate(read.paths)}
    found = [
        VisualPattern(
            **{**p, "pictures": tuple(number[n] for n in p["pictures"]), "places": tuple(map(tuple, p["places"]))}
        )
        for p in told["patterns"]
    ]
    figures = judged(planted(60, seed=200), found)
    assert (
        figures["recall"] >= 0.6
        and figures["precision"] >= 0.7
        and figures["named"] >= 0.9
        and figures["placed"] >= 0.7
    ), figures
    assert page.read_text().count("<section>") == len(found) and "data:image/png" in page.read_text()
    awaiting = candidates(kgmm.open(kb), "pictures")
    assert told["written"] == len(awaiting)
    best = found[0]
    named = [f for f in awaiting if f.predicate == "HasVisualComponent"]
    assert f"/c/en/{best.name}" in {f.object for f in named} and all("support" in f.source for f in named)
    depicted = [f for f in awaiting if f.predicate == "DepictedBy" and f.subject == f"/c/en/{best.name}"]
    assert len(depicted) == len(best.pictures) and all("#xywh=" in f.object for f in depicted)


def test_words_that_are_alike_are_one_cluster_and_words_of_every_caption_tell_nothing() -> None:
    told, clusters = word_clusters(
        ["a dog runs here", "a puppy runs here", "dog and ship here", "puppy or ship here"] * 2
    )
    assert any({"dog", "puppy"} <= set(cluster) for cluster in clusters)
    assert not any("here" in cluster for cluster in clusters) and len(told) == 8


def test_nothing_one_class_and_wrong_lengths_are_defined() -> None:
    assert mine_pictures([], [], []) == []
    blank = [np.full((40, 40, 3), 200, np.uint8)] * 12
    assert mine_pictures(blank, ["a cup"] * 12, ["x"] * 12) == []
    with pytest.raises(KgmmError, match="one of each"):
        mine_pictures(blank, ["a"], ["x"])
    assert _overlap([], []) == 0


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("c.jsonl", '{"file": "p00.png", "caption": "a"}\n', "class"),
        ("c.jsonl", '{"file": "p00.png"}\n', "c.jsonl:1"),
        ("c.jsonl", "[]\n", "c.jsonl:1"),
        ("c.csv", "file,caption,class\np00.png,a,x\n../../etc/passwd,a,x\n", "c.csv:3"),
        ("c.csv", "p00.png,a,x\np00.png,b,x\n", "told of twice"),
        ("c.csv", "", "tells no caption"),
        ("c.tsv", "p99.png\ta\tx\n", "no picture 'p99.png'"),
    ],
)
def test_what_captions_cannot_be_is_told(folder: Path, tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(BadInput, match=said):
        read_pictures(folder, tmp_path / name)


def test_classes_may_come_from_a_file_of_their_own(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "captions.csv").write_text('p00.png,"a drum, a flag"\np01.png,an anchor\n')
    (tmp_path / "classes.tsv").write_text("file\tclass\np00.png\tparade\np01.png\tharbour\n")
    read = read_pictures(folder, tmp_path / "captions.csv", tmp_path / "classes.tsv")
    assert read.classes == ["parade", "harbour"] and read.captions[0] == "a drum, a flag"


def test_words_that_stand_in_for_each_other_are_one_and_words_of_different_things_are_not() -> None:
    rng = np.random.default_rng(3)
    flag, drum = rng.random(60) < 0.6, rng.random(60) < 0.6
    peaks = rng.normal(0, 1, (60, 200)).astype(np.float32)
    peaks[flag, :30] += 1.5
    peaks[drum, 30:60] += 1.5
    first = rng.random(60) < 0.5
    words = [flag & first, flag & ~first, drum, rng.random(60) < 0.3]
    have = {_TEXT + number: said for number, said in enumerate(words)}
    seen = Activations([], [], peaks, [])
    assert [set(some) for some in _one_thing(have, np.ones(60, bool), seen, 10)] == [{0, 1}]
    have[_TEXT + 1] = flag  # said of both: two words for it, each of which tells it
    assert _one_thing(have, np.ones(60, bool), seen, 10) == []


def test_where_closed_sets_are_too_many_pairs_are_looked_at() -> None:
    few = Transactions.of([[1, 2, 3]] * 4 + [[4]] * 4)
    assert sorted(map(len, _sets(few, 2))) == [1, 3]
    many = Transactions.of(np.random.default_rng(0).random((60, 150)) < 0.8)
    found = _sets(many, 6)
    assert max(map(len, found)) == 2 and len(found) == 150 + 150 * 149 // 2
