"""The compiled inner loops of walks: each works on a range of blocks of rows and releases the GIL.

Blocks never depend on the number of threads and every block's sums are kept apart, so results are
identical whatever runs the blocks. ``weights`` may be empty: then every edge weighs 1 and strengths are
row lengths, and 4 bytes an edge are all that is read.
"""

# ruff: noqa: D103  (what each kernel computes stands in the module that calls it)
from __future__ import annotations

from typing import Any

import numba
import numpy as np

_compiled = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp"})


@_compiled
def row_sums(indptr: Any, weights: Any, out: Any) -> None:
    for i in range(len(indptr) - 1):
        total = 0.0
        for k in range(indptr[i], indptr[i + 1]):
            total += weights[k]
        out[i] = total


@_compiled
def independent_set(indptr: Any, indices: Any, order: Any, layer: Any, left: Any, mark: int) -> None:
    """Mark nodes of *order* in ``layer`` so that no two are neighbors and none has a self-loop; greedy in *order*.

    Nodes of *order* have layer 0; ``left`` counts each node's neighbors with layer 0.
    """
    barred = np.zeros(len(layer), np.bool_)
    for i in order:
        if barred[i]:
            continue
        loop = False
        for k in range(indptr[i], indptr[i + 1]):
            loop = loop or indices[k] == i
        if loop:
            continue
        layer[i] = mark
        for k in range(indptr[i], indptr[i + 1]):
            barred[indices[k]] = True
            left[indices[k]] -= 1


@_compiled
def heavier_neighbors(indptr: Any, indices: Any, layer: Any) -> Any:
    """Return how many neighbors of each node have a higher layer number."""
    counts = np.zeros(len(layer), np.int32)
    for i in range(len(layer)):
        own = layer[i]
        count = 0
        for k in range(indptr[i], indptr[i + 1]):
            count += layer[indices[k]] > own
        counts[i] = count
    return counts


@_compiled
def renumber(indptr: Any, indices: Any, weights: Any, order: Any, place: Any, starts: Any, to: Any, data: Any) -> None:
    """Copy row order_i to row i with its entries renumbered by *place*."""
    for i in range(len(order)):
        at = starts[i]
        for k in range(indptr[order[i]], indptr[order[i] + 1]):
            to[at] = place[indices[k]]
            if len(weights):
                data[at] = weights[k]
            at += 1


@_compiled
def sort_rows(indptr: Any, indices: Any) -> None:
    for i in range(len(indptr) - 1):
        indices[indptr[i] : indptr[i + 1]].sort()


@_compiled
def gauss_seidel_sweep(
    indptr: Any,
    indices: Any,
    weights: Any,
    strengths: Any,
    order: Any,
    z: Any,
    seeds: Any,
    pulls: Any,
    damping: float,
) -> float:
    """Solve row after row in *order*: z_v <- (damping sum_u w_uv z_u + pull_v) / d_v; return sum |change of x|.

    z = x / d with d the out-strength, or 1 for nodes without out-edges; a self-loop is solved within its row.
    ``seeds`` maps a node to its row in ``pulls`` or -1.
    """
    uniform = len(weights) == 0
    change = 0.0
    for i in order:
        total = 0.0
        own = 0.0
        for k in range(indptr[i], indptr[i + 1]):
            j = indices[k]
            weight = 1.0 if uniform else float(weights[k])
            if j == i:
                own = weight
            else:
                total += weight * z[j]
        total *= damping
        if seeds[i] >= 0:
            total += pulls[seeds[i]]
        new = total / (strengths[i] - damping * own)
        change += abs(new - z[i]) * strengths[i]
        z[i] = new
    return change


@_compiled
def directed_residual(
    indptr: Any, indices: Any, weights: Any, strengths: Any, z: Any, seeds: Any, pulls: Any, damping: float
) -> float:
    """Return the L1 norm of c e - (I - damping P) x for x = D z."""
    uniform = len(weights) == 0
    residual = 0.0
    for i in range(len(z)):
        total = 0.0
        for k in range(indptr[i], indptr[i + 1]):
            total += (1.0 if uniform else float(weights[k])) * z[indices[k]]
        total *= damping
        if seeds[i] >= 0:
            total += pulls[seeds[i]]
        residual += abs(total - z[i] * strengths[i])
    return residual


@_compiled
def push(
    indptr: Any,
    indices: Any,
    weights: Any,
    strengths: Any,
    estimate: Any,
    residual: Any,
    start: Any,
    restart: float,
    threshold: float,
    most_edges: int,
) -> int:
    """Move residual to estimate at nodes where residual > threshold * strength; return edges read.

    Keeps the invariant x = estimate + sum_u residual_u x^(u), x^(u) the walk seeded at u. Stops early, with
    the invariant intact, after *most_edges*. Nodes without edges keep what reaches them.
    """
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
    while head != tail and edges < most_edges:
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


@_compiled
def relax(indptr: Any, indices: Any, costs: Any, before: Any, after: Any, via: Any, first: int, last: int) -> None:
    """after_i <- min(before_i, min_k costs_k + before_(indices_k)); ``via`` gets the neighbor that won, or -1."""
    for i in range(first, last):
        best = before[i]
        winner = np.int32(-1)
        for k in range(indptr[i], indptr[i + 1]):
            candidate = costs[k] + before[indices[k]]
            if candidate < best:
                best = candidate
                winner = indices[k]
        after[i] = best
        via[i] = winner
