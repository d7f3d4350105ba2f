"""The knowledge store of one machine: what one looks up in it, changes, loads and writes."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import numpy as np
from numpy.typing import NDArray

from kgmm.language import names
from kgmm.progress import Progress
from kgmm.store import changes, checking, sameness
from kgmm.store import conflicts as contradictions
from kgmm.store import search as searching
from kgmm.store.assertions import believing, forgetting, looking, merging, seeing, withdrawing
from kgmm.store.facts import Columns, Facts, Number, Term, is_general
from kgmm.store.handle import Handle
from kgmm.store.index.found import Found
from kgmm.store.load import loading
from kgmm.store.sparql import query as queries
from kgmm.store.table.delta import Version, versions
from kgmm.store.times import Moment

if TYPE_CHECKING:
    import rdflib

    from kgmm.store.writing.export import ExportReport


class LocalStore(Handle):
    """A folder of facts: look them up, add and remove some, open an earlier version.

    An open store shows one version until :meth:`refresh` or its own changes move it on; other processes may
    read and write meanwhile. Make one with :func:`kgmm.open`.

    Example:
        >>> import tempfile
        >>> from kgmm.store import Fact
        >>> kb = LocalStore(tempfile.mkdtemp() + "/kb")
        >>> kb.add([Fact("dog", "IsA", "animal"), Fact("dog", "CapableOf", "bark")])
        2
        >>> [fact.object for fact in kb.find("dog", "CapableOf")], len(kb), kb.version
        (['/c/en/bark'], 2, 1)
    """

    def __len__(self) -> int:
        return len(self.opened.snapshot)

    def __bool__(self) -> bool:
        return True

    def graphs(self) -> dict[str, int]:
        """Return the named graphs and how many facts each has, largest first."""
        return self.opened.counted("graph")

    def knowledge_graphs(self) -> list[str]:
        """Return the graphs that hold general knowledge, largest first: all but scenes, stories and candidates."""
        return [graph for graph in self.graphs() if is_general(graph)]

    def relations(self) -> dict[str, int]:
        """Return the relations and how many facts each has, most frequent first."""
        return self.opened.counted("predicate")

    def concept(self, text: str, lang: str = "en") -> str | None:
        """Return the concept node of a word, path or IRI if some fact mentions it, else None.

        Example:
            >>> import tempfile
            >>> from kgmm.store import Fact
            >>> kb = LocalStore(tempfile.mkdtemp() + "/kb")
            >>> _ = kb.add([Fact("ice cream", "IsA", "dessert")])
            >>> kb.concept("Ice cream"), kb.concept("snow")
            ('/c/en/ice_cream', None)
        """
        try:
            term = names.concept(text, lang)
        except ValueError:
            return None
        return term if self.count(term) or self.count(object=term) else None

    def versions(self) -> list[Version]:
        """Return the versions that can be opened, oldest first: version, time (ISO 8601), operation."""
        return versions(self.places.table)

    def find(
        self,
        subject: Term = None,
        predicate: Term = None,
        object: Term = None,
        *,
        graph: Term = None,
        limit: Number = None,
        at: Moment = None,
        version: Number = None,
    ) -> Facts:
        """Return the facts that fit a pattern; None, ``?`` and ``-`` fit anything.

        The length is known at once; facts are decoded when the result is iterated.

        Args:
            subject: a concept, as people write it.
            predicate: a relation.
            object: a concept or literal.
            graph: only facts of this graph.
            limit: at most so many.
            at: only what held at some moment of this time; see :func:`kgmm.store.times.period` for what it may be.
            version: what the store held then, instead of the version shown.
        """
        if version is not None:
            return self.as_of(version=version).find(subject, predicate, object, graph=graph, limit=limit, at=at)
        opened = self.opened
        selection = opened.select(subject, predicate, object, graph)
        return Found(opened, selection if at is None else seeing.picked(self, selection, at), limit)

    def as_of(self, at: Moment = None, version: Number = None) -> Self:
        """Return this store as it was: what held at a time, what it held at a version, or both; to look at only.

        Example:
            >>> import tempfile
            >>> kb = LocalStore(tempfile.mkdtemp() + "/kb")
            >>> _ = kb.add(("bonn", "CapitalOf", "germany"), valid=("1949", "1990"))
            >>> len(kb.as_of("1960")), len(kb.as_of("2000")), len(kb.as_of(version=0))
            (1, 0, 0)
        """
        return seeing.as_of(self, at, version)

    def find_ids(
        self, subject: Number = None, predicate: Number = None, object: Number = None, graph: Number = None
    ) -> Columns:
        """Return the facts that fit a pattern of term ids as arrays: :meth:`find` for numeric work."""
        return self.opened.find_ids(subject, predicate, object, graph)

    def count(
        self,
        subject: Term = None,
        predicate: Term = None,
        object: Term = None,
        *,
        graph: Term = None,
        at: Moment = None,
    ) -> int:
        """Return how many facts fit a pattern (and held at a time), without looking at them."""
        selection = self.opened.select(subject, predicate, object, graph)
        return len(selection if at is None else seeing.picked(self, selection, at))

    def columns(self, graphs: Sequence[str] | None = None, relations: Sequence[str] | None = None) -> Columns:
        """Return the statements of some graphs and relations (all by default) as arrays of ids and weights."""
        found = self.opened.snapshot.all()
        keep: NDArray[np.bool_] | None = None
        for column, wanted in ((found.graph, graphs), (found.predicate, relations and map(names.relation, relations))):
            if wanted is not None:
                ids = self.terms.ids(wanted)
                chosen = np.isin(column, ids[ids >= 0].astype(np.uint32))
                keep = chosen if keep is None else keep & chosen
        return (found if keep is None else found.take(keep)).columns()

    search: Final = searching.by_prefix
    near: Final = searching.by_spelling
    neighborhood_ids: Final = searching.around
    neighborhood: Final = searching.neighborhood
    sparql: Final = queries.query

    def excerpt(self, seeds: str | Iterable[str], path: str | Path, hops: int = 2, limit: int = 5000) -> LocalStore:
        """Copy the neighborhood of concepts into a local store, to walk, retrieve and ask there."""
        found = self.neighborhood(seeds, hops, limit)
        local = LocalStore(path)
        local.add(found)
        return local

    assertions: Final = looking.assertions
    functional: Final = contradictions.functional
    learn_functional: Final = contradictions.learn_functional
    conflicts: Final = contradictions.conflicts
    withdraw: Final = withdrawing.withdraw
    undo: Final = withdrawing.undo
    proposals: Final = sameness.proposals
    accept: Final = sameness.accept
    believe: Final = believing.believe
    believed: Final = believing.believed

    def merge(self, other: Handle | str | Path) -> merging.Merged:
        """Take in all that another store holds, in one commit; see :func:`kgmm.store.assertions.merging.merge`.

        Example:
            >>> import tempfile
            >>> a, b = (LocalStore(tempfile.mkdtemp() + "/kb") for _ in range(2))
            >>> _ = a.add(("dog", "IsA", "animal"), contributor="ann")
            >>> _ = b.add(("dog", "IsA", "animal"), contributor="bob", polarity="against")
            >>> done = a.merge(b)
            >>> done.added, [conflict.kind for conflict in done.conflicts], a.merge(b).conflicts
            (1, ['polarity'], ())
        """
        before = copy.copy(self)
        before._ending = ExitStack()
        done = merging.merge(self, other)
        if not done.facts or not (found := contradictions.conflicts(self)):
            return done
        known = set(contradictions.conflicts(before))
        return replace(done, conflicts=tuple(one for one in found if one not in known))

    forget: Final = forgetting.forget
    add: Final = changes.add
    remove: Final = changes.remove
    load: Final = loading.load
    compact: Final = changes.compact
    vacuum: Final = changes.vacuum
    check: Final = checking.check
    unwritable: Final = checking.unwritable

    def to_rdflib(self) -> rdflib.Dataset:
        """Return the store as an ``rdflib.Dataset`` that reads and writes it in place."""
        from kgmm.store import rdflib_store

        return rdflib_store.dataset(self)

    def export(
        self,
        path: str | Path,
        format: str | None = None,
        *,
        graph: str | None = None,
        rdf12: bool = False,
        base: str | None = None,
        progress: Progress | None = None,
    ) -> ExportReport:
        """Write the facts to a file, its format by its ending if not named; see :func:`kgmm.store.writing.export.export`."""
        from kgmm.store.writing.export import BASE, export

        return export(self, path, format, graph=graph, rdf12=rdf12, base=base or BASE, progress=progress)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path}: {len(self)} facts, version {self.version}>"
