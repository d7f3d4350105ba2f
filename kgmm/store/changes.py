"""Adding and removing facts: one durable commit of the table, then the index follows."""

import re
import time
from collections.abc import Iterable
from dataclasses import replace
from functools import reduce
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kgmm.errors import BadInput, StoreError
from kgmm.language import names
from kgmm.store import replay
from kgmm.store.assertion import Assertion, keys_of
from kgmm.store.facts import Fact, Term, node, only_named
from kgmm.store.handle import Handle
from kgmm.store.index import state as index
from kgmm.store.index.encoding import encode, unknown
from kgmm.store.replay import Pattern
from kgmm.store.table import delta as table
from kgmm.store.table import said, vocabulary
from kgmm.store.times import Valid

MERGE = 64  #: commits between two looks at whether small data files have become many


def add(
    store: Handle,
    facts: Iterable[Any] | Fact | Assertion,
    *,
    graph: str | None = None,
    valid: Valid = None,
    contributor: str = "",
    source: str | None = None,
    confidence: float | None = None,
    polarity: int | str | None = None,
    method: str = "",
    licence: str = "",
    text: str = "",
    rests_on: Iterable[Any] | Fact = (),
) -> int:
    """Add facts in one commit; return how many were new, or had something new said of them.

    Whatever is given besides the facts makes them :class:`Assertions <kgmm.store.assertion.Assertion>`: a fact may have
    many, of different people, documents and times.

    Args:
        store: where they go.
        facts: a fact or several; a tuple (subject, predicate, object[, weight]) does as a fact. Assertions are taken too.
        graph: the graph all of them go to, instead of their own.
        valid: when they held, ``(from, to)``, both inclusive and None for open; ``"2019"`` covers all of 2019.
        contributor: who says so.
        source: the document it comes from, instead of the facts' own.
        confidence: how sure they are, from 0 to 1.
        polarity: 1 (``"for"``) where they say it holds, -1 (``"against"``) where they say it does not.
        method: how it was come by: ``told`` if nothing else is said, ``loaded``, ``mined``, ``completed``.
        licence: under which it may be used.
        text: the words it was taken from.
        rests_on: the facts it was derived from; it goes when one of them is withdrawn.

    Raises:
        BadInput: if a fact is not one, or a value cannot be used.
        StoreBusy: if another process writes for longer than the store's timeout.

    Example:
        >>> import tempfile, kgmm
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> kb.add(("bonn", "CapitalOf", "germany"), valid=("1949", "1990"), contributor="me")
        1
        >>> len(kb.find("bonn", at="1990-10-02")), len(kb.find("bonn", at="1991"))
        (1, 0)
    """
    store.require_newest()
    if isinstance(facts, Fact | Assertion) or (isinstance(facts, tuple) and facts and isinstance(facts[0], str)):
        facts = [facts]  # one fact, perhaps as a tuple
    given = (valid, contributor, confidence, polarity, method, licence, text, rests_on)
    rows = list(facts)
    if all(part is None or part == "" or part == () for part in given) and source is None:
        said_so = any(isinstance(fact, Assertion) for fact in rows)
        made = _said(rows, graph, None, {}) if said_so else _table_of(rows, graph)
    else:
        about: dict[str, Any] = {"contributor": contributor, "polarity": 1 if polarity is None else polarity}
        about |= {
            "valid": valid,
            "confidence": confidence,
            "method": method or "told",
            "licence": licence,
            "text": text,
        }
        made = _said(rows, graph, source, {**about, "rests_on": keys_of(rests_on)})
    with store.writing():
        return append(store, made, {"operation": "add"})


def _said(facts: list[Any], graph: str | None, source: str | None, about: dict[str, Any]) -> pa.Table:
    """Return facts as rows that say more of them; an assertion says that itself."""
    found = []
    for given in facts:
        fact = given.fact if isinstance(given, Assertion) else given if isinstance(given, Fact) else _fact(given)
        if source is not None or graph:
            fact = replace(fact, graph=graph or fact.graph, source=fact.source if source is None else source)
        if isinstance(given, Assertion):
            if about:
                raise BadInput("fact", "an assertion says itself who says it and when it holds; add it by itself")
            found.append(replace(given, fact=fact, withdrawn=False))
        else:
            found.append(Assertion(fact, **about))
    return said.table_of(found)


