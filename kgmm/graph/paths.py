"""The best paths between concepts, with the statement behind every hop."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.compiled import compiled
from kgmm.errors import BadInput
from kgmm.graph import threads
from kgmm.graph.adjacency import Adjacency
from kgmm.graph.graph import Graph
from kgmm.language import names

RESTART = 0.15  #: the walk's default restart probability: what a hop costs in ``by="walk"``

Floats = NDArray[np.float64]
_Extension = tuple[float, tuple[int, ...], float]  #: cost of the cheapest completion, nodes so far, cost so far


@dataclass(frozen=True)
class Hop:
    """One step of a path, its ends named as the statement names them: ``/c/en/dog/n`` where the node is its lemma."""

    source: str
    relation: str
    target: str
    forward: bool  #: whether the statement reads source – relation – target, or the other way round
    weight: float
    relations: tuple[str, ...] = ()  #: all relations of statements that read like this one, strongest first

    def __str__(self) -> str:
        relation = names.label(self.relation)
        return f"-{relation}->" if self.forward else f"<-{relation}-"


@dataclass(frozen=True)
class Path:
    """A way from one concept to another; ``str()`` writes it out."""

    concepts: tuple[str, ...]  #: the nodes in order, first and last included
    hops: tuple[Hop, ...]  #: one per step
    #: with ``by="weight"`` 1 / sum of 1 / weight; with ``by="walk"`` the probability that a walk takes exactly this
    #: path. Higher is better.
    score: float

    def __len__(self) -> int:
        return len(self.hops)

    def __str__(self) -> str:
        return " ".join([names.label(self.concepts[0]), *(f"{hop} {names.label(hop.target)}" for hop in self.hops)])


def paths(view: Graph, a: str, b: str, *, k: int = 3, max_length: int = 6, by: str = "weight") -> list[Path]:
    """Return the *k* best paths without repeated nodes from *a* to *b*, best first.

    Exact: the cheapest way on within the hops left is computed once from *b*, and partial paths are extended
    in the order of their cheapest completion (A* with a perfect estimate).

    Args:
        view: directed views are followed from subject to object only.
        a, b: where paths begin and end.
        k, max_length: how many paths at most, and most hops of one.
        by: ``"weight"`` adds up 1 / weight, so strong statements and few hops win; ``"walk"`` multiplies the
            walk's step probabilities, so that detours over hubs lose.

    Raises:
        UnknownConcept: if *a* or *b* is not in the view.
        BadInput: if *by*, *k* or *max_length* is out of range.

    Example:
        >>> from kgmm.graph import GraphView
        >>> view = GraphView.from_edges(["cat", "dog"], ["animal", "animal"], "IsA")
        >>> print(view.paths("cat", "dog")[0])
        cat -IsA-> animal <-IsA- dog
    """
    if k < 1 or max_length < 1:
        raise BadInput("paths", f"k={k} and max_length={max_length} must be at least 1")
    start, end = view.require(a), view.require(b)
    if start == end:
        return [Path((view.node_names.at(np.array([start]))[0],), (), 1.0)]
    rows = view.adjacency
    costs = step_costs(view, rows, by)
    left = [_infinite_but(len(view), np.array([end]))]
    via = np.empty(len(view), np.int32)
    for _ in range(max_length):
        left.append(_relaxed(rows, costs, left[-1], via))
    return [path_of(view, nodes, cost, by) for nodes, cost in _best(rows, costs, left, start, end, k)]


def step_costs(view: Graph, rows: Adjacency, by: str) -> NDArray[np.float64]:
    """Return the cost of each entry of *rows*: 1 / weight, or minus the log of the walk's step probability."""
    if by not in ("weight", "walk"):
        raise BadInput("paths", f"by={by!r} is neither 'weight' nor 'walk'")
    weights = np.full(len(rows.indices), rows.unit) if rows.uniform else rows.weights.astype(np.float64)
    if by == "weight":
        return 1 / weights
    source = np.repeat(view.adjacency.strengths, np.diff(rows.indptr))
    return -np.log((1 - RESTART) * weights / source)


