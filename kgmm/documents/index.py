"""The index of a store's passages: words' postings, the entities that passages name, and what leads from one to the other.

Everything follows from the passages alone, whatever was read first, so an index brought up to date has the bits of one
made anew. It lies in the store's cache in a folder named by the passages' state, memory-mapped; what the passages said is
in no other folder, since the one before is deleted.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from xxhash import xxh3_64_hexdigest

from kgmm.documents import tagging
from kgmm.documents.analysis import STOP, Keys, Texts, analyzed, followed, joined
from kgmm.documents.kept import Kept, rows_of
from kgmm.documents.linking import Linked, linked, linked_again
from kgmm.documents.vectors import checksum, encoded
from kgmm.errors import BadInput, StoreError
from kgmm.store.times import Moment, period

if TYPE_CHECKING:
    from kgmm.documents.passage import Document
    from kgmm.progress import Progress
    from kgmm.store import LocalStore

FORMAT = 4
ROWS = "passages.arrow"
BATCH = 4096  #: passages analyzed at once


@dataclass
class Index:
    """The passages of one state with what is known of them."""

    key: str
    rows: pa.Table  #: the passages, in the order of documents' ids and parts
    texts: Texts
    links: Linked
    vectors: NDArray[np.int8] | None = None  #: (P, dim) if they were made
    encoder: str = ""  #: by which encoder: its checksum
    tagger: str = ""  #: whose names are there beside the rules'

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def _by_cue(self) -> tuple[NDArray[np.int64], Keys]:
        content = np.flatnonzero((self.texts.kind & STOP) == 0)
        order = content[np.argsort(self.texts.cue[content], kind="stable")]
        return order, self.texts.cue[order]

    def words_of_cue(self, cue: int) -> NDArray[np.int64]:
        """Return the words, by place in the vocabulary, that say a relation."""
        order, keys = self._by_cue
        low, high = np.searchsorted(keys, np.uint64(cue), "left"), np.searchsorted(keys, np.uint64(cue), "right")
        return order[low:high]

    @cached_property
    def periods(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The first and last second of the passages' dates; without one that can be told, a time that no period has."""
        of = self.rows["date"].combine_chunks().dictionary_encode()
        spans = np.array([_period(date) for date in of.dictionary.to_pylist()] or [NEVER], np.int64)
        at = of.indices.to_numpy(zero_copy_only=False)
        return spans[at, 0], spans[at, 1]

    def allowed(self, source: str | None, since: Moment, until: Moment) -> NDArray[np.bool_] | None:
        """Return which passages are of a source (or of those a pattern with ``*`` fits) and a time, (P,); None for all."""
        if source is None and since is None and until is None:
            return None
        fit = np.ones(len(self), np.bool_)
        if source is not None:
            of = self.rows["source"].combine_chunks().dictionary_encode()
            named = [s == source or fnmatchcase(s, source) for s in of.dictionary.to_pylist()]
            fit &= np.array([*named, False])[of.indices.to_numpy(zero_copy_only=False)]
        if since is not None or until is not None:
            first, last = self.periods
            fit &= first <= last
            if since is not None:
                fit &= last >= period(since).first
            if until is not None:
                fit &= first <= period(until).last
        return fit


NEVER = (1, 0)


def _period(date: str) -> tuple[int, int]:
    with suppress(BadInput):
        return period(date)[:2]
    return NEVER


def built(key: str, rows: pa.Table, progress: Progress | None = None, tagger: str = "") -> Index:
    """Return the index of some passages, made anew."""
    parts = []
    tag = tagging.tagger(tagger) if tagger else None
    for start in range(0, max(len(rows), 1), BATCH):
        parts.append(analyzed(_told(rows.slice(start, BATCH)), tag))
        if progress is not None:
            progress(min(start + BATCH, len(rows)), len(rows), "passages")
    texts = joined(parts)
    return Index(key, rows, texts, linked(texts), tagger=tagger)


def brought_up(before: Index, key: str, gone: set[str], new: pa.Table) -> Index:
    """Return the index after some documents went and others, whose passages these are, came."""
    stay = np.flatnonzero(~pc.is_in(before.rows["document"], pa.array(sorted(gone), pa.string())).to_numpy())
    rows = pa.concat_tables([before.rows.take(pa.array(stay)), new]).combine_chunks()
    order = pc.sort_indices(rows, [("document", "ascending"), ("part", "ascending")]).to_numpy().astype(np.int64)
    at = np.concatenate([stay, np.arange(len(before), len(before) + len(new))])[order]
    tag = tagging.tagger(before.tagger) if before.tagger and len(new) else None
    texts, *moved = followed(before.texts, analyzed(_told(new), tag), at)
    links = linked_again(texts, before.texts, before.links, at, *moved)
    index = Index(key, rows.take(pa.array(order)).combine_chunks(), texts, links, tagger=before.tagger)
    if before.vectors is None:
        return index
    return _with_vectors(index, np.concatenate([before.vectors, encoded(_told(new), len(new))])[at], before.encoder)


def with_vectors(index: Index, progress: Progress | None = None) -> Index:
    """Return an index with its passages' vectors, made anew."""
    return _with_vectors(index, encoded(_told(index.rows), len(index), progress), checksum())


def _with_vectors(index: Index, vectors: NDArray[np.int8], encoder: str) -> Index:
    return Index(index.key, index.rows, index.texts, index.links, vectors, encoder, index.tagger)


