"""Forgetting a concept: its facts and every mention go, from all versions, lists and caches, and a search proves it."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from kgmm.errors import BadInput
from kgmm.language import names
from kgmm.store import replay
from kgmm.store.assertions import rewriting
from kgmm.store.assertions.looking import everything
from kgmm.store.facts import node
from kgmm.store.handle import Handle
from kgmm.store.index.terms import Terms
from kgmm.store.table import delta as table
from kgmm.store.table import said, vocabulary

if TYPE_CHECKING:
    import polars as pl

BETWEEN = r"(?:[\s_+.-]|%20)+"  #: what may stand between two words of a name
#: columns of whose rows nothing is kept, and those whose text alone goes
_OF_ROWS, _TEXTS = (*said.KEY, "rests_on"), ("source", "contributor", "licence", "surface")


@dataclass(frozen=True)
class Forgotten:
    """What was forgotten: facts, assertions, texts that mentioned it and terms; what a search of all files still found."""

    name: str
    facts: int
    assertions: int
    texts: int
    terms: int
    searched: int  #: files that were searched
    left: tuple[str, ...]  #: files that still hold it; other programs' are not ours to delete
    version: int


def forget(store: Handle, concept: str, *, dry: bool = False) -> Forgotten:
    """Forget a concept: remove its facts and all that mentions it, from every version, and search all files for it.

    Gone are the facts of every term that holds the concept's label as whole words (``alice smith``: also
    ``/c/en/alice_smith/n`` and ``"Alice Smith's car"``) and what rests on them; sources, contributors, licences and texts
    that mention it are emptied. All earlier versions are given up, since they hold it, and what is derived is made anew.
    Of what is no concept, such as an IRI, its full spelling is looked for. A store that is merged in later may bring it
    back. Interrupted, forget it again.

    Args:
        store: the store.
        concept: a word, path or IRI.
        dry: change nothing and tell what would go.

    Raises:
        BadInput: if *concept* is nothing.
        StoreBusy: if another process writes for longer than the store's timeout.

    Example:
        >>> import tempfile, kgmm
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> _ = kb.add([("alice smith", "LivesIn", "bonn"), ("bonn", "IsA", "city")])
        >>> done = kb.forget("Alice Smith")
        >>> done.facts, done.left, [fact.subject for fact in kb.find()]
        (1, (), ['/c/en/bonn'])
    """
    import polars as pl

    store.require_newest()
    pattern = _pattern(concept)
    with store.writing():
        rows = everything(store)
        inside = {name: pl.col(name).str.contains(f"(?i){pattern}").fill_null(False) for name in (*_OF_ROWS, *_TEXTS)}
        gone = rows.filter(pl.any_horizontal(inside[name] for name in _OF_ROWS))
        rest = rows.join(gone.select("file", "at"), on=["file", "at"], how="anti", maintain_order="left")
        cut = rest.filter(pl.any_horizontal(inside[name] for name in _TEXTS))
        terms = store.terms.texts().str.contains(f"(?i){pattern}").arg_true().to_numpy()
        facts = gone.filter(pl.col("role").is_null()).select(said.KEY).n_unique()
        told = (concept, facts, len(gone), len(cut), len(terms))
        if dry:
            return Forgotten(*told, 0, (), store.version)
        _rewrite(store, rest, gone, cut, inside)
        _lists(store, terms)
        table.vacuum(store.places.table, time.time() + 60)
        searched, left = search(store, concept)
    return Forgotten(*told, searched, tuple(left), store.version)


def _pattern(concept: str) -> str:
    """Return the expression that finds a concept's mentions, of Rust's and of Python's kind; BadInput if it is nothing."""
    try:
        term = node(concept)
    except (ValueError, AttributeError) as error:
        raise BadInput("concept", f"{concept!r}: {error}") from None
    if not term.startswith("/c/"):
        return re.escape(term)
    words = [re.escape(word) for word in names.label(term).split()]
    if not words:
        raise BadInput("concept", f"{concept!r} has no label")
    return rf"(?:^|[\W_]){BETWEEN.join(words)}(?:$|[\W_])"


