"""``kgmm eval hashing``: figures as loops find them, times, and the picture of its curves."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from kgmm.data.cross_modal import read_cross_modal
from kgmm.errors import BadInput, KgmmError
from kgmm.evaluate.hashing import evaluate, measures
from kgmm.hashing import create

RNG = np.random.default_rng(0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A made data set in the layout of Wiki: 60 pairs to train on, 20 to ask with, three categories."""
    kinds = np.arange(80) % 3
    image = RNG.normal(size=(3, 9))[kinds] * 2 + RNG.normal(size=(80, 9))
    text = RNG.normal(size=(3, 6))[kinds] * 2 + RNG.normal(size=(80, 6))
    parts = {"I_tr": image[:60], "I_te": image[60:], "T_tr": text[:60], "T_te": text[60:]}
    savemat(tmp_path / "features.mat", parts)
    for name, rows in (("train", kinds[:60]), ("test", kinds[60:])):
        lines = [f"text{i}\timage{i}\t{kind + 1}" for i, kind in enumerate(rows)]
        (tmp_path / f"{name}set.list").write_text("\n".join(lines) + "\n")
    return tmp_path


def bits_of(codes):
    return [[int(b) for b in row] for row in np.unpackbits(codes, axis=1)]


def test_every_figure_is_what_loops_find(folder: Path) -> None:
    data = read_cross_modal(folder)
    hasher = create("cvh", bits=8).fit(data.image_train, data.text_train)
    found = measures(hasher.encode(data.image_test, "image"), hasher.encode(data.text_train, "text"), data.relevant, 8)
    queries, base = (
        bits_of(hasher.encode(x, kind)) for x, kind in ((data.image_test, "image"), (data.text_train, "text"))
    )
    values, cut, inside, curves = [], [], [], []
    for q, wanted in zip(queries, data.relevant.tolist(), strict=True):
        far = [sum(a != b for a, b in zip(q, code, strict=True)) for code in base]
        order = sorted(range(len(base)), key=lambda j: far[j])  # stable: ties in database order
        for length, kept in ((60, values), (50, cut)):
            hits, precisions = 0, []
            for k, j in enumerate(order[:length], 1):
                if wanted[j]:
                    hits += 1
                    precisions.append(hits / k)
            kept.append(sum(precisions) / max(hits, 1))
        ball = [j for j in range(len(base)) if far[j] <= 2]
        inside.append(sum(wanted[j] for j in ball) / max(len(ball), 1))
        points = [(sum(wanted[j] for j in order[:k]), k) for k in range(1, 61)]
        total = points[-1][0]
        curves.append([max(h / k for h, k in points if h >= r / 10 * total - 1e-9) for r in range(1, 11)])
    assert found["map"] == pytest.approx(np.mean(values))
    assert found["map50"] == pytest.approx(np.mean(cut))
    assert found["precision_radius_2"] == pytest.approx(np.mean(inside))
    assert [p for _, p in found["precision_recall"]] == pytest.approx(np.mean(curves, 0))
    assert [r for r, _ in found["precision_recall"]] == pytest.approx(np.arange(1, 11) / 10)


def test_json_holds_figures_switches_and_times(shell, folder: Path) -> None:
    ran = shell("eval", "hashing", folder, "--method", "cmfh", "--bits", "16", "--codes", "unified", "--json")
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    assert {"map", "map50", "precision_recall", "precision_radius_2"} == set(found["image_to_text"])
    assert found["fit_seconds"] >= 0 and found["encode_seconds"] >= 0
    assert (found["codes"], found["database"], found["bits"], found["method"]) == ("unified", "train", 16, "cmfh")
    assert found["chance"] == pytest.approx(1 / 3, abs=0.01)


def test_random_codes_are_as_good_as_chance(folder: Path) -> None:
    data = read_cross_modal(folder)
    random = [RNG.integers(0, 256, (n, 8), dtype=np.uint8) for n in (20, 60)]
    found = measures(*random, data.relevant, 64)
    assert found["precision_recall"][-1][1] == pytest.approx(data.relevant.mean(), abs=0.03)


def test_the_picture_shows_both_curves_and_says_what_they_are(shell, folder: Path) -> None:
    ran = shell("eval", "hashing", folder, "--bits", "16", "--plot", folder / "curves.svg")
    assert ran.code == 0, ran.err
    root = ElementTree.parse(folder / "curves.svg").getroot()
    assert root.tag.endswith("svg")
    words = (folder / "curves.svg").read_text()
    for text in ("image → text", "text → image", "chance", "recall", "scm-seq, 16 bits"):
        assert text in words
    assert shell("eval", "hashing", folder, "--bits", "16", "--plot", folder / "again.svg").code == 0
    assert (folder / "again.svg").read_text() == words
    ran = shell("eval", "hashing", folder, "--bits", "16", "--plot", folder / "curves.png", "--json")
    assert ran.code == 0 and json.loads(ran.out)["bits"] == 16
    picture = np.asarray(Image.open(folder / "curves.png").convert("RGB")).astype(int)
    blue, orange = ((picture - np.array(c) == 0).all(2).sum() for c in ((11, 83, 148), (230, 145, 56)))
    assert blue > 300 and orange > 300


