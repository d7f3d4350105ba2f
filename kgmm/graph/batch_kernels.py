"""The compiled inner loops of batches: WIDTH walks side by side, one cache line of float32 a node.

A product with one vector waits for a cache line per edge and uses 8 bytes of it; here the line holds the
entries of all walks. The loops over columns are written out, eight at a time: only such sums stay in registers.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from kgmm.graph.prefetch import prefetch

_compiled = numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz", "arcp"})

#: walks in a batch
WIDTH = 16

#: how many edges before its use a cache line is asked for
_AHEAD = 32


@numba.njit(inline="always")
def gather(indices: Any, weights: Any, low: int, high: int, p: Any, total: Any) -> None:
    """total_c <- sum_k weights_k p[indices_k, c]; *p* is flat, *total* has WIDTH entries."""
    last = len(indices) - 1
    uniform = len(weights) == 0
    zero = p.dtype.type(0)
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = zero
    for k in range(low, high):
        prefetch(p, np.int64(indices[min(k + _AHEAD, last)]) * WIDTH)
        j = np.int64(indices[k]) * WIDTH
        w = p.dtype.type(1) if uniform else p.dtype.type(weights[k])
        a0 += w * p[j]
        a1 += w * p[j + 1]
        a2 += w * p[j + 2]
        a3 += w * p[j + 3]
        a4 += w * p[j + 4]
        a5 += w * p[j + 5]
        a6 += w * p[j + 6]
        a7 += w * p[j + 7]
    total[0], total[1], total[2], total[3] = a0, a1, a2, a3
    total[4], total[5], total[6], total[7] = a4, a5, a6, a7
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = zero
    for k in range(low, high):
        j = np.int64(indices[k]) * WIDTH + 8
        w = p.dtype.type(1) if uniform else p.dtype.type(weights[k])
        a0 += w * p[j]
        a1 += w * p[j + 1]
        a2 += w * p[j + 2]
        a3 += w * p[j + 3]
        a4 += w * p[j + 4]
        a5 += w * p[j + 5]
        a6 += w * p[j + 6]
        a7 += w * p[j + 7]
    total[8], total[9], total[10], total[11] = a0, a1, a2, a3
    total[12], total[13], total[14], total[15] = a4, a5, a6, a7


@_compiled
def fill_fringe(
    indptr: Any, indices: Any, weights: Any, strengths: Any, fringe: Any, p: Any, damping: float,
    blocks: Any, first: int, last: int,
) -> None:  # fmt: skip
    """p_i <- damping (A p)_i / d_i on the fringe, all columns."""
    total = np.zeros(WIDTH, p.dtype)
    for t in range(blocks[first], blocks[last]):
        i = fringe[t]
        gather(indices, weights, indptr[i], indptr[i + 1], p, total)
        share = p.dtype.type(damping / strengths[i])
        for c in range(WIDTH):
            p[i * WIDTH + c] = share * total[c]


@_compiled
def apply_core(
    indptr: Any, indices: Any, weights: Any, strengths: Any, core: Any, p: Any, q: Any, damping: float,
    blocks: Any, first: int, last: int, dots: Any,
) -> None:  # fmt: skip
    """q_t <- d_i p_i - damping (A p)_i for i = core_t; dots_b <- p . q over block b, by column."""
    total = np.zeros(WIDTH, p.dtype)
    keep = p.dtype.type(damping)
    for b in range(first, last):
        dot = np.zeros(WIDTH)
        for t in range(blocks[b], blocks[b + 1]):
            i = core[t]
            gather(indices, weights, indptr[i], indptr[i + 1], p, total)
            strength = p.dtype.type(strengths[i])
            for c in range(WIDTH):
                own = p[i * WIDTH + c]
                value = strength * own - keep * total[c]
                q[t * WIDTH + c] = value
                dot[c] += float(own) * value
        dots[b, :] = dot


@_compiled
def move(
    core: Any, p: Any, q: Any, diagonal: Any, x: Any, r: Any, step: Any,
    blocks: Any, dots: Any, norms: Any, first: int, last: int,
) -> None:  # fmt: skip
    """X += step p and r -= step q; dots_b <- r . r / diagonal, norms_b <- sum |r| over block b, by column."""
    for b in range(first, last):
        dots[b, :] = 0.0
        norms[b, :] = 0.0
        for t in range(blocks[b], blocks[b + 1]):
            i = np.int64(core[t]) * WIDTH
            inverse = 1.0 / diagonal[t]
            for c in range(WIDTH):
                at = t * WIDTH + c
                x[at] += step[c] * p[i + c]
                new = r[at] - step[c] * q[at]
                r[at] = new
                dots[b, c] += float(new) * new * inverse
                norms[b, c] += abs(new)


@_compiled
def turn(core: Any, p: Any, r: Any, diagonal: Any, share: Any, blocks: Any, first: int, last: int) -> None:
    """P <- r / diagonal + share p on the core."""
    for t in range(blocks[first], blocks[last]):
        i = np.int64(core[t]) * WIDTH
        inverse = p.dtype.type(1.0 / diagonal[t])
        for c in range(WIDTH):
            p[i + c] = r[t * WIDTH + c] * inverse + share[c] * p[i + c]
