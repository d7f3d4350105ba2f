"""The edges of a story graph as arrays, and the graph views made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from kgmm.graph import GraphView
from kgmm.graph.names import NumberedNames
from kgmm.graph.statements import Statements

if TYPE_CHECKING:
    from kgmm.stories.story import Logo, Shot

Ints = NDArray[np.int32]
Named = TypeVar("Named")


@dataclass(frozen=True, eq=False)
class Numbered(Sequence[Named]):
    """Shots or logos that are named by their numbers and made when they are asked for."""

    kind: Callable[[str], Named]
    size: int

    def __len__(self) -> int:
        return self.size

    @overload
    def __getitem__(self, at: int) -> Named: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Named]: ...
    def __getitem__(self, at: int | slice) -> Named | Sequence[Named]:
        if isinstance(at, slice):
            return [self.kind(str(i)) for i in range(self.size)[at]]
        return self.kind(str(range(self.size)[at]))

    def places(self) -> dict[str, int]:
        """Return name -> number."""
        return {str(i): i for i in range(self.size)}


@dataclass(frozen=True, eq=False)
class StoryEdges:
    """Positions (int32) of all edges' ends, each once: ``logo[i]`` – ``logo_frame[i]``, ``frame[i]`` – ``term[i]``."""

    logo: Ints
    logo_frame: Ints
    frame: Ints
    term: Ints
    terms: Sequence[str]
    logo_count: int
    frame_count: int

    @property
    def size(self) -> int:
        """Number of nodes; logos come first, then frames, then terms."""
        return self.first_term + len(self.terms)

    @property
    def first_term(self) -> int:
        """Number of the first term's node."""
        return self.logo_count + self.frame_count

    @cached_property
    def ends(self) -> tuple[Ints, Ints]:
        """The numbers of the nodes that each edge joins; same-logo edges first."""
        subject = np.concatenate((self.logo, self.frame + self.logo_count))
        target = np.concatenate((self.logo_frame + self.logo_count, self.term + self.first_term))
        return subject.astype(np.int32), target.astype(np.int32)

    @cached_property
    def view(self) -> GraphView:
        """The graph with nodes in the order of their numbers, and named by them.

        Made directly: :meth:`GraphView.from_edges` would renumber millions of nodes, which pays off after several
        walks only.
        """
        subject, target = self.ends
        weights = np.broadcast_to(np.float32(1), len(subject))
        codes = np.broadcast_to(np.uint8(0), len(subject))
        nodes = NumberedNames(np.arange(self.size, dtype=np.int32))
        return GraphView(nodes, Statements(subject, target, codes, weights, ("story",)))

    @cached_property
    def by_frame(self) -> Any:
        """Which terms occur in which frames: a ``scipy.sparse.csr_array`` of shape (frames, terms)."""
        from scipy.sparse import csr_array

        ones = np.ones(len(self.frame), np.float32)
        return csr_array((ones, (self.frame, self.term)), shape=(self.frame_count, len(self.terms)))


def edges(shots: Sequence[Shot], logos: Sequence[Logo]) -> StoryEdges:
    """Return the edges that shots and logos spell out."""
    logo_at = {logo.id: i for i, logo in enumerate(logos)}
    known: dict[str, int] = {}
    said = [(i, known.setdefault(t, len(known))) for i, shot in enumerate(shots) for t in dict.fromkeys(shot.terms)]
    seen = [(logo_at[id], i) for i, shot in enumerate(shots) for id in dict.fromkeys(shot.logos)]
    (a, b), (c, d) = (np.array(pairs, np.int32).reshape(-1, 2).T.copy() for pairs in (seen, said))
    return StoryEdges(a, b, c, d, tuple(known), len(logos), len(shots))


def logo_node(story: str, logo: str) -> str:
    """Return the store's node of a logo."""
    return f"/t/{story}/logo/{logo}"


def frame_node(story: str, shot: str) -> str:
    """Return the store's node of a shot's keyframe."""
    return f"/t/{story}/{shot}"
