"""The best way of a walk from its seeds to some nodes, found near the seeds where it can be.

Every step of a walk takes a share below 1, so a prefix of a path is more likely than the path. Nodes that are reached with
less than a threshold are on no path to a node that is reached with more: a search that leaves them out says the same of
such nodes as one over the whole graph (:func:`over_all`), and costs what it reaches.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kgmm.compiled import compiled
from kgmm.graph import threads
from kgmm.graph.adjacency import Adjacency
from kgmm.graph.graph import Graph
from kgmm.graph.paths import RESTART, Path, path_of

HOPS = 4  #: of a path at most
THRESHOLDS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
#: a search that reads more than this share of the edges costs more than looking at all of them
SHARE = 0.1

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Found = tuple[list[int], float] | None  #: the nodes of a path, and its probability


class _Level(NamedTuple):
    """Nodes reached within some hops, ascending; how surely, and from which node (-1: within fewer hops as surely)."""

    nodes: Ints
    reach: Floats
    via: Ints

    def at(self, nodes: Ints) -> tuple[Floats, Ints]:
        """Return how surely nodes are reached (0: not at all), and from which."""
        if not len(self.nodes):
            return np.zeros(len(nodes)), np.full(len(nodes), -1)
        places = np.minimum(np.searchsorted(self.nodes, nodes), len(self.nodes) - 1)
        there = self.nodes[places] == nodes
        return np.where(there, self.reach[places], 0.0), np.where(there, self.via[places], -1)


def strongest(view: Graph, seeds: NDArray[np.int64], targets: Sequence[int]) -> list[Path | None]:
    """Return the best path as a walk goes from any of *seeds* to each of *targets* (positions), None if over four hops."""
    wanted = np.array(targets, np.int64)
    found = near(view, np.unique(seeds), wanted) if len(wanted) else []
    if found is None:
        found = over_all(view, seeds, wanted)
    return [None if one is None else path_of(view, one[0], -math.log(one[1]), "walk") for one in found]


def near(view: Graph, seeds: Ints, targets: Ints) -> list[Found] | None:
    """Return the paths if a search near the seeds finds all; None if it would read too many edges."""
    rows = view.adjacency
    most = int(SHARE * len(rows.indices)) + 1000
    for threshold in THRESHOLDS:
        levels, whole = [_Level(seeds, np.ones(len(seeds)), np.full(len(seeds), -1))], True
        changed = seeds
        for _ in range(HOPS):
            level = levels[-1]
            likely = level.at(changed)[0] >= threshold
            whole &= bool(likely.all())
            changed = changed[likely]
            most -= int((rows.indptr[changed + 1] - rows.indptr[changed]).sum())
            if most < 0:
                return None
            level, changed = _on(rows, view.adjacency.strengths, level, changed)
            levels.append(level)
        reached = levels[-1].at(targets)[0]
        if whole or (reached >= threshold).all():
            return [_back(levels, int(node)) for node in targets]
    return None


def _on(rows: Adjacency, strengths: Floats, level: _Level, sources: Ints) -> tuple[_Level, Ints]:
    """Go a hop further from *sources*, ascending; return what is reached then, and the nodes reached more surely."""
    reach = level.at(sources)[0]
    own = strengths[sources]
    unit = rows.unit if rows.uniform else 1.0
    share = np.divide((1 - RESTART) * unit, own, out=np.zeros(len(own)), where=own > 0)
    starts = rows.indptr[sources].astype(np.int64)
    counts = rows.indptr[sources + 1].astype(np.int64) - starts
    ends = np.cumsum(counts)
    entries = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(starts - (ends - counts), counts)
    nodes = rows.indices[entries].astype(np.int64)
    sent = np.repeat(reach * share, counts)
    if not rows.uniform:
        sent = sent * rows.weights[entries].astype(np.float64)
    source = np.repeat(sources, counts)
    better = sent > level.at(nodes)[0]
    nodes, sent, source = nodes[better], sent[better], source[better]
    order = np.lexsort((source, -sent, nodes))  # of equals, the one that stands first in the graph
    first = order[np.append(True, np.diff(nodes[order]) > 0)] if len(order) else order
    nodes, sent, source = nodes[first], sent[first], source[first]
    together = np.union1d(level.nodes, nodes)
    reached = level.at(together)[0]
    via = np.full(len(together), -1)
    places = np.searchsorted(together, nodes)
    reached[places], via[places] = sent, source
    return _Level(together, reached, via), nodes


def _back(levels: list[_Level], target: int) -> Found:
    probability = float(levels[-1].at(np.array([target]))[0][0])
    nodes, at = [target], target
    for level in reversed(levels[1:]):
        before = int(level.at(np.array([at]))[1][0])
        if before >= 0:
            at = before
            nodes.append(at)
    return (nodes[::-1], probability) if probability > 0 else None


def over_all(view: Graph, seeds: Ints, targets: Ints) -> list[Found]:
    """Return the paths by passes over all edges."""
    rows = view.reversed_adjacency
    strengths = view.adjacency.strengths
    unit = rows.unit if rows.uniform else 1.0
    share = np.divide((1 - RESTART) * unit, strengths, out=np.zeros(len(view)), where=strengths > 0)
    reach = np.zeros(len(view))
    reach[seeds] = 1.0
    trail: list[NDArray[np.int32]] = []
    for _ in range(HOPS):
        via, after = np.empty(len(view), np.int32), np.empty(len(view))
        job = partial(_reach, *rows.arrays, reach, reach * share, after, via, rows.blocks)
        threads.over_blocks(job, len(rows.blocks) - 1, len(rows.indices))
        reach = after
        trail.append(via)
    found: list[Found] = []
    for target in targets.tolist():
        nodes, at = [target], target
        for via in reversed(trail):
            if via[at] >= 0:
                at = int(via[at])
                nodes.append(at)
        found.append((nodes[::-1], float(reach[target])) if reach[target] > 0 else None)
    return found


@compiled
def _reach(
    indptr: Any,
    indices: Any,
    weights: Any,
    before: Any,
    sent: Any,
    after: Any,
    via: Any,
    blocks: Any,
    first: int,
    last: int,
) -> None:
    """after_i <- max(before_i, max_k weights_k sent_(indices_k)); ``via`` gets the neighbor that won, or -1."""
    for i in range(blocks[first], blocks[last]):
        best = before[i]
        winner = np.int32(-1)
        for k in range(indptr[i], indptr[i + 1]):
            candidate = sent[indices[k]] * np.float64(weights[k]) if len(weights) else sent[indices[k]]
            if candidate > best:
                best = candidate
                winner = indices[k]
        after[i] = best
        via[i] = winner
