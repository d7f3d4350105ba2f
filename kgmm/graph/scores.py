"""What walks return: a score for every node, or the best nodes in certified order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from kgmm.graph.convert import scores_html
from kgmm.graph.graph import Graph
from kgmm.language import names


@dataclass(frozen=True)
class Solution:
    """What a solver hands back: scores (float64), a bound of their L1 error, passes over the edges."""

    array: NDArray[np.float64]
    error: float
    iterations: int


@dataclass(frozen=True, eq=False, repr=False)
class Scores(Mapping[str, float]):
    """Scores over a view's nodes, non-negative and summing to 1; a mapping from concept to score.

    Example:
        >>> from kgmm.graph import GraphView
        >>> scores = GraphView.from_edges(["cat", "dog"], ["animal", "animal"]).walk("cat")
        >>> round(scores["dog"], 3), len(scores)
        (0.195, 3)
    """

    view: Graph  #: what was walked
    array: NDArray[np.float64]  #: the scores in ``view.concepts`` order, float64
    restart: float  #: the walk's restart probability
    error: float  #: an upper bound of the L1 error of ``array``
    iterations: int  #: passes over the edges that the solver took
    seeds: NDArray[np.int64]  #: positions of the seeds
    missing: tuple[str, ...] = ()  #: seeds that are not in the view and were left out

    def __getitem__(self, concept: str) -> float:
        return float(self.array[self.view.require(concept)])

    def __contains__(self, concept: object) -> bool:
        return concept in self.view

    def __iter__(self) -> Iterator[str]:
        return iter(self.view.concepts)

    def __len__(self) -> int:
        return len(self.array)

    def top(self, k: int = 20) -> list[tuple[str, float]]:
        """Return the *k* best concepts with their scores, best first; equal scores in node order."""
        best = best_positions(self.array, k)
        return list(zip(self.view.node_names.at(best), self.array[best].tolist(), strict=True))

    def to_numpy(self) -> NDArray[np.float64]:
        """Return the scores in ``view.concepts`` order (float64, not a copy)."""
        return self.array

    def to_polars(self) -> Any:
        """Return a Polars frame with columns concept and score, best first."""
        import polars as pl

        frame = pl.DataFrame({"concept": list(self.view.concepts), "score": self.array})
        return frame.sort("score", descending=True, maintain_order=True)

    def __repr__(self) -> str:
        best = ", ".join(f"{names.label(name)} {score:.4g}" for name, score in self.top(3))
        return f"<Scores of {len(self):,} concepts, error ≤ {self.error:.1g}: {best}, …>"

    def _repr_html_(self) -> str:
        return scores_html(self.top(20))


@dataclass(frozen=True)
class Ranking(Sequence[tuple[str, float]]):
    """The best nodes of a walk, best first, with what is certain about their order."""

    items: tuple[tuple[str, float], ...]  #: (concept, score) pairs
    bound: float  #: no score is off by more than this
    certified: bool  #: whether the order of the items, and that no other node belongs among them, is proved
    #: groups of places (0-based) that cannot be told apart: equal by structure, or closer than the bound; the last
    #: group may reach place k, that is, nodes outside the list tie with its end
    ties: tuple[tuple[int, ...], ...]
    edges_read: int  #: how many edges were looked at

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, at: int) -> tuple[str, float]: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[tuple[str, float]]: ...
    def __getitem__(self, at: int | slice) -> tuple[str, float] | Sequence[tuple[str, float]]:
        return self.items[at]

    def _repr_html_(self) -> str:
        return scores_html(self.items)


def best_positions(values: NDArray[np.float64], k: int) -> NDArray[np.int64]:
    """Return the positions of the *k* highest values, highest first, equal ones in ascending position."""
    k = min(max(k, 0), len(values))
    if k == 0:
        return np.empty(0, np.int64)
    if k < len(values):
        least = np.partition(values, len(values) - k)[len(values) - k]
        above = np.flatnonzero(values > least)
        chosen = np.concatenate((above, np.flatnonzero(values == least)[: k - len(above)]))
    else:
        chosen = np.arange(len(values))
    best: NDArray[np.int64] = chosen[np.lexsort((chosen, -values[chosen]))]
    return best
