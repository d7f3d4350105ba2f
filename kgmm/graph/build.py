"""Make graphs from parallel columns of statements."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import BadInput
from kgmm.graph.graph import Graph, Ids
from kgmm.graph.names import ListedNames, NodeNames, NumberedNames
from kgmm.graph.statements import Statements, require_positive

#: statements from which an undirected graph is renumbered: its arrays no longer fit a core's cache
RENUMBER_FROM = 25_000

G = TypeVar("G", bound=Graph)


def assembled(kind: type[G], named: NodeNames, statements: Statements, directed: bool, ids: Ids | None = None) -> G:
    """Return a graph of class *kind* whose weights are checked; a large undirected one is renumbered for its walks."""
    require_positive(statements, named)
    made = kind(named, statements, directed=directed, ids=ids)
    return made if directed or len(statements) < RENUMBER_FROM else made.in_walk_order()


def smallest(codes: NDArray[Any], count: int) -> NDArray[Any]:
    """Return codes below *count* in the narrowest integers."""
    return codes.astype(np.uint8 if count <= 2**8 else np.uint16 if count <= 2**16 else np.int32)


def from_columns(
    kind: type[G],
    subjects: Sequence[str] | NDArray[Any],
    objects: Sequence[str] | NDArray[Any],
    relations: Sequence[str] | str | None,
    weights: Sequence[float] | NDArray[Any] | None,
    directed: bool,
    concepts: Sequence[str] | None,
) -> G:
    """Make a graph of class *kind*; see :meth:`kgmm.graph.GraphView.from_edges`."""
    count = len(subjects)
    relation_column = "RelatedTo" if relations is None else relations
    for name, column in (("objects", objects), ("relations", relation_column), ("weights", weights)):
        if column is not None and not (name == "relations" and isinstance(column, str)) and len(column) != count:
            raise BadInput("from_edges", f"{name} has {len(column)} entries, subjects has {count}")
    node_names, ends = _number_names(subjects, objects, concepts)
    codes: NDArray[Any]
    if isinstance(relation_column, str):
        codes, relation_names = np.broadcast_to(np.uint8(0), count), [relation_column]
    else:
        codes, relation_names = _codes(relation_column, {})
        codes = smallest(codes, len(relation_names))
    weight = np.broadcast_to(np.float32(1), count) if weights is None else np.asarray(weights)
    if weight.dtype not in (np.float32, np.float64):
        weight = weight.astype(np.float64)
    return assembled(kind, node_names, Statements(*ends, codes, weight, tuple(relation_names)), directed)


def _codes(column: Iterable[str], known: dict[str, int]) -> tuple[NDArray[np.int32], list[str]]:
    """Number strings in order of appearance, after those in *known* (which grows)."""
    return np.fromiter((known.setdefault(name, len(known)) for name in column), np.int32), list(known)


def _number_names(
    subjects: Sequence[str] | NDArray[Any], objects: Sequence[str] | NDArray[Any], concepts: Sequence[str] | None
) -> tuple[NodeNames, tuple[NDArray[np.int32], NDArray[np.int32]]]:
    if isinstance(subjects, np.ndarray) and subjects.dtype.kind in "iu":
        ends = np.asarray(subjects), np.asarray(objects)
        highest = max((int(c.max()) for c in ends if len(c)), default=-1)
        lowest = min((int(c.min()) for c in ends if len(c)), default=0)
        size = highest + 1 if concepts is None else len(concepts)
        if lowest < 0 or highest >= size:
            raise BadInput("from_edges", f"positions go from {lowest} to {highest}, there are {size} concepts")
        named: NodeNames = NumberedNames(np.arange(size, dtype=np.int32)) if concepts is None else ListedNames(concepts)
        return named, (ends[0].astype(np.int32), ends[1].astype(np.int32))
    known = {name: i for i, name in enumerate(concepts or ())}
    if concepts is not None and len(known) != len(concepts):
        raise BadInput("from_edges", "concepts names a node twice")
    first, _ = _codes(subjects, known)
    second, listed = _codes(objects, known)
    if concepts is not None and len(listed) > len(concepts):
        raise BadInput("from_edges", f"{listed[len(concepts)]!r} is in an edge and not in concepts")
    return ListedNames(listed), (first, second)
