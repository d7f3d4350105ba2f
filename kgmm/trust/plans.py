"""One plan out of several contributors' plans: rank aggregation by Borda's count and by Kemeny's rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from kgmm.compiled import compiled
from kgmm.errors import BadInput, KgmmError
from kgmm.files import read_json, read_lines

Plan = Sequence[Sequence[str]]  #: steps in order, first first; steps in one group come at the same place
Floats = NDArray[np.float64]
METHODS = ("borda", "kemeny")
EXACT = 16  #: steps that are in a circle of majorities and yet are put in the best order for certain


@dataclass(frozen=True)
class Consensus:
    """A plan that several agree on as far as they can.

    ``order`` is groups of steps, of which only Borda's have more than one; ``distance`` is how many pairs of steps
    contributors have the other way round, a tie on either side counting half, each contributor as much as their weight;
    ``exact`` says whether no order has a smaller one; ``agreement`` is by contributor the share of the pairs they order that
    come in their order, 1 where they order none.
    """

    method: str
    order: tuple[tuple[str, ...], ...]
    distance: float
    exact: bool
    agreement: dict[str, float]


def aggregate(
    plans: Mapping[str, Plan], method: str = "kemeny", weights: Mapping[str, float] | None = None
) -> Consensus:
    """Combine plans into one.

    Plans may leave steps out: who names only one of two steps, or neither, says nothing about their order. *kemeny* finds the order
    with the fewest pairs the other way round (Kemeny 1959): exactly where no more than :data:`EXACT` steps are in one circle of
    majorities (a step that a majority puts before all the rest is before them in the best order, Truchon 1998), else by moving one
    step at a time until no move helps, from Borda's order; of orders equally good the one that begins as Borda's does. *borda*
    sorts steps by the share of others that they come before, in the mean over those who compare them (Borda 1781); of what
    nobody compares each comes before the other by half.

    Args:
        plans: contributor → groups of steps in order.
        method: ``kemeny`` or ``borda``.
        weights: contributor → how much their plan counts, at least 0, such as reliability; 1 for whom it does not name.

    Raises:
        KgmmError: if there are no plans, a plan names a step twice, a weight is below 0 or the method is neither.

    Example:
        >>> plans = {"ann": [["wash"], ["cut"], ["cook"]], "bob": [["cut"], ["wash"]], "cy": [["wash"], ["cook"]]}
        >>> found = aggregate(plans, weights={"ann": 2})
        >>> found.order, found.distance, found.agreement["bob"]
        ((('wash',), ('cut',), ('cook',)), 1.0, 0.0)
    """
    if method not in METHODS:
        raise KgmmError(f"a plan is aggregated by {' or '.join(METHODS)}, not by {method!r}")
    weight = {name: float((weights or {}).get(name, 1.0)) for name in plans}
    if wrong := [name for name, value in weight.items() if not 0 <= value < np.inf]:
        raise KgmmError(f"the weight of {wrong[0]} is {weight[wrong[0]]}; it must be 0 or more")
    places = {name: _places(name, plan) for name, plan in plans.items()}
    steps = list(dict.fromkeys(step for place in places.values() for step in place))
    if not steps:
        raise KgmmError("there are no plans to combine")
    before, even = _pairs(places, weight, steps)
    score = _borda(before, even)
    ordered = sorted(range(len(steps)), key=lambda at: (-score[at], at))
    if method == "borda":
        groups, exact = _tied(ordered, score), False
    else:
        single, exact = _kemeny(before, ordered)
        groups = [[at] for at in single]
    order = tuple(tuple(steps[at] for at in group) for group in groups)
    rank = {step: place for place, group in enumerate(order) for step in group}
    agreement = {name: _agreement(place, rank) for name, place in places.items()}
    return Consensus(method, order, _distance(places, weight, rank), exact, agreement)


def read_plans(path: str | Path) -> dict[str, Plan]:
    """Read plans: lines such as ``ann: wash > cut = peel > cook`` or a JSON object of lists of steps or groups.

    Empty lines and lines that begin with # are passed over.

    Raises:
        BadInput: if the file cannot be read, or for the first line that is no plan.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "plans.txt"
        >>> _ = path.write_text("ann: wash > cut = peel")
        >>> read_plans(path)
        {'ann': [['wash'], ['cut', 'peel']]}
    """
    if Path(path).suffix.lower() == ".json":
        document = read_json(path)
        if not isinstance(document, dict):
            raise BadInput(path, "expected a JSON object: contributor, and a list of steps")
        return {name: _groups(path, name, plan) for name, plan in document.items()}
    plans: dict[str, Plan] = {}
    for number, line in read_lines(path):
        if line.lstrip().startswith("#"):
            continue
        name, colon, rest = line.partition(":")
        groups = [[step.strip() for step in group.split("=")] for group in rest.split(">")]
        if not colon or not name.strip() or not all(step for group in groups for step in group):
            raise BadInput(path, "expected a contributor and steps, such as 'ann: wash > cut = peel'", number)
        if name.strip() in plans:
            raise BadInput(path, f"a second plan of {name.strip()!r}", number)
        plans[name.strip()] = groups
    return plans


def _groups(path: str | Path, name: str, plan: object) -> Plan:
    if not isinstance(plan, list):
        raise BadInput(path, f"the plan of {name!r} is no list of steps")
    groups = [group if isinstance(group, list) else [group] for group in plan]
    if not all(isinstance(step, str) and step for group in groups for step in group):
        raise BadInput(path, f"the plan of {name!r} has a step that is no text")
    return groups


def _places(name: str, plan: Plan) -> dict[str, int]:
    places: dict[str, int] = {}
    for place, group in enumerate(plan):
        for step in group:
            if places.setdefault(step, place) != place or list(group).count(step) > 1:
                raise KgmmError(f"the plan of {name} names {step!r} twice")
    return places


def _pairs(
    places: Mapping[str, dict[str, int]], weight: Mapping[str, float], steps: list[str]
) -> tuple[Floats, Floats]:
    """Return how much weight puts the first of two steps before the second, and how much puts them even: (n, n) each."""
    at = {step: index for index, step in enumerate(steps)}
    before, even = np.zeros((2, len(steps), len(steps)))
    for name, place in places.items():
        rows = np.array([at[step] for step in place], np.int64)
        where = np.array(list(place.values()))
        cells = np.ix_(rows, rows)
        before[cells] += weight[name] * (where[:, None] < where[None])
        even[cells] += weight[name] * (where[:, None] == where[None])
    np.fill_diagonal(even, 0)
    return before, even


def _borda(before: Floats, even: Floats) -> Floats:
    whole = before + before.T + even
    share = np.divide(before + even / 2, whole, out=np.full(before.shape, 0.5), where=whole > 0)
    np.fill_diagonal(share, 0)
    return np.asarray(np.round(share.sum(1), 9))


def _tied(ordered: list[int], score: Floats) -> list[list[int]]:
    groups: list[list[int]] = []
    for at in ordered:
        if groups and score[groups[-1][0]] == score[at]:
            groups[-1].append(at)
        else:
            groups.append([at])
    return groups


def _kemeny(before: Floats, ordered: list[int]) -> tuple[list[int], bool]:
    """Return the steps in Kemeny's order, and whether it is certain that no other is better."""
    most = before >= before.T  # ties hold steps together, so that between circles each majority is strict
    count, circle = connected_components(csr_matrix(most), directed=True, connection="strong")
    members: list[list[int]] = [[] for _ in range(count)]
    for at in ordered:
        members[circle[at]].append(at)
    # of two circles every step of the one comes before every step of the other, so that a step's wins sort them
    wins = (before > before.T).sum(1)
    members.sort(key=lambda group: -int(wins[group].min()))
    order: list[int] = []
    for group in members:
        part = np.ascontiguousarray(before[np.ix_(group, group)])
        found = _best_order(part) if len(group) <= EXACT else _moved(part)
        order += [group[at] for at in found.tolist()]
    return order, all(len(group) <= EXACT for group in members)


