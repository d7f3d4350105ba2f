"""The compiled parts of certified ranking (:mod:`kgmm.graph.walk.settle`); ``rows`` are (indptr, indices, weights)."""

# mypy: ignore-errors
import numpy as np

from kgmm.compiled import compiled


@compiled
def contenders(z, strengths, energy, norm, k, most):
    """Return at most *most* nodes that may be among the best *k*: d z is off by min(energy sqrt(d), *norm*)."""
    best = np.full(k, -np.inf)  # the k highest lower bounds, ascending
    for i in range(len(z)):
        x = strengths[i] * z[i]
        if x > best[0]:
            low = x - min(energy * np.sqrt(strengths[i]), norm)
            at = 0
            while at < k and low > best[at]:
                if at:
                    best[at - 1] = best[at]
                at += 1
            if at:
                best[at - 1] = low
    bar = best[0] - 1e-12 * abs(best[0])  # rounding leaves nobody out
    found = np.empty(most, np.int64)
    count = 0
    for i in range(len(z)):
        short = bar - strengths[i] * z[i]
        if short <= 0.0 or (short <= norm and short * short <= energy * energy * strengths[i]):
            if count == most:
                break
            found[count] = i
            count += 1
    return found[:count]


@compiled
def push(rows, strengths, damping, start, masses, budget, slot):
    """Push *masses* from nodes *start* until *budget* edges are read; return nodes, y, rho and edges read.

    At the nodes, (D - damping A) y = b - rho, b the masses; elsewhere both are 0, and rho is not negative. ``slot``
    is -1 throughout and left so.
    """
    indptr, indices, weights = rows
    uniform = len(weights) == 0
    size = 4 * len(start) + 1024
    nodes, y, rho, own = np.empty(size, np.int64), np.zeros(size), np.zeros(size), np.empty(size)
    count, edges = len(start), 0
    threshold = 0.0
    for at in range(count):
        nodes[at], rho[at], slot[start[at]], own[at] = start[at], masses[at], at, strengths[start[at]]
        threshold = max(threshold, 0.5 * masses[at] / own[at])
    least = 1e-12 * threshold
    spent = False
    while not spent and threshold > least:
        at = 0
        while at < count:
            if rho[at] <= threshold * own[at]:
                at += 1
                continue
            share = rho[at] / own[at]
            low, high = indptr[nodes[at]], indptr[nodes[at] + 1]
            edges += high - low
            if edges > budget:
                edges -= high - low
                spent = True
                break
            y[at] += share
            rho[at] = 0.0
            if count + high - low > size:
                size = 4 * (count + high - low)
                nodes, y, rho, own = _longer(nodes, size), _longer(y, size), _longer(rho, size), _longer(own, size)
            for k in range(low, high):
                j = indices[k]
                place = slot[j]
                if place < 0:
                    place = count
                    slot[j] = place
                    nodes[place] = j
                    own[place] = strengths[j]
                    count += 1
                rho[place] += damping * share * (1.0 if uniform else weights[k])
            at += 1
        threshold *= 0.25
    for at in range(count):
        slot[nodes[at]] = -1
    return nodes[:count], y[:count], rho[:count], edges


@compiled
def _longer(values, size):
    more = np.zeros(size, values.dtype)
    more[: len(values)] = values
    return more


@compiled
def fold(rows, strengths, damping, nodes, rho, r):
    """R += rho at core nodes, and what substituting the others passes on to the core."""
    indptr, indices, weights = rows
    uniform, core = len(weights) == 0, len(r)
    for at in range(len(nodes)):
        i = nodes[at]
        if i < core:
            r[i] += rho[at]
        elif rho[at] != 0.0:
            share = damping * rho[at] / strengths[i]
            for k in range(indptr[i], indptr[i + 1]):
                r[indices[k]] += share if uniform else share * weights[k]


@compiled
def dual(rows, strengths, cut, pivot, damping, node, budget, r, slot):
    """Push from one *node*; return (d y . (T + L) r, d sqrt(rho' D^-1 rho), edges read)."""
    indptr, indices, weights = rows
    if strengths[node] == 0.0:
        return 0.0, 0.0, 0
    uniform, core = len(weights) == 0, len(r)
    start, masses = np.full(1, node, np.int64), np.ones(1)
    nodes, y, rho, edges = push(rows, strengths, damping, start, masses, budget, slot)
    known = left = 0.0
    for at in range(len(nodes)):
        i = nodes[at]
        left += rho[at] * rho[at] / strengths[i]
        if y[at] == 0.0 or i >= core:
            continue
        passed = 0.0
        for k in range(cut[i], indptr[i + 1]):
            if indices[k] >= core:
                break
            passed += r[indices[k]] * (1.0 if uniform else weights[k])
        known += y[at] * (pivot[i] * r[i] - damping * passed)
    return strengths[node] * known, strengths[node] * np.sqrt(left), edges
