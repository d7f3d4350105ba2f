"""The compiled inner loops of batches: WIDTH walks side by side, one cache line of a core node's entries.

A product with one vector waits for a cache line per edge and uses 8 bytes of it; here the line holds the entries of
all walks, in bfloat16 (kept as uint16) on the core. Fringe entries are substituted from the core's as they stand, in
float32: so the product is that of one symmetric matrix, whatever the rounding, and conjugate gradients converge as if
nothing had been rounded. GROUP columns in float64 are one cache line, too: what refinement computes.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from kgmm.graph.prefetch import prefetch

_compiled = numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz", "arcp"})

#: walks in a batch
WIDTH = 32
#: walks refined together
GROUP = 8
#: how many edges before its use a cache line is asked for
_AHEAD = 32


@intrinsic
def widen(typing_context: Any, bits: Any) -> Any:
    """Compiled code only: bfloat16, as uint16, to float32."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide = builder.zext(arguments[0], ir.IntType(32))
        return builder.bitcast(builder.shl(wide, ir.Constant(ir.IntType(32), 16)), ir.FloatType())

    return types.float32(types.uint16), generate


@intrinsic
def narrow(typing_context: Any, value: Any) -> Any:
    """Compiled code only: float32 to the nearest bfloat16, as uint16."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = ir.IntType(32)
        bits = builder.add(builder.bitcast(arguments[0], number), ir.Constant(number, 0x8000))
        return builder.trunc(builder.lshr(bits, ir.Constant(number, 16)), ir.IntType(16))

    return types.uint16(types.float32), generate


@_compiled
def fill_fringe(
    indptr: Any, indices: Any, weights: Any, strengths: Any, size: int, core: Any, fringe: Any, damping: float,
    blocks: Any, first: int, last: int,
) -> None:  # fmt: skip
    """fringe_t <- damping (A core)_i / d_i for i = size + t, all columns; every neighbor is below *size*."""
    total = np.empty(WIDTH, np.float32)
    final, uniform = len(indices) - 1, len(weights) == 0
    for t in range(blocks[first], blocks[last]):
        i = size + t
        for c in range(WIDTH):
            total[c] = np.float32(0)
        for k in range(indptr[i], indptr[i + 1]):
            prefetch(core, np.int64(indices[min(k + _AHEAD, final)]) * WIDTH)
            j = np.int64(indices[k]) * WIDTH
            w = np.float32(1) if uniform else np.float32(weights[k])
            for c in range(WIDTH):
                total[c] += w * widen(core[j + c])
        share = np.float32(damping / strengths[i])
        for c in range(WIDTH):
            fringe[t * WIDTH + c] = share * total[c]


@_compiled
def apply_core(
    indptr: Any, indices: Any, weights: Any, strengths: Any, size: int, core: Any, fringe: Any, q: Any,
    damping: float, blocks: Any, first: int, last: int, dots: Any,
) -> None:  # fmt: skip
    """q_i <- d_i p_i - damping (A p)_i for i < size, p both parts; dots_b <- p . q over block b, by column."""
    total, dot = np.empty(WIDTH, np.float32), np.empty(WIDTH, np.float64)
    final, uniform = len(indices) - 1, len(weights) == 0
    keep = np.float32(damping)
    for b in range(first, last):
        for c in range(WIDTH):
            dot[c] = 0.0
        for i in range(blocks[b], blocks[b + 1]):
            for c in range(WIDTH):
                total[c] = np.float32(0)
            for k in range(indptr[i], indptr[i + 1]):
                ahead = np.int64(indices[min(k + _AHEAD, final)])
                if ahead < size:
                    prefetch(core, ahead * WIDTH)
                else:
                    prefetch(fringe, (ahead - size) * WIDTH)
                    prefetch(fringe, (ahead - size) * WIDTH + 16)
                w = np.float32(1) if uniform else np.float32(weights[k])
                j = np.int64(indices[k])
                if j < size:
                    for c in range(WIDTH):
                        total[c] += w * widen(core[j * WIDTH + c])
                else:
                    for c in range(WIDTH):
                        total[c] += w * fringe[(j - size) * WIDTH + c]
            strength = np.float32(strengths[i])
            for c in range(WIDTH):
                own = widen(core[i * WIDTH + c])
                value = strength * own - keep * total[c]
                q[i * WIDTH + c] = value
                dot[c] += np.float64(own * value)
        for c in range(WIDTH):
            dots[b, c] = dot[c]


@_compiled
def move(
    p: Any, q: Any, diagonal: Any, x: Any, r: Any, step: Any,
    blocks: Any, dots: Any, norms: Any, first: int, last: int,
) -> None:  # fmt: skip
    """X += step p and r -= step q; dots_b <- r . r / diagonal, norms_b <- sum |r| over block b, by column."""
    dot, norm = np.empty(WIDTH, np.float64), np.empty(WIDTH, np.float64)
    for b in range(first, last):
        for c in range(WIDTH):
            dot[c] = norm[c] = 0.0
        for i in range(blocks[b], blocks[b + 1]):
            inverse = np.float32(1.0 / diagonal[i])
            for c in range(WIDTH):
                at = i * WIDTH + c
                x[at] += step[c] * widen(p[at])
                new = r[at] - step[c] * q[at]
                r[at] = new
                dot[c] += np.float64(new * new * inverse)
                norm[c] += np.float64(abs(new))
        for c in range(WIDTH):
            dots[b, c] = dot[c]
            norms[b, c] = norm[c]


@_compiled
def turn(p: Any, r: Any, diagonal: Any, share: Any, blocks: Any, first: int, last: int) -> None:
    """P <- r / diagonal + share p on the core."""
    for i in range(blocks[first], blocks[last]):
        inverse = np.float32(1.0 / diagonal[i])
        for c in range(WIDTH):
            at = i * WIDTH + c
            p[at] = narrow(r[at] * inverse + share[c] * widen(p[at]))


@numba.njit(inline="always")
def _gather(indices: Any, weights: Any, low: int, high: int, z: Any, total: Any) -> None:
    """total_c <- sum_k weights_k z[indices_k, c] for GROUP columns of float64."""
    final, uniform = len(indices) - 1, len(weights) == 0
    for c in range(GROUP):
        total[c] = 0.0
    for k in range(low, high):
        prefetch(z, np.int64(indices[min(k + _AHEAD, final)]) * GROUP)
        j = np.int64(indices[k]) * GROUP
        w = 1.0 if uniform else np.float64(weights[k])
        for c in range(GROUP):
            total[c] += w * z[j + c]


@_compiled
def substitute(
    indptr: Any, indices: Any, weights: Any, strengths: Any, size: int, z: Any, seeds: Any, pulls: Any,
    damping: float, blocks: Any, first: int, last: int,
) -> None:  # fmt: skip
    """Solve the fringe's rows: z_i <- (damping (A z)_i + pull_i) / d_i; ``seeds`` maps a node to its pulls or -1."""
    total = np.empty(GROUP, np.float64)
    for t in range(blocks[first], blocks[last]):
        i = size + t
        _gather(indices, weights, indptr[i], indptr[i + 1], z, total)
        row = seeds[i]
        for c in range(GROUP):
            pull = pulls[row, c] if row >= 0 else 0.0
            z[i * GROUP + c] = (damping * total[c] + pull) / strengths[i]


