"""A graph view: chosen statements of a store as a weighted graph that walks, paths and neighborhoods run on.

The face over :class:`kgmm.graph.graph.Graph`: each method imports what computes it when it is called, so that a view
that is only read loads no compiler.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kgmm.graph import convert
from kgmm.graph.graph import Graph
from kgmm.graph.seeds import Seeds

if TYPE_CHECKING:
    from kgmm.graph.paths import Path
    from kgmm.graph.scores import Ranking, Scores


class GraphView(Graph):
    """A weighted graph over concepts; make one with ``kb.view(...)`` or :meth:`from_edges`.

    Example:
        >>> view = GraphView.from_edges(["cat", "dog"], ["animal", "animal"], ["IsA", "IsA"])
        >>> view
        <GraphView of 3 concepts and 2 statements, undirected>
        >>> [(concept, round(score, 3)) for concept, score in view.walk("cat").top(2)]
        [('animal', 0.459), ('cat', 0.345)]
    """

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
                views of 25,000 statements or more put their nodes in an order that walks read fast: only
                :attr:`concepts` tells which node stands where.

        Raises:
            BadInput: if columns differ in length or a weight is not positive; the message names the edge.
        """
        from kgmm.graph.build import from_columns

        return from_columns(cls, subjects, objects, relations, weights, directed, concepts)

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

    to_networkx: Final = convert.to_networkx
    to_pyg: Final = convert.to_pyg
    _repr_html_: Final = convert.view_html
