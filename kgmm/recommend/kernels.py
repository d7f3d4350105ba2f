"""Inner loops of factor models."""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from kgmm.compiled import compiled, njit
from kgmm.recommend.wide import LANES, mix, product

F = NDArray[np.float32]
Lanes = tuple[int, ...]

#: bits of who chose what are kept up to this many bytes; beyond, rows are searched
BITS = 1 << 28

#: runs of ratings that go beside each other, where there are so many ratings that threads are worth waiting for
SIDE, MANY = 4, 2_000_000


def padded(vectors: F) -> tuple[F, Lanes]:
    """Return vectors (n, k) with columns of zeros up to a multiple of LANES, each row on cache lines, and as many zeros.

    The number of zeros is a type to the compiler, which unrolls loops of a length it knows: three times the speed.
    """
    rows, columns = vectors.shape
    width = columns + -columns % LANES
    room = np.zeros(rows * width + LANES, np.float32)
    first = -room.ctypes.data // 4 % LANES
    wide = room[first : first + rows * width].reshape(rows, width)
    wide[:, :columns] = vectors
    return wide, (0,) * width


def chosen_bits(user: NDArray[np.int32], item: NDArray[np.int32], users: int, items: int) -> NDArray[np.uint8]:
    """Return who chose what as bits (users, ⌈(items + 1) / 8⌉), without rows where they would be too many."""
    wide = items // 8 + 1
    bits = np.zeros((users if users * wide <= BITS else 0, wide), np.uint8)
    if len(bits):
        np.bitwise_or.at(bits, (user, item >> 3), (1 << (item & 7)).astype(np.uint8))
    return bits


