"""A weighted graph over concepts as plain data: what walks, paths and neighborhoods take."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import UnknownConcept
from kgmm.graph.names import NodeNames, NumberedNames, near
from kgmm.graph.statements import Statements
from kgmm.language import names

if TYPE_CHECKING:
    from kgmm.graph.adjacency import Adjacency
    from kgmm.graph.layers import Layers

Ids = NDArray[np.uint32]


@dataclass(frozen=True)
class Edge:
    """One statement of a graph."""

    subject: str
    relation: str
    object: str
    weight: float


class Graph:
    """Nodes, the statements between them, and the arrays made of both when they are first asked for.

    Several statements between the same two nodes add up to one edge. An undirected graph is walked both ways; a
    self-loop counts once. A graph that is only read loads no compiler: what is compiled is imported with the arrays.
    """

    #: networkx's functions take a graph as it is: :mod:`kgmm.graph.networkx_backend`
    __networkx_backend__ = "kgmm"

    def __init__(
        self, node_names: NodeNames, statements: Statements, *, directed: bool = False, ids: Ids | None = None
    ) -> None:
        self.node_names: NodeNames = node_names  #: names by position and positions by name
        self.statements: Statements = statements  #: which relation joins which nodes, how strongly
        self.directed: bool = directed  #: whether walks follow statements only from subject to object
        #: the store's term ids of the nodes, uint32, or None for a graph made from plain edges
        self.ids: Ids | None = ids
        #: (term ids, encoder or hashing method) -> rows of features; the store's facade sets it
        self.node_features: Callable[[Ids, Any], Any] | None = None
        #: what makes :attr:`adjacency`, :attr:`layers` and the like of arrays that were kept, by their names
        self.kept: Mapping[str, Callable[[], Any]] = {}

    def __repr__(self) -> str:
        kind = "directed" if self.directed else "undirected"
        return f"<{type(self).__name__} of {len(self):,} concepts and {self.edge_count:,} statements, {kind}>"

    def is_directed(self) -> bool:
        """Return :attr:`directed`, as networkx asks for it."""
        return self.directed

    def is_multigraph(self) -> bool:
        """Return False: to networkx's functions statements between the same two nodes are one edge."""
        return False

    @cached_property
    def concepts(self) -> Sequence[str]:
        """Node names, in the order of every array the graph hands out."""
        return self.node_names.all()

    def __len__(self) -> int:
        return len(self.node_names)

    @property
    def edge_count(self) -> int:
        """Number of statements."""
        return len(self.statements)

    def __contains__(self, concept: object) -> bool:
        return isinstance(concept, str) and self.position(concept) is not None

    def position(self, concept: str) -> int | None:
        """Return where *concept* (a word, a path or an IRI) stands in :attr:`concepts`, or None."""
        at = self.node_names.position(concept)
        if at is None and concept.strip():
            at = self.node_names.position(names.concept(concept))
        return at

    def require(self, concept: str) -> int:
        """Return the position of *concept*.

        Raises:
            UnknownConcept: if it is not in the graph; the message lists near spellings.
        """
        at = self.position(concept)
        if at is None:
            raise UnknownConcept(concept, near(self.node_names, concept), where="the view")
        return at

    def ends(self, row: int) -> list[str]:
        """Return the subject and object of a statement as it is stated, where a node may stand for several terms."""
        table = self.statements
        if table.stated is not None and isinstance(self.node_names, NumberedNames):
            return self.node_names.of(table.stated[:, row])
        return self.node_names.at(np.array([table.subject[row], table.object[row]]))

    def edges(self) -> Iterator[Edge]:
        """Iterate over the statements."""
        table, block = self.statements, 65_536
        for start in range(0, len(table), block):
            part = slice(start, start + block)
            ends = self.node_names.at(table.subject[part]), self.node_names.at(table.object[part])
            values = table.relation[part].tolist(), table.weight[part].tolist()
            for subject, target, code, weight in zip(*ends, *values, strict=True):
                yield Edge(subject, table.relations[code], target, weight)

    @cached_property
    def adjacency(self) -> Adjacency:
        """The graph as compressed rows: row u lists the nodes that u leads to."""
        if (known := self.kept.get("adjacency")) is not None:
            return cast("Adjacency", known())
        from kgmm.graph.adjacency import adjacency

        return adjacency(self.statements, len(self), directed=self.directed)

    @cached_property
    def reversed_adjacency(self) -> Adjacency:
        """Row v lists the nodes that lead to v; the same as :attr:`adjacency` if undirected."""
        if (known := self.kept.get("reversed_adjacency")) is not None:
            return cast("Adjacency", known())
        return self.adjacency.transposed() if self.directed else self.adjacency

    @cached_property
    def layers(self) -> Layers:
        """What undirected walks prepare once: the nodes in the order in which walks solve them."""
        if (known := self.kept.get("layers")) is not None:
            return cast("Layers", known())
        from kgmm.graph.layers import layer_order, layers

        order, bounds = layer_order(self.adjacency)
        return layers(self.adjacency.renumbered(order), order, bounds)

    @cached_property
    def walk_order(self) -> NDArray[np.int32]:
        """Nodes ordered so that strongly connected components come after those that lead to them."""
        if (known := self.kept.get("walk_order")) is not None:
            return cast("NDArray[np.int32]", known())
        from kgmm.graph.adjacency import topological_order

        return topological_order(self.adjacency)

    @cached_property
    def out_strengths(self) -> NDArray[np.float64]:
        """Sum of each node's outgoing weights, and 1 for nodes without: what a directed walk divides by."""
        strengths = self.adjacency.unit_strengths
        return np.where(strengths > 0, strengths, 1.0)

    def part(self, nodes: NDArray[Any], statements: NDArray[np.int64] | slice) -> Self:
        """Return the graph of some nodes, in the order given, and of some statements between them."""
        ids = None if self.ids is None else self.ids[nodes]
        table = self.statements.take(statements, nodes)
        made = type(self)(self.node_names.take(nodes), table, directed=self.directed, ids=ids)
        made.node_features = self.node_features
        return made

    def in_walk_order(self) -> Self:
        """Return the same undirected graph, its nodes in the order in which walks solve them."""
        from kgmm.graph.both_ways import by_subject, gathered, in_order
        from kgmm.graph.layers import layer_order, layers

        rows = gathered(self.statements, len(self))
        order, bounds = layer_order(rows)
        place = np.empty(len(self), np.int32)
        place[order] = np.arange(len(self), dtype=np.int32)
        rows = in_order(rows, order)
        table = by_subject(self.statements, place)
        ids = None if self.ids is None else self.ids[order]
        made = type(self)(self.node_names.take(order), table, directed=False, ids=ids)
        made.node_features = self.node_features
        made.adjacency, made.layers = rows, layers(rows, None, bounds)
        return made
