"""An alignment leads from texts to pictures and back, helps on Wiki, and is kept by both encoders' checksums."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kgmm
from kgmm.errors import BadInput, KgmmError
from kgmm.fusion.alignment import Alignment, fit
from kgmm.knowledge import KnowledgeStore

COLOURS = {"red": (220, 20, 20), "yellow": (230, 220, 30), "green": (20, 150, 30), "blue": (20, 40, 200)}
THINGS = {
    "red": ("cherry", "strawberry", "raspberry", "tomato", "blood"),
    "yellow": ("banana", "lemon", "canary", "sunflower", "egg yolk"),
    "green": ("cucumber", "lettuce", "pea", "grass", "leaf"),
    "blue": ("sky", "ocean", "sapphire", "blueberry", "jeans"),
}


class MeanColour:
    """Pictures by their mean colour and the product of each two of its parts."""

    name = "mean colour"
    dim = 6
    checksum = "c0105"

    def encode_images(self, images: Any) -> Any:
        colour = np.stack([np.asarray(i, float).mean(axis=(0, 1)) / 255 for i in images])
        rows = np.hstack([colour, colour * np.roll(colour, 1, axis=1)])
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


class Rows:
    """An encoder whose inputs are the numbers of rows."""

    name = "rows"

    def __init__(self, rows: np.ndarray, checksum: str) -> None:
        self.rows, self.dim, self.checksum = rows, rows.shape[1], checksum

    def encode(self, texts: list[str]) -> Any:
        return self.rows[[int(t) for t in texts]].astype(np.float32)

    encode_images = encode


def _picture(colour: str, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 25, (8, 8, 3))
    return np.clip(np.array(COLOURS[colour]) + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def aligned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[KnowledgeStore, Alignment]]:
    """Twenty things of four colours; four of five of each colour have a picture, which the map is fitted on."""
    with kgmm.open(tmp_path_factory.mktemp("aligned") / "kb") as kb:
        kb.add([kgmm.Fact(thing, "HasProperty", colour) for colour, things in THINGS.items() for thing in things])
        pictures = {thing: _picture(c, at) for c, things in THINGS.items() for at, thing in enumerate(things[:4])}
        texts = {thing: f"a {colour} {thing}" for colour, things in THINGS.items() for thing in things}
        yield kb, kb.align(pictures, texts, images=MeanColour())


@pytest.mark.parametrize("colour", COLOURS)
def test_a_text_finds_pictures_and_a_picture_finds_words(colour: str, aligned: Any) -> None:
    kb, made = aligned
    found = kb.similar(f"something {colour}", modality="picture", k=3, aligned=made)
    assert {s.label for s in found} <= set(THINGS[colour]) and {s.modality for s in found} == {"picture"}
    words = kb.similar(_picture(colour, 99), modality="concept", k=3, aligned=made)
    assert {s.label for s in words} <= {colour, *THINGS[colour]}
    assert [s.score for s in words] == sorted((s.score for s in words), reverse=True)


def test_features_of_a_graph_are_in_one_space(aligned: Any) -> None:
    kb, made = aligned
    view = kb.view()
    x = view.to_pyg(features=made).x.numpy()
    place = {name: row for row, name in enumerate(view.concepts)}
    assert x.shape == (len(view), made.dim)
    seen = made.transform(MeanColour().encode_images([_picture("red", 0)]), "image")[0]
    assert x[place["/c/en/cherry"]] == pytest.approx(seen, abs=1e-5), "by its picture"
    plain = view.to_pyg(features="minilm").x.numpy()[place["/c/en/blood"]]
    assert x[place["/c/en/blood"]] == pytest.approx(made.transform(plain[None], "text")[0], abs=1e-5), "by its label"


def test_it_is_kept_by_checksums_and_damage_is_told(aligned: Any) -> None:
    kb, made = aligned
    again = kb.alignment(MeanColour())
    assert again is not None and again.nodes == made.nodes
    assert np.array_equal(again.picture_vectors(), made.picture_vectors())
    assert kb.alignment(Rows(np.eye(3), "other")) is None and kb.alignment() is None
    with pytest.raises(KgmmError, match=r"kb\.align"):
        kb.similar("red", modality="picture")
    place = next(Path(kb.path / "alignments").glob("*.safetensors"))
    whole = place.read_bytes()
    try:
        for damaged in (b"", whole[:40], whole[:-8], whole.replace(b"c0105", b"c0106")):
            place.write_bytes(damaged)
            with pytest.raises(BadInput, match="align again"):
                kb.alignment(MeanColour())
    finally:
        place.write_bytes(whole)
    assert kgmm.open(kb.path).alignment(MeanColour()) is not None, "another reader of the folder"


def test_what_cannot_be_aligned_is_told(aligned: Any) -> None:
    kb, _ = aligned
    one = {"cherry": _picture("red", 0)}
    with pytest.raises(BadInput, match="1 entities"):
        kb.align(one, images=MeanColour())
    with pytest.raises(BadInput, match="0 entities"):
        kb.align(one, {"lemon": "a lemon"}, images=MeanColour())
    with pytest.raises(KgmmError, match="no method"):
        fit(np.eye(3), np.eye(3), "magic")  # type: ignore[arg-type]
    for ridge in (0.0, float("nan"), float("inf")):
        with pytest.raises(KgmmError, match="positive"):
            fit(np.eye(3), np.eye(3), ridge=ridge)
    with pytest.raises(KgmmError, match="at least 1"):
        fit(np.eye(3), np.eye(3), "datn", components=0)
    with pytest.raises(KgmmError, match="is nan"):
        fit(np.full((3, 2), np.nan), np.eye(3))


def test_the_ridge_map_is_the_minimum() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 5)), rng.normal(size=(40, 3))
    sides = fit(x, y, "ridge", ridge=0.5)
    (mean_x, found), (mean_y, _) = sides["image"], sides["text"]
    a, b = x - mean_x, y - mean_y
    weight = 0.5 * 40 * a.var(axis=0).mean()

    def literal(g: np.ndarray) -> float:
        return float(np.square(b - a @ g).sum() + weight * np.square(g).sum())

    assert all(literal(found + 0.01 * rng.normal(size=(5, 3))) > literal(found) for _ in range(50))


def test_the_network_makes_one_space_and_is_kept(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    kind = np.tile(np.arange(4), 30)
    pictures, words = (rng.normal(size=(4, d))[kind] * 3 + rng.normal(size=(120, d)) for d in (9, 6))
    names = {f"thing {i:03}": str(i) for i in range(120)}
    texts = {name: at for name, at in names.items() if int(at) < 100}
    with kgmm.open(tmp_path / "kb") as kb:
        made = kb.align(names, texts, images=Rows(pictures, "a"), texts=Rows(words, "b"), method="datn", components=8)
        again = kb.alignment(Rows(pictures, "a"), Rows(words, "b"))
    assert made.dim == 8 and again is not None and again.method == "datn"
    led, said = made.transform(pictures, "image"), made.transform(words, "text")
    assert np.array_equal(led, again.transform(pictures, "image"))
    assert np.array_equal(said, again.transform(words, "text"))
    assert len(made.nodes) == 120, "pictures without a text are led along"
    other = fit(np.float32(pictures[:100]), np.float32(words[:100]), "datn", components=8)
    assert all(np.array_equal(one, two) for one, two in zip(other["image"], again.maps["image"], strict=True))
    means = np.stack([said[:100][kind[:100] == k].mean(axis=0) for k in range(4)])
    nearest = (led[100:] @ means.T).argmax(axis=1)
    assert np.mean(nearest == kind[100:]) > 0.8, "nearest texts of their kind, for pictures that were not fitted on"


def test_the_command_aligns_pictures_of_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image

    from kgmm.cli import main

    kgmm.open(tmp_path / "kb").close()
    for name, colour in COLOURS.items():
        Image.new("RGB", (32, 32), colour).save(tmp_path / f"{name}.png")
    table = tmp_path / "names.csv"
    table.write_text("".join(f"{name}.png,{THINGS[name][0]},something {name}\n" for name in COLOURS))
    asked = ["align", str(tmp_path / "kb"), str(tmp_path), "--names", str(table)]
    main([*asked, "--method", "cca", "--components", "2", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told.pop("seconds") >= 0
    assert told == {
        "pictures": 4, "pairs": 4, "method": "cca", "dim": 2, "images": "efficientnet", "texts": "minilm"
    }  # fmt: skip
    kept = kgmm.open(tmp_path / "kb").alignment()
    assert kept is not None and set(kept.nodes) == {f"/c/en/{things[0]}" for things in THINGS.values()}
    for wrong, code, why in (
        (["--method", "magic"], 2, "magic"),
        (["--ridge", "0"], 2, "ridge"),
        (["--images", "/nowhere"], 1, "nowhere"),
    ):
        with pytest.raises(SystemExit) as ended:
            main([*asked, *wrong])
        assert ended.value.code == code and why in capsys.readouterr().err
    for rows, why in (("../x.png,cherry\n", "no picture"), ("red.png,a\nblue.png,a\n", "2: a has a picture before")):
        table.write_text(rows)
        with pytest.raises(SystemExit) as ended:
            main(asked)
        assert ended.value.code == 1 and why in capsys.readouterr().err


@pytest.mark.parametrize("method", ["ridge", "cca", "datn"])
def test_texts_find_pictures_of_their_category_on_wiki(method: str, shared_data: Path, tmp_path: Path) -> None:
    """Test items query training items; the chance of a random order is .111, of unaligned principal parts .16 and .12."""
    from kgmm.data.cross_modal import read_cross_modal
    from kgmm.evaluate.fusion import cross_modal_map

    data = read_cross_modal(shared_data / "wiki")
    rows = {kind: Rows(part, kind) for kind, part in data.train.items()}
    names = {f"article {i}": str(i) for i in range(len(data.image_train))}
    with kgmm.open(tmp_path / "kb") as kb:
        made = kb.align(names, names, images=rows["image"], texts=rows["text"], method=method)  # type: ignore[arg-type]
    found = cross_modal_map(made.transform, data)
    parts = {}
    for kind, train in data.train.items():
        mean = train.mean(axis=0)
        parts[kind] = mean, np.linalg.svd(train - mean, full_matrices=False)[2][:10].T
    apart = cross_modal_map(lambda x, kind: (x - parts[kind][0]) @ parts[kind][1], data)
    for way, least in (("image_to_text", 0.25), ("text_to_image", 0.23)):
        assert found[way]["map"] > least
        assert found[way]["map"] > apart[way]["map"] + 0.08


def test_labels_of_texts_serve_pictures_on_wiki(shared_data: Path) -> None:
    """Five labelled texts a class and no labelled picture, beside five labelled pictures a class."""
    from sklearn.linear_model import LogisticRegression

    from kgmm.data.cross_modal import read_cross_modal

    data = read_cross_modal(shared_data / "wiki")
    truth, wanted = data.labels_train.argmax(axis=1), data.labels_test.argmax(axis=1)
    rows = {kind: Rows(part, kind) for kind, part in data.train.items()}
    space = fit(data.train["image"], data.train["text"])
    made = Alignment(rows["image"], rows["text"], "ridge", (), np.zeros((0, rows["image"].dim), np.float32), space)
    texts, pictures = made.transform(data.train["text"], "text"), made.transform(data.test["image"], "image")
    mean, spread = data.image_train.mean(axis=0), data.image_train.std(axis=0) + 1e-12
    aligned, alone = [], []
    for seed in range(3, 8):
        rng = np.random.default_rng(seed)
        few = np.concatenate([rng.permutation(np.flatnonzero(truth == c))[:5] for c in np.unique(truth)])
        aligned.append(LogisticRegression(max_iter=500).fit(texts[few], truth[few]).score(pictures, wanted))
        plain = LogisticRegression(C=0.01, max_iter=500).fit((data.image_train[few] - mean) / spread, truth[few])
        alone.append(plain.score((data.image_test - mean) / spread, wanted))
    assert np.mean(aligned) > np.mean(alone) + 0.05
    assert np.mean(aligned) > np.bincount(wanted).max() / len(wanted) + 0.05
