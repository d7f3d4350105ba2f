"""Domains as the field's benchmarks release them: features and labels in a MATLAB or NumPy file."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kgmm.data.cross_modal import read_mat
from kgmm.errors import BadInput
from kgmm.files import file_at

#: names of features and labels in a file, in the order they are looked for
NAMES = (("fts", "labels"), ("X", "y"), ("X", "Y"), ("x", "y"), ("feas", "labels"), ("features", "labels"))


class Domain(NamedTuple):
    """A domain's rows of features, (n, d), and their labels, (n,)."""

    name: str
    features: NDArray[np.float64]
    labels: NDArray[Any]


def read_domain(path: str | Path) -> Domain:
    """Read a domain from ``.mat`` (``fts`` and ``labels``) or ``.npz`` (``X`` and ``y``); nothing in it is executed.

    Raises:
        BadInput: if it cannot be read, lacks features or labels, or their shapes do not fit.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "webcam.npz"
        >>> np.savez(file, X=np.ones((3, 2)), y=np.array([1, 2, 2]))
        >>> read_domain(file).labels.tolist()
        [1, 2, 2]
    """
    place = file_at(path, "file of a domain")
    content = read_mat(place, "fiubU") if place.suffix.lower() == ".mat" else _npz(place)
    pair = next((pair for pair in NAMES if set(pair) <= set(content)), None)
    if pair is None:
        there = ", ".join(sorted(content)) or "nothing"
        raise BadInput(place, f"expected fts and labels, or X and y; there is {there}")
    features, labels = content[pair[0]], content[pair[1]].ravel()
    if features.ndim != 2 or len(features) != len(labels) or not len(labels):
        raise BadInput(place, f"features of shape {features.shape} and {len(labels)} labels")
    if features.dtype.kind not in "fiub" or not np.isfinite(features).all():
        raise BadInput(place, "a feature is no finite number")
    return Domain(place.stem, features.astype(np.float64), labels)


def _npz(place: Path) -> dict[str, NDArray[Any]]:
    from zipfile import BadZipFile

    try:
        with np.load(place, allow_pickle=False) as found:
            if not isinstance(found, np.lib.npyio.NpzFile):
                raise BadInput(place, "holds one array; expected an .npz file with X and y")
            return {name: found[name] for name in found.files}
    except (ValueError, OSError, EOFError, BadZipFile) as error:
        raise BadInput(place, f"not a NumPy file of plain arrays ({error})") from error
