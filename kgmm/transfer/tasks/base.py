"""What learners of several tasks share: rows, values and the task each row belongs to."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kgmm.errors import BadInput

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Tasks(NamedTuple):
    """Rows (n, d), values (n,), each row's task as a place in ``names``."""

    rows: Floats
    values: NDArray[Any]
    task: Ints
    names: NDArray[Any]


def tasks_of(X: ArrayLike, y: ArrayLike, task: ArrayLike) -> Tasks:
    """Return checked rows, values and tasks; BadInput if they do not fit or a number is not finite."""
    rows, values, named = np.asarray(X, np.float64), np.asarray(y), np.asarray(task)
    if rows.ndim != 2 or not rows.size or values.shape != (len(rows),) or named.shape != (len(rows),):
        raise BadInput("tasks", f"rows of shape {rows.shape}, values {values.shape}, tasks {named.shape}")
    if not np.isfinite(rows).all() or (values.dtype.kind == "f" and not np.isfinite(values).all()):
        raise BadInput("tasks", "a number is not finite")
    names, places = np.unique(named, return_inverse=True)
    return Tasks(rows, values, places.astype(np.int64), names)


def places_of(task: ArrayLike, names: NDArray[Any]) -> Ints:
    """Return the place of each task in *names*; BadInput for one that was not learned."""
    named = np.asarray(task)
    at = np.minimum(np.searchsorted(names, named), len(names) - 1)
    if (strange := names[at] != named).any():
        raise BadInput("task", f"{named[strange][0]!r} was not learned; there are {', '.join(map(str, names[:10]))}")
    return at.astype(np.int64)
