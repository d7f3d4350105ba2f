"""A walk near its seeds: residual is pushed to neighbors until little is left (Andersen, Chung & Lang, FOCS 2006)."""

# mypy: ignore-errors
import numpy as np

from kgmm.compiled import compiled


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
