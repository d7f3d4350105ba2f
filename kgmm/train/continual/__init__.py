"""Learning on without forgetting: one strategy a file in ``strategies``, found by its file name.

>>> methods()
['ewc', 'frozen', 'joint', 'lwf', 'plain', 'replay']
"""

from __future__ import annotations

from typing import Any

from kgmm.errors import KgmmError
from kgmm.families import Family
from kgmm.train.continual.base import Strategy

FAMILY = Family("kgmm.train.continual.strategies", "strategy of learning on")

__all__ = ["create", "methods"]


def methods() -> list[str]:
    """Return the names of all strategies."""
    return FAMILY.names()


def create(name: str, **options: Any) -> Strategy:
    """Return a strategy that has seen no task yet.

    Args:
        name: one of :func:`methods`.
        **options: the strategy's own: ``weight`` (ewc, lwf), ``size`` (replay), ``ridge`` (frozen).

    Raises:
        KgmmError: if there is no such strategy or option.

    Example:
        >>> create("replay", size=50).size
        50
    """
    made = FAMILY.module(name).METHOD
    strategy: Strategy = made(**FAMILY.options(name, made, options))
    for option, value in options.items():
        if value is not None and not (value > 0 or (value == 0 and option == "weight")):
            raise KgmmError(f"{option} of {name} is {value}; give a positive number")
    return strategy