@_compiled
def residual(
    indptr: Any, indices: Any, weights: Any, strengths: Any, z: Any, seeds: Any, pulls: Any, damping: float,
    r: Any, column: int, blocks: Any, norms: Any, first: int, last: int,
) -> None:  # fmt: skip
    """R <- pull - (D - damping A) z on the core, for the GROUP columns from *column*; norms_b <- sum |r| over block b."""
    total, norm = np.empty(GROUP, np.float64), np.empty(GROUP, np.float64)
    for b in range(first, last):
        for c in range(GROUP):
            norm[c] = 0.0
        for i in range(blocks[b], blocks[b + 1]):
            _gather(indices, weights, indptr[i], indptr[i + 1], z, total)
            row = seeds[i]
            for c in range(GROUP):
                pull = pulls[row, c] if row >= 0 else 0.0
                value = pull + damping * total[c] - strengths[i] * z[i * GROUP + c]
                r[i * WIDTH + column + c] = value
                norm[c] += abs(value)
        for c in range(GROUP):
            norms[b, c] = norm[c]


@_compiled
def scores(z: Any, strengths: Any, columns: Any, first: int, last: int) -> None:
    """columns_c,i <- max(d_i z_ic, 0) for blocks of 64 nodes; *columns* are GROUP arrays."""
    for block in range(first, last):
        nodes = range(64 * block, min(64 * block + 64, len(strengths)))
        for c in range(GROUP):
            column = columns[c]
            for i in nodes:
                column[i] = max(strengths[i] * z[i * GROUP + c], 0.0)
