"""The compiled sweeps of undirected walks over a view's layers.

Every kernel works on a range of blocks of one layer's rows and releases the GIL; see :mod:`kgmm.graph.walk.symmetric`
for what they make up. ``edges`` are (indptr, indices, cut), ``inner`` is (pivot, dense, damping); ``weights`` is None if
every edge weighs 1. Vectors end with the core, ``v`` goes on with the
fringe.

A pass over the edges costs less than a nanosecond an edge and thread if indices are unsigned (Numba counts negative
ones from the end), rows of equal lengths follow each other (see :mod:`kgmm.graph.layers`), and sums are added up in
plain order: vector instructions that gather are slower. What is done once a row works on CHUNK rows in vectors.
"""

# mypy: ignore-errors
import numpy as np

from kgmm.compiled import compiled, njit

_in_order = njit(error_model="numpy", fastmath={"contract", "nsz", "arcp"})

CHUNK = 512  #: rows whose sums are kept in the nearest cache until the vector part of a sweep


@_in_order
def gather(starts, ends, indices, weights, x, low, high, out):
    """out_(i - low) <- the sum of w_k x_j over entries starts_i to ends_i, j their indices."""
    for i in range(low, high):
        even = odd = 0.0  # two sums: an addition need not wait for the one before
        k, end = np.int64(starts[i]), np.int64(ends[i])
        while k + 1 < end:
            if weights is None:
                even += x[indices[k]]
                odd += x[indices[k + 1]]
            else:
                even += np.float64(weights[k]) * x[indices[k]]
                odd += np.float64(weights[k + 1]) * x[indices[k + 1]]
            k += 2
        if k < end:
            even += x[indices[k]] if weights is None else np.float64(weights[k]) * x[indices[k]]
        out[i - low] = even + odd


@_in_order
def spread(bands, band, later, x, out):
    """out_i <- the sum of w_k x_j over the entries of row i of a band: those of earlier layers, or of later ones."""
    marks, columns, rows, weights = bands
    out[:] = 0.0
    for k in range(marks[band, later], marks[band, later + 1]):
        if weights is None:
            out[rows[k]] += x[columns[k]]
        else:
            out[rows[k]] += np.float64(weights[k]) * x[columns[k]]


@compiled
def factor(edges, weights, strengths, dense, damping, made, blocks, first, last):
    """pivot_i <- M_ii - sum over later layers' j of M_ij^2 / pivot_j, M = D - damping A; on the fringe it is D.

    reach_i <- pivot_i + damping times what row i weighs in earlier layers.
    """
    indptr, indices, cut = edges
    pivot, reach = made
    core = len(pivot)
    for i in range(blocks[first], blocks[last]):
        total = 0.0
        for k in range(cut[i], indptr[i + 1]):
            j = indices[k]
            weight = 1.0 if weights is None else np.float64(weights[k])
            total += weight * weight / (np.float64(pivot[j]) if j < core else strengths[j])
        before = own = 0.0
        for k in range(indptr[i], cut[i]):
            weight = 1.0 if weights is None else np.float64(weights[k])
            if indices[k] == i:
                own = weight
            if i >= dense:
                before += weight
        exact = strengths[i] - damping * own - damping * damping * total
        pivot[i] = np.float32(exact * (1.0 + 1.2e-7))
        reach[i] = np.float32((exact + damping * before) * (1.0 + 3e-7))


@compiled
def eliminate(edges, weights, inner, r):
    """R <- (pivot + L)^-1 r, in place: reads the rows of nonzero entries only."""
    indptr, indices, cut = edges
    pivot, dense, damping = inner
    for i in range(len(r) - 1, -1, -1):
        if r[i] == 0.0:
            continue
        r[i] /= pivot[i]
        if i >= dense:
            share = damping * r[i]
            for k in range(indptr[i], cut[i]):
                r[indices[k]] += share if weights is None else weights[k] * share


