"""Cross-modal data sets in the Wiki layout: one ``.mat`` file of features, two ``.list`` files of categories."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
import scipy.sparse
from numpy.typing import NDArray

from kgmm.errors import BadInput
from kgmm.hashing.features import Array


@dataclass(frozen=True)
class CrossModal:
    """Paired features of a training and a test set, with indicator matrices of their categories."""

    image_train: Array
    text_train: Array
    image_test: Array
    text_test: Array
    labels_train: Array
    labels_test: Array

    @property
    def relevant(self) -> NDArray[np.bool_]:
        """Which training item shares a category with which test item, shape (test, train)."""
        return np.asarray(self.labels_test @ self.labels_train.T > 0)

    @property
    def train(self) -> dict[str, Array]:
        """The training features by modality."""
        return {"image": self.image_train, "text": self.text_train}

    @property
    def test(self) -> dict[str, Array]:
        """The test features by modality."""
        return {"image": self.image_test, "text": self.text_test}


def read_cross_modal(folder: str | Path) -> CrossModal:
    """Read a folder like that of the Wiki set (Rasiwasia et al. 2010).

    ``*.mat`` holds I_tr, I_te, T_tr, T_te (images, texts; items in rows); ``*train*.list`` and ``*test*.list`` give
    in the rows' order the categories, as last column after a tab or space (several separated by commas):
    numbers or names of any number of categories.

    Raises:
        BadInput: if a file is missing or the parts do not fit together.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise BadInput(folder, "no such folder")
    features = _features(folder)
    lists = {part: _categories(folder, part) for part in ("train", "test")}
    names = sorted({c for rows in lists.values() for row in rows for c in row})
    if not {c for row in lists["train"] for c in row} & {c for row in lists["test"] for c in row}:
        none = "no category of the test items occurs in training, so nothing is relevant"
        raise BadInput(folder, f"{none}: {', '.join(names[:6])}")
    labels = {part: np.array([np.isin(names, row) for row in rows], float) for part, rows in lists.items()}
    out: dict[str, Array] = {}
    for (kind, part), x in features.items():
        n = len(labels[part])
        if x.shape[0] != n and x.shape[1] == n:
            x = x.T
        if x.shape[0] != n:
            raise BadInput(folder, f"{n} {part} categories but {kind} features of shape {x.shape}")
        out[f"{kind}_{part}"] = np.ascontiguousarray(x)
    for kind in ("image", "text"):
        dims = out[f"{kind}_train"].shape[1], out[f"{kind}_test"].shape[1]
        if dims[0] != dims[1]:
            raise BadInput(folder, f"{kind} features have {dims[0]} columns in training but {dims[1]} in test")
    return CrossModal(**out, labels_train=labels["train"], labels_test=labels["test"])


def _features(folder: Path) -> dict[tuple[str, str], Array]:
    """Return the four matrices of the folder's .mat files by (modality, part), told by their names."""
    found, names = dict[tuple[str, str], Array](), list[str]()
    files = sorted(folder.glob("*.mat"))
    if not files:
        raise BadInput(folder, "no .mat file with features here")
    for file in files:
        for name, value in read_mat(file).items():
            names.append(name)
            key = _meaning(name)
            if key and value.ndim == 2 and min(value.shape) > 0:
                found.setdefault(key, value.astype(np.float64))
    wanted = [(kind, part) for kind in ("image", "text") for part in ("train", "test")]
    missing = [f"{kind} {part}" for kind, part in wanted if (kind, part) not in found]
    if missing:
        expected = f"expected I_tr, I_te, T_tr, T_te; found {', '.join(names)}"
        raise BadInput(files[0], f"no {missing[0]} features ({expected})")
    return found


def read_mat(file: Path, kinds: str = "fiub") -> dict[str, NDArray[Any]]:
    """Return the arrays of a MATLAB file whose dtype is of some *kinds*, sparse ones made dense; BadInput if it is none."""
    try:
        content = scipy.io.loadmat(file)
    except (ValueError, NotImplementedError, OSError, TypeError) as error:
        raise BadInput(file, f"not a MATLAB 5 to 7.2 file ({error})") from error
    dense = {name: x.toarray() if scipy.sparse.issparse(x) else x for name, x in content.items()}
    return {name: x for name, x in dense.items() if isinstance(x, np.ndarray) and x.dtype.kind in kinds}


def _meaning(name: str) -> tuple[str, str] | None:
    """Tell modality and part from a variable's name, such as I_tr or text_test."""
    low = name.lower()
    if any(word in low for word in ("label", "lab", "cat")) or low[0] == "l":
        return None
    part = "train" if "tr" in low else "test" if "te" in low.removeprefix("text").removeprefix("te") else None
    kind = "image" if low[0] in "ixv" else "text" if low[0] in "ty" else None
    return (kind, part) if kind and part else None


def _categories(folder: Path, part: str) -> list[list[str]]:
    """Return each item's categories in a list file: the last column (by tabs or else spaces), split at commas."""
    files = sorted(folder.glob(f"*{part}*.list"))
    if not files:
        raise BadInput(folder, f"no {part}*.list file with categories here")
    # names of items may be in any encoding: what matters is that equal categories stay equal
    lines = files[0].read_text(encoding="utf-8-sig", errors="surrogateescape").split("\n")
    rows: list[list[str]] = []
    tabs, width = "\t" in next((line for line in lines if line.strip()), ""), 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        columns = line.rstrip("\r\n").split("\t") if tabs else line.split()
        width = width or len(columns)
        if tabs and len(columns) != width:
            raise BadInput(files[0], f"{len(columns)} columns, where the first line has {width}", number)
        categories = _several(columns[-1])
        if not categories:
            raise BadInput(files[0], "no category in the last column", number)
        rows.append(categories)
    if not rows:
        raise BadInput(files[0], "the list is empty")
    return rows


def _several(column: str) -> list[str]:
    """Return the categories in a column: "3", "3,5", "3 5" (numbers only) or "sport & leisure"."""
    words = column.replace(",", " ").replace(";", " ").split()
    if all(word.lstrip("+-").isdigit() for word in words):
        return words
    parts = (part.strip() for part in column.replace(";", ",").split(","))
    return [part for part in parts if part]