@pytest.mark.parametrize(("name", "word"), [("curves.gif", ".png or .svg"), ("nowhere/curves.png", "no folder")])
def test_a_picture_that_cannot_be_written_is_refused_before_the_fit(shell, folder: Path, name, word) -> None:
    ran = shell("eval", "hashing", folder, "--method", "no-such-method", "--plot", folder / name)
    assert ran.code == 1 and word in ran.err and not ran.out


def test_a_method_without_joint_codes_says_so(shell, folder: Path) -> None:
    ran = shell("eval", "hashing", folder, "--method", "cvh", "--bits", "8", "--codes", "unified")
    assert ran.code == 1 and "own" in ran.err


def test_the_same_seed_gives_the_same_figures(folder: Path) -> None:
    data = read_cross_modal(folder)
    runs = [evaluate(data, "cca-itq", 8, seed=4) for _ in range(2)]
    assert runs[0]["image_to_text"] == runs[1]["image_to_text"]


def rewritten(folder: Path, line) -> Path:
    """The data set with its lists written anew, *line* giving a line's bytes from its number and category."""
    for part in ("train", "test"):
        rows = (folder / f"{part}set.list").read_text().split()[2::3]
        text = b"".join(line(i, int(kind)) for i, kind in enumerate(rows))
        (folder / f"{part}set.list").write_bytes(text)
    return folder


NAMES = ["", "sport & leisure", "music & dance", "art"]


@pytest.mark.parametrize(
    "line",
    [
        lambda i, k: f"t{i}\ti{i}\t{k - 1}\r\n".encode(),  # from zero, Windows line ends
        lambda i, k: f"t{i}\ti{i}\t{k - 2}\n".encode(),
        lambda i, k: f"t{i} i{i} {k * 100}\n".encode(),
        lambda i, k: f"t{i}\ti{i}\t{NAMES[k]}\n".encode(),  # words that categories share
        lambda i, k: f"a text {i}\ti{i}\t{NAMES[k]}\r\n".encode("utf-8-sig" if i == 0 else "utf-8"),
        lambda i, k: f"café{i}\ti{i}\t{'äöü'[k - 1]}\n".encode("latin-1"),
        lambda i, k: f"{k}\n".encode(),
    ],
    ids=["from zero", "negative", "by spaces", "names", "a mark of its encoding", "latin-1", "one column"],
)
def test_however_categories_are_written_they_are_the_same(folder: Path, line) -> None:
    before = read_cross_modal(folder)
    after = read_cross_modal(rewritten(folder, line))
    assert after.labels_train.shape == before.labels_train.shape
    assert (after.relevant == before.relevant).all()


@pytest.mark.parametrize("gap", [",", ", ", " ", ";"])
def test_several_categories_are_told_apart(folder: Path, gap: str) -> None:
    both = rewritten(folder, lambda i, k: f"t{i}\ti{i}\t{k}{gap}{k + 1}\n".encode())
    data = read_cross_modal(both)
    assert (data.labels_train.sum(1) == 2).all() and data.labels_train.shape == (60, 4)


@pytest.mark.parametrize(
    ("bad", "word"), [("t\ti\t", "no category"), ("t\ti", "2 columns.* has 3"), ("t", "1 columns.* has 3")]
)
def test_a_line_without_category_is_named(folder: Path, bad: str, word: str) -> None:
    lines = (folder / "trainset.list").read_text().splitlines()
    (folder / "trainset.list").write_text("\n".join([*lines[:2], bad, *lines[3:]]))
    with pytest.raises(BadInput, match=rf"trainset.list:3: {word}"):
        read_cross_modal(folder)


def test_categories_that_no_training_item_has_are_refused(folder: Path) -> None:
    text = (folder / "testset.list").read_text()
    (folder / "testset.list").write_text(text.replace("\t1", "\t01").replace("\t2", "\t02").replace("\t3", "\t03"))
    with pytest.raises(BadInput, match=r"no category of the test items occurs in training.*01, 02"):
        read_cross_modal(folder)


def test_nan_among_the_queries_is_found_before_the_fit(folder: Path) -> None:
    data = read_cross_modal(folder)
    data.text_test[4, 2] = np.nan
    with pytest.raises(KgmmError, match="text features of the test items: row 4, column 2 is nan"):
        evaluate(data, "cvh", 8, progress=lambda *_: pytest.fail("it was fitted"))
