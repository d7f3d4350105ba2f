"""Feature matrices of two modalities whose rows pair up: what they and their labels must be, and what is refused."""

from collections.abc import Iterator
from typing import Literal, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kgmm.errors import KgmmError

Array = NDArray[np.float64]
Pair = tuple[Array, Array]  #: one of each modality
Modality = Literal["image", "text"]
MODALITIES: tuple[Modality, Modality] = ("image", "text")

BATCH = 65_536  #: rows that are read, encoded or added to a covariance at a time


def batches(x: NDArray[np.floating], center: Array | float = 0.0) -> Iterator[Array]:
    """Yield the rows of a matrix, less *center*, batch by batch as float64; one mapped from disk is never read whole."""
    for start in range(0, len(x), BATCH):
        yield np.asarray(x[start : start + BATCH], np.float64) - center


def as_matrix(x: ArrayLike, what: str) -> NDArray[np.floating]:
    """Return features as a float matrix, without copying one that already is; KgmmError if they are no numbers."""
    if hasattr(x, "toarray"):
        raise KgmmError(f"{what}: a sparse matrix; give x.toarray()")
    try:
        rows = np.asanyarray(x)
        if rows.dtype.kind == "c":
            raise TypeError("the values are complex")
        if rows.dtype.kind != "f" or rows.dtype.itemsize < 4:
            rows = rows.astype(np.float32 if rows.dtype.kind == "f" else np.float64)
    except (TypeError, ValueError) as error:
        raise KgmmError(f"{what}: not a matrix of numbers ({error})") from error
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise KgmmError(f"{what}: expected a matrix (items, dimensions), found shape {rows.shape}")
    return cast("NDArray[np.floating]", rows)


def fitted_rows(x: ArrayLike, name: str, modality: str, width: int) -> NDArray[np.floating]:
    """Return features of a modality that a method was fitted on with *width* columns; KgmmError if they have others."""
    rows = as_matrix(x, f"{name}: {modality} features")
    if rows.shape[1] != width:
        raise KgmmError(f"{name}: {modality} features have {rows.shape[1]} columns; it was fitted on {width}")
    return rows


def check_modality(name: str, modality: str) -> Modality:
    """Return a modality by its type, or raise KgmmError if there is no such."""
    if modality not in MODALITIES:
        raise KgmmError(f"{name}: modality must be 'image' or 'text', not {modality!r}")
    return modality


def check_finite(x: NDArray[np.floating], what: str, first: int = 0) -> None:
    """Raise KgmmError naming the first value that is NaN or infinite."""
    bad = ~np.isfinite(x)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise KgmmError(f"{what}: row {first + row}, column {column} is {x[row, column]}; remove or impute it")


def check_pairs(name: str, x_image: ArrayLike, x_text: ArrayLike) -> Pair:
    """Return both feature matrices, checked batch by batch."""
    out = []
    for kind, x in zip(MODALITIES, (x_image, x_text), strict=True):
        if x is None:
            raise KgmmError(f"{name}: the {kind} features are missing; fit needs both modalities")
        rows = as_matrix(x, f"{name}: {kind} features")
        varies = False
        for start in range(0, len(rows), BATCH):
            part = np.asarray(rows[start : start + BATCH])
            check_finite(part, f"{name}: {kind} features", start)
            varies = varies or bool(np.any(part != np.asarray(rows[:1])))
        if len(rows) > 1 and not varies:
            raise KgmmError(f"{name}: the {kind} features are constant: every row is the same")
        out.append(cast("Array", rows))
    image, text = out
    if len(image) != len(text):
        raise KgmmError(f"{name}: {len(image)} image rows but {len(text)} text rows; row i must pair with row i")
    return image, text


def indicators(name: str, labels: ArrayLike, n: int) -> Array:
    """Return labels as an indicator matrix, shape (n, categories); one column holds categories, as one row does."""
    what = "labels must be categories, shape (items,), or indicators, shape (items, categories)"
    try:
        values = np.asarray(labels)
    except ValueError:  # rows of different lengths
        raise KgmmError(f"{name}: {what}, not lists of different lengths") from None
    if values.ndim == 0:
        raise KgmmError(f"{name}: {what}, not {labels!r}")
    if len(values) != n:
        raise KgmmError(f"{name}: {len(values)} labels for {n} pairs")
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.dtype.kind == "O" and not all(isinstance(v, str) for v in values.ravel()):
        raise KgmmError(f"{name}: {what}, all numbers or all words")
    if values.ndim == 1:
        if values.dtype.kind == "f":
            check_finite(values[:, None], f"{name}: labels")
        found, at = np.unique(values, return_inverse=True)
        return np.eye(len(found))[at]
    if values.ndim != 2 or values.dtype.kind not in "fiub":
        raise KgmmError(f"{name}: {what}, not {values.dtype} of shape {values.shape}")
    matrix = values.astype(np.float64)
    check_finite(matrix, f"{name}: labels")
    return cast("Array", (matrix != 0).astype(np.float64))


def check_labels(name: str, labels: Array, instead: str = " or take an unsupervised method such as cmfh") -> None:
    """Raise KgmmError if a supervised method cannot learn from the labels; *instead* is another way out."""
    if not labels.shape[1]:
        raise KgmmError(f"{name} learns from labels; give labels=…{instead}")
    if not (labels != labels[0]).any():
        raise KgmmError(
            f"{name}: all items have the same labels (one class), so nothing tells them apart;"
            f" give at least two categories{instead}"
        )
