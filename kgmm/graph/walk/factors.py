"""What solvers prepare once per view and restart probability: the preconditioner, and a level for certified rankings.

The slowest part of a walk to find is how much of its mass is far from the seeds, spread as an endless walk would
spread it: there z = x / d is the same throughout a component. Raising z by a level takes that part out.

How good a solution is after a few steps is told by the smallest eigenvalue of K^-1 S, S the reduced matrix and K its
preconditioner (see :mod:`kgmm.graph.walk.symmetric`). K - S has no negative entries, for what the incomplete factorization
leaves out is fill, and K^-1 has none either; so by Collatz and Wielandt the spectral radius of K^-1 (K - S) is at most
the largest ratio of (K^-1 (K - S) w)_i to w_i for any positive w, and the eigenvalues are at least the smallest ratio
of (K^-1 S w)_i to w_i. Power iteration from w = 1 improves the bound.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.graph.layers import Layers
from kgmm.graph.walk import sweeps

_TRIES = 3  #: tries at a better bound, each about three steps of a walk


@dataclass(frozen=True)
class Factors:
    """The ``pivots`` T, rounded up, of (T + L) T^-1 (T + L') without fill; ``reach``: L1 norms of T + L's columns."""

    pivots: NDArray[np.float32]
    reach: NDArray[np.float32]


def factors(layers: Layers, restart: float) -> Factors:
    """Return the incomplete factorization at one restart probability."""
    made = Factors(np.empty(layers.core, np.float32), np.empty(layers.core, np.float32))
    arrays = (layers.rows.unit_strengths, layers.dense, 1 - restart, (made.pivots, made.reach))
    for layer in reversed(range(len(layers.bounds) - 2)):
        layers.each(layer, sweeps.factor, *layers.edges, *arrays)
    return made


@dataclass(frozen=True)
class Level:
    """What raising z by the same level throughout a component does, S the reduced matrix and K its preconditioner."""

    lifted: NDArray[np.float64]  #: (T + L)^-1 S 1, one a core row
    labels: NDArray[np.int32]  #: the component of each core row, int32; empty if there is one component
    totals: NDArray[np.float64]  #: 1' S 1 in each component
    least: float  #: a lower bound for the eigenvalues of K^-1 S


def level(layers: Layers, restart: float) -> Level:
    """Return what rankings on *layers* need, in about the time of half a walk."""
    core, inner = layers.core, (layers.at(restart, factors).pivots, layers.dense, 1 - restart)
    w, least = np.ones(core), 0.0
    lifted = np.empty(0)
    for attempt in range(_TRIES):
        image = _times(layers, w, 1 - restart)
        if attempt == 0:
            first = image.copy()
        sweeps.eliminate(*layers.edges, inner, image)
        if attempt == 0:
            lifted = image
        image = _back(layers, image, inner)
        if core:
            least = max(least, float((image / w).min()))
        w = np.maximum(w - image, 1e-3 * w.max(initial=0.0))
    labels = sweeps.components(*layers.rows.arrays[:2], core)
    totals = np.bincount(labels, first).astype(np.float64)
    labels = labels if len(totals) > 1 else np.empty(0, np.int32)
    return Level(lifted, labels, totals, least * (1 - 1e-9))


def _times(layers: Layers, w: NDArray[np.float64], damping: float) -> NDArray[np.float64]:
    """Return S w."""
    rows, core = layers.rows, layers.core
    shares = (*layers.edges, rows.unit_strengths)
    full, image = np.zeros(rows.size), np.zeros(core)
    full[:core] = w
    last = len(layers.blocks) - 1
    sums = np.empty((4, len(layers.blocks[last]) - 1))
    layers.sum_up(last, sweeps.fringe, *shares, damping, (full, full), sums)
    for layer in range(last):
        layers.each(layer, sweeps.residual, *shares, damping, full, image)
    return np.negative(image, out=image)


def _back(layers: Layers, r: NDArray[np.float64], inner: tuple[Any, ...]) -> NDArray[np.float64]:
    """Return (T + L')^-1 T r."""
    p, t = np.zeros(len(r)), np.empty(len(r))
    for layer in range(len(layers.blocks) - 1):
        layers.sum_up(layer, sweeps.back, *layers.edges, inner, 0.0, (r, p, t))
    return t