def _rewrite(
    store: Handle, rest: pl.DataFrame, gone: pl.DataFrame, cut: pl.DataFrame, inside: dict[str, pl.Expr]
) -> None:
    """Write anew the files that hold it, without; in any case make a commit, so that the newest does not tell of it."""
    import polars as pl

    about = {"operation": "forget"}
    if not len(gone) and not len(cut):
        opened = store.opened
        version = table.commit(store.places.table, store.version, (), (), {**about, "terms": opened.state.terms})
        store.publish(replace(opened.state, version=version))
        return
    empty = [
        pl.when(inside[name]).then(pl.lit("" if name == "source" else None, pl.String)).otherwise(name).alias(name)
        for name in _TEXTS
    ]
    before = pl.concat([gone, cut.select(gone.columns)])
    keys = before.select(said.KEY).unique()
    facts = rest.with_columns(empty).join(keys, on=list(said.KEY), how="semi", maintain_order="left")
    facts = rewriting.led(facts)
    now = rest.join(keys, on=list(said.KEY), how="semi").select("file", "at", pl.col("role").alias("was"))
    placed = facts.join(now, on=["file", "at"], how="left", maintain_order="left")
    changed = pl.col("role").fill_null("") != pl.col("was").fill_null("")
    after = placed.filter(changed).drop("was")
    after = pl.concat([after, facts.join(cut.select("file", "at"), on=["file", "at"], how="semi")]).unique(
        ["file", "at"]
    )
    moved = rest.join(after.select("file", "at"), on=["file", "at"], how="semi").select(gone.columns)
    before = pl.concat([gone, moved])
    rewriting.commit(store, before, after.select(gone.columns), facts.select(gone.columns), about)


def _lists(store: Handle, terms: np.ndarray[Any, np.dtype[Any]]) -> None:
    """Write the list of terms anew without some, whose numbers stay taken, and make anew what is derived."""
    places = store.places
    spelled = store.terms.names(np.arange(len(store.terms)))
    for number in terms.tolist():
        spelled[number] = f"_:forgotten-{number}"
    if len(terms):
        vocabulary.merge(places.terms, pa.array(spelled, pa.string()))
    shutil.rmtree(places.cache, ignore_errors=True)
    store.opened = replay.rebuild(places, places.index, store.version)


def search(store: Handle, concept: str) -> tuple[int, list[str]]:
    """Search every file of a store for a concept's mentions; return how many files there are, and which hold one.

    Parquet files are decoded, and so are dictionaries of the index; of other files the bytes are searched.
    """
    pattern = re.compile(_pattern(concept), re.IGNORECASE)
    searched, found = 0, []
    for path in sorted(path for path in store.path.rglob("*") if path.is_file()):
        searched += 1
        if any(pattern.search(text) for text in _texts(path)):
            found.append(str(path.relative_to(store.path)))
    return searched, found


def _texts(path: Path) -> Iterator[str]:
    """Yield the texts in a file."""
    data = path.read_bytes()
    if path.suffix == ".parquet":
        with suppress(OSError, pa.ArrowException):
            yield from _strings(pq.ParquetFile(pa.BufferReader(data)).read().to_pylist())
            yield _readable(pq.ParquetFile(pa.BufferReader(data)).metadata)
            return
    if path.suffix == ".json":
        for line in data.decode(errors="replace").splitlines():
            with suppress(ValueError):
                yield from _strings(json.loads(line))
    if path.name == "blob" and (path.parent / "offsets").is_file():
        known = Terms(path.parent, (path.parent / "offsets").stat().st_size // 8 - 1)
        yield from known.names(np.arange(len(known)))
        data = data[int(known.arrays[1][-1]) :]
    yield data.decode(errors="replace")


def _readable(metadata: Any) -> str:
    """Return the bounds that a Parquet file's columns have."""
    groups = (metadata.row_group(g) for g in range(metadata.num_row_groups))
    columns = (group.column(c) for group in groups for c in range(group.num_columns))
    bounds = [column.statistics for column in columns if column.is_stats_set and column.statistics.has_min_max]
    return "\n".join(f"{bound.min}\n{bound.max}" for bound in bounds)


def _strings(document: Any) -> Iterator[str]:
    """Yield all strings of a document of lists and dicts."""
    if isinstance(document, str):
        yield document
        if document[:1] in "{[":
            with suppress(ValueError):
                yield from _strings(json.loads(document))
    elif isinstance(document, dict):
        for name, value in document.items():
            yield str(name)
            yield from _strings(value)
    elif isinstance(document, list | tuple):
        for value in document:
            yield from _strings(value)
