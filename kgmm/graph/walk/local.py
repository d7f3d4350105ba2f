"""A walk near its seeds: residual is pushed to neighbors until little is left (Andersen, Chung & Lang, FOCS 2006)."""

# mypy: ignore-errors
import numpy as np

from kgmm.compiled import compiled

FIRST = 1 << 15  #: nodes there is room for in a hash table at first: most pushes near a few seeds reach no more


@compiled
def push(rows, strengths, estimate, residual, start, restart, threshold, most):
    """Move residual to estimate at nodes where residual > threshold * strength; return edges read.

    Keeps the invariant x = estimate + sum_u residual_u x^(u), x^(u) the walk seeded at u. Stops early, with
    the invariant intact, after *most*. Nodes without edges keep what reaches them.
    """
    indptr, indices, weights = rows
    uniform = len(weights) == 0
    size = len(strengths)
    queue = np.empty(size + 1, np.int32)
    waiting = np.zeros(size, np.bool_)
    head = tail = 0
    for i in start:
        if residual[i] > threshold * strengths[i] and not waiting[i]:
            queue[tail] = i
            tail += 1
            waiting[i] = True
    edges = 0
    while head != tail and edges < most:
        i = queue[head]
        head = head + 1 if head < size else 0
        waiting[i] = False
        mass = residual[i]
        residual[i] = 0.0
        estimate[i] += mass if strengths[i] == 0 else restart * mass
        low, high = indptr[i], indptr[i + 1]
        edges += high - low
        for k in range(low, high):
            j = indices[k]
            share = (1.0 if uniform else float(weights[k])) / strengths[i]
            residual[j] += (1 - restart) * mass * share
            if residual[j] > threshold * strengths[j] and not waiting[j]:
                waiting[j] = True
                queue[tail] = j
                tail = tail + 1 if tail < size else 0
    return edges


@compiled
def _slot(keys, node):
    """Return where *node* is, or may be put, in a hash table of nodes (-1: empty)."""
    mask = np.uint32(len(keys) - 1)
    at = (np.uint32(node) * np.uint32(2654435769)) & mask
    while keys[at] != -1 and keys[at] != node:
        at = (at + np.uint32(1)) & mask
    return at


@compiled
def push_near(rows, strengths, start, masses, restart, threshold, most):
    """Do what ``push`` does without an array as long as the graph; return the nodes reached and their estimates.

    They come in a hash table: nodes (-1 where a slot is empty), and the estimates beside them.
    """
    indptr, indices, weights = rows
    uniform = len(weights) == 0
    keys, of = np.full(2 * FIRST, -1, np.int32), np.empty(2 * FIRST, np.int32)
    nodes, estimate, residual = np.empty(FIRST, np.int32), np.zeros(FIRST), np.zeros(FIRST)
    waiting = np.zeros(FIRST, np.bool_)
    queue = np.empty(FIRST, np.int32)  # of places in nodes
    head = tail = count = edges = 0
    for at in range(len(start)):
        if count == len(nodes):
            nodes, estimate, residual, waiting, keys, of = _grown(nodes, estimate, residual, waiting, count)
        slot = _slot(keys, start[at])
        keys[slot], of[slot] = start[at], count
        nodes[count], residual[count] = start[at], masses[at]
        if masses[at] > threshold * strengths[start[at]]:
            if tail == len(queue):
                queue = np.concatenate((queue, np.empty_like(queue)))
            queue[tail] = count
            tail += 1
            waiting[count] = True
        count += 1
    while head != tail and edges < most:
        at = queue[head]
        head += 1
        waiting[at] = False
        node, mass = nodes[at], residual[at]
        residual[at] = 0.0
        estimate[at] += mass if strengths[node] == 0 else restart * mass
        low, high = indptr[node], indptr[node + 1]
        edges += high - low
        for k in range(low, high):
            j = indices[k]
            share = (1.0 if uniform else float(weights[k])) / strengths[node]
            slot = _slot(keys, j)
            if keys[slot] == -1:
                if count == len(nodes):
                    nodes, estimate, residual, waiting, keys, of = _grown(nodes, estimate, residual, waiting, count)
                    slot = _slot(keys, j)
                keys[slot], of[slot], nodes[count] = j, count, j
                count += 1
            here = of[slot]
            residual[here] += (1 - restart) * mass * share
            if residual[here] > threshold * strengths[j] and not waiting[here]:
                waiting[here] = True
                if tail == len(queue):
                    queue = np.concatenate((queue, np.empty_like(queue)))
                queue[tail] = here
                tail += 1
    values = np.zeros(len(keys))
    for slot in range(len(keys)):
        if keys[slot] != -1:
            values[slot] = estimate[of[slot]]
    return keys, values


@compiled
def _grown(nodes, estimate, residual, waiting, count):
    """Return the arrays twice as long, and a hash table twice as long as they."""
    more = 2 * len(nodes)
    others = np.empty(more, np.int32), np.zeros(more), np.zeros(more), np.zeros(more, np.bool_)
    keys, of = np.full(2 * more, -1, np.int32), np.empty(2 * more, np.int32)
    for at in range(count):
        others[0][at], others[1][at], others[2][at], others[3][at] = nodes[at], estimate[at], residual[at], waiting[at]
        slot = _slot(keys, nodes[at])
        keys[slot], of[slot] = nodes[at], at
    return others[0], others[1], others[2], others[3], keys, of


@compiled
def values_of(keys, values, nodes):
    """Return the values of some nodes in such a table, 0 for others."""
    found = np.zeros(len(nodes))
    for at in range(len(nodes)):
        slot = _slot(keys, nodes[at])
        if keys[slot] != -1:
            found[at] = values[slot]
    return found
