"""Domains as others bring them: whatever a file holds is read in one meaning or refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io
import scipy.sparse

from kgmm.cli import main
from kgmm.data.domains import Domain, picture_of, read_domain, read_domains
from kgmm.errors import BadInput, KgmmError
from kgmm.evaluate.transfer import evaluate


def _file(folder: Path, name: str, **arrays: Any) -> Path:
    path = folder / name
    scipy.io.savemat(path, arrays) if path.suffix == ".mat" else np.savez(path, **arrays)
    return path


ROWS = np.arange(12.0).reshape(4, 3)
CELLS = np.empty((4, 1), object)
CELLS[:, 0] = ["cat", "dog", "cat", "owl"]


@pytest.mark.parametrize(
    "name, arrays, labels",
    [
        ("a.mat", {"fts": ROWS, "labels": [[1], [2], [1], [3]]}, [1, 2, 1, 3]),
        ("a.mat", {"Fts": ROWS, "Labels": [1.0, 2.0, 1.0, 3.0]}, [1, 2, 1, 3]),
        ("a.mat", {"fts": scipy.sparse.csc_matrix(ROWS), "labels": [1, 2, 1, 3]}, [1, 2, 1, 3]),
        ("a.mat", {"fea": ROWS, "gnd": CELLS}, ["cat", "dog", "cat", "owl"]),
        ("a.mat", {"X": ROWS, "y": np.array(["cat", "horse", "cat", "owl"])}, ["cat", "horse", "cat", "owl"]),
        ("a.npz", {"X": ROWS, "y": np.array(["1", "2", "1", " 3"])}, [1, 2, 1, 3]),
        ("a.npz", {"x": ROWS.astype(np.float16), "Y": np.array([b"cat", b"dog", b"cat", b"owl"])}, ["cat", "dog"]),
        ("a.npz", {"X": ROWS > 3, "y": np.array([True, False, True, True])}, [1, 0, 1, 1]),
        ("a.NPZ", {"features": ROWS.astype(np.int8), "labels": np.array([-1, 2**40, 0, 0])}, [-1, 2**40, 0, 0]),
    ],
)
def test_labels_of_any_kind_are_read(tmp_path: Path, name: str, arrays: dict[str, Any], labels: list[Any]) -> None:
    path = _file(tmp_path, name.lower(), **arrays).rename(tmp_path / name)
    found = read_domain(path)
    assert found.labels.tolist()[: len(labels)] == labels and found.labels.shape == (4,)
    expected = np.asarray(arrays["X"], float) if arrays.get("X") is not None else ROWS
    assert found.features.dtype == np.float64 and np.array_equal(found.features, expected) and found.picture is None


@pytest.mark.parametrize(
    "name, arrays, told",
    [
        ("a.mat", {"fts": ROWS, "labels": [1, np.nan, 1, 2]}, "label 2 is nan"),
        ("a.npz", {"X": ROWS, "y": [1, 2, 0.5, 2]}, "label 3 is 0.5; a label is a whole number or text"),
        ("a.npz", {"X": ROWS, "y": np.eye(4)[:, :3]}, r"labels of shape \(4, 3\)"),
        ("a.npz", {"X": ROWS, "y": np.zeros(4, complex)}, "labels are complex numbers"),
        ("a.npz", {"X": ROWS * 1j, "y": np.zeros(4)}, "features are complex numbers"),
        ("a.npz", {"X": ROWS.astype(str), "y": np.zeros(4)}, "features are text"),
        (
            "a.npz",
            {"X": np.where(ROWS == 7, np.nan, ROWS), "y": np.zeros(4)},
            "feature 2 of row 3 is no finite number: nan",
        ),
        ("a.npz", {"X": ROWS.T, "y": np.zeros(4)}, "are its rows the features"),
        ("a.npz", {"X": np.zeros((0, 3)), "y": np.zeros(0)}, "there are none"),
        ("a.npz", {"X": ROWS[:, 0], "y": np.zeros(4)}, r"features of shape \(4,\) and 4 labels"),
        ("a.npz", {"X": ROWS, "y": np.array([2**64 - 1] * 4, np.uint64)}, "too large a number"),
        ("a.npz", {"data": ROWS, "indices": ROWS, "indptr": ROWS}, "a sparse matrix alone"),
        ("a.mat", {"fts": {"a": 1}, "labels": [1]}, "features are"),
        ("a.mat", {"rows": ROWS}, "expected fts and labels, or X and y; there is rows"),
        ("a.mat", {"fts": scipy.sparse.csc_matrix((1 << 20, 1 << 20)), "labels": [1]}, "does not fit into 4 GB"),
    ],
)
def test_what_is_wrong_with_a_domain_is_said_in_one_line(
    tmp_path: Path, name: str, arrays: dict[str, Any], told: str
) -> None:
    path = _file(tmp_path, name, **arrays)
    with pytest.raises(BadInput, match=told) as caught:
        read_domain(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "new.mat", "w", userblock_size=512) as file:
        file["fts"] = ROWS
    raw = bytearray((tmp_path / "new.mat").read_bytes())
    raw[:128] = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    (tmp_path / "new.mat").write_bytes(raw)
    (tmp_path / "text.mat").write_text("fts labels\n" * 40)
    (tmp_path / "text.npz").write_text("no zip")
    (tmp_path / "a.csv").write_text("1,2\n")
    whole = _file(tmp_path, "a.mat", fts=ROWS, labels=[1, 2, 1, 2]).read_bytes()
    (tmp_path / "cut.mat").write_bytes(whole[: len(whole) // 2])
    whole = _file(tmp_path, "a.npz", X=ROWS, y=np.zeros(4)).read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    for name, told in (
        ("new.mat", "MATLAB 7.3 file; save it with -v7"),
        ("text.mat", "not a MATLAB 5 to 7.2 file"),
        ("cut.mat", "not a MATLAB 5 to 7.2 file"),
        ("text.npz", "not a NumPy file"),
        ("cut.npz", "not a NumPy file"),
        ("a.csv", "expected .mat or .npz"),
        ("none.mat", "none.mat"),
    ):
        with pytest.raises(BadInput, match=told):
            read_domain(tmp_path / name)


@pytest.mark.parametrize(
    "shape, picture",
    [
        ((5, 6, 7), (1, 6, 7)),
        ((5, 3, 6, 7), (3, 6, 7)),
        ((5, 6, 7, 3), (3, 6, 7)),
        ((6, 7, 5), (1, 6, 7)),
        ((6, 7, 3, 5), (3, 6, 7)),
    ],
)
def test_pictures_are_read_in_any_order_of_their_sides(
    tmp_path: Path, shape: tuple[int, ...], picture: tuple[int, int, int]
) -> None:
    number, height, width = 5, 6, 7
    wanted = np.random.default_rng(0).integers(0, 255, (number, picture[0], height, width))
    pixels = wanted
    if shape[-1] == number:
        pixels = wanted.transpose(2, 3, 1, 0)
    elif shape[-1] == 3:
        pixels = wanted.transpose(0, 2, 3, 1)
    found = read_domain(_file(tmp_path, "a.npz", X=pixels.reshape(shape), y=np.arange(5)))
    assert found.picture == picture and np.array_equal(found.features, wanted.reshape(5, -1))


def test_a_file_may_hold_two_domains_or_no_labels(tmp_path: Path) -> None:
    both = _file(tmp_path, "mnist_usps.npz", Xs=ROWS, Ys=[1, 2, 1, 2], Xt=ROWS[:2], Yt=[2, 1])
    assert [(d.name, len(d.labels)) for d in read_domains(both)] == [("mnist", 4), ("usps", 2)]
    bare = _file(tmp_path, "bare.npz", X=ROWS)
    assert read_domain(bare, labelled=False).labels.shape == (0,)
    with pytest.raises(BadInput, match="there is x"):
        read_domain(bare)


def _domain(labels: Any, features: int = 4) -> Domain:
    labels = np.asarray(labels)
    codes = np.unique(labels, return_inverse=True)[1]
    return Domain("d", np.abs(np.random.default_rng(0).normal(size=(len(labels), features))) + codes[:, None], labels)


def test_pairs_between_which_nothing_can_be_compared_are_refused() -> None:
    ten = np.tile([1, 2], 10)
    for source, target, told in (
        (_domain(ten), _domain(ten, 3), "4 and 3 features"),
        (_domain(np.ones(5, int)), _domain(ten), "has one class, 1"),
        (_domain(ten), _domain(ten - 1), "labels begin with 0, the source's with 1"),
        (_domain(ten), _domain(ten + 7), "shares no class with the source; their labels are 1, 2 and 8, 9"),
        (_domain(ten), _domain(ten.astype(str)), "shares no class"),
    ):
        with pytest.raises(BadInput, match=told):
            evaluate(source, target, "coral", 1)
    with pytest.raises(KgmmError, match="msda is no network"):
        evaluate(_domain(ten), _domain(ten), "msda", 1, network="pictures")
    with pytest.raises(BadInput, match="7 features are no square pictures"):
        picture_of(_domain(ten, 7), _domain(ten, 7))
    assert picture_of(_domain(ten, 48), _domain(ten, 48)) == (3, 4, 4)


def test_a_target_of_one_class_or_row_has_figures_but_no_bound(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = _domain(np.repeat(["cat", "dog"], 20))
    for rows in (slice(0, 12), slice(0, 1)):
        found = evaluate(source, Domain("t", source.features[rows], source.labels[rows]), "coral", 1)
        assert found["target_only"] is None and found["majority"] == 1 and 0 <= found["accuracy"] <= 1
    one, other = (tmp_path / f"{n}.npz" for n in "ab")
    np.savez(one, X=source.features, y=source.labels)
    np.savez(other, X=source.features[:5], y=source.labels[:5])
    command = ["eval", "transfer", "--source", str(one), "--target", str(other), "--method", "coral", "--seeds", "1"]
    main([*command, "--json"])
    assert json.loads(capsys.readouterr().out)["target_only"] is None
    main(command)
    assert capsys.readouterr().out.splitlines()[1].split()[-2:] == ["–", "1.000"]
