"""What adapters share: source rows with labels and target rows without, in the conventions of skada and scikit-learn."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from kgmm.errors import BadInput, BadRows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Adapter(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier that learns from a source with labels and a target without.

    ``fit(X, y, sample_domain)`` takes all rows: ``sample_domain`` is above 0 for source rows and below 0 for target
    rows, whose ``y`` is not read (mask it with -1). Without ``sample_domain`` all rows are source rows.

    Features are first brought to one scale row by row, see :func:`scaled`. After :meth:`fit`: ``classes_``,
    ``n_features_in_``.
    """

    NAME: ClassVar[str] = ""

    def fit(self, X: ArrayLike, y: ArrayLike, sample_domain: ArrayLike | None = None) -> Self:
        """Learn from source rows (X, y) and target rows X; BadInput if they cannot be learned from."""
        rows = self._rows(X, reset=True)
        if y is None:
            raise BadRows("y", "requires y to be passed, but the target y is None")
        with _told("y"):
            labels = column_or_1d(y, warn=True)
        domain = np.ones(len(rows), np.int64) if sample_domain is None else np.asarray(sample_domain)
        if labels.shape != (len(rows),) or domain.shape != (len(rows),):
            raise BadRows("y", f"{len(rows)} rows, labels of shape {labels.shape}, domains of shape {domain.shape}")
        if not np.issubdtype(domain.dtype, np.number) or (domain == 0).any():
            raise BadRows("sample_domain", "is above 0 for source rows and below 0 for target rows")
        source = domain > 0
        known = labels[source]
        if known.dtype.kind == "f" and not np.isfinite(known).all():
            raise BadRows("y", "a source row has no label: y contains NaN or infinity")
        with _told("y"):
            check_classification_targets(known)
        self.classes_, coded = np.unique(known, return_inverse=True)
        if len(self.classes_) < 2:
            raise BadRows("y", f"source rows have {len(self.classes_)} classes; a classifier needs two")
        scaled_rows = scaled(rows)
        self._learn(scaled_rows[source], coded.astype(np.int64), scaled_rows[~source])
        return self

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Return the probability of each of ``classes_`` for rows of the target: (n, classes)."""
        return self._probabilities(scaled(self.checked(X)))

    def checked(self, X: ArrayLike) -> Floats:
        """Return rows that come after fit, (n, d); BadInput if they are none, or not as wide as those before."""
        check_is_fitted(self)
        return self._rows(X, reset=False)

    def _rows(self, X: ArrayLike, reset: bool) -> Floats:
        """Return rows as scikit-learn checks them; a first time (*reset*) their number of features is kept."""
        with _told("X"):
            return np.asarray(validate_data(self, X, reset=reset, dtype=np.float64))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the likeliest class of each row: (n,)."""
        best = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[best])

    @abstractmethod
    def _learn(self, source: Floats, labels: Ints, target: Floats) -> None:
        """Learn from scaled rows; *labels* are places in ``classes_``."""

    @abstractmethod
    def _probabilities(self, rows: Floats) -> Floats:
        """Return (n, classes) for scaled rows."""


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Turn what scikit-learn says of rows or labels into BadRows."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise BadRows(what, str(error)) from error


def scaled(rows: Floats) -> Floats:
    """Return rows whose values are signed square roots, each of length sqrt(features); rows of zeros stay so.

    The root takes their weight from few large counts (power normalization; Perronnin et al., ECCV 2010); one length
    takes the scale of a domain away and needs nothing but the row.

    Example:
        >>> scaled(np.array([[4.0, 4.0], [0.0, -9.0]])).round(3).tolist()
        [[1.0, 1.0], [0.0, -1.414]]
    """
    rooted = np.sign(rows) * np.sqrt(np.abs(rows))
    long = np.linalg.norm(rooted, axis=1, keepdims=True)
    return np.asarray(rooted / np.where(long > 0, long, 1.0) * np.sqrt(rows.shape[1]))


def told(shape: Sequence[int] | None) -> str:
    """Return a shape in words.

    >>> told((1, 16, 16)), told(None)
    ('1 × 16 × 16', 'rows of features')
    """
    return "rows of features" if shape is None else " × ".join(map(str, shape))


def matrix(X: ArrayLike) -> Floats:
    """Return rows of features, (n, d); BadInput if they are none, or not finite."""
    try:
        rows = np.asarray(X, np.float64)
    except (TypeError, ValueError) as error:
        raise BadInput("X", "is no table of numbers") from error
    if rows.ndim != 2 or not rows.size:
        raise BadInput("X", f"has shape {rows.shape}; expected rows of features")
    if not np.isfinite(rows).all():
        raise BadInput("X", "contains NaN or infinity")
    return rows
