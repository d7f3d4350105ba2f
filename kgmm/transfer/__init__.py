"""Transfer from a domain with labels to one without: adapters in the conventions of skada and scikit-learn.

One file per method, found by its file name: adapters in ``adapters``, learners of several tasks in ``tasks``, of several views
of the same things in ``views``.

>>> import numpy as np
>>> rng = np.random.default_rng(0)
>>> y = np.repeat([0, 1], 30)
>>> X = np.vstack([rng.normal(size=(60, 4)) + y[:, None] * 2, rng.normal(size=(60, 4)) + y[:, None] * 2 + 0.5])
>>> domain = np.repeat([1, -1], 60)
>>> adapter = create("coral").fit(X, np.where(domain > 0, np.tile(y, 2), -1), sample_domain=domain)
>>> adapter.predict(X[60:]).shape
(60,)
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgmm.errors import KgmmError, needed
from kgmm.families import Family

if TYPE_CHECKING:
    from kgmm.transfer.network import AdaptedNetwork

#: kind of method -> the room it lies in
ROOMS = {kind: Family(f"{__name__}.{kind}", "transfer method") for kind in ("adapters", "tasks", "views")}
_SHARED = ("base",)

__all__ = ["create", "deep_methods", "load", "methods"]


def methods(kind: str = "adapters") -> list[str]:
    """Return the names of adapters, or of what learns several ``tasks`` or from several ``views``.

    Example:
        >>> methods(), methods("tasks"), methods("views")
        (['coral', 'dan', 'dann', 'ddc', 'jan', 'jan-a', 'msda', 'sda'], ['mtfl', 'mtl'], ['cotraining', 'datn', 'mkl'])
    """
    return [name.replace("_", "-") for name in ROOMS[kind].names() if name not in _SHARED]


def deep_methods() -> list[str]:
    """Return the names of adapters that are networks: over given features, or whole ones over small pictures.

    Example:
        >>> deep_methods()
        ['dan', 'dann', 'ddc', 'jan', 'jan-a']
    """
    from kgmm.transfer.network import AdaptedNetwork

    return [
        name
        for name in methods()
        if issubclass(ROOMS["adapters"].module(name.replace("-", "_")).METHOD, AdaptedNetwork)
    ]


def load(folder: str | Path) -> AdaptedNetwork:
    """Return the adapter that ``kgmm train METHOD SOURCE --target TARGET --out FOLDER`` wrote; it needs no data to predict.

    Raises:
        BadInput: if there is none, or its parts do not fit together.
        MissingExtra: if scikit-learn is not installed.
    """
    with needed("scikit-learn", "transfer"):
        from kgmm.transfer.trained import read

        return read(folder)


def create(name: str, **options: Any) -> Any:
    """Return a method that has learned nothing yet.

    Args:
        name: one of :func:`methods` of any kind.
        **options: the method's own; adapters have ``weight`` (0: the source only) and ``seed``.

    Raises:
        KgmmError: if there is no such method or option.
        MissingExtra: if scikit-learn is not installed.

    Example:
        >>> create("dan", weight=0.5).weight
        0.5
    """
    with needed("scikit-learn", "transfer"):
        import sklearn  # noqa: F401
    plain = str(name).lower().replace("_", "-")
    room = next((kind for kind in ROOMS if plain in methods(kind)), None)
    if room is None:
        raise KgmmError(
            f"no transfer method {name!r}; there are: {', '.join(n for kind in ROOMS for n in methods(kind))}"
        )
    made = ROOMS[room].module(plain.replace("-", "_")).METHOD
    known = inspect.signature(made.__init__).parameters
    if strange := [option for option in options if option not in known or option == "self"]:
        raise KgmmError(f"the transfer method {name} has no option {', '.join(strange)}")
    return made(**options)
