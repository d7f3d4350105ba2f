"""The compiled inner loops of batches: WIDTH walks side by side, one cache line of a core node's directions.

A sweep with one vector waits for a cache line per edge and uses 4 bytes of it; here the line holds the entries of
all walks, in bfloat16 (kept as uint16) where what is rounded is a direction: then p is adjusted to it and nothing is
lost. GROUP columns in float64 are one cache line, too: what refinement computes. See :mod:`kgmm.graph.walk.sweeps` for
the same sweeps with one vector. Edges are (indptr,
indices, weights), ``inner`` is (pivot, dense, damping); ``weights`` is None if every edge weighs 1; vectors have a row for each node.
"""

# mypy: ignore-errors
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from kgmm.compiled import compiled
from kgmm.graph.walk.lines import GROUP, WIDTH, add_lines


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


@compiled
def split(indptr, cut, values, starts, ends):
    """Return the values of the entries before each core row's cut, from *starts* on, and of those after, from *ends*.

    A sweep reads one of them, in order: so it can ask early for the cache lines it needs.
    """
    core = len(cut)
    before, after = np.empty(starts[core], values.dtype), np.empty(ends[core], values.dtype)
    for i in range(core):
        before[starts[i] : starts[i + 1]] = values[indptr[i] : cut[i]]
        after[ends[i] : ends[i + 1]] = values[cut[i] : indptr[i + 1]]
    return before, after


@compiled
def lower(after, inner, r, blocks, first, last):
    """R <- (pivot + L)^-1 r, in place, a layer at a time, last first; L has the entries of later layers."""
    indptr, indices, weights = after
    pivot, _, damping = inner
    total = np.empty(WIDTH, np.float32)
    core, keep = len(pivot), np.float32(damping)
    for i in range(blocks[first], blocks[last]):
        high = np.int64(indptr[i])
        while high < indptr[i + 1] and indices[high] < core:
            high += 1
        add_lines(r, indices, weights, indptr[i], high, total)
        inverse, far = np.float32(1.0 / pivot[i]), r[i]
        for c in range(WIDTH):
            far[c] = (far[c] + keep * total[c]) * inverse


@compiled
def back(before, inner, share, vectors, blocks, first, last):
    """t_i <- (p_i + damping (A t)_i over earlier layers) / pivot_i, rounded, for p <- pivot r + share p.

    p is then set to what the rounded t is the exact solution for.
    """
    indptr, indices, weights = before
    pivot, dense, damping = inner
    r, p, t = vectors
    total = np.empty(WIDTH, np.float32)
    keep = np.float32(damping)
    for i in range(blocks[first], blocks[last]):
        add_lines(t, indices, weights, indptr[i], indptr[i + 1] if i >= dense else indptr[i], total)
        here = np.float32(pivot[i])
        inverse = np.float32(1) / here
        far, toward, on = r[i], p[i], t[i]
        for c in range(WIDTH):
            passed = keep * total[c]
            bits = narrow(far[c] + (share[c] * toward[c] + passed) * inverse)
            on[c] = bits
            toward[c] = here * widen(bits) - passed


@compiled
def fringe(edges, strengths, damping, t, v, blocks, first, last):
    """v_i <- - damping (A t)_i / d_i on the fringe, whose neighbors all are in the core."""
    indptr, indices, weights = edges
    total = np.empty(WIDTH, np.float32)
    for i in range(blocks[first], blocks[last]):
        add_lines(t, indices, weights, indptr[i], indptr[i + 1], total)
        share, value = np.float32(-damping / strengths[i]), v[i]
        for c in range(WIDTH):
            value[c] = share * total[c]


