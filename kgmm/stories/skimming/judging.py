"""The methods by name, and what they are given."""

from kgmm.errors import KgmmError
from kgmm.families import Family
from kgmm.progress import Progress, silent
from kgmm.stories.skimming.request import Judged, Request

METHODS = Family("kgmm.stories.skimming.methods", "film summarizer")


def methods() -> list[str]:
    """Return the names of the methods.

    >>> "uniform" in methods()
    True
    """
    return sorted(name.replace("_", "-") for name in METHODS.names())


def judge(method: str, request: Request, progress: Progress = silent) -> list[Judged]:
    """Return how much each film's moments and segments matter, by a method, in the order of the films.

    Raises:
        KgmmError: if there is no such method, or it is given what it does not use.

    Example:
        >>> import numpy as np
        >>> from kgmm.stories.footage.footage import Footage
        >>> film = Footage(np.eye(4, dtype=np.float32), edges=np.array([0, 2, 4]))
        >>> judge("uniform", Request((film,)))[0].segments.tolist()
        [0.0, 1.0]
    """
    name = method.replace("-", "_")
    if name not in METHODS.names():
        raise KgmmError(f"no film summarizer {method!r}; there are: {', '.join(methods())}")
    module = METHODS.module(name)
    strange = [given for given in request.given() if given not in module.USES]
    if strange:
        raise KgmmError(f"the film summarizer {method} has no option {', '.join(strange)}")
    made: list[Judged] = module.judge(request, progress)
    return [one.checked(film, method) for one, film in zip(made, request.footage, strict=True)]