def strata(user: NDArray[np.int32], item: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return an order of ratings in which SIDE runs at a time share no user and no item, and where each run begins.

    Run ``SIDE · s + t`` holds users ≡ t and items ≡ t + s (Gemulla et al., KDD 2011): its steps may go beside those of the same s.
    """
    block = user % SIDE
    key = ((item - block) % SIDE) * SIDE + block
    starts = np.zeros(SIDE * SIDE + 1, np.int64)
    np.cumsum(np.bincount(key, minlength=SIDE * SIDE), out=starts[1:])
    return np.argsort(key, kind="stable"), starts


@compiled
def _rating_run(
    user: NDArray[np.int32],
    item: NDArray[np.int32],
    value: F,
    U: F,
    V: F,
    bu: F,
    bi: F,
    mean: Any,
    rate: Any,
    weight: Any,
    lanes: Lanes,
) -> float:
    keep = np.float32(1) - np.float32(rate * weight)
    loss = 0.0
    for row in range(len(value)):
        u, i = np.uint64(user[row]), np.uint64(item[row])
        error = value[row] - mean - bu[u] - bi[i]
        for chunk in range(len(lanes) // LANES):
            error -= product(U, u, V, i, np.uint64(chunk))
        loss += error * error
        step = np.float32(rate * error)
        for chunk in range(len(lanes) // LANES):
            mix(U, u, V, i, np.uint64(chunk), step, keep)
        bu[u] = keep * bu[u] + step
        bi[i] = keep * bi[i] + step
    return loss


@compiled
def rating_steps(
    user: NDArray[np.int32],
    item: NDArray[np.int32],
    value: F,
    U: F,
    V: F,
    bu: F,
    bi: F,
    mean: Any,
    rate: Any,
    weight: Any,
    epochs: int,
    lanes: Lanes,
) -> NDArray[np.float64]:
    """Gradient steps of ratings' squared errors, in place, one after another as given; return half their sum per epoch."""
    losses = np.zeros(epochs)
    for epoch in range(epochs):
        losses[epoch] = _rating_run(user, item, value, U, V, bu, bi, mean, rate, weight, lanes) / 2
    return losses


@njit(parallel=True)
def rating_steps_beside(
    user: NDArray[np.int32], item: NDArray[np.int32], value: F, starts: NDArray[np.int64], U: F, V: F, bu: F, bi: F,
    mean: Any, rate: Any, weight: Any, epochs: int, lanes: Lanes,
) -> NDArray[np.float64]:  # fmt: skip
    """As :func:`rating_steps`, in the order of :func:`strata`, on several cores: the same bits with any number of them."""
    losses = np.zeros((epochs, SIDE * SIDE))
    for epoch in range(epochs):
        for s in range(SIDE):
            for t in numba.prange(SIDE):
                run = SIDE * s + t
                a, z = starts[run], starts[run + 1]
                rows = user[a:z], item[a:z], value[a:z]
                losses[epoch, run] = _rating_run(*rows, U, V, bu, bi, mean, rate, weight, lanes)
    totals: NDArray[np.float64] = losses.sum(axis=1) / 2
    return totals


@compiled
def pair_steps(
    starts: NDArray[np.int64], items: NDArray[np.int32], owner: NDArray[np.int32], bits: NDArray[np.uint8], U: F, V: F, b: F,
    rate: Any, weight: Any, seed: int, steps: int, lanes: Lanes,
) -> int:  # fmt: skip
    """Steps on the log likelihood that a drawn chosen item is ahead of a drawn other one, in place; return how many were."""
    state = np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(1)
    ratings, count, half = np.uint64(len(items)), np.uint64(V.shape[0]), np.uint64(32)
    low_half = np.uint64(0xFFFFFFFF)
    keep, one, right = np.float32(1) - np.float32(rate * weight), np.float32(1), 0
    for _ in range(steps):
        # xorshift (Marsaglia 2003): one draw's halves name the rating and the other item
        state ^= state << np.uint64(13)
        state ^= state >> np.uint64(7)
        state ^= state << np.uint64(17)
        row = np.uint64(((state >> half) * ratings) >> half)
        u, i = np.uint64(owner[row]), np.uint64(items[row])
        j = np.uint64(((state & low_half) * count) >> half)
        if len(bits):
            taken = (bits[u, j >> np.uint64(3)] >> (j & np.uint64(7))) & 1 == 1
        else:
            low, high = starts[u], starts[u + np.uint64(1)]
            while high - low > 1:
                middle = (low + high) >> 1
                if items[middle] <= j:
                    low = middle
                else:
                    high = middle
            taken = items[low] == j
        if taken:
            continue
        score = b[i] - b[j]
        for f in range(len(lanes)):
            score += U[u, f] * (V[i, f] - V[j, f])
        z = one / (one + np.exp(score))
        right += z < 0.5
        step = np.float32(rate * z)
        for f in range(len(lanes)):
            a, p, n = U[u, f], V[i, f], V[j, f]
            U[u, f] = keep * a + step * (p - n)
            V[i, f] = keep * p + step * a
            V[j, f] = keep * n - step * a
        b[i] = keep * b[i] + step
        b[j] = keep * b[j] - step
    return right


@njit(parallel=True)
def solve_rows(
    starts: NDArray[np.int64], others: NDArray[np.int32], weights: F, targets: F, other: F, base: F,
    ridge: Any, by_count: bool, out: F,
) -> None:  # fmt: skip
    """Ridge regression of each row: argmin over x of Σ w (t - x·o)² + xᵀ base x + ridge (· count) x·x, by Cholesky factors."""
    factors = other.shape[1]
    for row in numba.prange(len(starts) - 1):
        count = starts[row + 1] - starts[row]
        A = base.copy()
        y = np.zeros(factors, np.float32)
        for at in range(starts[row], starts[row + 1]):
            o, w, t = other[others[at]], weights[at], targets[at]
            for f in range(factors):
                scaled = w * o[f]
                y[f] += scaled * t
                for g in range(f + 1):
                    A[f, g] += scaled * o[g]
        add = ridge * count if by_count else ridge
        for f in range(factors):
            A[f, f] += add
        if count == 0:
            out[row] = 0
            continue
        for f in range(factors):  # A = L Lᵀ, in place
            for g in range(f):
                for h in range(g):
                    A[f, g] -= A[f, h] * A[g, h]
                A[f, g] /= A[g, g]
                A[f, f] -= A[f, g] * A[f, g]
            A[f, f] = np.sqrt(A[f, f]) if A[f, f] > 1e-12 else np.float32(1e-6)
        for f in range(factors):
            for g in range(f):
                y[f] -= A[f, g] * y[g]
            y[f] /= A[f, f]
        for f in range(factors - 1, -1, -1):
            for g in range(f + 1, factors):
                y[f] -= A[g, f] * y[g]
            y[f] /= A[f, f]
        out[row] = y


@njit(parallel=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp"})
def step_rows(
    starts: NDArray[np.int64], others: NDArray[np.int32], weights: F, targets: F, other: F, base: F,
    ridge: Any, by_count: bool, out: F, steps: int,
) -> None:  # fmt: skip
    """As :func:`solve_rows`, by conjugate gradients from what *out* holds (Takács, Pilászy, Tikk, RecSys 2011)."""
    factors = other.shape[1]
    for row in numba.prange(len(starts) - 1):
        first, last = starts[row], starts[row + 1]
        if first == last:
            out[row] = 0
            continue
        add = np.float32(ridge * (last - first)) if by_count else np.float32(ridge)
        x = out[row]
        p, left = np.zeros(factors, np.float32), np.zeros(factors, np.float32)
        size = np.float32(0)
        for step in range(steps + 1):  # the first is the start: what is left of the right side
            along = x if step == 0 else p
            made = np.zeros(factors, np.float32)
            for f in range(factors):
                a = along[f]
                for g in range(factors):
                    made[g] += a * base[f, g]
            for f in range(factors):
                made[f] += add * along[f]
            for at in range(first, last):
                o = other[others[at]]
                found = np.float32(0)
                for f in range(factors):
                    found += o[f] * along[f]
                scaled = weights[at] * (targets[at] - found) if step == 0 else weights[at] * found
                if step == 0:
                    for f in range(factors):
                        left[f] += scaled * o[f]
                else:
                    for f in range(factors):
                        made[f] += scaled * o[f]
            if step == 0:
                for f in range(factors):
                    left[f] -= made[f]
                    p[f] = left[f]
                    size += left[f] * left[f]
                continue
            if size < 1e-20:
                break
            curve = np.float32(0)
            for f in range(factors):
                curve += p[f] * made[f]
            if curve <= 0:
                break
            far = np.float32(size / curve)
            new = np.float32(0)
            for f in range(factors):
                x[f] += far * p[f]
                left[f] -= far * made[f]
                new += left[f] * left[f]
            share = np.float32(new / size)
            for f in range(factors):
                p[f] = left[f] + share * p[f]
            size = new
