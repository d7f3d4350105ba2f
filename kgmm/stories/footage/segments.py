"""Segments of a film: of one length, or where its features change (kernel temporal segmentation)."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kgmm.compiled import njit
from kgmm.errors import BadInput
from kgmm.stories.footage.knapsack import knapsack

Ints = NDArray[np.int64]
FIXED = 60  #: frames of a segment where all are of one length: two seconds (Song et al., CVPR 2015)
LONGEST = 8_000  #: moments that are segmented by their kernel at most: more than an hour at two a second


def fixed(frames: int, size: int = FIXED) -> Ints:
    """Return the starts of segments of *size* frames, and the end: shape (segments + 1,).

    >>> fixed(150).tolist()
    [0, 60, 120, 150]
    """
    if frames < 1 or size < 1:
        raise BadInput("segments", f"a film of {frames} frames has no segments of {size}")
    return np.append(np.arange(0, frames, size, dtype=np.int64), frames)


def means(scores: ArrayLike, edges: Ints) -> NDArray[np.float64]:
    """Return the mean score of each segment; *scores* has shape (frames,) or (people, frames), *edges* (segments + 1,).

    >>> means([1, 3, 5], np.array([0, 2, 3])).tolist()
    [2.0, 5.0]
    """
    given = np.asarray(scores, np.float64)
    return np.asarray(np.add.reduceat(given, edges[:-1], axis=-1) / np.diff(edges))


def chosen(values: ArrayLike, edges: Ints, rate: float) -> Ints:
    """Return the segments worth most that last at most ``int(rate * frames)`` frames together.

    >>> chosen([0.1, 0.9, 0.5], np.array([0, 10, 20, 30]), 0.5).tolist()
    [1]
    """
    return knapsack(values, np.diff(edges), int(rate * int(edges[-1])))


def mask(segments: ArrayLike, edges: Ints) -> NDArray[np.bool_]:
    """Return which frames lie in *segments*, shape (frames,).

    >>> mask([1], np.array([0, 2, 3])).tolist()
    [False, False, True]
    """
    inside = np.zeros(len(edges) - 1, bool)
    inside[np.asarray(segments, np.int64)] = True
    return np.repeat(inside, np.diff(edges))


def kept(values: ArrayLike, edges: Ints, rate: float) -> NDArray[np.bool_]:
    """Return which frames a summary keeps: those of the :func:`chosen` segments, shape (frames,).

    >>> kept([0.1, 0.9], np.array([0, 1, 2]), 0.5).tolist()
    [False, True]
    """
    return mask(chosen(values, edges, rate), edges)


def kernel_segments(features: ArrayLike, most: int | None = None, penalty: float = 1.0) -> Ints:
    r"""Return the starts of segments inside which features are alike, and the end: shape (segments + 1,).

    The scatter inside m segments is least by a dynamic program over $K = X X^\top$ of the normalized rows; m makes
    $J_m / n + \frac{v m}{2 n} (\log \frac n m + 1)$ least.

    Args:
        features: shape (moments, d), a row a moment, at most :data:`LONGEST`; longer ones are parted first.
        most: segments at most; by default one for two moments, and 500 at most.
        penalty: v, what another segment costs.

    Raises:
        BadInput: if there is no moment, or a feature is not finite.

    Source: Potapov et al., Category-specific video summarization, ECCV 2014.

    Example:
        >>> kernel_segments([[1, 0], [1, 0], [1, 0], [0, 1], [0, 1], [0, 1]]).tolist()
        [0, 3, 6]
    """
    rows = np.asarray(features, np.float64)
    if rows.ndim != 2 or not len(rows) or not np.isfinite(rows).all():
        raise BadInput("features", "need one finite row for each moment")
    if len(rows) > LONGEST:
        half = len(rows) // 2
        left, right = (kernel_segments(part, most, penalty) for part in (rows[:half], rows[half:]))
        return np.concatenate([left[:-1], right + half])
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    count = len(rows)
    bound = min(max(1, count // 2), 500) if most is None else max(1, min(most, count))
    best, last = _least_scatter(rows, bound)
    number = np.arange(1, bound + 1)
    cost = best / count + penalty * number / (2 * count) * (np.log(count / number) + 1)
    edges = [count]
    for earlier in range(int(np.argmin(cost)), -1, -1):
        edges.append(int(last[earlier, edges[-1]]))
    return np.array(edges[::-1], np.int64)


def _least_scatter(rows: NDArray[np.float64], most: int) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return the least scatter of 1 … *most* segments, and where the last of them starts for each end."""
    sums = np.vstack([np.zeros(rows.shape[1]), np.cumsum(rows, axis=0)])
    squares = np.concatenate([[0.0], np.cumsum((rows * rows).sum(axis=1))])
    return _program(_scatters(sums, squares), most)  # type: ignore[no-any-return]


def _scatters(sums: NDArray[np.float64], squares: NDArray[np.float64]) -> NDArray[np.float32]:
    r"""Return [a, b]: the scatter of the moments a … b - 1, from $|s_b - s_a|^2 = s_b s_b + s_a s_a - 2 s_a s_b$."""
    count = len(sums)
    out = np.empty((count, count), np.float32)
    norms = np.einsum("ij,ij->i", sums, sums)
    ends = np.arange(count)
    for low in range(0, count, 512):
        part = slice(low, low + 512)
        apart = norms[part, None] + norms[None] - 2 * sums[part] @ sums.T
        long = np.maximum(ends[None] - ends[part, None], 1)
        out[part] = np.maximum(squares[None] - squares[part, None] - apart / long, 0)
    return out


@njit()
def _program(scatter: Any, most: Any) -> Any:
    count = scatter.shape[0] - 1
    last = np.zeros((most, count + 1), np.int32)
    before = scatter[0].astype(np.float64)
    best = np.zeros(most)
    best[0] = before[count]
    for number in range(1, most):
        now = np.full(count + 1, np.inf)
        for start in range(number, count):
            at = before[start]
            for end in range(start + 1, count + 1):
                made = at + scatter[start, end]
                if made < now[end]:
                    now[end] = made
                    last[number, end] = start
        before = now
        best[number] = before[count]
    return best, last
