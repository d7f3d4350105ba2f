"""Story graphs (Pan, Yang and Faloutsos, ICDM 2004): newslogos, keyframes and terms of broadcast news, as plain data."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from kgmm.errors import BadInput, UnknownConcept
from kgmm.graph import GraphView
from kgmm.language import names
from kgmm.stories.edges import Numbered, StoryEdges, edges, frame_node, logo_node

_ID = re.compile(r"[^\s/\"<>{}|\\^`%]+")


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One programme: its title, its day (ISO 8601) and the video it was read from, as far as known."""

    id: str
    title: str = ""
    date: str = ""
    video: str = ""


@dataclass(frozen=True, slots=True)
class Logo:
    """One newslogo: the inset picture beside the anchor; ``hash`` is its perceptual hash, 64 hex digits."""

    id: str
    name: str = ""
    image: str | None = None
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Shot:
    """One shot and its keyframe, from second *start* to *end* of the broadcast."""

    id: str
    start: float = 0.0
    end: float = 0.0
    terms: tuple[str, ...] = ()  #: the lemmatized nouns and names spoken in it
    logos: tuple[str, ...] = ()  #: ids of the logos seen in it
    broadcast: str = ""
    text: str = ""
    image: str | None = None
    story: str = ""  #: the label a person gave it, if any


@dataclass(frozen=True)
class StoryGraph:
    """Three layers of nodes and two kinds of edges, all of weight 1.

    A logo is joined to every keyframe it was seen in (*same logo*), a keyframe to every term spoken in its shot
    (*term occurrence*). Nothing else: shots without a logo are reached through shared terms alone.

    Raises:
        BadInput: if an id is used twice or holds spaces, or a shot names a logo or broadcast that is not there.

    Example:
        >>> story = StoryGraph("news", (Shot("a", 0, 4, ("flood", "river"), ("water",)), Shot("b", 4, 9, ("flood",))),
        ...                    (Logo("water"),))
        >>> story
        <StoryGraph news: 1 logos, 2 frames, 2 terms, 4 edges>
        >>> story.terms
        ('flood', 'river')
    """

    id: str
    shots: Sequence[Shot]
    logos: Sequence[Logo] = ()
    broadcasts: Sequence[Broadcast] = ()
    source: str = ""
    #: terms a person annotated as a story's: label -> terms (for evaluation)
    annotations: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: given instead of being read off the shots, where there are millions
    columns: StoryEdges | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.columns is not None:
            return
        _check_ids(self.id, "story", [self.id])
        for kind, many in (("shot", self.shots), ("logo", self.logos), ("broadcast", self.broadcasts)):
            _check_ids(self.id, kind, [one.id for one in many])
        logos, broadcasts = {x.id for x in self.logos}, {x.id for x in self.broadcasts}
        shots = tuple(replace(shot, terms=_terms(shot.terms)) for shot in self.shots)
        for shot in shots:
            for logo in shot.logos:
                if logo not in logos:
                    raise BadInput(f"story {self.id}", f"shot {shot.id} names logo {logo!r}, there is none")
            if shot.broadcast and shot.broadcast not in broadcasts:
                raise BadInput(f"story {self.id}", f"shot {shot.id} names no broadcast: {shot.broadcast!r}")
            if not 0 <= shot.start <= shot.end < float("inf"):
                raise BadInput(f"story {self.id}", f"shot {shot.id} lasts from {shot.start} to {shot.end}")
        for name, many in (("shots", shots), ("logos", self.logos), ("broadcasts", self.broadcasts)):
            object.__setattr__(self, name, tuple(many))

    def __repr__(self) -> str:
        e = self.edges
        return (
            f"<StoryGraph {self.id}: {e.logo_count:,} logos, {e.frame_count:,} frames, {len(e.terms):,} terms, "
            f"{len(e.term) + len(e.logo):,} edges>"
        )

    @property
    def graph(self) -> str:
        """Name of the graph that holds this story in a store."""
        return f"story/{self.id}"

    @property
    def terms(self) -> Sequence[str]:
        """All terms, in order of first mention."""
        return self.edges.terms

    @cached_property
    def edges(self) -> StoryEdges:
        """The two kinds of edges as arrays."""
        return self.columns if self.columns is not None else edges(self.shots, self.logos)

    @cached_property
    def _logo_at(self) -> Mapping[str, int]:
        if isinstance(self.logos, Numbered):
            return self.logos.places()
        at = {logo.name.casefold(): i for i, logo in enumerate(self.logos) if logo.name}
        return {**at, **{logo.id: i for i, logo in enumerate(self.logos)}}

    def logo(self, name: str) -> int:
        """Return the position of a logo given by id or name.

        Raises:
            UnknownConcept: if there is none; the message lists near spellings.
        """
        at = self._logo_at.get(name, self._logo_at.get(name.casefold()))
        if at is None:
            near = difflib.get_close_matches(name, list(self._logo_at), 5, 0.5)
            raise UnknownConcept(name, near or [x.id for x in self.logos][:5], where=f"the logos of {self.id}")
        return at

    def view(self) -> GraphView:
        """Return the graph with named nodes: ``/t/<story>/logo/<id>``, ``/t/<story>/<shot>``, ``/c/en/<term>``."""
        e = self.edges
        concepts = [logo_node(self.id, x.id) for x in self.logos]
        concepts += [frame_node(self.id, x.id) for x in self.shots]
        concepts += [names.concept(t) for t in e.terms]
        relations = ["SameLogo"] * len(e.logo) + ["Mentions"] * len(e.term)
        return GraphView.from_edges(*e.ends, relations, concepts=concepts)

    def when(self, shot: Shot) -> tuple[str, int, float]:
        """Return what shots of several broadcasts are put in time order by: day, broadcast, second."""
        own = ((b.date, i) for i, b in enumerate(self.broadcasts) if b.id == shot.broadcast)
        return (*next(own, ("", -1)), shot.start)


def from_columns(id: str, columns: StoryEdges) -> StoryGraph:
    """Return a story given by its edges alone; shots and logos are named by their numbers."""
    return StoryGraph(id, Numbered(Shot, columns.frame_count), Numbered(Logo, columns.logo_count), columns=columns)


def _check_ids(story: str, kind: str, ids: list[str]) -> None:
    seen: set[str] = set()
    for id in ids:
        if not _ID.fullmatch(id):
            raise BadInput(f"story {story}", f"{kind} id {id!r} must be one word without spaces or slashes")
        if id in seen:
            raise BadInput(f"story {story}", f"{kind} id {id!r} is used twice")
        seen.add(id)


def _terms(terms: Iterable[str]) -> tuple[str, ...]:
    """Return terms as the store's concepts spell them, each once."""
    kept = (names.label(names.concept(t)) for t in terms if t.replace("/", " ").replace("_", " ").strip())
    return tuple(dict.fromkeys(kept))