def _table_of(facts: Iterable[Any], graph: str | None) -> pa.Table:
    rows = [fact if isinstance(fact, Fact) else _fact(fact) for fact in facts]
    fields = (table.SCHEMA.field(name) for name in Fact.__match_args__)
    columns = {field.name: pa.array([getattr(fact, field.name) for fact in rows], field.type) for field in fields}
    return table.completed(pa.table(columns), graph or None)


def _fact(parts: Any) -> Fact:
    try:
        if isinstance(parts, str):
            raise TypeError
        return Fact(*parts)
    except TypeError:
        raise BadInput("fact", f"{parts!r} is neither a Fact nor (subject, predicate, object[, weight])") from None


def append(store: Handle, rows: pa.Table, about: dict[str, Any]) -> int:
    """Commit those rows that are new and let the index follow; the caller holds the lock. Return their number."""
    opened, places = store.opened, store.places
    if opened.state.said or table.says(rows):
        from kgmm.store.assertions import adding

        added = adding.append(store, rows, about)
        if added and store.version % MERGE == 0:
            _tidy(store)
        return added
    coded = encode(rows, opened.terms, opened.sources)
    keep = unknown(opened.snapshot, coded.rows, len(opened.terms))
    if not len(keep):
        return 0
    if len(keep) < rows.num_rows:
        rows = rows.take(pa.array(keep))
        coded = encode(rows, opened.terms, opened.sources)
    total = len(opened.terms) + len(coded.new_terms)
    if coded.new_terms:
        vocabulary.write(places.terms, len(opened.terms), coded.new_terms, store.drafts)
    files = table.write_files(places.table, rows, store.drafts)
    version = table.commit(places.table, store.version, files, (), {**about, "terms": total})
    store.publish(replay.with_added(places.index, opened, version, coded))
    if version % MERGE == 0:
        _tidy(store)
    return len(keep)


