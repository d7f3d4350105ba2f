"""A question that is kept an eye on: after an edit of the store it is asked again only if the edit is about what it read."""

from __future__ import annotations

import copy
import time
from collections.abc import Hashable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from kgmm.documents.kept import Kept
from kgmm.errors import KgmmError
from kgmm.language.phrase import phrase
from kgmm.reason.ask import ask
from kgmm.retrieve.ground import COMMON, Common, common, counted_graphs
from kgmm.store import Fact
from kgmm.store.index.found import decoded
from kgmm.store.index.recording import Changed, Reads, Recording, changed
from kgmm.store.index.state import Opened
from kgmm.store.senses import APART, LEMMA, Senses, carried, senses
from kgmm.trace import Answer
from kgmm.trace.diff import Difference, diff

if TYPE_CHECKING:
    from kgmm.scene import SceneGraph
    from kgmm.scene.images import ImageLike
    from kgmm.store import LocalStore
    from kgmm.store.times import Moment

MOST = 20  #: edited facts that a change tells of
#: a handle of its own for each store of which questions are watched: all of them look at one version
_FOLLOWERS: WeakKeyDictionary[LocalStore, LocalStore] = WeakKeyDictionary()


@dataclass(frozen=True)
class Change:
    """An answer that an edit changed, and why.

    Attributes:
        before: the answer at ``versions[0]``.
        after: the answer at ``versions[1]``.
        versions: the store's versions.
        difference: the difference of the two traces; ``difference.why`` says why in sentences.
        came: facts edited in, or with another weight, that are about what the answer had read; 20 at most.
        went: facts edited out, or of their weight before.
        seconds: what asking again took.
    """

    before: Answer
    after: Answer
    versions: tuple[int, int]
    difference: Difference
    came: tuple[Fact, ...]
    went: tuple[Fact, ...]
    seconds: float

    @property
    def answer_changed(self) -> bool:
        """Whether the answer is another one, not only what it rests on."""
        return self.before.text != self.after.text

    def to_dict(self) -> dict[str, Any]:
        """Return the change as JSON-ready data."""
        sides = {"before": self.before, "after": self.after}
        told: dict[str, Any] = {k: {"answer": a.text, "score": a.score} for k, a in sides.items()}
        told |= {"versions": list(self.versions), "why": self.difference.why, "seconds": self.seconds}
        told |= {"came": [asdict(f) for f in self.came], "went": [asdict(f) for f in self.went]}
        return told | {"difference": self.difference.to_dict()}

    def __str__(self) -> str:
        lines = [f"version {self.versions[0]} → {self.versions[1]}: {self.difference}"]
        lines += [
            f"  edit: {sign} {phrase(f.subject, f.predicate, f.object)}"
            for sign, facts in (("-", self.went), ("+", self.came))
            for f in facts
        ]
        return "\n".join(lines)