@compiled
def lower(edges, weights, inner, r, blocks, first, last):
    """R <- (pivot + L)^-1 r, in place: as ``eliminate`` does, a layer at a time, last first."""
    indptr, indices, cut = edges
    pivot, _, damping = inner
    core = len(r)
    for i in range(blocks[first], blocks[last]):
        total = 0.0
        for k in range(cut[i], indptr[i + 1]):
            if indices[k] >= core:
                break
            total += r[indices[k]] if weights is None else weights[k] * r[indices[k]]
        r[i] = (r[i] + damping * total) / pivot[i]


@compiled
def back(edges, weights, inner, share, vectors, blocks, first, last, bands=None, at=0):
    """t_i <- (p_i + damping sum over earlier layers' j of w_ij t_j) / pivot_i for p <- pivot r + share p.

    *t* may be in single precision: p is set to what its rounded entries are the exact solution for.
    """
    indptr, indices, cut = edges
    pivot, dense, damping = inner
    r, p, t = vectors
    sums = np.zeros(CHUNK)
    for b in range(first, last):
        begin = blocks[b]
        if bands is not None:
            sums = np.zeros(blocks[b + 1] - begin)
            if begin >= dense:
                spread(bands, at + b, 0, t, sums)
        for low in range(begin, blocks[b + 1], CHUNK):
            high = min(low + CHUNK, blocks[b + 1])
            skip = 0
            if bands is not None:
                skip = low - begin
            elif low >= dense:
                gather(indptr, cut, indices, weights, t, low, high, sums)
            ours, turned, on, far = pivot[low:high], p[low:high], t[low:high], r[low:high]
            for i in range(high - low):
                here, passed = np.float64(ours[i]), damping * sums[skip + i]
                on[i] = far[i] + (share * turned[i] + passed) / here
                turned[i] = here * np.float64(on[i]) - passed


@compiled
def fringe(edges, weights, strengths, factor, vectors, sums, blocks, first, last, bands=None, at=0):
    """v_i <- factor (A t)_i / d_i on the fringe; over block b, sums_2b <- v . d v and sums_3b <- sum |d v|."""
    indptr, indices, _ = edges
    t, v = vectors
    rows = np.empty(CHUNK)
    for b in range(first, last):
        size = mass = 0.0
        begin = blocks[b]
        if bands is not None:
            rows = np.empty(blocks[b + 1] - begin)
            spread(bands, at + b, 0, t, rows)
        for low in range(begin, blocks[b + 1], CHUNK):
            high = min(low + CHUNK, blocks[b + 1])
            skip = 0
            if bands is not None:
                skip = low - begin
            else:
                gather(indptr, indptr[1:], indices, weights, t, low, high, rows)
            weight, values = strengths[low:high], v[low:high]
            for i in range(high - low):
                total = factor * rows[skip + i]
                value = total / weight[i]
                values[i] = value
                size += total * value
                mass += abs(total)
        sums[2, b] = size
        sums[3, b] = mass


@compiled
def forth(edges, weights, strengths, inner, vectors, sums, blocks, first, last, bands=None, at=0):
    """v_i <- (p_i + (d_i - 2 pivot_i) t_i + damping (A v)_i over later layers) / pivot_i; sums_0b <- p . (t + v).

    In the dense layer, damping (A t)_i within it is taken off first.
    """
    indptr, indices, cut = edges
    pivot, dense, damping = inner
    p, t, v = vectors
    rows, inside = np.empty(CHUNK), np.zeros(CHUNK)
    for b in range(first, last):
        dot = 0.0
        begin = blocks[b]
        if bands is not None:
            rows, inside = np.empty(blocks[b + 1] - begin), np.zeros(blocks[b + 1] - begin)
            spread(bands, at + b, 1, v, rows)
            if begin < dense:
                spread(bands, at + b, 0, t, inside)
        for low in range(begin, blocks[b + 1], CHUNK):
            high = min(low + CHUNK, blocks[b + 1])
            skip = 0
            if bands is not None:
                skip = low - begin
            else:
                gather(cut, indptr[1:], indices, weights, v, low, high, rows)
                if low < dense:
                    gather(indptr, cut, indices, weights, t, low, high, inside)
            ours, toward, on, values = pivot[low:high], p[low:high], t[low:high], v[low:high]
            weight = strengths[low:high]
            for i in range(high - low):
                own, passed = np.float64(on[i]), damping * (rows[skip + i] - inside[skip + i])
                value = (toward[i] + passed + weight[i] * own) / np.float64(ours[i]) - 2.0 * own
                values[i] = value
                dot += toward[i] * (own + value)
        sums[0, b] = dot