def _tidy(store: Handle) -> None:
    """Merge data files of like size where there are many, so that thousands of small commits stay quick to read.

    Each row is so written anew twice at most, and no more than about :data:`kgmm.store.table.delta.FILE_ROWS` at once.
    """
    try:
        vocabulary.gather(store.places.terms, len(store.terms))
        files = table.files(store.places.table, store.version)
        for limit in (table.FILE_ROWS // 64, table.FILE_ROWS // 2):
            for kind in (True, False):
                small = [file for file in files if file["num_records"] < limit and table.stands(file) == kind]
                if len(small) >= MERGE // 2:
                    before = accumulate((file["num_records"] for file in small), initial=0)
                    few = [file for file, rows in zip(small, before, strict=False) if rows < table.FILE_ROWS]
                    store.publish(replace(store.opened.state, version=_merge(store, few)))
                    return
    except (StoreError, OSError):
        # the facts are in: a damaged file is named where it is read, and a full disk by the next commit
        replay.undo(store.places, store.drafts)


def _merge(store: Handle, files: list[dict[str, Any]]) -> int:
    """Put the rows of some data files into as few as they need, in one commit; return its version."""
    folder, store.drafts = store.places.table, []
    new = []
    for kind in (table.FACTS, table.MORE):
        mine = [file for file in files if table.stands(file) == (kind == table.FACTS)]
        rows = table.together(table.read(folder, file["path"]) for file in mine)
        rows = rows.sort_by([("subject", "ascending"), ("predicate", "ascending"), ("object", "ascending")])
        new += table.write_files(folder, rows, store.drafts, kind)
    about = {"operation": "compact", "terms": store.opened.state.terms}
    return table.commit(folder, store.version, new, [file["path"] for file in files], about, data_change=False)


def remove(
    store: Handle, subject: Term = None, predicate: Term = None, object: Term = None, *, graph: Term = None
) -> int:
    """Remove the facts that fit a pattern in one commit; return how many there were. Only None fits anything.

    Raises:
        BadInput: if a part is empty, ``?`` or ``-``, which fit anything where nothing is destroyed.
        StoreError: if the pattern is empty: to remove everything, delete the folder.
        StoreBusy: if another process writes for longer than the store's timeout.
    """
    store.require_newest()
    spelled = ((node, subject), (names.relation, predicate), (node, object), (str, graph))
    only_named(subject, predicate, object, graph)
    pattern = [None if part is None else stored(str(part)) for stored, part in spelled]
    if all(part is None for part in pattern):
        raise StoreError("remove needs a subject, predicate, object or graph; to remove everything delete the folder")
    with store.writing():
        opened, places = store.opened, store.places
        count = len(opened.select(*pattern))
        if count == 0:
            return 0
        files, gone = _without(store, pattern)
        about = {"operation": "remove", "pattern": pattern, "terms": opened.state.terms}
        version = table.commit(places.table, store.version, files, gone, about)
        store.publish(replay.without(places.index, opened, version, pattern))
        return count


def _without(store: Handle, pattern: Pattern) -> tuple[list[dict[str, Any]], list[str]]:
    """Write the data files that hold facts of a pattern anew without them; return the new and the old ones."""
    folder = store.places.table
    new, gone = [], []
    parts = zip(("subject", "predicate", "object", "graph"), pattern, strict=True)
    wanted = {column: value for column, value in parts if value is not None}
    for file in table.files(folder, store.version):
        if not table.may_hold(file, wanted):
            continue
        part = table.read(folder, file["path"], list(wanted))
        fits = reduce(pc.and_, (pc.equal(part[column], value) for column, value in wanted.items()))
        if not pc.any(fits).as_py():
            continue
        gone.append(file["path"])
        rest = table.read(folder, file["path"]).filter(pc.invert(fits))
        if rest.num_rows:
            kind = table.FACTS if table.stands(file) else table.MORE
            new.append(table.write_file(folder, rest, store.drafts, kind))
    return new, gone


def compact(store: Handle) -> None:
    """Merge the overlay into the base, and small data files into larger ones."""
    store.require_newest()
    with store.writing():
        opened, places, version = store.opened, store.places, store.version
        small = [f for f in table.files(places.table, version) if f["num_records"] < table.FILE_ROWS // 2]
        kinds = [[file for file in small if table.stands(file) == kind] for kind in (True, False)]
        if small := [file for files in kinds if len(files) > 1 for file in files]:
            version = _merge(store, small)
        state = replace(opened.state, version=version)
        if opened.snapshot.overlay is not None:
            state = replay.with_base(places.index, state, opened.snapshot.all())
        store.publish(state)
        index.sweep(places.index, state)
        if vocabulary.scattered(places.terms):
            terms = store.terms
            vocabulary.merge(places.terms, pa.array(terms.names(np.arange(len(terms))), pa.string()))


def vacuum(store: Handle, keep: str = "30d") -> int:
    """Delete the table files that no version of the last *keep* needs; return the bytes that became free.

    Versions replaced before then can no longer be opened; the newest always can.

    Args:
        store: the store to vacuum; compact it first, since what is still in use stays.
        keep: how long versions stay after they were replaced: a number and ``s``, ``m``, ``h`` or ``d``.

    Raises:
        BadInput: if *keep* is no such time.
        StoreBusy: if another process writes for longer than the store's timeout.
    """
    said = re.fullmatch(r"(\d{1,9})([smhd])", keep, re.ASCII)
    if said is None:
        raise BadInput("keep", f"{keep!r} is not a time such as 30d, 12h, 5m or 0s")
    seconds = int(said[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[said[2]]
    store.require_newest()
    with store.writing():
        return table.vacuum(store.places.table, time.time() - seconds)[1]
