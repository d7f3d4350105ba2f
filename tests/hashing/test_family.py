"""Every hashing method: is documented and cited, fits, codes both modalities alike, comes back from its files, does the same again."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from kgmm.errors import KgmmError
from kgmm.hashing import ALIASES, create, load, methods
from tests.families import DOCS, check_family

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 3, 150)
HIDDEN = np.eye(3)[LABELS] * 2 + RNG.normal(size=(150, 3)) * 0.4
IMAGE = HIDDEN @ RNG.normal(size=(3, 24)) + RNG.normal(size=(150, 24)) * 0.3
TEXT = HIDDEN @ RNG.normal(size=(3, 10)) + RNG.normal(size=(150, 10)) * 0.3


def test_every_method_has_a_row_in_the_docs_and_a_source() -> None:
    check_family(methods(), lambda name: importlib.import_module(type(create(name, 8)).__module__), "hashing.md")


def test_every_alias_is_of_a_method_and_in_the_docs() -> None:
    page = (DOCS / "hashing.md").read_text(encoding="utf-8")
    for alias, name in ALIASES.items():
        assert create(alias, 8).name == name in methods()
        assert f"`{alias}`" in page


def test_what_is_no_method_is_not_listed() -> None:
    assert not {"index", "base", "features", "nets"} & set(methods())
    with pytest.raises(KgmmError, match=r"no hashing method 'index'"):
        create("index", 8)


@pytest.mark.parametrize("name", methods())
def test_a_method_brings_pairs_of_one_kind_together_and_back_from_its_files(name: str, tmp_path: Path) -> None:
    hasher = create(name, bits=16, seed=1).fit(IMAGE[:120], TEXT[:120], LABELS[:120])
    database = hasher.encode(TEXT[:120], modality="text")
    queries = hasher.encode(IMAGE[120:], modality="image")
    assert database.shape == (120, 2) and database.dtype == np.uint8
    relevant = LABELS[120:, None] == LABELS[None, :120]
    distance = np.unpackbits(queries[:, None] ^ database[None], axis=2).sum(2)
    found = np.mean([relevant[i][np.argsort(d, kind="stable")][:20].mean() for i, d in enumerate(distance)])
    assert found >= 0.5, f"precision at 20 is {found:.2f}; chance is 0.33"
    hasher.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.checksum == hasher.checksum
    assert (again.encode(IMAGE[120:], modality="image") == queries).all()
    assert not list((tmp_path / "model").rglob("*.pkl"))


@pytest.mark.parametrize("name", sorted(set(methods()) - {"cvh", "scm-orth"}))  # these take one step
def test_a_fit_says_how_far_it_is(name: str) -> None:
    told: list[tuple[int, int, str]] = []
    create(name, bits=8).fit(IMAGE, TEXT, LABELS, progress=lambda *step: told.append(step))
    assert told and all(0 <= done <= total and what for done, total, what in told)


@pytest.mark.parametrize("name", ["cvh", "cca-itq", "scm-orth", "scm-seq", "cmfh", "qch", "crh"])
def test_rows_mapped_from_disk_are_read_batch_by_batch(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = create(name, bits=8).fit(IMAGE, TEXT, LABELS)
    for module in ("base", "features"):  # where rows are cut into batches
        monkeypatch.setattr(f"kgmm.hashing.{module}.BATCH", 32)
    mapped = []
    for side in (IMAGE, TEXT):
        np.save(tmp_path / "side.npy", side)
        mapped.append(np.load(tmp_path / "side.npy", mmap_mode="r"))
        (tmp_path / "side.npy").rename(tmp_path / f"{len(mapped)}.npy")
    parts = create(name, bits=8).fit(*mapped, LABELS)
    for x, kind in ((IMAGE, "image"), (TEXT, "text")):
        assert np.allclose(parts.scores(x, kind), whole.scores(x, kind))
        assert (parts.encode(x, kind) == whole.encode(x, kind)).all()


@pytest.mark.parametrize("name", ["cvh", "seph", "dcmh"])
def test_files_that_lack_a_part_are_refused(name: str, tmp_path: Path) -> None:
    short = {"epochs": 1} if name == "dcmh" else {}
    create(name, bits=8, **short).fit(IMAGE, TEXT, LABELS).save(tmp_path / "model")
    arrays = load_file(tmp_path / "model.safetensors")
    lost = next(key for key in arrays if key.endswith(("weights", "0.weight")))
    save_file({k: v for k, v in arrays.items() if k != lost}, tmp_path / "model.safetensors")
    with pytest.raises(KgmmError, match=r"model: not a trained hashing method"):
        load(tmp_path / "model")


@pytest.mark.parametrize("name", methods())
def test_the_same_seed_gives_the_same_codes(name: str) -> None:
    codes = [create(name, bits=8, seed=3).fit(IMAGE, TEXT, LABELS).encode(TEXT, modality="text") for _ in range(2)]
    assert (codes[0] == codes[1]).all()


@pytest.mark.parametrize("name", methods())
@pytest.mark.parametrize(
    ("image", "text", "labels"),
    [
        (np.where(np.arange(24) == 3, np.nan, IMAGE), TEXT, LABELS),
        (np.ones_like(IMAGE), TEXT, LABELS),
        (IMAGE[:5], TEXT[:5], LABELS[:5]),
        (IMAGE, TEXT[:-1], LABELS),
        (IMAGE, np.empty((150, 0)), LABELS),
    ],
    ids=["NaN", "constant", "fewer items than bits", "unpaired", "a modality missing"],
)
def test_what_cannot_be_fitted_is_refused_in_words(
    name: str, image: np.ndarray, text: np.ndarray, labels: np.ndarray
) -> None:
    with pytest.raises(KgmmError) as refused:
        create(name, bits=16).fit(image, text, labels)
    assert name in str(refused.value)


@pytest.mark.parametrize("name", methods())
def test_one_class_is_refused_or_coded(name: str) -> None:
    try:
        hasher = create(name, bits=8).fit(IMAGE, TEXT, np.zeros(150, int))
    except KgmmError as error:
        assert "categor" in str(error) or "class" in str(error)
    else:
        assert hasher.encode(IMAGE[:3], modality="image").shape == (3, 1)
