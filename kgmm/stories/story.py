"""Story graphs (Pan, Yang and Faloutsos, ICDM 2004): newslogos, keyframes and terms of broadcast news, as plain data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgmm.errors import BadInput, UnknownConcept
from kgmm.language import names

if TYPE_CHECKING:
    from kgmm.graph import GraphView
    from kgmm.store import Fact, LocalStore
    from kgmm.stories.edges import StoryEdges
    from kgmm.stories.summaries.summary import Summary

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
    """One shot and its keyframe.

    ``start`` and ``end`` are seconds in the broadcast; ``terms`` are the lemmatized nouns and names spoken in it;
    ``logos`` the ids of logos seen in it; ``story`` the label a person gave it, if any.
    """

    id: str
    start: float = 0.0
    end: float = 0.0
    terms: tuple[str, ...] = ()
    logos: tuple[str, ...] = ()
    broadcast: str = ""
    text: str = ""
    image: str | None = None
    story: str = ""


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
        >>> [frame.shot.id for frame in story.summarize("water").frames]
        ['a', 'b']
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
        object.__setattr__(self, "shots", shots)
        object.__setattr__(self, "logos", tuple(self.logos))
        object.__setattr__(self, "broadcasts", tuple(self.broadcasts))

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
        from kgmm.stories.edges import edges

        return self.columns if self.columns is not None else edges(self.shots, self.logos)

    @cached_property
    def _logo_at(self) -> Mapping[str, int]:
        from kgmm.stories.edges import Numbered

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
            import difflib

            near = difflib.get_close_matches(name, list(self._logo_at), 5, 0.5)
            raise UnknownConcept(name, near or [x.id for x in self.logos][:5], where=f"the logos of {self.id}")
        return at

    def view(self) -> GraphView:
        """Return the graph with named nodes: ``/t/<story>/logo/<id>``, ``/t/<story>/<shot>``, ``/c/en/<term>``."""
        from kgmm.stories.edges import named_view

        return named_view(self)

    def summarize(self, logo: Any, frames: int = 5, terms: int = 10, method: str = "mmss", **more: Any) -> Summary:
        """Return the frames and terms that tell a story; see :func:`kgmm.stories.summaries.summary.summarize`."""
        from kgmm.stories.summaries.summary import summarize

        return summarize(self, logo, frames, terms, method, **more)

    def when(self, shot: Shot) -> tuple[str, int, float]:
        """Return what shots of several broadcasts are put in time order by: day, broadcast, second."""
        order = self._broadcast_order.get(shot.broadcast, (-1, ""))
        return order[1], order[0], shot.start

    @cached_property
    def _broadcast_order(self) -> dict[str, tuple[int, str]]:
        return {b.id: (i, b.date) for i, b in enumerate(self.broadcasts)}

    # --- files and stores ----------------------------------------------------------------------------

    @classmethod
    def from_json(cls, path: str | Path) -> StoryGraph:
        """Read a story from a JSON file, or from a folder with a ``story.json``; see :mod:`.files`."""
        from kgmm.stories.files import read

        return read(path)

    def to_json(self, path: str | Path | None = None) -> str:
        """Return the story as a JSON document, and write it to *path* if given."""
        from kgmm.stories.files import written

        return written(self, path)

    @classmethod
    def from_folder(cls, folder: str | Path, transcript: str | Path | None = None, **more: Any) -> StoryGraph:
        """Read a folder of keyframes with a transcript table; see :func:`kgmm.stories.folder.from_folder`."""
        from kgmm.stories.folder import from_folder

        return from_folder(folder, transcript, **more)

    @classmethod
    def from_video(cls, video: Any, subtitles: Any = None, **more: Any) -> StoryGraph:
        """Read a film with subtitles; see :func:`kgmm.stories.video.from_video.from_video`."""
        from kgmm.stories.video.from_video import from_video

        return from_video(video, subtitles, **more)

    @classmethod
    def from_columns(cls, id: str, columns: StoryEdges) -> StoryGraph:
        """Return a story given by its edges alone; shots and logos are named by their numbers."""
        from kgmm.stories.edges import Numbered

        return cls(id, Numbered(Shot, columns.frame_count), Numbered(Logo, columns.logo_count), columns=columns)

    def facts(self) -> list[Fact]:
        """Return the story as facts of the graph ``story/<id>``; see :mod:`kgmm.stories.stored`."""
        from kgmm.stories.stored import facts

        return facts(self)

    def save(self, store: LocalStore) -> int:
        """Put the story in a store, in place of one of the same id; return the number of facts."""
        from kgmm.stories.stored import save

        return save(self, store)

    @classmethod
    def from_store(cls, store: LocalStore, id: str) -> StoryGraph:
        """Read back what :meth:`save` wrote.

        Raises:
            UnknownConcept: if the store has no such story.
        """
        from kgmm.stories.stored import load

        return load(store, id)


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
