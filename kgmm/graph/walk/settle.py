"""Prove the order of a walk's best nodes long before the whole walk is solved.

After some steps of conjugate gradients with residual r, a node's score is off by d_v e_v' M^-1 r, M = D - (1 - c) A.
A bound by Cauchy and Schwarz (:meth:`kgmm.graph.walk.symmetric.Iteration.energy`) leaves few nodes in question. For each of
them a push from its own end gives y and rho with M y = e_v - rho: the error is d_v y . r, which is known, and
d_v rho' M^-1 r, at most d_v sqrt(rho' D^-1 rho) times that bound for a strength of 1 (and what rounding moved r by). A push that reads some thousand
edges makes rho so small that it saves two or three steps over the whole graph.
"""

import math
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kgmm.graph import threads
from kgmm.graph.adjacency import Adjacency
from kgmm.graph.graph import Graph
from kgmm.graph.seeds import SeedNodes
from kgmm.graph.walk import duals, symmetric

_MOST_STEPS = 10  #: steps after which a plain solution is as fast
_FLOOR = 1e-13  #: no bound is below this: double precision tells scores apart no better
_MOST_NODES, _MOST_KINDS = 3_000, 150  #: more nodes in question are left for after another step

#: positions, scores, which are apart from the next, bound of the errors, edges read
Places = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_], float, int]
Pushed = list[tuple[float, float, int]]
Slots = list[NDArray[np.int32]]


class _Plan(NamedTuple):
    """How much is read around nodes before another step over the whole graph."""

    head_start: int  #: the seeds' push reads one of so many edges
    look: float  #: the order is first looked at when this bounds the errors of scores in units of sqrt(d)
    budgets: tuple[int, ...]  #: edges that a push from a node in question reads, from the first to the last attempt
    share: float  #: of all edges, those that the pushes after one step read at most


_SMALL = _Plan(64, 1e-5, (2_000, 10_000, 50_000), 0.2)
#: a step over a large view costs as much as pushes of millions of edges
_LARGE, LARGE_FROM = _Plan(256, 1e-4, (2_000, 10_000, 50_000, 250_000), 0.05), 20_000_000


class Contest:
    """Nodes in question with their estimates and bounds; nodes that must score the same share one entry."""

    def __init__(self, rows: Adjacency, nodes: NDArray[np.int64], seeds: NDArray[np.int64]) -> None:
        kinds: dict[object, list[int]] = {}
        held = set(seeds.tolist())
        for node in nodes.tolist():
            row = slice(int(rows.indptr[node]), int(rows.indptr[node + 1]))
            key: object = node
            if node not in held:
                key = rows.indices[row].tobytes(), b"" if rows.uniform else rows.weights[row].tobytes()
            kinds.setdefault(key, []).append(node)
        self.rows, self.kinds = rows, list(kinds.values())
        self.first = np.array([kind[0] for kind in self.kinds], np.int64)
        self.counts = np.array([len(kind) for kind in self.kinds], np.int64)
        self.attempts = np.zeros(len(self.kinds), np.int64)
        self.value, self.bound = np.empty(len(self.kinds)), np.empty(len(self.kinds))

    def order(self) -> NDArray[np.int64]:
        """Return the entries, best first."""
        return np.lexsort((self.first, -self.value))

    def doubtful(self, k: int) -> NDArray[np.int64]:
        """Return the entries to look at closer before the order of the first *k* nodes is proved."""
        order = self.order()
        inside = int(np.searchsorted(np.cumsum(self.counts[order]), k)) + 1
        low, high = (self.value - self.bound)[order], (self.value + self.bound)[order]
        marked = np.zeros(len(order), bool)
        for at in range(min(inside, len(order) - 1)):
            near = at + 1 + np.flatnonzero(high[at + 1 :] >= low[at])
            if len(near) == 0:
                continue
            bounds = self.bound[order[near]]
            marked[near[bounds >= 0.5 * self.bound[order[at]]]] = True
            marked[at] |= bool((self.bound[order[at]] >= 0.5 * bounds).any())
        return order[marked]


