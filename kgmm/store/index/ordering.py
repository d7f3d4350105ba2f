"""Sorting statements by number: NumPy for few rows, compiled counting sorts, which know the keys' range, for many."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.store.index.base import Statements

#: from so many rows on, loading compiled code pays
MANY = 200_000


def coded(column: NDArray[np.uint32], terms: int) -> tuple[NDArray[Any], NDArray[np.uint32]]:
    """Number the distinct ids of a column in ascending order by the smallest integers; return codes and ids."""
    used = np.zeros(max(terms, int(column.max()) + 1 if len(column) else 0), bool)
    used[column] = True
    values = np.flatnonzero(used).astype(np.uint32)
    code = np.zeros(len(used), np.min_scalar_type(max(len(values) - 1, 0)))
    code[values] = np.arange(len(values))
    return code[column], values


def by_subject(rows: Statements, terms: int) -> NDArray[np.uint32]:
    """Return the stable order subject, predicate, object, graph; all ids are below *terms*."""
    if len(rows.subject) < MANY:
        return np.lexsort((rows.graph, rows.object, rows.predicate, rows.subject)).astype(np.uint32)
    graph, graphs = coded(rows.graph, terms)
    predicate, predicates = coded(rows.predicate, terms)
    order = by_key(rows.object, terms) if len(graphs) == 1 else by_key(rows.object, terms, by_key(graph, len(graphs)))
    return by_key(rows.subject, terms, by_key(predicate, len(predicates), order))


def by_key(keys: NDArray[Any], bins: int, order: NDArray[np.uint32] | None = None) -> NDArray[np.uint32]:
    """Return rows (all, or those in *order*) in the stable order of their keys, which are below *bins*."""
    if len(keys) < MANY:
        start = np.arange(len(keys), dtype=np.uint32) if order is None else order
        return start[np.argsort(keys[start], kind="stable")]
    from kgmm.store.index import kernels

    out = np.empty(len(keys), np.uint32)
    if order is None:
        kernels.first_sort(keys, bins, out)
    else:
        kernels.counting_sort(keys, order, bins, out)
    return out