def _infinite_but(size: int, zeros: NDArray[np.int64]) -> NDArray[np.float64]:
    costs = np.full(size, np.inf)
    costs[zeros] = 0.0
    return costs


def _relaxed(rows: Adjacency, costs: Floats, before: Floats, via: NDArray[np.int32]) -> Floats:
    after = np.empty_like(before)
    job = partial(_relax, rows.indptr, rows.indices, costs, before, after, via, rows.blocks)
    threads.over_blocks(job, len(rows.blocks) - 1, len(rows.indices))
    return after


def _best(
    rows: Adjacency, costs: Floats, left: list[Floats], start: int, end: int, k: int
) -> list[tuple[list[int], float]]:
    """Extend partial paths in the order of their cheapest completion until *k* reach the end.

    A popped path puts its own best extension and its next best sibling on the heap, so hubs cost one sort.
    """
    found: list[tuple[list[int], float]] = []
    longest = len(left) - 1
    heap: list[tuple[float, tuple[int, ...], float, Iterator[_Extension]]] = []

    def offer(extensions: Iterator[_Extension]) -> None:
        for total, nodes, spent in extensions:
            heapq.heappush(heap, (total, nodes, spent, extensions))
            return

    offer(iter([(float(left[longest][start]), (start,), 0.0)]))
    while heap and len(found) < k:
        total, nodes, spent, siblings = heapq.heappop(heap)
        if not np.isfinite(total):
            break
        offer(siblings)
        if nodes[-1] == end:
            found.append((list(nodes), spent))
        elif len(nodes) <= longest:
            offer(_extensions(rows, costs, left[longest - len(nodes)], nodes, spent))
    return found


def _extensions(
    rows: Adjacency, costs: Floats, left: Floats, nodes: tuple[int, ...], spent: float
) -> Iterator[_Extension]:
    """Yield a path's extensions by one node that is not on it, cheapest completion first."""
    row = slice(rows.indptr[nodes[-1]], rows.indptr[nodes[-1] + 1])
    neighbors, steps = rows.indices[row], spent + costs[row]
    totals = steps + left[neighbors]
    for at in np.argsort(totals, kind="stable").tolist():
        if int(neighbors[at]) not in nodes:
            yield float(totals[at]), (*nodes, int(neighbors[at])), float(steps[at])


def path_of(view: Graph, nodes: list[int], cost: float, by: str) -> Path:
    """Return the path over *nodes* with the statement behind every hop; *cost* is what it costs by weight or walk."""
    hops = tuple(_hop(view, u, v) for u, v in pairwise(nodes))
    score = float(np.exp(-cost)) if by == "walk" else (1 / cost if cost > 0 else 1.0)
    return Path(tuple(view.node_names.at(np.array(nodes))), hops, score)


def _hop(view: Graph, source: int, target: int) -> Hop:
    """Return the strongest statement between two nodes, read forwards if both directions are as strong."""
    table = view.statements
    forward = table.between(source, target)
    backward = table.between(target, source) if not view.directed else forward[:0]
    ahead = bool(len(forward) and (len(backward) == 0 or table.weight[forward[0]] >= table.weight[backward[0]]))
    chosen = forward if ahead else backward
    relations = tuple(dict.fromkeys(table.relations[code] for code in table.relation[chosen].tolist()))
    start, end = view.ends(int(chosen[0]))[:: 1 if ahead else -1]
    return Hop(start, relations[0], end, ahead, float(table.weight[chosen[0]]), relations)


@compiled
def _relax(
    indptr: Any, indices: Any, costs: Any, before: Any, after: Any, via: Any, blocks: Any, first: int, last: int
) -> None:
    """after_i <- min(before_i, min_k costs_k + before_(indices_k)); ``via`` gets the neighbor that won, or -1."""
    for i in range(blocks[first], blocks[last]):
        best = before[i]
        winner = np.int32(-1)
        for k in range(indptr[i], indptr[i + 1]):
            candidate = costs[k] + before[indices[k]]
            if candidate < best:
                best = candidate
                winner = indices[k]
        after[i] = best
        via[i] = winner
