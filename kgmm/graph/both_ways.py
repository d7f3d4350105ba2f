"""A large undirected graph's rows in walk order: a counting sort on every core, and each row once more to its place.

Rows are first gathered as statements come, with an entry for each; that is enough to choose the walk order. Then they are
read as they lie, renumbered, put in ascending order in the nearest cache and written to where they belong. Every thread
counts for itself, so that what comes out does not depend on how many there are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.compiled import compiled
from kgmm.graph import threads
from kgmm.graph.adjacency import Adjacency
from kgmm.graph.statements import Statements

_LONG = 64  #: entries of a row from which on it is sorted by halves
_CHUNK = 4096  #: entries of rows that are renumbered at once
_MOST = 4  #: threads; each has a count a node


def gathered(statements: Statements, size: int) -> Adjacency:
    """Return rows with an entry for every statement, both ways, in the order of statements; self-loops go once."""
    subject, target, weight = statements.subject, statements.object, statements.weight
    weights = np.empty(0, weight.dtype) if weight.strides[0] == 0 else weight
    cuts = _cuts(len(subject))
    counts = _counts(cuts, size, 2 * len(subject))
    _each(cuts, partial(_count_ends, subject, target), counts)
    indptr = _starts(counts)
    indices, data = np.empty(int(indptr[-1]), np.int32), np.empty(int(indptr[-1]) if len(weights) else 0, weight.dtype)
    _each(cuts, partial(_gather_ends, subject, target, weights, (indices, data)), counts)
    unit = 1.0 if len(weights) or not len(weight) else float(weight[0])
    return Adjacency(indptr, indices, data, unit)


def in_order(rows: Adjacency, order: NDArray[np.int32]) -> Adjacency:
    """Return the graph of gathered rows with node ``order[i]`` as node i, parallel entries added up."""
    place = np.empty(rows.size, np.int32)
    place[order] = np.arange(rows.size, dtype=np.int32)
    indptr = np.zeros_like(rows.indptr)
    np.cumsum(np.diff(rows.indptr)[order], out=indptr[1:])
    cuts = np.searchsorted(rows.indptr, _cuts(int(indptr[-1]))[1:-1])
    cuts = np.concatenate(([0], cuts, [rows.size])).astype(np.int64)
    indices, weights = np.empty_like(rows.indices), np.empty_like(rows.weights)
    _each(cuts, partial(_move_rows, rows.arrays, place, (indptr, indices, weights)))
    return _merged(indptr, indices, weights, rows.unit)


def _merged(indptr: NDArray[Any], indices: NDArray[np.int32], weights: NDArray[Any], unit: float) -> Adjacency:
    doubles = _doubles(indptr, indices)
    if doubles and not len(weights):
        weights = np.full(len(indices), unit, np.float32)
    if doubles:
        left = _merge(indptr, indices, weights)
        indices, weights = indices[:left].copy(), weights[:left].copy()
    if len(weights) and weights.min() == weights.max():
        unit, weights = float(weights[0]), np.empty(0, np.float32)
    if not len(weights):
        return Adjacency(indptr, indices, np.empty(0, np.float32), unit)
    if weights.dtype == np.float64 and np.array_equal(narrow := weights.astype(np.float32), weights):
        weights = narrow
    return Adjacency(indptr, indices, weights)


def by_subject(statements: Statements, place: NDArray[np.int32]) -> Statements:
    """Return statements with their nodes renumbered by *place*, in the order of subjects, those of one as they were."""
    size, stated = len(place), statements.stated
    cuts = _cuts(len(statements))
    counts = _counts(cuts, size, len(statements))
    _each(cuts, partial(_count, statements.subject, place), counts)
    starts = _starts(counts).astype(np.int64)
    moved = np.empty((2, len(statements)), np.int32)
    columns = [statements.relation, statements.weight, *(() if stated is None else stated)]
    made = [column if column.strides[0] == 0 else np.empty_like(column) for column in columns]
    pairs = [(a, b) for a, b in zip(columns, made, strict=True) if a is not b]
    to = np.empty(len(statements), np.uint32)
    _each(cuts, partial(_place_ends, statements.subject, statements.object, place, moved, to), counts)
    for column, out in pairs:
        _each(cuts, partial(_scatter, column, out, to))
    both = None
    if stated is not None:
        both = np.stack(made[2:])
    return Statements(moved[0], moved[1], made[0], made[1], statements.relations, both, starts)


def _cuts(total: int) -> NDArray[np.int64]:
    count = min(threads.count(), _MOST) if total >= threads.WORTH_IT else 1
    return np.array([total * at // count for at in range(count + 1)], np.int64)


def _each(cuts: NDArray[np.int64], kernel: Callable[..., Any], counts: NDArray[Any] | None = None) -> None:
    """Run ``kernel(first, last, its counts)`` over each part, side by side."""
    parts = list(pairwise(cuts.tolist()))
    rest = [()] * len(parts) if counts is None else [(row,) for row in counts]
    threads.in_parallel([partial(kernel, *part, *more) for part, more in zip(parts, rest, strict=True)])


def _counts(cuts: NDArray[np.int64], size: int, most: int) -> NDArray[Any]:
    """Return a count a part and node, which may become as high as *most*."""
    return np.zeros((len(cuts) - 1, size), np.int32 if most < 2**31 else np.int64)


def _starts(counts: NDArray[Any]) -> NDArray[Any]:
    """Return where each node's entries begin (one more: the end); counts become where those of each part begin."""
    total = int(counts.sum(dtype=np.int64))
    indptr = np.zeros(counts.shape[1] + 1, np.int32 if total < 2**31 else np.int64)
    _add_up(counts, indptr)
    return indptr


