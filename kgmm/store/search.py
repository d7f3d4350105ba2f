"""Finding concepts by how they are written, and the facts around them: prefixes, near spellings, best edges."""

from bisect import bisect_left
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kgmm.errors import BadInput
from kgmm.files import publish
from kgmm.language import names
from kgmm.store.facts import Columns, Facts, seed_nodes
from kgmm.store.handle import Handle
from kgmm.store.index.base import Statements
from kgmm.store.index.found import Stored
from kgmm.store.index.mapped import mapped
from kgmm.store.index.state import Opened
from kgmm.store.index.terms import Terms

UNSORTED = 20_000  #: terms that may be newer than the sorted list before it is made again
NODE_BUDGET = 4096  #: edges of one node that a neighbourhood looks at in each direction
DISTANCE = 2  #: edits between a word and its near spellings


def by_prefix(store: Handle, prefix: str, limit: int = 10, lang: str = "en") -> list[str]:
    """Return concepts whose label begins with *prefix*, those with most facts first.

    >>> import tempfile, kgmm
    >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
    >>> _ = kb.add([("ice cream", "IsA", "dessert"), ("ice", "IsA", "water")])
    >>> kb.search("ice cr")
    ['/c/en/ice_cream']
    """
    try:
        start = names.concept(prefix, lang)
    except ValueError:
        return []
    terms, order = store.terms, _order(store.terms, store.cache_dir("labels"))
    key = start.encode()

    def spelled(i: int) -> bytes:
        return bytes(terms.bytes_of(i))

    low = bisect_left(order, key, key=lambda i: spelled(int(i)))
    high = bisect_left(order, key + b"\xff", lo=low, key=lambda i: spelled(int(i)))
    found = order[low:high].astype(np.int64)
    later = [i for i in range(len(order), len(terms)) if spelled(i).startswith(key)]
    found = np.concatenate([found, np.array(later, np.int64)])
    degree = degrees(store.opened, found)
    best = np.lexsort((np.arange(len(found)), -degree))
    kept = found[best][degree[best] > 0][:limit]
    return terms.names(kept)


def _order(terms: Terms, folder: Path) -> NDArray[np.uint32]:
    """Return the terms in their order, which is kept; up to ``UNSORTED`` new ones may be missing at the end."""
    import polars as pl

    count = len(terms)
    kept = sorted(int(path.name.split("-")[1]) for path in folder.glob("order-*") if path.name[6:].isdecimal())
    usable = [n for n in kept if n <= count <= n + UNSORTED]
    if usable:
        return np.asarray(mapped(folder / f"order-{usable[-1]}", np.uint32))
    spelled = pl.Series(terms.names(np.arange(count)), dtype=pl.String)
    order = spelled.arg_sort().to_numpy().astype(np.uint32)
    publish(folder / f"order-{count}", order.tobytes())
    for n in kept:
        (folder / f"order-{n}").unlink(missing_ok=True)
    return order


def degrees(opened: Opened, ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many facts mention each term as subject or object."""
    select = opened.snapshot.select
    counts = [len(select(i, None, None, None)) + len(select(None, None, i, None)) for i in ids.tolist()]
    return np.array(counts, np.int64)


def by_spelling(store: Handle, word: str, limit: int = 5, lang: str = "en") -> list[str]:
    """Return concepts spelled like *word*: at most two edits away, nearest first, then those with most facts."""
    from kgmm.store.index import kernels

    opened = store.opened
    try:
        term = names.concept(word, lang)
    except ValueError:
        return []
    prefix, _, word = term.rpartition("/") if term.startswith("/c/") else ("", "", term)
    if not word or not len(opened.terms):
        return []
    most = min(DISTANCE, max(len(word) // 3, 1))
    blob, starts = opened.terms.arrays
    letters, head = (np.frombuffer(part.encode(), np.uint8) for part in (word, prefix + "/"))
    far = kernels.near_spellings(letters, head, blob, starts, len(opened.terms), most)
    near = np.flatnonzero(far <= most)
    degree = degrees(opened, near)
    best = np.lexsort((-degree, far[near]))
    return opened.terms.names(near[best][degree[best] > 0][:limit])


def around(store: Handle, seeds: ArrayLike, hops: int = 2, limit: int = 500) -> Columns:
    """Return at most *limit* statements around some term ids: nearer hops first, then the strongest.

    A node's nearest :data:`NODE_BUDGET` statements in each direction are looked at, so that a hub costs no more than
    it can give.

    Raises:
        BadInput: if *hops* or *limit* is negative.
    """
    return _best(store, seeds, hops, limit).columns()


def neighborhood(store: Handle, seeds: str | Iterable[str], hops: int = 2, limit: int = 500) -> Facts:
    """Return the facts within some hops of concepts, nearer and weightier ones first; see :func:`around`.

    Raises:
        BadInput: if *hops* or *limit* is negative, or a seed is nothing.

    Example:
        >>> import tempfile, kgmm
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> _ = kb.add([("dog", "IsA", "animal"), ("animal", "CapableOf", "eat")])
        >>> [fact.object for fact in kb.neighborhood("dog")]
        ['/c/en/animal', '/c/en/eat']
    """
    ids = store.terms.ids(seed_nodes(seeds, hops, limit))
    return Near(store.opened, _best(store, ids, hops, limit))


class Near(Stored):
    """Facts of a neighborhood, in its order."""

    __slots__ = ("_found",)

    def __init__(self, opened: Opened, found: Statements) -> None:
        super().__init__(opened, len(found.subject))
        self._found = found

    def _statements(self, start: int, stop: int) -> Statements:
        return self._found.take(slice(start, stop))


def _best(store: Handle, seeds: ArrayLike, hops: int, limit: int) -> Statements:
    from kgmm.store.index import kernels

    if hops < 0 or limit < 0:
        raise BadInput("neighborhood", f"hops and limit must not be negative, they are {hops} and {limit}")
    snapshot = store.opened.snapshot
    base, added = snapshot.base, snapshot.added
    orders = (base.subject_starts, base.object), (base.object_starts, base.by_object, base.subject)
    weights, more = (base.weight.codes, base.weight.values), (added.subject, added.object, added.weight)
    nodes = np.asarray(seeds, np.int64)
    rows = kernels.best_edges(
        nodes, min(hops, 250), limit, NODE_BUDGET, len(store.terms), *orders, weights, snapshot.gone, more
    )
    if not len(added.subject):
        return base.statements(rows)
    mine = rows < base.rows
    found = Statements.concatenate([base.statements(rows[mine]), added.take(rows[~mine] - base.rows)])
    place = np.empty(len(rows), np.int64)
    place[np.concatenate([np.flatnonzero(mine), np.flatnonzero(~mine)])] = np.arange(len(rows))
    return found.take(place)