class Watch:
    """A question with its answer, kept up to date; made by ``kb.watch``.

    What asking reads of the store is written down: whose facts as subject and as object, which names were looked up. An
    edit about none of these cannot change the answer, which is then not derived again.

    Attributes:
        question: what is asked.
        answer: the answer at :attr:`version`.
        derived: how often the answer was derived.
        spared: how many looks found an edit about nothing that the answer had read.
    """

    def __init__(
        self,
        store: LocalStore,
        image_or_scene: ImageLike | SceneGraph | Mapping[str, Any] | None,
        question: str,
        *,
        at: Moment = None,
        citations: bool = False,
        **how: Any,
    ) -> None:
        """Ask, and remember what was read.

        Args:
            store: the knowledge; the watch looks at its folder by a handle of its own and moves none of the caller's.
            image_or_scene: as :func:`kgmm.reason.ask` takes it; a picture is looked at again whenever the answer is derived.
            question: in English.
            at: only what held at a time.
            citations: report a change too where the answer stays and what it cites does not.
            how: further options of :func:`kgmm.reason.ask`.

        Raises:
            KgmmError: if the store shows a version of the past, which nothing changes any more; as ``ask`` raises.
        """
        if store.past:
            raise KgmmError(
                f"{store.path}: version {store.version} is the past, which nothing changes; watch the newest"
            )
        self.question, self._source, self._at, self._how = question, image_or_scene, at, how
        self._citations = citations
        self._caller = store
        if store not in _FOLLOWERS:
            _FOLLOWERS[store] = copy.copy(store)
            _FOLLOWERS[store]._ending = ExitStack()
        self._store = _FOLLOWERS[store]
        self._opened: Opened
        self._look()
        self.derived, self.spared = 0, 0
        self.answer: Answer
        self._derive()

    @property
    def version(self) -> int:
        """The store's version that was looked at last."""
        return self._opened.state.version

    @property
    def reads(self) -> Reads:
        """What the answer rests on: terms by number, and names."""
        return self._reads

    def check(self) -> Change | None:
        """Look at the store's newest version; return how the answer changed, None if it did not.

        Example:
            >>> watch = kb.watch(scene, "What is used for cutting?")                     # doctest: +SKIP
            >>> _ = kb.remove("knife", "UsedFor", "cutting")                             # doctest: +SKIP
            >>> print(watch.check())                                                     # doctest: +SKIP
        """
        before = self._opened
        self._look()
        documents = self._documents()
        if self._opened is before and documents == self._documents_then:
            return None
        edit = _edit(self._store, before)
        if edit is not None and documents == self._documents_then and not self._met(before, edit):
            self.spared += 1
            return None
        if edit is not None:
            _carry(self._store, before, edit)
        then, began, met = self.answer, time.perf_counter(), self._told(edit)
        self._derive()
        difference = diff(then.trace, self.answer.trace)
        if then.text == self.answer.text and not (self._citations and any(difference.cited)):
            return None
        versions = before.state.version, self.version
        return Change(then, self.answer, versions, difference, *met, round(time.perf_counter() - began, 4))

    def follow(self, seconds: float | None = None, every: float = 0.2) -> Iterator[Change]:
        """Yield changes as they come, whoever makes them, for some seconds or for ever; looks *every* so many seconds."""
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            if (change := self.check()) is not None:
                yield change
            left = every if until is None else until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(every, left))

    def _look(self) -> None:
        """Move on to the newest version, which the caller may have open."""
        if not self._caller.past and self._caller.version > self._store.version:
            self._store.opened = self._caller.opened
        self._store.refresh()
        self._opened = self._store.opened

    def _derive(self) -> None:
        plain = self._store if self._at is None else self._store.as_of(self._at)
        self._reads, self._documents_then = Reads(), self._documents()
        seen = copy.copy(plain)
        seen._ending = ExitStack()
        seen.opened = Recording(plain.opened, self._reads, partial(_shared, plain, self._reads))
        self.answer = ask(seen, self._source, self.question, **self._how)
        self.derived += 1

    def _documents(self) -> str:
        return Kept(self._store.places.documents).key

    def _met(self, before: Opened, edit: Changed) -> bool:
        """Tell whether an edit is about something that was read."""
        if self._at is not None and self._store.opened.state.said:
            return True  # what held then is found by whole columns
        if self._reads.met_by(edit, self._store.terms, _lemma):
            return True
        return COMMON in self._reads.derived and not _as_common(self._store, before, edit)

    def _told(self, edit: Changed | None) -> tuple[tuple[Fact, ...], tuple[Fact, ...]]:
        if edit is None:
            return (), ()
        reads, sides = self._reads, []
        for rows in (edit.come, edit.gone):
            about = np.isin(rows.subject, [*reads.subjects]) | np.isin(rows.object, [*reads.objects])
            chosen = np.flatnonzero(about if about.any() else np.ones(len(about), bool))[:MOST]
            sides.append(tuple(decoded(self._store.opened, rows.take(chosen))) if len(chosen) else ())
        return sides[0], sides[1]


class _Senses(Senses):
    """Senses that write down whose kin was asked for."""

    def kin(self, term: int) -> list[int]:
        self.terms.id(self.terms.name(term))
        return super().kin(term)


def _shared(plain: LocalStore, reads: Reads, recording: Recording) -> Mapping[Hashable, Any]:
    """Return how things that are made of all facts are got without counting all as read: by name, from the store itself."""

    def known() -> Senses:
        made = senses(plain)
        return _Senses(recording.terms, made.lemma, made.stand_ins, made.senses, made.of)

    return {"senses": known, COMMON: partial(common, plain)}


def _lemma(name: str) -> tuple[str, ...]:
    found = LEMMA.match(name)
    return () if found is None else (found[1],)


def _edit(store: LocalStore, before: Opened) -> Changed | None:
    """Return what differs from a version before, found once for all who watch; None if everything may."""
    return store.derived(
        ("changed since", before.state.version, before.state.commit), lambda: changed(before, store.opened)
    )


def _carry(store: LocalStore, before: Opened, edit: Changed) -> None:
    """Let a version know its senses from the one before, where an edit tells that they are the same."""
    known: Senses | None = before.derived.get("senses")
    apart = [i for graph in APART if (i := store.terms.id(graph)) is not None]
    if known is None or "senses" in store.opened.derived:
        return
    if any(np.isin(rows.graph, apart).any() for rows in (edit.gone, edit.come)):
        return
    if (made := carried(known, store.terms)) is not None:
        store.opened.derived["senses"] = made


def _as_common(store: LocalStore, before: Opened, edit: Changed) -> bool:
    """Tell whether the concepts with the most facts are the same as before; carried on where counts of few tell so."""
    known: Common | None = before.derived.get(COMMON)
    if known is None:
        return False
    if COMMON not in store.opened.derived:
        graphs = store.terms.ids(counted_graphs(store))
        for subject in {*edit.gone.subject.tolist(), *edit.come.subject.tolist()}:
            count = int(np.isin(store.find_ids(subject=subject).graph, graphs).sum())
            inside = bool(np.isin(subject, known.ids))
            if not (count > known.fewest if inside else count < known.fewest):
                break
        else:
            store.opened.derived[COMMON] = replace(known)
    return bool(np.array_equal(common(store).ids, known.ids))
