"""From statements as text to statements as numbers, and back."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kgmm.store.index.base import Statements
from kgmm.store.index.snapshot import Snapshot
from kgmm.store.index.terms import Terms

BULK = 250_000  #: from so many statements on, a load takes the compiled way: :mod:`kgmm.store.index.collecting`


class Encoded(NamedTuple):
    """Statements by number, and the terms and sources the dictionary did not have, in the order of their ids."""

    rows: Statements
    new_terms: list[str]
    new_sources: list[str]


def encode(rows: pa.Table, terms: Terms, sources: Terms) -> Encoded:
    """Return the statements of a table by number; unknown terms get the next ids."""
    fresh: dict[str, int] = {}
    named: dict[str, int] = {}
    ends = (_numbers(rows[name], terms, fresh) for name in Statements._fields[:4])
    weight = np.asarray(rows["weight"].to_numpy(zero_copy_only=False), np.float64)
    source, bare = _numbers(rows["source"], sources, named), np.zeros(rows.num_rows, np.uint32)
    found = Statements._make((*ends, weight, source, bare))
    return Encoded(found, list(fresh), list(named))


def _numbers(column: pa.ChunkedArray, known: Terms, new: dict[str, int]) -> NDArray[np.uint32]:
    coded = column.combine_chunks().dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    distinct = coded.dictionary.to_pylist()
    ids = known.ids(distinct)
    for at in np.flatnonzero(ids < 0).tolist():
        ids[at] = new.setdefault(distinct[at], len(known) + len(new))
    return np.asarray(ids.astype(np.uint32)[coded.indices.to_numpy(zero_copy_only=False)])


def unknown(snapshot: Snapshot, rows: Statements, terms: int) -> NDArray[np.int64]:
    """Return which statements are neither in the snapshot nor said before among themselves, in their order."""
    order = np.lexsort((rows.graph, rows.object, rows.predicate, rows.subject))  # stable: the first one stays
    sorted_rows = rows.take(order)
    same = np.ones(max(len(order) - 1, 0), bool)
    for column in sorted_rows[:4]:
        same &= column[1:] == column[:-1]
    first = np.sort(order[np.concatenate([[True], ~same])]) if len(order) else order
    if not len(snapshot):
        return first
    said = zip(first.tolist(), *(column[first].tolist() for column in rows[:4]), strict=True)
    keep = [i for i, *ids in said if max(ids) >= terms or not len(snapshot.select(*ids))]
    return np.array(keep, np.int64)
