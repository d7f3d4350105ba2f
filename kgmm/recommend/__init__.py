"""Recommendation: who may like what, from ratings, contents and the store's knowledge; one file per method.

A method learns from :class:`~kgmm.recommend.ratings.Ratings` and then ranks items for users it knows, and for users it has
never seen, from what they liked, without learning again.

>>> rated = [("ann", "Alien", 5), ("ann", "Aliens", 4), ("bob", "Alien", 5), ("bob", "Aliens", 5), ("cy", "Emma", 4), ("cy", "Alien", 1)]
>>> model = create("popularity").fit(rated)
>>> [one.item for one in model.recommend("cy", k=2)]
['Aliens']
>>> [one.item for one in model.recommend({"Alien": 5}, k=2)]
['Aliens', 'Emma']
"""

import inspect
from math import isfinite
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from kgmm.errors import KgmmError
from kgmm.families import Family
from kgmm.recommend.base import Recommendation, Recommender, read_model
from kgmm.recommend.ratings import Ratings

#: the room the methods lie in
RECOMMENDERS = Family(f"{__name__}.recommenders", "recommender")

__all__ = ["Ratings", "Recommendation", "Recommender", "create", "load", "methods"]


def methods() -> list[str]:
    """Return the names of all recommenders.

    Example:
        >>> {"als", "bpr", "item-mean", "mf", "popularity"} <= set(methods())
        True
    """
    return [name.replace("_", "-") for name in RECOMMENDERS.names()]


def create(name: str, **options: Any) -> Any:
    """Return a recommender that has learned nothing yet.

    Args:
        name: one of :func:`methods`.
        **options: the method's own; most have ``factors``, ``seed``.

    Raises:
        KgmmError: if there is no such method or option, or an option's value is of another kind.

    Example:
        >>> create("bpr", factors=20).factors
        20
    """
    plain = str(name).lower().replace("_", "-")
    if plain not in methods():
        raise KgmmError(f"no recommender {name!r}; there are: {', '.join(methods())}")
    made = RECOMMENDERS.module(plain.replace("-", "_")).METHOD
    known = inspect.signature(made).parameters
    if strange := [option for option in options if option not in known]:
        raise KgmmError(f"the recommender {plain} has no option {', '.join(strange)}")
    for option, value in options.items():
        _checked(plain, option, value, known[option].default)
    return made(**options)


def _checked(name: str, option: str, value: Any, default: Any) -> None:
    """Raise KgmmError if an option's value is not of the kind of its default: true or false, a text, a number within bounds."""
    told = f"{name}'s option {option} is {value!r}: it needs"
    if isinstance(default, bool | str):
        if not isinstance(value, type(default)):
            raise KgmmError(f"{told} {'true or false' if isinstance(default, bool) else 'a text'}")
    elif isinstance(default, int):
        least = 1 if option in ("factors", "epochs", "turns") else 0
        if isinstance(value, bool) or not isinstance(value, Integral) or not least <= int(value) < 1 << 31:
            raise KgmmError(f"{told} a whole number from {least} to {(1 << 31) - 1}")
    elif (
        isinstance(default, float)
        and not isinstance(value, list | tuple)
        and (isinstance(value, bool) or not isinstance(value, Real) or not isfinite(value))
    ):
        raise KgmmError(f"{told} a finite number")


def seeded(name: str, seed: int, **options: Any) -> Any:
    """Return :func:`create`'s recommender, with the seed if the method has one and the options name none."""
    made = create(name, **options)
    return made if "seed" in options or not hasattr(made, "seed") else create(name, seed=seed, **options)


def takes_source(recommender: Any) -> bool:
    """Tell whether a recommender learns from a second domain."""
    return "source" in inspect.signature(recommender.fit).parameters


def crossing() -> list[str]:
    """Return the names of the recommenders that learn from a second domain.

    Example:
        >>> {"cbt", "emcdr", "ridge"} <= set(crossing()), "bpr" in crossing()
        (True, False)
    """
    return [name for name in methods() if takes_source(create(name))]


def load(path: str | Path) -> Any:
    """Return a recommender that was saved, without the ratings it learned from.

    Raises:
        BadInput: if the file is none of a recommender, or is damaged.
    """
    name, options, arrays = read_model(path)
    return create(name, **options).restore(arrays, path)
