"""Transfer from a domain with labels to one without: adapters in the conventions of skada and scikit-learn.

One file per method in ``methods``, found by its file name.

>>> import numpy as np
>>> rng = np.random.default_rng(0)
>>> y = np.repeat([0, 1], 30)
>>> X = np.vstack([rng.normal(size=(60, 4)) + y[:, None] * 2, rng.normal(size=(60, 4)) + y[:, None] * 2 + 0.5])
>>> domain = np.repeat([1, -1], 60)
>>> adapter = create("coral").fit(X, np.where(domain > 0, np.tile(y, 2), -1), sample_domain=domain)
>>> adapter.predict(X[60:]).shape
(60,)
"""

import inspect
from typing import Any

from kgmm.errors import KgmmError, needed
from kgmm.families import Family

ROOM = Family(f"{__name__}.methods", "transfer method")

__all__ = ["create", "methods"]


def methods() -> list[str]:
    """Return the names of all methods.

    Example:
        >>> methods()
        ['coral', 'dan', 'dann', 'ddc', 'jan', 'jan-a', 'msda']
    """
    return [name.replace("_", "-") for name in ROOM.names()]


def create(name: str, **options: Any) -> Any:
    """Return an adapter that has learned nothing yet.

    Args:
        name: one of :func:`methods`.
        **options: the method's own; all have ``weight`` (0: the source only) and ``seed``.

    Raises:
        KgmmError: if there is no such method or option.
        MissingExtra: if scikit-learn is not installed.

    Example:
        >>> create("dan", weight=0.5).weight
        0.5
    """
    with needed("scikit-learn", "transfer"):
        import sklearn  # noqa: F401
    kind = ROOM.module(str(name).lower().replace("-", "_")).METHOD
    known = inspect.signature(kind.__init__).parameters
    if strange := [option for option in options if option not in known or option == "self"]:
        raise KgmmError(f"the transfer method {name} has no option {', '.join(strange)}")
    return kind(**options)