@compiled
def _best_order(before: Floats) -> NDArray[np.int64]:
    """Return the order with the least weight the other way round; of equals the first as lists (Held & Karp 1962)."""
    n = len(before)
    cost = np.full(1 << n, np.inf)
    first = np.zeros(1 << n, np.int64)
    cost[0] = 0.0
    for rest in range(1, 1 << n):
        for step in range(n):
            if rest >> step & 1:
                sum_ = cost[rest ^ (1 << step)]
                for other in range(n):
                    if rest >> other & 1 and other != step:
                        sum_ += before[other, step]
                if sum_ < cost[rest] - 1e-9:
                    cost[rest], first[rest] = sum_, step
    order, rest = np.empty(n, np.int64), (1 << n) - 1
    for place in range(n):
        order[place] = first[rest]
        rest ^= 1 << order[place]
    return order


@compiled
def _moved(before: Floats) -> NDArray[np.int64]:
    """Return an order that no move of one step improves, from the order given."""
    n = len(before)
    order = np.arange(n)
    better = True
    while better:
        better = False
        for place in range(n):
            step, gain, best, target = order[place], 0.0, -1e-9, place
            for to in range(place - 1, -1, -1):  # earlier: what it passes comes after it
                gain += before[step, order[to]] * -1 + before[order[to], step]
                if gain < best:
                    best, target = gain, to
            gain = 0.0
            for to in range(place + 1, n):
                gain += before[step, order[to]] - before[order[to], step]
                if gain < best:
                    best, target = gain, to
            if target != place:
                way = 1 if target > place else -1
                for at in range(place, target, way):
                    order[at] = order[at + way]
                order[target] = step
                better = True
    return order


def _distance(places: Mapping[str, dict[str, int]], weight: Mapping[str, float], rank: Mapping[str, int]) -> float:
    whole = 0.0
    for name, place in places.items():
        mine, theirs = np.array(list(place.values())), np.array([rank[step] for step in place])
        a, b = np.sign(mine[:, None] - mine[None]), np.sign(theirs[:, None] - theirs[None])
        whole += weight[name] * float(np.abs(a - b).sum()) / 4  # 2 where turned, 1 where one is a tie; each pair twice
    return whole


def _agreement(place: Mapping[str, int], rank: Mapping[str, int]) -> float:
    mine, theirs = np.array(list(place.values())), np.array([rank[step] for step in place])
    a, b = mine[:, None] - mine[None], theirs[:, None] - theirs[None]
    pairs = int((a < 0).sum())
    return float(((a < 0) & (b < 0)).sum() / pairs) if pairs else 1.0
