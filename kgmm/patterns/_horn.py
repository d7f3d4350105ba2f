"""Inner loops of rule mining: how many pairs a path joins, and how many of these each relation joins too."""

from typing import Any

import numpy as np

from kgmm.compiled import njit


@njit()
def paths(
    first: Any,
    first_other: Any,
    second: Any,
    second_other: Any,
    pair_starts: Any,
    pair_other: Any,
    pair_code: Any,
    heads: int,
    has: Any,
) -> tuple[int, Any, Any, Any]:
    """Count the pairs (x, y) with some z such that x is joined to z by one relation and z to y by another.

    Args:
        first, first_other: rows x → z of the first relation, compressed.
        second, second_other: rows z → y of the second.
        pair_starts, pair_other, pair_code: of each x the ends y it is joined to, ascending, and by which relation.
        heads: number of relations.
        has: (heads, nodes) whether x is a subject of each relation.

    Returns:
        How many pairs there are; of each relation, how many it joins too; how many whose x is a subject of it; and one of the pairs
        that it does not join though x is a subject of it, as x and y, -1 where there is none: (heads, 2).
    """
    nodes = len(first) - 1
    seen = np.full(nodes, -1, np.int64)
    ends = np.empty(nodes, np.int64)
    body, support, known = 0, np.zeros(heads, np.int64), np.zeros(heads, np.int64)
    against = np.full((heads, 2), -1, np.int64)
    mine = np.zeros(heads, np.int64)
    for x in range(nodes):
        if first[x] == first[x + 1]:
            continue
        count = 0
        for k in range(first[x], first[x + 1]):
            z = first_other[k]
            for m in range(second[z], second[z + 1]):
                y = second_other[m]
                if seen[y] != x:
                    seen[y] = x
                    ends[count] = y
                    count += 1
        if not count:
            continue
        body += count
        mine[:] = 0
        for k in range(pair_starts[x], pair_starts[x + 1]):
            if seen[pair_other[k]] == x:
                mine[pair_code[k]] += 1
        for head in range(heads):
            support[head] += mine[head]
            if has[head, x]:
                known[head] += count
                if mine[head] < count and against[head, 0] < 0:
                    for at in range(count):
                        joined = False
                        for k in range(pair_starts[x], pair_starts[x + 1]):
                            if pair_code[k] == head and pair_other[k] == ends[at]:
                                joined = True
                                break
                        if not joined:
                            against[head, 0], against[head, 1] = x, ends[at]
                            break
    return body, support, known, against


@njit()
def conclusions(
    first: Any, first_other: Any, second: Any, second_other: Any, head: Any, head_other: Any, most: int
) -> tuple[Any, Any, Any, int]:
    """Find the pairs (x, y) that a path joins and the head does not.

    Returns:
        x, y and, of each, the first z on the way; how many there are, of which *most* are found at most.
    """
    nodes = len(first) - 1
    xs, ys, zs = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    seen = np.full(nodes, -1, np.int64)
    count = 0
    for x in range(nodes):
        if first[x] == first[x + 1]:
            continue
        for k in range(head[x], head[x + 1]):
            seen[head_other[k]] = x
        for k in range(first[x], first[x + 1]):
            z = first_other[k]
            for m in range(second[z], second[z + 1]):
                y = second_other[m]
                if seen[y] != x:
                    seen[y] = x
                    if count < most:
                        xs[count], ys[count], zs[count] = x, y, z
                    count += 1
    return xs[: min(count, most)], ys[: min(count, most)], zs[: min(count, most)], count
