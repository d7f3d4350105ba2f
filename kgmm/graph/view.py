"""A graph view: chosen statements of a store as a weighted graph that walks, paths and neighborhoods run on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import UnknownConcept
from kgmm.graph.names import NodeNames, near
from kgmm.graph.seeds import Seeds
from kgmm.graph.statements import Statements
from kgmm.language import names

if TYPE_CHECKING:
    from kgmm.graph.adjacency import Adjacency
    from kgmm.graph.paths import Path
    from kgmm.graph.scores import Ranking, Scores
    from kgmm.graph.walk.layers import Layers


@dataclass(frozen=True)
class Edge:
    """One statement of a view."""

    subject: str
    relation: str
    object: str
    weight: float


class GraphView:
    """A weighted graph over concepts; make one with ``kb.view(...)`` or :meth:`from_edges`.

    Several statements between the same two nodes add up to one edge. An undirected view walks a statement
    both ways; a self-loop counts once.

    Attributes:
        directed: whether walks follow statements only from subject to object.
        ids: the store's term ids of the nodes, uint32, or None for a view made from plain edges.

    Example:
        >>> view = GraphView.from_edges(["cat", "dog"], ["animal", "animal"], ["IsA", "IsA"])
        >>> view
        <GraphView of 3 concepts and 2 statements, undirected>
        >>> [(concept, round(score, 3)) for concept, score in view.walk("cat").top(2)]
        [('animal', 0.459), ('cat', 0.345)]
    """

    def __init__(
        self,
        node_names: NodeNames,
        statements: Statements,
        *,
        directed: bool = False,
        ids: NDArray[np.uint32] | None = None,
        terms: Any = None,
    ) -> None:
        self.node_names = node_names
        self.statements = statements
        self.directed = directed
        self.ids = ids
        self.terms = terms
        #: (term ids, encoder or hashing method) -> rows of features; the store's facade sets it
        self.node_features: Callable[[NDArray[np.uint32], Any], Any] | None = None

    @classmethod
    def from_edges(
        cls,
        subjects: Sequence[str] | NDArray[Any],
        objects: Sequence[str] | NDArray[Any],
        relations: Sequence[str] | str | None = None,
        weights: Sequence[float] | NDArray[Any] | None = None,
        directed: bool = False,
        concepts: Sequence[str] | None = None,
    ) -> GraphView:
        """Make a view from parallel columns, one entry per statement.

        Args:
            subjects: names, or an integer array of positions in *concepts*.
            objects: as *subjects*.
            relations: one name per statement, or one for all (default ``"RelatedTo"``).
            weights: positive; default 1.
            directed: whether walks follow statements only from subject to object.
            concepts: the names of all nodes, which may include isolated ones; without it nodes are numbered in
                order of appearance, or named by their own number if the columns hold integers. Undirected
                views of 200,000 statements or more put their nodes in an order that walks read fast: only
                :attr:`concepts` tells which node stands where.

        Raises:
            BadInput: if columns differ in length or a weight is not positive; the message names the edge.
        """
        from kgmm.graph.build import from_columns

        return from_columns(cls, subjects, objects, relations, weights, directed, concepts)

    @property
    def concepts(self) -> Sequence[str]:
        """Node names, in the order of every array the view hands out."""
        return self._all_names

    @cached_property
    def _all_names(self) -> list[str]:
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
            UnknownConcept: if it is not in the view; the message lists near spellings.
        """
        at = self.position(concept)
        if at is None:
            raise UnknownConcept(concept, near(self.node_names, concept), where="the view")
        return at

    @cached_property
    def adjacency(self) -> Adjacency:
        """The graph as compressed rows: row u lists the nodes that u leads to."""
        from kgmm.graph.adjacency import adjacency

        return adjacency(self.statements, len(self), directed=self.directed)

    @cached_property
    def reversed_adjacency(self) -> Adjacency:
        """Row v lists the nodes that lead to v; the same as :attr:`adjacency` if undirected."""
        return self.adjacency.transposed() if self.directed else self.adjacency

    @cached_property
    def layers(self) -> Layers:
        """What undirected walks prepare once: the nodes in the order in which walks solve them."""
        from kgmm.graph.walk.layers import layer_order, layers

        order, bounds = layer_order(self.adjacency)
        return layers(self.adjacency.renumbered(order), order, bounds)

    @cached_property
    def walk_order(self) -> NDArray[np.int32]:
        """Nodes ordered so that strongly connected components come after those that lead to them."""
        from kgmm.graph.adjacency import topological_order

        return topological_order(self.adjacency)

    @cached_property
    def out_strengths(self) -> NDArray[np.float64]:
        """Sum of each node's outgoing weights, and 1 for nodes without: what a directed walk divides by."""
        strengths = self.adjacency.unit_strengths
        return np.where(strengths > 0, strengths, 1.0)

    @cached_property
    def has_dangling(self) -> bool:
        """Whether some node has no outgoing edge."""
        return bool((np.diff(self.adjacency.indptr) == 0).any())

    def edges(self) -> Iterator[Edge]:
        """Iterate over the statements."""
        table, block = self.statements, 65_536
        for start in range(0, len(table), block):
            part = slice(start, start + block)
            for subject, code, target, weight in zip(
                self.node_names.at(table.subject[part]),
                table.relation[part].tolist(),
                self.node_names.at(table.object[part]),
                table.weight[part].tolist(),
                strict=True,
            ):
                yield Edge(subject, table.relations[code], target, weight)

    def degrees(self, *, weighted: bool = False) -> NDArray[Any]:
        """Return each node's number of neighbors (int64), or the sum of its edges' weights (float64).

        In a directed view these are out-degrees.
        """
        if weighted:
            return self.adjacency.strengths.copy()
        return np.diff(self.adjacency.indptr).astype(np.int64)

    def components(self) -> NDArray[np.int32]:
        """Return the connected component (0, 1, …) of each node; direction is ignored."""
        from scipy.sparse.csgraph import connected_components

        if len(self) == 0:
            return np.empty(0, np.int32)
        labels: NDArray[np.int32] = connected_components(self.to_scipy(), directed=True, connection="weak")[1]
        return labels

    def walk(self, seeds: Seeds, restart: float = 0.15, tol: float = 1e-8, *, start: Scores | None = None) -> Scores:
        """Rank all nodes by random walk with restart; see :func:`kgmm.graph.walk.walk.walk`."""
        from kgmm.graph.walk.walk import walk

        return walk(self, seeds, restart=restart, tol=tol, start=start)

    def walk_many(self, seed_sets: Sequence[Seeds], restart: float = 0.15, tol: float = 1e-8) -> Iterator[Scores]:
        """Walk from each of many seed sets, several at a time; see :func:`kgmm.graph.walk.walk.walk_many`."""
        from kgmm.graph.walk.walk import walk_many

        return walk_many(self, seed_sets, restart=restart, tol=tol)

    def top(self, seeds: Seeds, k: int = 20, restart: float = 0.15) -> Ranking:
        """Return the *k* best nodes in certified order; see :func:`kgmm.graph.walk.top.top`."""
        from kgmm.graph.walk.top import top

        return top(self, seeds, k, restart=restart)

    def paths(self, a: str, b: str, k: int = 3, max_length: int = 6, by: str = "weight") -> list[Path]:
        """Return the *k* best paths from *a* to *b*; see :func:`kgmm.graph.paths.paths`."""
        from kgmm.graph.paths import paths

        return paths(self, a, b, k=k, max_length=max_length, by=by)

    def neighborhood(self, seeds: Seeds, hops: int = 2, limit: int = 500) -> GraphView:
        """Return the best statements around *seeds*; see :func:`kgmm.graph.neighborhood.neighborhood`."""
        from kgmm.graph.neighborhood import neighborhood

        return neighborhood(self, seeds, hops=hops, limit=limit)

    def to_scipy(self) -> Any:
        """Return the weights as a ``scipy.sparse.csr_array``: entry (u, v) leads from u to v."""
        return self.adjacency.to_scipy()

    def to_networkx(self) -> Any:
        """Return a networkx multigraph with ``relation`` and ``weight`` on each edge."""
        from kgmm.graph.convert import to_networkx

        return to_networkx(self)

    def to_pyg(self, features: Any = None, *, hetero: bool = False) -> Any:
        """Return PyTorch Geometric data; see :func:`kgmm.graph.convert.to_pyg`."""
        from kgmm.graph.convert import to_pyg

        return to_pyg(self, features, hetero=hetero)

    def __repr__(self) -> str:
        kind = "directed" if self.directed else "undirected"
        return f"<GraphView of {len(self):,} concepts and {self.edge_count:,} statements, {kind}>"

    def _repr_html_(self) -> str:
        from kgmm.graph.html import view_html

        return view_html(self)
