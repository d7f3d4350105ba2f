"""Make views: from a store's columns, or from plain edges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import BadInput
from kgmm.graph.adjacency import adjacency
from kgmm.graph.names import ListedNames, NodeNames, NumberedNames, StoredNames
from kgmm.graph.statements import Statements, require_positive
from kgmm.graph.view import GraphView
from kgmm.graph.walk.layers import layer_order, layers
from kgmm.language import names

if TYPE_CHECKING:
    from kgmm.store import LocalStore

#: statements from which an undirected view is renumbered: its arrays no longer fit a core's cache
RENUMBER_FROM = 25_000


def view(
    store: LocalStore,
    graphs: str | Iterable[str] | None = None,
    relations: str | Iterable[str] | None = None,
    directed: bool = False,
    relation_weights: Mapping[str, float] | None = None,
    *,
    weighted: bool = True,
    literals: bool = False,
) -> GraphView:
    """Return a view of the chosen statements of *store*.

    Args:
        store: what to look at; the view keeps its own arrays and does not follow later changes.
        graphs: only these named graphs (all by default).
        relations: only these relations (all by default).
        directed: walk statements only from subject to object.
        relation_weights: a multiplier for some relations; 0 leaves the relation out.
        weighted: with False every statement weighs 1 before the multipliers.
        literals: keep statements whose object is a literal.

    Raises:
        BadInput: if a weight is not positive; the message names the statement.
    """
    columns = store.columns(graphs=_several(graphs), relations=_several(relations))
    terms = store.terms
    predicate_ids, codes = np.unique(columns.predicate, return_inverse=True)
    relation_names = list(terms.names(predicate_ids.astype(np.int64)))
    factors = _factors(relation_names, relation_weights)
    weight = columns.weight if weighted else np.ones(len(columns.weight), np.float32)
    keep = np.ones(len(codes), bool) if not (factors == 0).any() else factors[codes] != 0
    if (factors != 1).any():
        weight = weight * factors[codes].astype(np.float32)
    if not literals and len(codes):
        objects = np.unique(columns.object)
        literal = np.asarray(terms.is_literal(objects))
        if literal.any():
            of_term = np.zeros(int(objects[-1]) + 1, bool)
            of_term[objects[literal]] = True
            keep &= ~of_term[columns.object]
    if keep.all():
        keep = slice(None)  # type: ignore[assignment]
    subject, target = columns.subject[keep], columns.object[keep]
    ids, positions = _number(subject, target)
    node_names = StoredNames(terms, ids)
    statements = Statements(
        positions[subject],
        positions[target],
        _smallest(codes[keep], len(relation_names)),
        np.asarray(weight[keep]),
        tuple(relation_names),
    )
    require_positive(statements, _LazyNames(node_names))
    return _assembled(GraphView, node_names, statements, directed, ids, terms)


def _assembled(
    kind: type[GraphView],
    node_names: NodeNames,
    statements: Statements,
    directed: bool,
    ids: NDArray[np.uint32] | None = None,
    terms: Any = None,
) -> GraphView:
    """Make the view; a large undirected one is renumbered for its walks' sake."""
    if directed or len(statements) < RENUMBER_FROM:
        return kind(node_names, statements, directed=directed, ids=ids, terms=terms)
    rows = adjacency(statements, len(node_names), directed=False)
    order, bounds = layer_order(rows)
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    renamed = node_names.take(order)
    ids = None if ids is None else ids[order]
    statements = statements.take(slice(None), place)
    made = kind(renamed, statements, directed=False, ids=ids, terms=terms)
    made.adjacency = rows.renumbered(order)
    made.layers = layers(made.adjacency, None, bounds)
    return made


def _several(chosen: str | Iterable[str] | None) -> list[str] | None:
    if chosen is None:
        return None
    return [chosen] if isinstance(chosen, str) else list(chosen)


