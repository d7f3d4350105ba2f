"""Sorting statements by number, few by NumPy, many by counting, and writing them in the orders look-ups need."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from xxhash import xxh64_hexdigest

from kgmm.store.index import stamps
from kgmm.store.index.base import Array, Statements
from kgmm.store.index.mapped import view

MANY = 200_000  #: from so many rows on, loading compiled code pays


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
    kernels.counting_sort(keys, order, bins, out)
    return out


def write_base(folder: Path, rows: Statements, terms: int, in_order: bool = False) -> dict[str, Any]:
    """Write statements, sorted already if *in_order*, as a base in a new folder; return the sizes to open it with."""
    folder.mkdir(parents=True)
    if not in_order:
        rows = rows.take(by_subject(rows, terms))
    n = len(rows.subject)
    arrays: dict[str, Array] = {"subject": rows.subject, "object": rows.object}
    codes: dict[str, Array] = {}
    for name in ("predicate", "graph"):
        codes[name], arrays[f"{name}.values"] = coded(getattr(rows, name), terms)
    for name in ("weight", "source", "when") if rows.when.any() else ("weight", "source"):
        codes[name], arrays[f"{name}.values"] = _distinct(getattr(rows, name))
    sizes: dict[str, Any] = {"rows": n, "terms": terms, "kinds": {}, "values": {}}
    for name, code in codes.items():
        arrays[f"{name}.codes"] = code
        sizes["kinds"][name], sizes["values"][name] = code.dtype.str[1:], len(arrays[f"{name}.values"])
    arrays["by_object"] = by_key(rows.object, terms)
    arrays["by_predicate"] = by_key(codes["predicate"], sizes["values"]["predicate"], arrays["by_object"])
    if sizes["values"]["graph"] > 1:
        arrays["by_graph"] = by_key(codes["graph"], sizes["values"]["graph"])
    for name, column in (("subject_starts", rows.subject), ("object_starts", rows.object)):
        arrays[name] = _starts(column, terms).astype(np.uint32)
    for name in ("predicate", "graph"):
        arrays[f"{name}_starts"] = _starts(codes[name], sizes["values"][name])
    sizes["sums"] = {}
    for name, column in arrays.items():
        data = view(np.ascontiguousarray(column)).cast("B") if column.size else memoryview(b"")
        with (folder / name).open("wb") as file:
            file.write(data)
        sizes["sums"][name] = xxh64_hexdigest(data)
    stamps.keep(folder, stamps.taken(folder))
    return sizes


def _distinct(column: Array) -> tuple[Array, Array]:
    """Number the distinct values of a column by the smallest integers; return codes and values."""
    found = pa.array(column).dictionary_encode()
    values = found.dictionary.to_numpy(zero_copy_only=False).astype(column.dtype)
    codes = found.indices.to_numpy(zero_copy_only=False)
    return codes.astype(np.min_scalar_type(max(len(values) - 1, 0))), values


def _starts(column: Array, count: int) -> NDArray[np.int64]:
    """Return where each of *count* numbers begins in the sorted column."""
    starts = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(column, minlength=count), out=starts[1:])
    return starts
