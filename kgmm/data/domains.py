"""Domains as the field's benchmarks release them: features or pictures and labels in a MATLAB or NumPy file."""

import math
import zipfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.io
import scipy.sparse
from numpy.typing import NDArray

from kgmm.errors import BadInput, reason_of
from kgmm.files import file_at

#: names of features and labels in a file, in small letters, in the order they are looked for
NAMES = tuple((x, y) for x in ("fts", "x", "feas", "fea", "features", "data") for y in ("labels", "y", "label", "gnd"))
#: names of source and target in one file
BOTH = (("xs", "ys"), ("xt", "yt"))
MOST = 4 << 30  #: bytes of a file's features as numbers


class Domain(NamedTuple):
    """A domain's rows of features, (n, d), and their labels, (n,); of pictures the shape, channels × height × width."""

    name: str
    features: NDArray[np.float64]
    labels: NDArray[Any]
    picture: tuple[int, int, int] | None = None


def read_domain(path: str | Path, labelled: bool = True) -> Domain:
    """Read a domain from ``.mat`` (``fts`` and ``labels``) or ``.npz`` (``X`` and ``y``); nothing in it is executed.

    Features may be pictures: (n, height, width), channels before or after them, or the number last as MATLAB has it.
    Labels are whole numbers in any type or text; text that is all whole numbers is read as such. If not *labelled*,
    a file may lack them: then there are none, (0,).

    Raises:
        BadInput: if it cannot be read, lacks features or labels, or their shapes or values do not fit.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "webcam.npz"
        >>> np.savez(file, X=np.ones((3, 2)), y=np.array([1, 2, 2]))
        >>> read_domain(file).labels.tolist()
        [1, 2, 2]
    """
    place = file_at(path, "file of a domain")
    content = _content(place)
    found = next((pair for pair in NAMES if set(pair) <= set(content)), None)
    alone = next((x for x, _ in NAMES if x in content), None)
    if found is None and (labelled or alone is None):
        there = ", ".join(sorted(content)) or "nothing"
        raise BadInput(place, f"expected fts and labels, or X and y; there is {there}")
    if found is None:
        return _domain(place, place.stem, content[str(alone)], None)
    return _domain(place, place.stem, content[found[0]], content[found[1]])


def read_domains(path: str | Path) -> list[Domain]:
    """Read a file's domain, or both of a file with ``Xs``, ``Ys``, ``Xt``, ``Yt`` (Long et al., ICCV 2013)."""
    place = file_at(path, "file of a domain")
    content = _content(place)
    if not {name for pair in BOTH for name in pair} <= set(content):
        return [read_domain(place)]
    names = place.stem.split("_") if place.stem.count("_") == 1 else [f"{place.stem} source", f"{place.stem} target"]
    return [_domain(place, name, content[x], content[y]) for name, (x, y) in zip(names, BOTH, strict=True)]


def check_pair(source: Domain, target: Domain) -> None:
    """Refuse domains between which nothing can be learned, or compared if the target has labels."""
    if source.features.shape[1] != target.features.shape[1]:
        both = f"{source.features.shape[1]} and {target.features.shape[1]}"
        raise BadInput(target.name, f"the domains have {both} features; an adapter needs the same ones")
    known = np.unique(source.labels)
    if len(known) < 2:
        raise BadInput(source.name, f"has one class, {known[0]}; a classifier needs two")
    if not len(target.labels):
        return
    asked = np.unique(target.labels)
    if (known.dtype.kind == "U") != (asked.dtype.kind == "U") or not np.isin(asked, known).any():
        few = " and ".join(
            ", ".join(map(str, names[:3])) + (", …" if len(names) > 3 else "") for names in (known, asked)
        )
        raise BadInput(target.name, f"shares no class with the source; their labels are {few}")
    runs = [
        np.array_equal(names, np.arange(len(names)) + names[0]) for names in (known, asked) if names.dtype.kind == "i"
    ]
    if runs == [True, True] and len(known) == len(asked) and {int(known[0]), int(asked[0])} == {0, 1}:
        raise BadInput(
            target.name, f"labels begin with {asked[0]}, the source's with {known[0]}; number the classes alike"
        )