def _factors(relation_names: Sequence[str], weights: Mapping[str, float] | None) -> NDArray[np.float64]:
    wanted = {names.relation(name): factor for name, factor in (weights or {}).items()}
    for name, factor in wanted.items():
        if not (np.isfinite(factor) and factor >= 0):
            raise BadInput("relation_weights", f"{name} has {factor}, it must be finite and not negative")
    return np.array([wanted.get(name, 1.0) for name in relation_names], np.float64)


def _smallest(codes: NDArray[Any], count: int) -> NDArray[Any]:
    """Return codes below *count* in the narrowest integers."""
    return codes.astype(np.uint8 if count <= 2**8 else np.uint16 if count <= 2**16 else np.int32)


def _number(*columns: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
    """Return the distinct terms in *columns*, ascending, and a table term -> position."""
    highest = max((int(c.max()) for c in columns if len(c)), default=-1)
    used = np.zeros(highest + 1, bool)
    for column in columns:
        used[column] = True
    positions = (np.cumsum(used, dtype=np.int32) - 1).astype(np.int32, copy=False)
    return np.flatnonzero(used).astype(np.uint32), positions


class _LazyNames(Sequence[str]):
    """Indexing decodes one name: enough for an error message."""

    def __init__(self, node_names: NodeNames) -> None:
        self._names = node_names

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, at: Any) -> Any:
        return self._names.at(np.array([at]))[0]


def from_columns(
    kind: type[GraphView],
    subjects: Sequence[str] | NDArray[Any],
    objects: Sequence[str] | NDArray[Any],
    relations: Sequence[str] | str | None,
    weights: Sequence[float] | NDArray[Any] | None,
    directed: bool,
    concepts: Sequence[str] | None,
) -> GraphView:
    """Make a view of class *kind* from parallel columns; see :meth:`GraphView.from_edges`."""
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
        codes = _smallest(codes, len(relation_names))
    weight = np.broadcast_to(np.float32(1), count) if weights is None else np.asarray(weights)
    if weight.dtype not in (np.float32, np.float64):
        weight = weight.astype(np.float64)
    statements = Statements(ends[0], ends[1], codes, weight, tuple(relation_names))
    require_positive(statements, _LazyNames(node_names))
    return _assembled(kind, node_names, statements, directed)


def _codes(column: Iterable[str], known: dict[str, int]) -> tuple[NDArray[np.int32], list[str]]:
    """Number strings in order of appearance, after those in *known* (which grows)."""
    codes = np.fromiter((known.setdefault(name, len(known)) for name in column), np.int32)
    return codes, list(known)


def _number_names(
    subjects: Sequence[str] | NDArray[Any],
    objects: Sequence[str] | NDArray[Any],
    concepts: Sequence[str] | None,
) -> tuple[NodeNames, tuple[NDArray[np.int32], NDArray[np.int32]]]:
    if isinstance(subjects, np.ndarray) and subjects.dtype.kind in "iu":
        ends = np.asarray(subjects), np.asarray(objects)
        highest = max((int(c.max()) for c in ends if len(c)), default=-1)
        lowest = min((int(c.min()) for c in ends if len(c)), default=0)
        size = highest + 1 if concepts is None else len(concepts)
        if lowest < 0 or highest >= size:
            raise BadInput("from_edges", f"positions go from {lowest} to {highest}, there are {size} concepts")
        node_names: NodeNames = (
            NumberedNames(np.arange(size, dtype=np.int32)) if concepts is None else ListedNames(concepts)
        )
        return node_names, (ends[0].astype(np.int32), ends[1].astype(np.int32))
    known = {name: i for i, name in enumerate(concepts or ())}
    if concepts is not None and len(known) != len(concepts):
        raise BadInput("from_edges", "concepts names a node twice")
    first, _ = _codes(subjects, known)
    second, listed = _codes(objects, known)
    if concepts is not None and len(listed) > len(concepts):
        raise BadInput("from_edges", f"{listed[len(concepts)]!r} is in an edge and not in concepts")
    return ListedNames(listed), (first, second)