def settle(view: Graph, seeds: SeedNodes, k: int, restart: float) -> Places | None:
    """Return the best *k* nodes of a walk from seeds that all have edges if bounds for single nodes prove their order.

    These are positions of the best *k* + 1 nodes, their scores, whether each of the first *k* is apart from the next
    (nodes that are not have the same neighbors), what bounds the scores' errors, and how many edges were read; None if
    the order hangs on less than a few steps resolve.
    """
    run = symmetric.Iteration(view, seeds, restart)
    rows, strengths = run.layers.rows, run.strengths
    slots = [np.full(len(view), -1, np.int32)]
    plan = _LARGE if len(rows.indices) >= LARGE_FROM else _SMALL
    pushed = run.head_start(slots[0], max(1000, len(rows.indices) // plan.head_start))
    run.level()
    goal = plan.look
    while run.steps < _MOST_STEPS and run.step():
        energy, rounding = run.energy()
        if energy > goal:
            continue
        z = run.solution()
        nodes = duals.contenders(z, strengths, energy + rounding, run.error, k, _MOST_NODES)
        contest = Contest(rows, nodes, run.seeds) if len(nodes) < _MOST_NODES else None
        if contest is not None and len(contest.kinds) <= _MOST_KINDS:
            own = strengths[contest.first]
            contest.value[:] = own * z[contest.first]
            contest.bound[:] = np.maximum(np.minimum((energy + rounding) * np.sqrt(own), run.error), _FLOOR)
            settled, edges = _narrow(run, contest, z, k, slots, plan)
            pushed += edges
            if settled:
                return _places(run, contest, k, pushed)
        goal = energy / 3
        run.level()
    return None


def _narrow(
    run: symmetric.Iteration, contest: Contest, z: NDArray[Any], k: int, slots: Slots, plan: _Plan
) -> tuple[bool, int]:
    """Push from nodes in question until the order is proved or not worth it; return whether, and edges read."""
    most = int(plan.share * len(run.layers.rows.indices)) + 10_000
    read = 0
    energy, rounding = run.energy()
    while len(doubtful := contest.doubtful(k)):
        budgets = [plan.budgets[min(tried, len(plan.budgets) - 1)] for tried in contest.attempts[doubtful]]
        if read + sum(budgets) > most or contest.attempts[doubtful].max() == len(plan.budgets):
            return False, read
        found = _push(run, contest.first[doubtful], budgets, slots)
        for at, (known, factor, edges) in zip(doubtful.tolist(), found, strict=True):
            read += edges
            node = contest.first[at]
            bound = max(energy * factor + rounding * math.sqrt(run.strengths[node]), _FLOOR)
            if bound < contest.bound[at]:
                contest.value[at] = run.strengths[node] * z[node] + known
                contest.bound[at] = bound
        contest.attempts[doubtful] += 1
    return True, read


def _push(run: symmetric.Iteration, nodes: NDArray[np.int64], budgets: list[int], slots: Slots) -> Pushed:
    """Push from each node; return for each what it tells of the error, the factor of the bound, and edges read."""
    jobs = list(zip(nodes.tolist(), budgets, strict=True))
    count = min(threads.count(), len(jobs)) if sum(budgets) >= threads.WORTH_IT else 1
    while len(slots) < count:
        slots.append(np.full_like(slots[0], -1))

    graph = (run.arrays, run.strengths, run.layers.cut, run.pivots, run.damping)

    def share(first: int) -> Pushed:
        return [duals.dual(*graph, node, budget, run.r, slots[first]) for node, budget in jobs[first::count]]

    found: Pushed = [(0.0, 0.0, 0)] * len(jobs)
    for first, part in enumerate(threads.in_parallel([partial(share, first) for first in range(count)])):
        found[first::count] = part
    return found


def _places(run: symmetric.Iteration, contest: Contest, k: int, pushed: int) -> Places:
    """List the nodes of a contest whose order is proved."""
    places: list[int] = []
    values: list[float] = []
    apart: list[bool] = []
    bound, order = 0.0, run.layers.order
    for at in contest.order().tolist():
        if len(places) <= k:
            rows = contest.kinds[at]
            members = sorted(rows if order is None else order[rows].tolist())
            if len(places) < k:
                bound = max(bound, float(contest.bound[at]))
            places += members
            values += [max(float(contest.value[at]), 0.0)] * len(members)
            apart += [False] * (len(members) - 1) + [True]
    edges = (run.steps + 1) * len(contest.rows.indices) + pushed
    return np.array(places[: k + 1]), np.array(values[: k + 1]), np.array(apart[:k]), bound, edges
