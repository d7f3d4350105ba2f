"""Verify a store: that the table can be read, and that terms and index say just what it says."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from xxhash import xxh64_hexdigest

from kgmm.errors import StoreCorrupt
from kgmm.language.names import is_literal, unusable
from kgmm.store import kept, replay
from kgmm.store.facts import Fact
from kgmm.store.handle import Handle
from kgmm.store.index import state as index
from kgmm.store.index.base import Statements
from kgmm.store.index.encoding import encode
from kgmm.store.index.found import decoded
from kgmm.store.index.terms import Terms
from kgmm.store.table import delta as table
from kgmm.store.table import vocabulary


def check(store: Handle) -> list[str]:
    """Verify table, terms and index; repair the last two from the first; return what was found, nothing if all is well.

    Views and the like that are kept beside the index are read, too; damaged and outdated ones are removed.

    Raises:
        StoreCorrupt: if the table itself is damaged, naming the file; it is the truth and derived from nothing.
    """
    with store.writing():
        _table(store)
        found = [f"{problem}: written anew" for problem in _vocabulary(store)]
        problem = next(_index(store), None)
        if problem is not None:
            found.append(f"{problem}: the index was rebuilt")
            store.opened = replay.rebuild(store.places, store.places.index, store.version)
        found += kept.faults(store)
        return found


def unwritable(store: Handle, limit: int = 5) -> tuple[int, list[Fact]]:
    """Return how many facts have a term that RDF cannot write, and the first; older versions took such terms."""
    import polars as pl

    terms, rows = store.terms, store.opened.snapshot.all()
    suspect = pl.Series(terms.texts()).str.contains(r'^"|^_:|://').arg_true().to_numpy()
    bad = np.array([i for i in suspect.tolist() if unusable(terms.name(i))], np.uint32)
    texts = np.array([i for i in suspect.tolist() if is_literal(terms.name(i))], np.uint32)
    wrong = [np.isin(column, bad) for column in rows[:4]] + [np.isin(c, texts) for c in (rows.subject, rows.graph)]
    found = np.flatnonzero(np.logical_or.reduce(wrong))
    return len(found), decoded(store.opened, rows.take(found[:limit]))


def _table(store: Handle) -> None:
    """Read every entry of the table's log, and every data file, whose rows are as many as the log says."""
    table.verify_log(store.places.table, store.version)
    for file in table.files(store.places.table, store.version):
        rows = table.read(store.places.table, file["path"]).num_rows
        if rows != file["num_records"]:
            path = store.places.table / file["path"]
            raise StoreCorrupt(f"{path}: has {rows} rows, the table's log says {file['num_records']}; restore the file")


def _vocabulary(store: Handle) -> Iterator[str]:
    """Compare the list of terms with the dictionary; where the list is damaged and the dictionary not, repair it."""
    terms, at, problem = store.terms, 0, ""
    try:
        for part in vocabulary.read(store.places.terms, 0, len(terms)):
            if terms.names(np.arange(at, at + len(part))) != part:
                problem = f"{store.places.terms}: says other terms than the dictionary"
                break
            at += len(part)
        if at < len(terms) and not problem:
            problem = f"{store.places.terms}: {len(terms) - at} terms are missing"
    except StoreCorrupt as error:
        problem = str(error).removesuffix("; run: kgmm check")
    except UnicodeDecodeError:
        return
    if problem and not _dictionary(terms):
        vocabulary.merge(store.places.terms, pa.array(terms.names(np.arange(len(terms))), pa.string()))
        yield problem


def _dictionary(terms: Terms) -> str:
    """Return what is wrong with a dictionary, or nothing."""
    for start in range(0, len(terms), 1 << 16):
        ids = np.arange(start, min(start + (1 << 16), len(terms)))
        try:
            spelled = terms.names(ids)
        except UnicodeDecodeError:
            return "a term is not UTF-8"
        if not np.array_equal(terms.ids(spelled), ids):
            return "a term is not found by its own spelling"
    return ""


def _index(store: Handle) -> Iterator[str]:
    """Say what is wrong with the index."""
    state = index.read_state(store.places.index)
    if state is None or state.version != store.version or not replay.follows(store.places, state):
        yield "the index is missing or stale"
        return
    folder = store.places.index / state.base
    for name, wanted in state.sizes["sums"].items():
        try:
            if xxh64_hexdigest((folder / name).read_bytes()) != wanted:
                yield f"{folder / name}: its checksum is wrong"
        except OSError as error:
            yield f"{folder / name}: {error.strerror}"
    try:
        opened = index.open_state(store.places.index, state)
    except (OSError, ValueError) as error:
        yield str(error)
        return
    for terms in (opened.terms, opened.sources):
        if problem := _dictionary(terms):
            yield f"{store.places.index}: {problem}"
            return
    at = 0
    for part in vocabulary.read(store.places.terms, 0, len(opened.terms)):
        if opened.terms.names(np.arange(at, at + len(part))) != part:
            yield f"{store.places.index}: the dictionary differs from the list of terms"
            return
        at += len(part)
    if _mixed(opened.snapshot.all()) != _of_table(store, opened):
        if state.commit:
            raise StoreCorrupt(
                f"{store.places.table}: holds other facts than the index, whose checksums are right: a table file is "
                f"damaged; restore it from a backup, or delete {store.places.index} to believe the table"
            )
        yield "the index and the table hold different facts"


def _of_table(store: Handle, opened: index.Opened) -> tuple[int, int]:
    count, total = 0, 0
    if opened.state.said:
        from kgmm.store.index.held import of_table

        return _mixed(of_table(opened, table.together(_of_files(store))))
    for rows in _of_files(store):
        more, mixed = _mixed(encode(rows, opened.terms, opened.sources).rows)
        count, total = count + more, (total + mixed) % (1 << 64)
    return count, total


def _of_files(store: Handle) -> Iterator[pa.Table]:
    """Yield the rows of all data files, those of small ones together: their terms are looked up once."""
    waiting: list[pa.Table] = []
    for file in table.files(store.places.table, store.version):
        waiting.append(table.read(store.places.table, file["path"]))
        if sum(map(len, waiting)) >= table.FILE_ROWS:
            yield table.together(waiting)
            waiting = []
    if waiting:
        yield table.together(waiting)


def _mixed(rows: Statements) -> tuple[int, int]:
    """Return a number of statements that does not depend on their order."""
    key = np.zeros(len(rows.subject), np.uint64)
    columns: list[NDArray[Any]] = [*rows[:4], rows.source, rows.weight.view(np.uint64)]
    for column in [*columns, rows.when] if rows.when.any() else columns:
        key = _scrambled(key ^ column.astype(np.uint64))
    return len(key), int(np.sum(key, dtype=np.uint64))


def _scrambled(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix the bits of numbers (splitmix64)."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
