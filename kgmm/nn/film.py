"""A film as tensors, and what every network that summarizes films can be asked: its loss on one, its judgement of one."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from kgmm.errors import BadInput


@dataclass(frozen=True, eq=False)
class FilmTensors:
    """A film of n moments in s segments, with the labels and questions that a network may need.

    Raises:
        BadInput: if values are not finite, sizes do not fit each other, or a number names no segment or moment.

    Example:
        >>> film = FilmTensors(torch.eye(4), torch.tensor([0, 2, 4]), chosen=(1,))
        >>> film.of_segments(film.features).tolist()
        [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]]
    """

    features: Tensor  #: (n, d): a row a moment
    edges: Tensor | None = None  #: (s + 1,) int64: first moments of the segments, and n; by default one a moment
    name: str = "film"  #: what messages call it
    importance: Tensor | None = None  #: (n,): how much the moments matter to people
    chosen: tuple[int, ...] | None = None  #: segments of the summary that a person would make
    asked: tuple[int, ...] | None = None  #: those of them that are chosen because of the query
    concepts: Tensor | None = None  #: (n, c): how surely each concept is seen
    query: Tensor | None = None  #: (c,): 1 for a concept that is asked for, less for what is near to one
    query_text: Tensor | None = None  #: (w,): the query as a vector of text
    title_text: Tensor | None = None  #: (w,): the title as a vector of text
    pictured: tuple[int, ...] | None = None  #: moments that show what the title, or the query, says
    entities: Tensor | None = None  #: (n, e): 1 where a moment shows an entity that the query is linked to

    def __post_init__(self) -> None:
        if self.features.ndim != 2 or not self.features.numel():
            raise BadInput(self.name, f"features of shape {tuple(self.features.shape)}: need a row for each moment")
        count = len(self.features)
        if self.edges is None:
            object.__setattr__(self, "edges", torch.arange(count + 1))
        for field in ("features", "importance", "concepts", "query", "query_text", "title_text", "entities"):
            value = getattr(self, field)
            if value is not None and not torch.isfinite(value).all():
                raise BadInput(self.name, f"{field} has values that are not finite")
        for field in ("importance", "concepts", "entities"):
            value = getattr(self, field)
            if value is not None and len(value) != count:
                raise BadInput(self.name, f"{len(value)} rows of {field} for {count} moments")
        self._check_segments(count)
        if self.query is not None and (self.concepts is None or self.query.shape != self.concepts.shape[1:]):
            known = 0 if self.concepts is None else self.concepts.shape[1]
            raise BadInput(self.name, f"a query over {self.query.numel()} concepts, but {known} are known")

    def _check_segments(self, count: int) -> None:
        edges = self.starts
        rising = edges.ndim == 1 and len(edges) > 1 and bool((edges.diff() > 0).all())
        if not rising or int(edges[0]) != 0 or int(edges[-1]) != count:
            raise BadInput(self.name, f"the segments' edges do not rise from 0 to {count}")
        for field, most in (("chosen", len(edges) - 1), ("asked", len(edges) - 1), ("pictured", count)):
            wrong = [at for at in getattr(self, field) or () if not 0 <= at < most]
            if wrong:
                raise BadInput(self.name, f"{field} names {wrong[0]}, and there are {most}")
        if not set(self.asked or ()) <= set(self.chosen or ()):
            raise BadInput(self.name, "a segment is asked for, but is not among those chosen")

    @property
    def starts(self) -> Tensor:
        """The segments' edges, (s + 1,)."""
        assert self.edges is not None
        return self.edges

    @property
    def segments(self) -> int:
        """How many segments there are."""
        return len(self.starts) - 1

    def segment_of(self) -> Tensor:
        """Return which segment each moment lies in, (n,)."""
        return torch.repeat_interleave(torch.arange(self.segments), self.starts.diff())

    def of_segments(self, values: Tensor) -> Tensor:
        """Return the mean of *values* (n, …) over each segment, (s, …)."""
        sums = values.new_zeros(self.segments, *values.shape[1:]).index_add(0, self.segment_of(), values)
        return sums / self.starts.diff().to(values.dtype).reshape(-1, *(1 for _ in values.shape[1:]))


class FilmJudgement(NamedTuple):
    """What a network makes of a film."""

    moments: Tensor  #: (n,) ≥ 0: how much each moment matters
    segments: Tensor  #: (s,) ≥ 0: how much each segment matters
    chosen: tuple[int, ...] | None = None  #: the likeliest summary; None where segments are only ranked
    asked: tuple[int, ...] = ()  #: those of them that the query chose
    attention: Tensor | None = None  #: (n,): where the network looked in each segment, summing to 1 in it


class FilmNetwork(nn.Module):
    """A network that learns from films and judges films; it computes in float64, the same bits every time."""

    NEEDS: ClassVar[tuple[str, ...]] = ()  #: fields of :class:`FilmTensors` without which it cannot learn
    ASKS: ClassVar[tuple[str, ...]] = ()  #: those without which it cannot judge
    in_dim: int
    settings: dict[str, Any]  #: the arguments that make such a network again

    @abstractmethod
    def loss(self, film: FilmTensors, random: torch.Generator | None = None) -> Tensor:
        """Return what training makes small, of no dimension; *random* is for networks that draw."""

    @abstractmethod
    def judge(self, film: FilmTensors) -> FilmJudgement:
        """Return how much the moments and segments of a film matter."""

    def must_fit(self, film: FilmTensors, fields: tuple[str, ...]) -> None:
        """Raise BadInput if a film lacks one of some *fields*, or its features are of another length."""
        kind = type(self).__name__
        if film.features.shape[1] != self.in_dim:
            found = film.features.shape[1]
            raise BadInput(film.name, f"features of {found} numbers; this {kind} was made for {self.in_dim}")
        for field in fields:
            value = getattr(film, field)
            if value is None:
                raise BadInput(film.name, f"{kind} needs {field}, and there is none")
        for field in ("query", "query_text"):
            if field in fields and not getattr(film, field).any():
                raise BadInput(film.name, f"the {field} is empty: {kind} needs a concept to look for")
