"""The knowledge store of one machine: what one looks up in it, changes, loads and writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kgmm.language import names
from kgmm.progress import Progress, silent
from kgmm.store.facts import Columns, Fact, Facts, LoadReport, is_general
from kgmm.store.handle import Handle
from kgmm.store.index.found import Found
from kgmm.store.table.delta import Version, versions

if TYPE_CHECKING:
    import rdflib

    from kgmm.store.rdf.export import ExportReport
    from kgmm.store.sparql.results import Solutions, Triples


class LocalStore(Handle):
    """A folder of facts: look them up, add and remove some, open an earlier version.

    An open store shows one version until :meth:`refresh` or its own changes move it on; other processes may
    read and write meanwhile. Make one with :func:`kgmm.open`.

    Example:
        >>> import tempfile
        >>> kb = LocalStore(tempfile.mkdtemp() + "/kb")
        >>> kb.add([Fact("dog", "IsA", "animal"), Fact("dog", "CapableOf", "bark")])
        2
        >>> [fact.object for fact in kb.find("dog", "CapableOf")], len(kb), kb.version
        (['/c/en/bark'], 2, 1)
    """

    # --- what there is -------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.opened.snapshot)

    def __bool__(self) -> bool:
        return True

    def graphs(self) -> dict[str, int]:
        """Return the named graphs and how many facts each has, largest first."""
        return self.opened.counted("graph")

    def knowledge_graphs(self) -> list[str]:
        """Return the graphs that hold general knowledge, largest first: all but those of single scenes and stories."""
        return [graph for graph in self.graphs() if is_general(graph)]

    def relations(self) -> dict[str, int]:
        """Return the relations and how many facts each has, most frequent first."""
        return self.opened.counted("predicate")

    def concept(self, text: str, lang: str = "en") -> str | None:
        """Return the concept node of a word, path or IRI if some fact mentions it, else None.

        Example:
            >>> import tempfile
            >>> kb = LocalStore(tempfile.mkdtemp() + "/kb")
            >>> _ = kb.add([Fact("ice cream", "IsA", "dessert")])
            >>> kb.concept("Ice cream"), kb.concept("snow")
            ('/c/en/ice_cream', None)
        """
        try:
            term = names.concept(text, lang)
        except ValueError:
            return None
        i = self.terms.id(term)
        if i is None:
            return None
        snapshot = self.opened.snapshot
        if len(snapshot.select(i, None, None, None)) or len(snapshot.select(None, None, i, None)):
            return term
        return None

    def versions(self) -> list[Version]:
        """Return the versions there are, oldest first: version, time (ISO 8601), operation."""
        return versions(self.places.table)

    # --- look-up -------------------------------------------------------------------------------------

    def find(
        self,
        subject: str | None = None,
        predicate: str | None = None,
        object: str | None = None,
        *,
        graph: str | None = None,
        limit: int | None = None,
    ) -> Facts:
        """Return the facts that fit a pattern; None, ``?`` and ``-`` fit anything.

        The length is known at once; facts are decoded when the result is iterated.
        """
        opened = self.opened
        return Found(opened, opened.select(subject, predicate, object, graph), limit)

    def find_ids(
        self,
        subject: int | None = None,
        predicate: int | None = None,
        object: int | None = None,
        graph: int | None = None,
    ) -> Columns:
        """Return the facts that fit a pattern of term ids as arrays: :meth:`find` for numeric work."""
        return self.opened.find_ids(subject, predicate, object, graph)

    def count(
        self,
        subject: str | None = None,
        predicate: str | None = None,
        object: str | None = None,
        *,
        graph: str | None = None,
    ) -> int:
        """Return how many facts fit a pattern, without looking at them."""
        return len(self.opened.select(subject, predicate, object, graph))

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

    def search(self, prefix: str, limit: int = 10, lang: str = "en") -> list[str]:
        """Return concepts whose label begins with *prefix*, those with most facts first.

        Example:
            >>> import tempfile
            >>> kb = LocalStore(tempfile.mkdtemp() + "/kb")
            >>> _ = kb.add([Fact("ice cream", "IsA", "dessert"), Fact("ice", "IsA", "water")])
            >>> kb.search("ice cr")
            ['/c/en/ice_cream']
        """
        from kgmm.store.index import search

        return search.by_prefix(self.opened, self.cache_dir("labels"), prefix, limit, lang)

    def near(self, word: str, limit: int = 5, lang: str = "en") -> list[str]:
        """Return concepts spelled like *word*: at most two edits away, nearest first."""
        from kgmm.store.index import search

        return search.by_spelling(self.opened, word, limit, lang)

    def neighborhood_ids(self, seeds: ArrayLike, hops: int = 2, limit: int = 500) -> Columns:
        """Return at most *limit* statements around some term ids: nearer hops first, then the strongest.

        A node's nearest :data:`kgmm.store.index.search.NODE_BUDGET` statements in each direction are looked at, so that
        a hub costs no more than it can give.

        Raises:
            BadInput: if *hops* or *limit* is negative.
        """
        from kgmm.store.index import search

        return search.around(self.opened, seeds, hops, limit).columns()

    # --- change --------------------------------------------------------------------------------------

    def add(self, facts: Iterable[Fact] | Fact, *, graph: str | None = None) -> int:
        """Add facts in one commit; return how many were new.

        Args:
            facts: a fact or several; a tuple (subject, predicate, object[, weight]) does as a fact.
            graph: the graph all of them go to, instead of their own.

        Raises:
            BadInput: if a fact is not one.
            StoreBusy: if another process writes for longer than the store's timeout.
        """
        from kgmm.store import changes

        return changes.add(self, facts, graph)

    def remove(
        self,
        subject: str | None = None,
        predicate: str | None = None,
        object: str | None = None,
        *,
        graph: str | None = None,
    ) -> int:
        """Remove the facts that fit a pattern in one commit; return how many there were.

        Raises:
            StoreError: if the pattern is empty: to remove everything, delete the folder.
            StoreBusy: if another process writes for longer than the store's timeout.
        """
        from kgmm.store import changes

        return changes.remove(self, subject, predicate, object, graph)

    def load(
        self,
        source: str | Path,
        *,
        format: str | None = None,
        graph: str | None = None,
        lang: str | None = None,
        strict: bool = False,
        progress: Progress | None = None,
    ) -> LoadReport:
        """Load a file in one commit: all of it that can be used, or nothing.

        Args:
            source: a file of any format in :mod:`kgmm.store.formats`, perhaps compressed.
            format: its format, if looking at the file does not tell.
            graph: the graph its facts go to, instead of its own.
            lang: keep only concepts of this language.
            strict: load nothing if a single line cannot be used.
            progress: told the bytes read.

        Raises:
            BadInput: if the file cannot be read, or *strict* and a line cannot be used.
            StoreBusy: if another process writes for longer than the store's timeout.
        """
        from kgmm.store.load import loading

        return loading.load(self, Path(source), format, graph, lang, strict, progress or silent)

    def sparql(
        self,
        query: str,
        *,
        timeout: float = 60.0,
        limit: int | None = None,
        annotations: bool | None = None,
        default_graphs: Sequence[str] = (),
        named_graphs: Sequence[str] = (),
        raw: bool = False,
    ) -> Solutions | Triples | bool:
        """Run a SPARQL query; see :func:`kgmm.store.sparql.query.query`, which takes the same options."""
        from kgmm.store.sparql import query as sparql

        return sparql.query(
            self,
            query,
            timeout=timeout,
            limit=limit,
            annotations=annotations,
            default_graphs=default_graphs,
            named_graphs=named_graphs,
            raw=raw,
        )

    def to_rdflib(self) -> rdflib.Dataset:
        """Return the store as an ``rdflib.Dataset`` that reads and writes it in place."""
        from kgmm.store.rdf import rdflib_store

        return rdflib_store.dataset(self)

    def export(
        self, path: str | Path, format: str | None = None, *, graph: str | None = None, progress: Progress | None = None
    ) -> ExportReport:
        """Write the facts to a file, its format by its ending if not named; see :func:`kgmm.store.rdf.export.export`."""
        from kgmm.store.rdf.export import export

        return export(self.opened, path, format, graph=graph, progress=progress)

    def compact(self) -> None:
        """Merge small updates into the index's base and small files of the table into larger ones."""
        from kgmm.store import changes

        changes.compact(self)

    def check(self) -> list[str]:
        """Verify table, index and ids; repair what is derivable; return what was found, nothing if all is well."""
        from kgmm.store import checking

        return checking.check(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path}: {len(self)} facts, version {self.version}>"
