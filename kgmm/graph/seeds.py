"""Seeds: the concepts a walk starts from, as people write them and as the solver needs them."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import BadInput, UnknownConcept
from kgmm.graph.graph import Graph
from kgmm.graph.names import near

Seeds = str | Iterable[str] | Mapping[str, float]  #: one concept, several, or a mapping concept -> weight


@dataclass(frozen=True)
class SeedNodes:
    """A distribution over nodes: positions (ascending, int64), masses (sum 1), names that were not found."""

    positions: NDArray[np.int64]
    masses: NDArray[np.float64]
    missing: tuple[str, ...] = ()


def resolve(view: Graph, seeds: Seeds) -> SeedNodes:
    """Return *seeds* as a distribution over the nodes of *view*; equal names add up, weights are normalized.

    Raises:
        UnknownConcept: if no seed is in the view.
        BadInput: if a weight is negative or not finite, or if all are zero, or if there are no seeds.
    """
    names = [seeds] if isinstance(seeds, str) else seeds
    try:
        given = names if isinstance(names, Mapping) else Counter(names)
        weighted = {name: float(mass) for name, mass in given.items()}
    except (OverflowError, TypeError, ValueError) as error:
        raise BadInput("seeds", f"a weight is no number: {error}") from error
    scale = math.frexp(max(weighted.values(), default=0.0))[1]  # a power of two: huge weights add up, no digit changes
    found: dict[int, float] = {}
    missing: list[str] = []
    for name, mass in weighted.items():
        if not (math.isfinite(mass) and mass >= 0):
            raise BadInput("seeds", f"the weight of {name!r} is {mass}, it must be finite and not negative")
        at = view.position(name)
        if at is None:
            missing.append(name)
        elif mass > 0:
            found[at] = found.get(at, 0.0) + math.ldexp(mass, -scale)
    if missing and len(missing) == len(weighted):
        raise UnknownConcept(missing[0], near(view.node_names, missing[0]), where="the view")
    if not found:
        raise BadInput("seeds", "a walk needs at least one seed with a positive weight")
    positions = np.array(sorted(found), dtype=np.int64)
    masses = np.array([found[i] for i in positions.tolist()], dtype=np.float64)
    return SeedNodes(positions, masses / masses.sum(), tuple(missing))