@compiled
def move(diagonal, step, vectors, sums, blocks, first, last):
    """Z += step t, r -= step (t + v).

    Over block b, sums_.b <- r . pivot r, a bound for the L1 norm of (pivot + L) r, v . pivot v, sum |pivot v|.
    """
    pivot, reach = diagonal
    t, v, z, r = vectors
    for b in range(first, last):
        dot = norm = size = mass = 0.0
        for i in range(blocks[b], blocks[b + 1]):
            own, value, here = np.float64(t[i]), np.float64(v[i]), np.float64(pivot[i])
            z[i] += step * own
            new = r[i] - step * (own + value)
            r[i] = new
            dot += new * new * here
            norm += abs(new) * np.float64(reach[i])
            size += value * value * here
            mass += abs(value) * here
        sums[0, b], sums[1, b], sums[2, b], sums[3, b] = dot, norm, size, mass


@compiled
def raise_level(level, label, lifted, pivot, z, r):
    """Z += level, r -= level lifted, for each row the level of its label (empty: the first); return r . pivot r."""
    square = 0.0
    for i in range(len(z)):
        rise = level[label[i]] if len(label) else level[0]
        z[i] += rise
        r[i] -= rise * lifted[i]
        square += r[i] * r[i] * pivot[i]
    return square


@compiled
def column_sums(label, pivot, reach, r, sums):
    """sums_c <- 1' (pivot + L) r over the rows with label c (empty: all)."""
    for i in range(len(r)):
        sums[label[i] if len(label) else 0] += (2.0 * pivot[i] - reach[i]) * r[i]


@compiled
def residual(edges, weights, strengths, damping, z, r, blocks, first, last):
    """r_i -= d_i z_i - damping (A z)_i."""
    indptr, indices, _ = edges
    sums = np.empty(CHUNK)
    for b in range(first, last):
        for low in range(blocks[b], blocks[b + 1], CHUNK):
            high = min(low + CHUNK, blocks[b + 1])
            gather(indptr, indptr[1:], indices, weights, z, low, high, sums)
            for i in range(low, high):
                r[i] -= strengths[i] * z[i] - damping * sums[i - low]


@compiled
def components(indptr, indices, core):
    """Return the component (0, 1, …, in the order of their first rows) of each core row.

    Rows are joined under the lower one (Tarjan 1975), first with two neighbors each: that leaves few rows apart from the
    first one, and only those are joined with all of theirs (Sutton, Ben-Nun & Barak 2018).
    """
    above = np.arange(len(indptr) - 1, dtype=np.int32)
    for i in range(len(above)):
        for k in range(indptr[i], min(indptr[i] + 2, indptr[i + 1])):
            _join(above, i, indices[k])
    for i in range(len(above)):
        above[i] = above[above[i]]  # a lower row is done before
    for i in range(len(above)):
        if above[i] != 0:
            for k in range(indptr[i], indptr[i + 1]):
                _join(above, i, indices[k])
    labels, count = np.empty(core, np.int32), 0
    for i in range(core):
        if above[i] == i:
            labels[i] = count
            count += 1
        else:
            labels[i] = labels[above[i]]
    return labels


@compiled
def _join(above, i, j):
    """Put one of two trees under the other's root, if that is the lower; paths are halved."""
    i, j = np.int32(i), np.int32(j)
    while above[i] != i:
        above[i] = above[above[i]]
        i = above[i]
    while above[j] != j:
        above[j] = above[above[j]]
        j = above[j]
    if i < j:
        above[j] = i
    else:
        above[i] = j
