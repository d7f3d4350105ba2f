"""The knowledge store of one machine: a durable table, an index beside it, and what one does with them."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kgmm.errors import StoreError
from kgmm.language import names
from kgmm.progress import Progress, silent
from kgmm.store.facts import Columns, Fact, Facts, LoadReport
from kgmm.store.index import files as index_files
from kgmm.store.index.base import Statements
from kgmm.store.index.files import Opened, State
from kgmm.store.index.found import Found
from kgmm.store.index.terms import Terms


class LocalStore:
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

    def __init__(
        self,
        path: str | Path = "~/.local/share/kgmm/default",
        create: bool = True,
        version: int | None = None,
        *,
        timeout: float = 30.0,
    ) -> None:
        """Open a store.

        Args:
            path: the store's folder.
            create: make an empty store if there is none.
            version: show this version instead of the newest; such a store is read-only.
            timeout: seconds to wait for another writer.

        Raises:
            StoreError: if there is no store, no such version, or the folder holds something else.
            StoreCorrupt: if the table is damaged.
        """
        from kgmm.store import opening

        self.path = Path(path).expanduser().absolute()
        self.timeout = timeout
        self.past = version is not None
        self._scratch: Path | None = None
        self._opened: Opened
        opening.open_store(self, create, version)

    # --- places --------------------------------------------------------------------------------------

    @property
    def table_path(self) -> Path:
        """The folder of the Delta Lake table."""
        return self.path / "table"

    @property
    def terms_path(self) -> Path:
        """The folder of the list of terms, in the order of their ids."""
        return self.path / "terms"

    @property
    def index_path(self) -> Path:
        """The folder of the index."""
        return self.path / "index"

    def cache_dir(self, name: str) -> Path:
        """Return a folder for things derived from the store and keyed by term ids; made if need be.

        Where the store's folder cannot be written, a folder for this process only.
        """
        place = self.path / "cache" / name
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError:
            place = self._scratch_dir() / name
            place.mkdir(parents=True, exist_ok=True)
        return place

    def _scratch_dir(self) -> Path:
        if self._scratch is None:
            self._scratch = Path(tempfile.mkdtemp(prefix="kgmm-"))
        return self._scratch

    # --- what there is -------------------------------------------------------------------------------

    @property
    def version(self) -> int:
        """The version shown: 0 for an empty store, one more for every change."""
        return self._opened.state.version

    @property
    def terms(self) -> Terms:
        """The dictionary between terms and their numbers."""
        return self._opened.terms

    def __len__(self) -> int:
        return len(self._opened.snapshot)

    def __bool__(self) -> bool:
        return True

    def graphs(self) -> dict[str, int]:
        """Return the named graphs and how many facts each has, largest first."""
        return self._counted("graph")

    def relations(self) -> dict[str, int]:
        """Return the relations and how many facts each has, most frequent first."""
        return self._counted("predicate")

    def _counted(self, column: str) -> dict[str, int]:
        counts = self._opened.snapshot.counts(column)
        ordered = sorted(((self.terms.name(i), n) for i, n in counts.items()), key=lambda item: (-item[1], item[0]))
        return dict(ordered)

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
        snapshot = self._opened.snapshot
        if len(snapshot.select(i, None, None, None)) or len(snapshot.select(None, None, i, None)):
            return term
        return None

    def versions(self) -> list[dict[str, Any]]:
        """Return the versions there are, oldest first: version, time (ISO 8601), operation, facts after it."""
        from kgmm.store.table import history

        return history.versions(self)

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
        opened = self._opened
        return Found(opened, opened.select(subject, predicate, object, graph), limit)

    def find_ids(
        self,
        subject: int | None = None,
        predicate: int | None = None,
        object: int | None = None,
        graph: int | None = None,
    ) -> Columns:
        """Return the facts that fit a pattern of term ids as arrays: :meth:`find` for numeric work."""
        snapshot = self._opened.snapshot
        selection = snapshot.select(subject, predicate, object, graph)
        return _columns(snapshot.statements(selection, 0, len(selection)))

    def count(
        self,
        subject: str | None = None,
        predicate: str | None = None,
        object: str | None = None,
        *,
        graph: str | None = None,
    ) -> int:
        """Return how many facts fit a pattern, without looking at them."""
        return len(self._opened.select(subject, predicate, object, graph))

    def columns(self, graphs: Sequence[str] | None = None, relations: Sequence[str] | None = None) -> Columns:
        """Return the statements of some graphs and relations (all by default) as arrays of ids and weights."""
        found = self._opened.snapshot.all()
        keep: NDArray[np.bool_] | None = None
        for column, wanted in (
            (found.graph, graphs),
            (found.predicate, relations and map(names.relation, relations)),
        ):
            if wanted is not None:
                ids = self.terms.ids(wanted)
                chosen = np.isin(column, ids[ids >= 0].astype(np.uint32))
                keep = chosen if keep is None else keep & chosen
        return _columns(found if keep is None else found.take(keep))

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

        return search.by_prefix(self, prefix, limit, lang)

    def near(self, word: str, limit: int = 5, lang: str = "en", distance: int = 2) -> list[str]:
        """Return concepts spelled like *word*: at most *distance* edits away, nearest first."""
        from kgmm.store.index import search

        return search.by_spelling(self, word, limit, lang, distance)

    def neighborhood_ids(self, seeds: ArrayLike, hops: int = 2, limit: int = 500) -> Columns:
        """Return at most *limit* statements around some term ids: nearer hops first, then the strongest.

        A node's nearest :data:`kgmm.store.index.search.NODE_BUDGET` statements in each direction are looked at, so that
        a hub costs no more than it can give.

        Raises:
            BadInput: if *hops* or *limit* is negative.
        """
        from kgmm.store.index import search

        return _columns(search.around(self, seeds, hops, limit))

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

    def sparql(self, query: str, **more: Any) -> Any:
        """Run a SPARQL query; see :func:`kgmm.store.sparql.query.query`."""
        from kgmm.store.sparql import query as sparql

        return sparql.query(self, query, **more)

    def to_rdflib(self) -> Any:
        """Return the store as an ``rdflib.Dataset`` that reads it in place."""
        from kgmm.store.rdf import rdflib_store

        return rdflib_store.dataset(self)

    def export(self, path: str | Path, format: str | None = None, **more: Any) -> Any:
        """Write the facts to a file, its format by its ending if not named; see :func:`kgmm.store.rdf.export.export`."""
        from kgmm.store.rdf.export import export

        return export(self, path, format=format, **more)

    def compact(self) -> None:
        """Merge small updates into the index's base and small files of the table into larger ones."""
        from kgmm.store import changes

        changes.compact(self)

    def check(self) -> list[str]:
        """Verify table, index and ids; repair what is derivable; return what was found, nothing if all is well."""
        from kgmm.store.index import checking

        return checking.check(self)

    def refresh(self) -> int:
        """Move on to the newest version and return its number."""
        from kgmm.store import opening

        if not self.past:
            opening.catch_up(self)
        return self.version

    # --- end -----------------------------------------------------------------------------------------

    def close(self) -> None:
        """Let go of the files; results that are still held stay usable."""
        if (sparql := sys.modules.get("kgmm.store.sparql.query")) is not None:
            sparql.close(self)
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path}: {len(self)} facts, version {self.version}>"

    def _show(self, opened: Opened) -> None:
        """Make a version the one shown."""
        self._opened = opened

    def _publish(self, state: State) -> None:
        """Make a state the newest one and show it."""
        index_files.write_state(self.index_path, state)
        self._show(index_files.open_state(self.index_path, state))

    def _writable(self) -> None:
        if self.past:
            raise StoreError(f"{self.path}: version {self.version} is the past; open the newest version to change it")


def _columns(rows: Statements) -> Columns:
    return Columns(rows.subject, rows.predicate, rows.object, rows.graph, rows.weight.astype(np.float32))
