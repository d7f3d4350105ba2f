"""The compiled inner loops of batches: WIDTH walks side by side, one cache line of a core node's directions.

A sweep with one vector waits for a cache line per edge and uses 4 bytes of it; here the line holds the entries of
all walks, in bfloat16 (kept as uint16) where what is rounded is a direction: then p is adjusted to it and nothing is
lost. GROUP columns in float64 are one cache line, too: what refinement computes. See :mod:`kgmm.graph.sweeps` for
the same sweeps with one vector.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from kgmm.graph.prefetch import prefetch

_compiled = numba.njit(
    cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp"}
)

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
def halves(indptr: Any, indices: Any, weights: Any, cut: Any) -> Any:
    """Return (starts, indices, weights) of the entries before each core row's cut, and of those after it.

    A sweep reads one of them, in order: so it can ask early for the cache lines it needs.
    """
    core = len(cut)
    starts, ends = np.zeros(core + 1, indptr.dtype), np.zeros(core + 1, indptr.dtype)
    for i in range(core):
        starts[i + 1] = starts[i] + cut[i] - indptr[i]
        ends[i + 1] = ends[i] + indptr[i + 1] - cut[i]
    before, after = np.empty(starts[core], indices.dtype), np.empty(ends[core], indices.dtype)
    lighter = np.empty(len(before) if len(weights) else 0, weights.dtype)
    heavier = np.empty(len(after) if len(weights) else 0, weights.dtype)
    for i in range(core):
        for k in range(indptr[i], cut[i]):
            before[starts[i] + k - indptr[i]] = indices[k]
            if len(weights):
                lighter[starts[i] + k - indptr[i]] = weights[k]
        for k in range(cut[i], indptr[i + 1]):
            after[ends[i] + k - cut[i]] = indices[k]
            if len(weights):
                heavier[ends[i] + k - cut[i]] = weights[k]
    return (starts, before, lighter), (ends, after, heavier)


@_compiled
def lower(
    indptr: Any, indices: Any, weights: Any, pivot: Any, damping: float, r: Any,
    blocks: Any, first: int, last: int,
) -> None:  # fmt: skip
    """R <- (pivot + L)^-1 r, in place, a layer at a time, last first; L has the entries of later layers."""
    total = np.empty(WIDTH, np.float32)
    final, uniform, core = len(indices) - 1, len(weights) == 0, len(pivot)
    keep = np.float32(damping)
    for i in range(blocks[first], blocks[last]):
        for c in range(WIDTH):
            total[c] = np.float32(0)
        for k in range(indptr[i], indptr[i + 1]):
            if indices[k] >= core:
                break
            ahead = np.int64(indices[min(k + _AHEAD, final)])
            if ahead < core:
                prefetch(r, ahead * WIDTH)
                prefetch(r, ahead * WIDTH + 16)
            j = np.int64(indices[k]) * WIDTH
            w = np.float32(1) if uniform else np.float32(weights[k])
            for c in range(WIDTH):
                total[c] += w * r[j + c]
        inverse = np.float32(1.0 / pivot[i])
        for c in range(WIDTH):
            r[i * WIDTH + c] = (r[i * WIDTH + c] + keep * total[c]) * inverse


@_compiled
def back(
    indptr: Any, indices: Any, weights: Any, pivot: Any, dense: int, damping: float, share: Any,
    r: Any, p: Any, t: Any, blocks: Any, first: int, last: int,
) -> None:  # fmt: skip
    """t_i <- (p_i + damping (A t)_i over earlier layers) / pivot_i, rounded, for p <- pivot r + share p.

    p is then set to what the rounded t is the exact solution for.
    """
    total = np.empty(WIDTH, np.float32)
    final, uniform = len(indices) - 1, len(weights) == 0
    keep = np.float32(damping)
    for i in range(blocks[first], blocks[last]):
        for c in range(WIDTH):
            total[c] = np.float32(0)
        for k in range(indptr[i], indptr[i + 1] if i >= dense else indptr[i]):
            prefetch(t, np.int64(indices[min(k + _AHEAD, final)]) * WIDTH)
            j = np.int64(indices[k]) * WIDTH
            w = np.float32(1) if uniform else np.float32(weights[k])
            for c in range(WIDTH):
                total[c] += w * widen(t[j + c])
        here = np.float32(pivot[i])
        inverse = np.float32(1) / here
        for c in range(WIDTH):
            at = i * WIDTH + c
            passed = keep * total[c]
            bits = narrow(r[at] + (share[c] * p[at] + passed) * inverse)
            t[at] = bits
            p[at] = here * widen(bits) - passed


@_compiled
def fringe(
    indptr: Any, indices: Any, weights: Any, strengths: Any, damping: float, t: Any, v: Any,
    blocks: Any, first: int, last: int,
) -> None:  # fmt: skip
    """v_i <- - damping (A t)_i / d_i on the fringe, whose neighbors all are in the core."""
    total = np.empty(WIDTH, np.float32)
    final, uniform = len(indices) - 1, len(weights) == 0
    for i in range(blocks[first], blocks[last]):
        for c in range(WIDTH):
            total[c] = np.float32(0)
        for k in range(indptr[i], indptr[i + 1]):
            prefetch(t, np.int64(indices[min(k + _AHEAD, final)]) * WIDTH)
            j = np.int64(indices[k]) * WIDTH
            w = np.float32(1) if uniform else np.float32(weights[k])
            for c in range(WIDTH):
                total[c] += w * widen(t[j + c])
        share = np.float32(-damping / strengths[i])
        for c in range(WIDTH):
            v[i * WIDTH + c] = share * total[c]


@_compiled
def forth(
    ends: Any, after: Any, heavier: Any, starts: Any, before: Any, lighter: Any, strengths: Any, pivot: Any,
    dense: int, damping: float, p: Any, t: Any, v: Any, blocks: Any, first: int, last: int, dots: Any,
) -> None:  # fmt: skip
    """v_i <- (p_i + (d_i - 2 pivot_i) t_i + damping (A v)_i over later layers) / pivot_i; dots_b <- p . (t + v).

    In the dense layer, damping (A t)_i within it is taken off first.
    """
    total, dot = np.empty(WIDTH, np.float32), np.empty(WIDTH, np.float64)
    final, close, uniform = len(after) - 1, len(before) - 1, len(heavier) == 0
    keep = np.float32(damping)
    for b in range(first, last):
        for c in range(WIDTH):
            dot[c] = 0.0
        for i in range(blocks[b], blocks[b + 1]):
            for c in range(WIDTH):
                total[c] = np.float32(0)
            for k in range(ends[i], ends[i + 1]):
                ahead = np.int64(after[min(k + _AHEAD, final)]) * WIDTH
                prefetch(v, ahead)
                prefetch(v, ahead + 16)
                j = np.int64(after[k]) * WIDTH
                w = np.float32(1) if uniform else np.float32(heavier[k])
                for c in range(WIDTH):
                    total[c] += w * v[j + c]
            for k in range(starts[i], starts[i + 1] if i < dense else starts[i]):
                prefetch(t, np.int64(before[min(k + _AHEAD, close)]) * WIDTH)
                j = np.int64(before[k]) * WIDTH
                w = np.float32(1) if uniform else np.float32(lighter[k])
                for c in range(WIDTH):
                    total[c] -= w * widen(t[j + c])
            strength, inverse = np.float32(strengths[i]), np.float32(1.0 / pivot[i])
            for c in range(WIDTH):
                at = i * WIDTH + c
                own = widen(t[at])
                value = (p[at] + keep * total[c] + strength * own) * inverse - np.float32(2) * own
                v[at] = value
                dot[c] += np.float64(p[at] * (own + value))
        for c in range(WIDTH):
            dots[b, c] = dot[c]


@_compiled
def move(
    pivot: Any, reach: Any, t: Any, v: Any, z: Any, r: Any, step: Any,
    blocks: Any, dots: Any, norms: Any, first: int, last: int,
) -> None:  # fmt: skip
    """Z += step t, r -= step (t + v); dots_b <- r . pivot r, norms_b bounds sum |(pivot + L) r| over block b, by column."""
    dot, norm = np.empty(WIDTH, np.float64), np.empty(WIDTH, np.float64)
    for b in range(first, last):
        for c in range(WIDTH):
            dot[c] = norm[c] = 0.0
        for i in range(blocks[b], blocks[b + 1]):
            here, far = np.float32(pivot[i]), np.float32(reach[i])
            for c in range(WIDTH):
                at = i * WIDTH + c
                own = widen(t[at])
                z[at] += step[c] * own
                new = r[at] - step[c] * (own + v[at])
                r[at] = new
                dot[c] += np.float64(new * new * here)
                norm[c] += np.float64(abs(new) * far)
        for c in range(WIDTH):
            dots[b, c] = dot[c]
            norms[b, c] = norm[c]


@_compiled
def substitute(
    indptr: Any, indices: Any, weights: Any, strengths: Any, z: Any, seeds: Any, pulls: Any,
    damping: float, blocks: Any, first: int, last: int,
) -> None:  # fmt: skip
    """Solve the fringe's rows: z_i <- (damping (A z)_i + pull_i) / d_i; ``seeds`` maps a node to its pulls or -1."""
    total = np.empty(GROUP, np.float64)
    final, uniform = len(indices) - 1, len(weights) == 0
    for i in range(blocks[first], blocks[last]):
        for c in range(GROUP):
            total[c] = 0.0
        for k in range(indptr[i], indptr[i + 1]):
            prefetch(z, np.int64(indices[min(k + _AHEAD, final)]) * GROUP)
            j = np.int64(indices[k]) * GROUP
            w = 1.0 if uniform else np.float64(weights[k])
            for c in range(GROUP):
                total[c] += w * z[j + c]
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
    final, uniform = len(indices) - 1, len(weights) == 0
    for b in range(first, last):
        for c in range(GROUP):
            norm[c] = 0.0
        for i in range(blocks[b], blocks[b + 1]):
            for c in range(GROUP):
                total[c] = 0.0
            for k in range(indptr[i], indptr[i + 1]):
                prefetch(z, np.int64(indices[min(k + _AHEAD, final)]) * GROUP)
                j = np.int64(indices[k]) * GROUP
                w = 1.0 if uniform else np.float64(weights[k])
                for c in range(GROUP):
                    total[c] += w * z[j + c]
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