@compiled
def forth(after, before, strengths, inner, vectors, sums, blocks, first, last):
    """v_i <- (p_i + (d_i - 2 pivot_i) t_i + damping (A v)_i over later layers) / pivot_i; sums_0b <- p . (t + v).

    In the dense layer, damping (A t)_i within it is taken off first.
    """
    ends, later, heavier = after
    starts, earlier, lighter = before
    pivot, dense, damping = inner
    p, t, v = vectors
    total, inside = np.empty(WIDTH, np.float32), np.zeros(WIDTH, np.float32)
    dot = np.empty(WIDTH, np.float64)
    keep = np.float32(damping)
    for b in range(first, last):
        dot[:] = 0.0
        for i in range(blocks[b], blocks[b + 1]):
            add_lines(v, later, heavier, ends[i], ends[i + 1], total)
            if i < dense:
                add_lines(t, earlier, lighter, starts[i], starts[i + 1], inside)
            strength, inverse = np.float32(strengths[i]), np.float32(1.0 / pivot[i])
            toward, on, value = p[i], t[i], v[i]
            for c in range(WIDTH):
                own = widen(on[c])
                new = (toward[c] + keep * (total[c] - inside[c]) + strength * own) * inverse - np.float32(2) * own
                value[c] = new
                dot[c] += np.float64(toward[c] * (own + new))
        sums[0, b] = dot


@compiled
def move(diagonal, vectors, step, sums, blocks, first, last):
    """Z += step t, r -= step (t + v); sums_0b <- r . pivot r, sums_1b bounds sum |(pivot + L) r| over block b, by column."""
    pivot, reach = diagonal
    t, v, z, r = vectors
    dot, norm = np.empty(WIDTH, np.float64), np.empty(WIDTH, np.float64)
    for b in range(first, last):
        dot[:] = norm[:] = 0.0
        for i in range(blocks[b], blocks[b + 1]):
            here, reached = np.float32(pivot[i]), np.float32(reach[i])
            on, value, solved, far = t[i], v[i], z[i], r[i]
            for c in range(WIDTH):
                own = widen(on[c])
                solved[c] += step[c] * own
                new = far[c] - step[c] * (own + value[c])
                far[c] = new
                dot[c] += np.float64(new * new * here)
                norm[c] += np.float64(abs(new) * reached)
        sums[0, b], sums[1, b] = dot, norm


@compiled
def accept(correction, x, first, last):
    """X += correction, which then is 0, for blocks of 64 rows."""
    for i in range(64 * first, min(64 * last, len(x))):
        change, value = correction[i], x[i]
        for c in range(WIDTH):
            value[c] += change[c]
            change[c] = np.float32(0)


@compiled
def substitute(edges, strengths, z, pulled, blocks, first, last):
    """Solve the fringe's rows: z_i <- (damping (A z)_i + pull_i) / d_i; ``seeds`` maps a node to its pulls or -1."""
    indptr, indices, weights = edges
    seeds, pulls, damping = pulled
    total = np.empty(GROUP, np.float64)
    for i in range(blocks[first], blocks[last]):
        add_lines(z, indices, weights, indptr[i], indptr[i + 1], total)
        for c in range(GROUP):
            pull = pulls[seeds[i], c] if seeds[i] >= 0 else 0.0
            z[i, c] = (damping * total[c] + pull) / strengths[i]


@compiled
def residual(edges, strengths, z, pulled, r, column, norms, blocks, first, last):
    """R <- pull - (D - damping A) z on the core, for the GROUP columns from *column*; norms_b <- sum |r| over block b."""
    indptr, indices, weights = edges
    seeds, pulls, damping = pulled
    total, norm = np.empty(GROUP, np.float64), np.empty(GROUP, np.float64)
    for b in range(first, last):
        norm[:] = 0.0
        for i in range(blocks[b], blocks[b + 1]):
            add_lines(z, indices, weights, indptr[i], indptr[i + 1], total)
            for c in range(GROUP):
                pull = pulls[seeds[i], c] if seeds[i] >= 0 else 0.0
                value = pull + damping * total[c] - strengths[i] * z[i, c]
                r[i, column + c] = value
                norm[c] += abs(value)
        norms[b] = norm


@compiled
def scores(z, strengths, columns, first, last):
    """columns_c,i <- max(d_i z_ic, 0) for blocks of 64 nodes; *columns* are GROUP arrays."""
    for block in range(first, last):
        nodes = range(64 * block, min(64 * block + 64, len(strengths)))
        for c in range(GROUP):
            column = columns[c]
            for i in nodes:
                column[i] = max(strengths[i] * z[i, c], 0.0)