@compiled
def _add_up(counts: Any, indptr: Any) -> None:
    for node in range(counts.shape[1]):
        at = indptr[node]
        for part in range(counts.shape[0]):
            own = counts[part, node]
            counts[part, node] = at
            at += own
        indptr[node + 1] = at


@compiled
def _count_ends(subject: Any, target: Any, first: int, last: int, counts: Any) -> None:
    for row in range(first, last):
        counts[subject[row]] += 1
        if subject[row] != target[row]:
            counts[target[row]] += 1


@compiled
def _gather_ends(subject: Any, target: Any, weight: Any, made: Any, first: int, last: int, counts: Any) -> None:
    indices, data = made
    for row in range(first, last):
        s, o = subject[row], target[row]
        at = counts[s]
        counts[s] += 1
        indices[at] = o
        if len(weight):
            data[at] = weight[row]
        if s != o:
            at = counts[o]
            counts[o] += 1
            indices[at] = s
            if len(weight):
                data[at] = weight[row]


@compiled
def _move_rows(rows: Any, place: Any, made: Any, first: int, last: int) -> None:
    """Write rows as they come to where they belong, renumbered and ascending; equal entries stay as they were.

    Reading from all over would wait for memory at each row; writing all over does not. Numbers are looked up for many rows
    at once, for a row's order would have to wait for each.
    """
    indptr, indices, weights = rows
    starts, to, data = made
    moved, i = np.empty(_CHUNK, np.int32), first
    while i < last:
        begin, end = indptr[i], i + 1
        while end < last and indptr[end + 1] - begin <= _CHUNK:
            end += 1
        total = indptr[end] - begin
        if total > len(moved):
            moved = np.empty(total, np.int32)
        for k in range(total):
            moved[k] = place[indices[begin + k]]
        for row in range(i, end):
            at, low, count = starts[place[row]], indptr[row] - begin, indptr[row + 1] - indptr[row]
            if count > _LONG:
                order = np.argsort(moved[low : low + count], kind="mergesort")
                for k in range(count):
                    to[at + k] = moved[low + order[k]]
                    if len(weights):
                        data[at + k] = weights[begin + low + order[k]]
                continue
            for k in range(count):  # few are in order soonest by putting each in its place
                entry, here = moved[low + k], at + k
                while here > at and to[here - 1] > entry:
                    to[here] = to[here - 1]
                    if len(weights):
                        data[here] = data[here - 1]
                    here -= 1
                to[here] = entry
                if len(weights):
                    data[here] = weights[begin + low + k]
        i = end


@compiled
def _doubles(indptr: Any, indices: Any) -> Any:
    for i in range(len(indptr) - 1):
        for k in range(indptr[i] + 1, indptr[i + 1]):
            if indices[k] == indices[k - 1]:
                return True
    return False


@compiled
def _merge(indptr: Any, indices: Any, weights: Any) -> Any:
    """Add up entries of a row for the same node, in place; return how many are left."""
    left = 0
    begin = indptr[0]
    for i in range(len(indptr) - 1):
        start, end = left, indptr[i + 1]
        for k in range(begin, end):
            if left > start and indices[left - 1] == indices[k]:
                weights[left - 1] += weights[k]
            else:
                indices[left] = indices[k]
                weights[left] = weights[k]
                left += 1
        begin = end
        indptr[i + 1] = left
    return left


@compiled
def _count(keys: Any, place: Any, first: int, last: int, counts: Any) -> None:
    for row in range(first, last):
        counts[place[keys[row]]] += 1


@compiled
def _place_ends(subject: Any, target: Any, place: Any, moved: Any, to: Any, first: int, last: int, counts: Any) -> None:
    for row in range(first, last):
        s = place[subject[row]]
        at = counts[s]
        counts[s] += 1
        moved[0, at] = s
        moved[1, at] = place[target[row]]
        to[row] = at


@compiled
def _scatter(column: Any, out: Any, to: Any, first: int, last: int) -> None:
    for row in range(first, last):
        out[to[row]] = column[row]
