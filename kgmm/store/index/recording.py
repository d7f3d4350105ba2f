"""What is read of a version: the terms and names a conclusion rests on, and whether a later version differs there."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from kgmm.store.index.base import Statements
from kgmm.store.index.snapshot import Selection, Snapshot
from kgmm.store.index.state import Opened
from kgmm.store.index.terms import Terms

T = TypeVar("T")
FEW = 20_000  #: facts of a store that are compared one by one where its index was written anew


class Changed(NamedTuple):
    """Statements that one version has and another has not, by number; *terms* are those that only the later one has."""

    gone: Statements
    come: Statements
    terms: range

    def __len__(self) -> int:
        return len(self.gone.subject) + len(self.come.subject)


def changed(before: Opened, after: Opened) -> Changed | None:
    """Return what differs between two versions of a store, None if a large index was written anew between them."""
    old, new, more = before.snapshot, after.snapshot, range(len(before.terms), len(after.terms))
    if before.state.base != after.state.base:
        if max(len(old), len(new)) > FEW:
            return None
        one, other = old.all(), new.all()
        return Changed(_only(one, other), _only(other, one), more)
    gone, come = _only(old.added, new.added), _only(new.added, old.added)
    removed = np.setdiff1d(new.removed, old.removed)
    back = np.setdiff1d(old.removed, new.removed)
    gone = Statements.concatenate([new.base.statements(removed), gone])
    come = Statements.concatenate([new.base.statements(back), come])
    return Changed(gone, come, more)


def _only(one: Statements, other: Statements) -> Statements:
    """Return the statements of *one* that *other* has not."""
    return one.take(np.flatnonzero(~np.isin(_rows(one), _rows(other))))


def _rows(rows: Statements) -> NDArray[np.void]:
    """Return each statement as the bytes of all its columns."""
    columns: dict[str, NDArray[Any]] = dict(zip(rows._fields, rows, strict=True))
    kept = np.empty(len(rows.subject), [(name, column.dtype) for name, column in columns.items()])
    for name, column in columns.items():
        kept[name] = column
    return kept.view(f"V{kept.dtype.itemsize}")


@dataclass
class Reads:
    """What was read of a version: whose facts, as subject and as object, which relations, which names were looked up."""

    subjects: set[int] = field(default_factory=set)
    objects: set[int] = field(default_factory=set)
    relations: set[int] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    derived: set[Hashable] = field(default_factory=set)  #: what was made of the whole version, by name
    everything: bool = False

    def met_by(self, change: Changed, terms: Terms, kin: Callable[[str], Iterable[str]]) -> bool:
        """Tell whether a change to a version with *terms* is about anything read; *kin* are names a term may stand for."""
        if self.everything:
            return len(change) > 0
        for rows in (change.gone, change.come):
            for column, known in zip(rows[:3], (self.subjects, self.relations, self.objects), strict=True):
                if known and not known.isdisjoint(column.tolist()):
                    return True
        told = {*change.terms, *change.come.subject.tolist(), *change.come.object.tolist()}
        told |= {*change.gone.subject.tolist(), *change.gone.object.tolist()}
        return any(not self.names.isdisjoint((name, *kin(name))) for name in map(terms.name, told))


class _Snapshot:
    """A snapshot that writes down what is looked up; whoever takes its columns as they are has read everything."""

    def __init__(self, inner: Snapshot, reads: Reads) -> None:
        self._inner, self._reads = inner, reads
        self.overlay, self.statements = inner.overlay, inner.statements

    def __len__(self) -> int:
        self._reads.everything = True
        return len(self._inner)

    def select(self, s: int | None, p: int | None, o: int | None, g: int | None) -> Selection:
        if s is not None:
            self._reads.subjects.add(s)
        elif o is not None:
            self._reads.objects.add(o)
        elif p is not None:
            self._reads.relations.add(p)
        else:
            self._reads.everything = True
        return self._inner.select(s, p, o, g)

    def __getattr__(self, name: str) -> Any:
        self._reads.everything = True
        return getattr(self._inner, name)


class _Terms:
    """A dictionary that writes down the names that are looked up."""

    def __init__(self, inner: Terms, reads: Reads) -> None:
        self._inner, self._reads = inner, reads
        self.name, self.names, self.is_literal, self.bytes_of = (
            inner.name,
            inner.names,
            inner.is_literal,
            inner.bytes_of,
        )

    def __len__(self) -> int:
        return len(self._inner)

    def id(self, name: str) -> int | None:
        self._reads.names.add(name)
        return self._inner.id(name)

    def ids(self, terms: Iterable[str]) -> NDArray[np.int64]:
        wanted = list(terms)
        self._reads.names.update(wanted)
        return self._inner.ids(wanted)

    def __getattr__(self, name: str) -> Any:
        self._reads.everything = True
        return getattr(self._inner, name)


class Recording(Opened):
    """A version that writes down what is read of it.

    What is made of the whole version under one of the *shared* names is got by calling what stands there, and counts as
    used rather than as everything read.
    """

    def __init__(self, inner: Opened, reads: Reads, shared: Callable[[Recording], Mapping[Hashable, Any]]) -> None:
        self.__dict__.update(inner.__dict__)
        self.snapshot = cast(Snapshot, _Snapshot(inner.snapshot, reads))
        self.terms = cast(Terms, _Terms(inner.terms, reads))
        self.remember()
        self.derived, self._reads, self._shared = {}, reads, shared(self)

    def made(self, name: Hashable, make: Callable[[], T]) -> T:
        """Return what is made of the version under a name, as :meth:`Opened.made`."""
        if name not in self._shared:
            return super().made(name, make)
        self._reads.derived.add(name)
        return cast(T, self._shared[name]())