def picture_of(source: Domain, target: Domain) -> tuple[int, int, int]:
    """Return the shape of both domains' pictures; flat rows are square pictures, grey or of three colours.

    Example:
        >>> digits = Domain("digits", np.zeros((2, 256)), np.array([0, 1]))
        >>> picture_of(digits, digits)
        (1, 16, 16)
    """
    shapes = {domain.picture for domain in (source, target) if domain.picture is not None}
    if len(shapes) > 1:
        told = " and ".join(" × ".join(map(str, shape)) for shape in sorted(shapes))
        raise BadInput(target.name, f"pictures of {told}; an adapter needs one shape")
    if shapes:
        return shapes.pop()
    features = source.features.shape[1]
    for channels in (1, 3):
        side = math.isqrt(features // channels)
        if channels * side**2 == features:
            return channels, side, side
    raise BadInput(source.name, f"{features} features are no square pictures; give X as n × height × width")


def _domain(place: Path, name: str, features: NDArray[Any], labels: NDArray[Any] | None) -> Domain:
    known = None if labels is None else _classes(place, labels)
    if features.dtype.kind not in "fiub":
        raise BadInput(place, f"features are {_kind(features)}, not numbers")
    rows, picture = _rows(place, features, None if known is None else len(known))
    if not rows.size:
        raise BadInput(place, f"features of shape {features.shape}: there are none")
    with np.errstate(over="ignore"):
        rows = rows.astype(np.float64)
    if len(wrong := np.argwhere(~np.isfinite(rows))):
        row, column = wrong[0]
        raise BadInput(place, f"feature {column + 1} of row {row + 1} is no finite number: {rows[row, column]}")
    return Domain(name, rows, np.empty(0, np.int64) if known is None else known, picture)


def _rows(place: Path, features: NDArray[Any], count: int | None) -> tuple[NDArray[Any], tuple[int, int, int] | None]:
    """Return features in rows, and the shape of pictures; *count* is the number of labels."""
    shape = features.shape
    if features.ndim in (3, 4) and count is not None and len(features) != count == shape[-1]:
        features = np.moveaxis(features, -1, 0)  # MATLAB's order: height, width, (channels,) number
    if features.ndim not in (2, 3, 4) or (count is not None and len(features) != count):
        turned = "; are its rows the features?" if len(shape) == 2 and count == shape[1] else ""
        raise BadInput(place, f"features of shape {shape} and {count} labels{turned}")
    if features.ndim == 2:
        return features, None
    if features.ndim == 3:
        features = features[:, None]
    elif features.shape[3] in (1, 3) and features.shape[1] not in (1, 3):
        features = np.moveaxis(features, 3, 1)
    n, channels, height, width = features.shape
    return features.reshape(n, channels * height * width), (channels, height, width)


def _classes(place: Path, labels: NDArray[Any]) -> NDArray[Any]:
    """Return labels, (n,), as whole numbers or text."""
    if labels.dtype == object:  # a cell array of MATLAB's
        labels = np.array([_cell(place, one) for one in labels.ravel()], str).reshape(labels.shape)
    if sum(side > 1 for side in labels.shape) > 1:
        raise BadInput(place, f"labels of shape {labels.shape}; expected one for each row")
    flat = labels.ravel()
    if flat.dtype.kind == "S":
        flat = np.char.decode(flat, "utf-8", "replace")
    if flat.dtype.kind == "U":
        flat = np.char.strip(flat)
        try:
            return flat.astype(np.int64)
        except (ValueError, OverflowError):
            return flat
    if flat.dtype.kind not in "fiub":
        raise BadInput(place, f"labels are {_kind(flat)}, neither whole numbers nor text")
    whole = (flat == np.rint(flat)) & (np.abs(flat) < 2**53) if flat.dtype.kind == "f" else np.ones(len(flat), bool)
    if not whole.all():
        wrong = int(np.argmin(whole))
        raise BadInput(place, f"label {wrong + 1} is {flat[wrong]}; a label is a whole number or text")
    if flat.dtype.kind == "u" and len(flat) and flat.max() > np.iinfo(np.int64).max:
        raise BadInput(place, f"label {flat.max()} is too large a number")
    return flat.astype(np.int64)


def _cell(place: Path, one: Any) -> str:
    text = np.asarray(one)
    if text.size != 1 or text.dtype.kind not in "Ufiu":
        raise BadInput(place, "a label in a cell is neither a text nor a number")
    return str(text.item())


def _kind(values: NDArray[Any]) -> str:
    return {"c": "complex numbers", "U": "text", "S": "text", "O": "cells or structures"}.get(
        values.dtype.kind, f"of type {values.dtype}"
    )


def _content(place: Path) -> dict[str, NDArray[Any]]:
    """Return a file's arrays by their names in small letters, sparse ones made dense."""
    suffix = place.suffix.lower()
    if suffix not in (".mat", ".npz"):
        raise BadInput(place, "expected .mat or .npz")
    try:
        found = _mat(place) if suffix == ".mat" else _npz(place)
        for name, x in found.items():
            if math.prod(getattr(x, "shape", ())) * 8 > MOST:
                raise BadInput(place, f"{name} of shape {x.shape} does not fit into {MOST >> 30} GB as numbers")
        dense = {k.lower(): x.toarray() if scipy.sparse.issparse(x) else x for k, x in found.items()}
        return {name: x for name, x in dense.items() if isinstance(x, np.ndarray)}
    except MemoryError as error:
        raise BadInput(place, "its arrays do not fit into memory") from error


def _mat(place: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = scipy.io.loadmat(place)
        return {name: x for name, x in found.items() if not name.startswith("__")}
    except NotImplementedError as error:
        raise BadInput(place, "a MATLAB 7.3 file; save it with -v7 (or as .npz with X and y)") from error
    except (ValueError, OSError, TypeError, EOFError, KeyError, IndexError, OverflowError) as error:
        raise BadInput(place, reason_of(error, "not a MATLAB 5 to 7.2 file")) from error


def _npz(place: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(place) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
        if unpacked > MOST:
            raise BadInput(place, f"more than {MOST >> 30} GB when unpacked")
        with np.load(place, allow_pickle=False) as found:
            if {"indices", "indptr", "data"} <= set(found.files):
                raise BadInput(
                    place, "a sparse matrix alone; expected X and y (sparse features: .mat with fts, labels)"
                )
            return {name: found[name] for name in found.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise BadInput(place, f"not a NumPy file of plain arrays ({error})") from error
