"""What every hashing method offers: fit on pairs, encode either modality, save; and what it refuses."""

import hashlib
import json
from pathlib import Path
from typing import Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kgmm.errors import KgmmError
from kgmm.files import publish
from kgmm.hashing.features import (
    BATCH,
    Array,
    Modality,
    check_finite,
    check_labels,
    check_modality,
    check_pairs,
    fitted_rows,
    indicators,
)
from kgmm.progress import Progress, silent

Codes = NDArray[np.uint8]
Arrays = dict[str, NDArray[Any]]


class Hasher:
    """A hashing method for pairs of image and text features.

    Subclasses give ``name``, ``DEFAULTS`` (their options), ``_fit`` (its labels have no column where none are given)
    and ``_project``; what they learn lies in ``self.arrays`` (saved as safetensors) and ``self.fitted`` (plain values,
    saved as JSON).

    Args:
        bits: length of a code.
        seed: everything random follows from it.
        **options: values for keys of ``DEFAULTS``.
    """

    name: ClassVar[str] = ""
    supervised: ClassVar[bool] = False  #: does fit need labels?
    has_unified: ClassVar[bool] = False  #: do training pairs get a joint code?
    DEFAULTS: ClassVar[dict[str, Any]] = {}

    def __init__(self, bits: int, seed: int = 0, **options: Any) -> None:
        if isinstance(bits, bool) or not isinstance(bits, int | np.integer) or bits < 1:
            raise KgmmError(f"{self.name}: bits must be a positive whole number, not {bits!r}")
        unknown = sorted(set(options) - set(self.DEFAULTS))
        if unknown:
            known = ", ".join(self.DEFAULTS) or "none"
            raise KgmmError(f"{self.name}: no option {unknown[0]!r} (options: {known})")
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**63:
            raise KgmmError(f"{self.name}: seed must be a whole number from 0, not {seed!r}")
        self.bits: int = int(bits)
        self.seed: int = int(seed)
        given = {key: checked_option(self.name, key, value, self.DEFAULTS[key]) for key, value in options.items()}
        self.options: dict[str, Any] = {**self.DEFAULTS, **given}
        self.arrays: Arrays = {}
        self.fitted: dict[str, Any] = {}

    def fit(
        self, x_image: ArrayLike, x_text: ArrayLike, labels: ArrayLike | None = None, *, progress: Progress = silent
    ) -> Self:
        """Learn from pairs.

        Args:
            x_image: shape (n, d_image); arrays mapped from disk are read batch by batch.
            x_text: shape (n, d_text), row i belonging to row i of *x_image*.
            labels: one category an item, shape (n,) or (n, 1), or an indicator matrix, shape (n, categories).
            progress: told about long fits.

        Raises:
            KgmmError: if a modality is missing, rows do not pair up, values are not finite, features are
                constant, there are fewer pairs than bits, or a supervised method gets no or one category.
        """
        image, text = check_pairs(self.name, x_image, x_text)
        if len(image) < max(2, self.bits):
            raise KgmmError(
                f"{self.name}: {len(image)} pairs cannot fix {self.bits} bits; give at least {self.bits} pairs"
                " or ask for fewer bits"
            )
        indicator = np.empty((len(image), 0)) if labels is None else indicators(self.name, labels, len(image))
        if self.supervised:
            check_labels(self.name, indicator)
        self.arrays, self.fitted = {}, {"image": image.shape[1], "text": text.shape[1]}
        self._fit(image, text, indicator, progress)
        return self

    def encode(self, x: ArrayLike, modality: str) -> Codes:
        """Return the codes of items of one modality, packed eight bits a byte (the first bit is the highest).

        Args:
            x: features, shape (n, d), d as in fit.
            modality: ``image`` or ``text``.

        Returns:
            Codes, shape (n, ceil(bits / 8)), uint8.

        Raises:
            KgmmError: before fit, for another modality or dimension, or for values that are not finite.
        """
        kind, rows = self._checked(x, modality)
        out = np.empty((len(rows), (self.bits + 7) // 8), np.uint8)
        for start in range(0, len(rows), BATCH):
            part = rows[start : start + BATCH]
            scores = self._project(part, kind)
            if not np.isfinite(scores).all():
                check_finite(np.asarray(part), f"{self.name}: {kind} features", start)
            out[start : start + BATCH] = pack(scores)
        return out

    def scores(self, x: ArrayLike, modality: str) -> NDArray[np.floating]:
        """Return the real values whose signs are the bits, shape (n, bits); NaN where a row has one.

        Raises:
            KgmmError: before fit, or for another modality or dimension.
        """
        kind, rows = self._checked(x, modality)
        return self._project(rows, kind)

    @property
    def unified(self) -> Codes | None:
        """The joint codes of the training pairs, packed, or None for methods that have none."""
        return cast("Codes | None", self.arrays.get("unified"))

    def save(self, path: str | Path) -> None:
        """Write ``path.safetensors`` and ``path.json``; :func:`kgmm.hashing.load` reads them.

        Raises:
            KgmmError: before fit.
        """
        from safetensors.numpy import save

        self.check_fitted()
        tensors, text = model_files(path)
        tensors.parent.mkdir(parents=True, exist_ok=True)
        publish(tensors, save({name: np.ascontiguousarray(a) for name, a in self.arrays.items()}))
        header = {"method": self.name} | {k: getattr(self, k) for k in ("bits", "seed", "options", "fitted")}
        publish(text, (json.dumps(header, indent=1) + "\n").encode())

    @property
    def checksum(self) -> str:
        """16 hex digits naming what was learned, so that codes kept under them can be trusted."""
        self.check_fitted()
        digest = hashlib.blake2b(f"{self.name} {self.bits}".encode(), digest_size=8)
        for name in sorted(self.arrays):
            digest.update(name.encode() + np.ascontiguousarray(self.arrays[name]).tobytes())
        return digest.hexdigest()

    def restore(self, fitted: dict[str, Any], arrays: Arrays) -> None:
        """Take over what an earlier fit learned."""
        self.fitted = {**fitted, "image": int(fitted["image"]), "text": int(fitted["text"])}
        self.arrays = arrays

    def _fit(self, image: Array, text: Array, labels: Array, progress: Progress) -> None:
        raise NotImplementedError

    def _project(self, x: NDArray[np.floating], modality: Modality) -> NDArray[np.floating]:
        raise NotImplementedError

    def check_fitted(self) -> None:
        """Raise KgmmError before fit."""
        if not self.fitted:
            raise KgmmError(f"{self.name}: call fit first")

    def _checked(self, x: ArrayLike, modality: str) -> tuple[Modality, NDArray[np.floating]]:
        """Return modality and features if they are what was fitted on."""
        self.check_fitted()
        kind = check_modality(self.name, modality)
        return kind, fitted_rows(x, self.name, kind, self.fitted[kind])

    def __repr__(self) -> str:
        return f"{type(self).__name__}(bits={self.bits}, seed={self.seed}, fitted={bool(self.fitted)})"


def model_files(path: str | Path) -> tuple[Path, Path]:
    """Return the safetensors and the JSON file of a trained method, named with or without one of these endings."""
    path = Path(path)
    stem = path.with_suffix("") if path.suffix in {".safetensors", ".json"} else path
    return stem.parent / f"{stem.name}.safetensors", stem.parent / f"{stem.name}.json"


def checked_option(name: str, key: str, value: Any, default: Any) -> Any:
    """Return an option's value as a plain number, flag or word of the default's kind.

    Raises:
        KgmmError: if it is of another kind, or a negative number.
    """
    value = value.item() if isinstance(value, np.generic) else value
    wanted = {bool: "true or false", str: "a word", int: "a whole number", float: "a number"}[type(default)]
    if type(value) is not type(default) and not (isinstance(default, float) and type(value) is int):
        raise KgmmError(f"{name}: {key} must be {wanted}, not {value!r}")
    least = 1 if isinstance(default, int) else 0
    if not isinstance(default, bool | str) and not value >= least:
        raise KgmmError(f"{name}: {key} must be at least {least}, not {value!r}")
    return value


def pack(scores: NDArray[np.floating]) -> Codes:
    """Return signs as packed bits; zero counts as positive.

    Example:
        >>> pack(np.array([[1.0, -1, 0, -2, 1, 1, 1, 1]])).tolist()
        [[175]]
    """
    return np.packbits(scores >= 0, axis=1)


def unpack(codes: Codes, bits: int) -> NDArray[np.float32]:
    """Return packed codes as +1 and -1, shape (n, bits)."""
    return np.unpackbits(codes, axis=1, count=bits).astype(np.float32) * 2 - 1