def _told(rows: pa.Table) -> Iterator[tuple[str, str, int]]:
    columns = (rows[name].to_pylist() for name in ("text", "title", "part"))
    return zip(*columns, strict=True)


def place(store: LocalStore) -> Path:
    """Return the folder of a store's indexes of passages."""
    return store.cache_dir("passages")


def save(index: Index, folder: Path) -> None:
    """Write an index, whole or not at all, in the place of those before it."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=folder))
    try:
        sums = {}
        arrays = index.texts.arrays() | {f"links-{n}": a for n, a in index.links.arrays().items()}
        for name, array in (arrays | ({} if index.vectors is None else {"vectors": index.vectors})).items():
            data = np.ascontiguousarray(array)
            data.tofile(draft / name)
            sums[name] = [str(data.dtype), list(data.shape), xxh3_64_hexdigest(data.data if data.size else b"")]
        with pa.OSFile(str(draft / ROWS), "wb") as sink, pa.ipc.new_file(sink, index.rows.schema) as writer:
            writer.write_table(index.rows)
        (draft / "meta.json").write_text(
            json.dumps({"format": FORMAT, "encoder": index.encoder, "tagger": index.tagger, "arrays": sums})
        )
        final = folder / index.key
        if final.exists():
            shutil.rmtree(final)
        draft.rename(final)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    sweep(folder, index.key)


def sweep(folder: Path, key: str) -> None:
    """Delete all indexes but one."""
    for other in folder.iterdir() if folder.is_dir() else ():
        if other.name != key:
            shutil.rmtree(other, ignore_errors=True)


def load(folder: Path, key: str, tagger: str | None = "") -> Index | None:
    """Return a state's index from a folder, mapped; None if it is not there, damaged or tagged otherwise (if that matters)."""
    at = folder / key
    with suppress(OSError, ValueError, KeyError, TypeError, pa.ArrowException):
        meta = json.loads((at / "meta.json").read_text())
        if meta["format"] != FORMAT or tagger not in (None, meta.get("tagger", "")):
            return None
        arrays = {name: _mapped(at / name, *told) for name, told in meta["arrays"].items()}
        texts = Texts(**{c.name: arrays[c.name] for c in fields(Texts)})
        links = Linked(**{c.name: arrays[f"links-{c.name}"] for c in fields(Linked)})
        rows = pa.ipc.open_file(pa.memory_map(str(at / ROWS))).read_all()
        return Index(key, rows, texts, links, arrays.get("vectors"), meta["encoder"], meta.get("tagger", ""))
    return None


def _mapped(path: Path, dtype: str, shape: list[int], digest: str) -> NDArray[Any]:
    if not all(shape):
        return np.empty(shape, dtype)
    array = np.memmap(path, dtype, "r", shape=tuple(shape))
    if path.stat().st_size != array.nbytes or xxh3_64_hexdigest(array) != digest:  # type: ignore[arg-type]
        raise ValueError(f"{path} is damaged")
    return np.asarray(array)


#: what stores show
_SHOWN: WeakKeyDictionary[LocalStore, Index] = WeakKeyDictionary()


def make_vectors(store: LocalStore, progress: Progress | None = None) -> None:
    """Make the vectors of a store's passages, which are compared with questions and kept up to date from then on."""
    index = current(store, progress=progress)
    if index.vectors is None or index.encoder != checksum():
        index = with_vectors(index, progress)
        save(index, place(store))
        _SHOWN[store] = index


def current(store: LocalStore, kept: Kept | None = None, progress: Progress | None = None) -> Index:
    """Return the index of a store's passages as they are now, made if need be.

    Raises:
        StoreError: if the store has no documents.
    """
    kept = kept or Kept(store.places.documents)
    if not len(kept):
        raise StoreError(f"{store.path}: no documents here; read some: kgmm read {store.path} FILE")
    shown: Index | None = _SHOWN.get(store)
    tagger = tagging.kept(store.places.documents)
    if shown is not None and shown.key == kept.key and shown.tagger == tagger:
        return shown
    folder = place(store)
    index = load(folder, kept.key, tagger)
    if index is None:
        index = built(kept.key, kept.table(), progress, tagger)
        other = load(folder, kept.key, None)
        if other is not None and other.vectors is not None:  # a tagger changes no vector
            index = _with_vectors(index, other.vectors, other.encoder)
        with suppress(OSError):
            save(index, folder)
    _SHOWN[store] = index
    return index


def tag_again(store: LocalStore, before: Kept) -> None:
    """Make the index of a store anew whose tagger is another one now, if there is an index."""
    if len(before) and place(store).is_dir():
        current(store, before)


def follow(store: LocalStore, before: Kept, now: Kept, gone: set[str], new: list[Document]) -> None:
    """Bring the index of a store's passages up to date with a change, if there is one; what is gone is in none of its files."""
    folder = place(store)
    shown: Index | None = _SHOWN.pop(store, None)
    if not folder.is_dir() or before.key == now.key:
        return
    tagger = tagging.kept(store.places.documents)
    if shown is None or shown.key != before.key or shown.tagger != tagger:
        shown = load(folder, before.key, tagger)
    much = shown is not None and len(gone) + len(new) > max(len(shown) // 2, 64) and shown.vectors is None
    if shown is None or much or not len(now):
        sweep(folder, "")
        return
    index = brought_up(shown, now.key, gone, rows_of(new))
    save(index, folder)
    _SHOWN[store] = index
