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

_compiled = numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz", "arcp"})

#: walks solved together in one batch; 8 float64 are one cache line
WIDTH = 8


@_compiled
def row_sums(indptr: Any, weights: Any, out: Any) -> None:
    for i in range(len(indptr) - 1):
        total = 0.0
        for k in range(indptr[i], indptr[i + 1]):
            total += weights[k]
        out[i] = total


@_compiled
def chebyshev_step(
    indptr: Any, indices: Any, weights: Any, strengths: Any, z: Any, other: Any, seeds: Any, pulls: Any,
    damping: float, omega: float, blocks: Any, first: int, last: int, residuals: Any, peaks: Any,
) -> None:  # fmt: skip
    """Other <- omega (damping D^-1 A z + pull - other) + other, where other holds the z before this one.

    ``residuals[b]`` gets the L1 norm and ``peaks[b]`` the highest entry of D^-1 r, r the residual of z.
    """
    uniform = len(weights) == 0
    for b in range(first, last):
        residual = 0.0
        peak = 0.0
        s = np.searchsorted(seeds, blocks[b])
        for i in range(blocks[b], blocks[b + 1]):
            low, high = indptr[i], indptr[i + 1]
            if high == low:
                continue
            total = 0.0
            if uniform:
                strength = float(high - low)
                for k in range(low, high):
                    total += z[indices[k]]
            else:
                strength = strengths[i]
                for k in range(low, high):
                    total += weights[k] * z[indices[k]]
            step = damping * total / strength
            if s < len(seeds) and seeds[s] == i:
                step += pulls[s]
                s += 1
            gap = abs(step - z[i])
            residual += gap * strength
            peak = max(peak, gap)
            other[i] = omega * (step - other[i]) + other[i]
        residuals[b] = residual
        peaks[b] = peak


@_compiled
def chebyshev_block_step(
    indptr: Any, indices: Any, weights: Any, strengths: Any, z: Any, other: Any, seeds: Any, pulls: Any,
    damping: float, omega: float, blocks: Any, first: int, last: int, residuals: Any,
) -> None:  # fmt: skip
    """The same step for WIDTH walks at once: z and other are (nodes, WIDTH), pulls (seeds, WIDTH)."""
    uniform = len(weights) == 0
    total = np.zeros(WIDTH)
    residual = np.zeros(WIDTH)
    for b in range(first, last):
        residual[:] = 0.0
        s = np.searchsorted(seeds, blocks[b])
        for i in range(blocks[b], blocks[b + 1]):
            low, high = indptr[i], indptr[i + 1]
            if high == low:
                continue
            total[:] = 0.0
            strength = float(high - low) if uniform else strengths[i]
            for k in range(low, high):
                j = indices[k]
                weight = 1.0 if uniform else float(weights[k])
                for c in range(WIDTH):
                    total[c] += weight * z[j, c]
            share = damping / strength
            for c in range(WIDTH):
                total[c] *= share
            if s < len(seeds) and seeds[s] == i:
                for c in range(WIDTH):
                    total[c] += pulls[s, c]
                s += 1
            for c in range(WIDTH):
                residual[c] += abs(total[c] - z[i, c]) * strength
                other[i, c] = omega * (total[c] - other[i, c]) + other[i, c]
        for c in range(WIDTH):
            residuals[b, c] = residual[c]


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
    indptr: Any, indices: Any, weights: Any, strengths: Any, estimate: Any, residual: Any, start: Any,
    restart: float, threshold: float, most_edges: int,
) -> int:  # fmt: skip
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
def relax(
    indptr: Any, indices: Any, costs: Any, before: Any, after: Any, via: Any, first: int, last: int
) -> None:
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
