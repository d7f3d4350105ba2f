"""Linked concepts → all facts around them: their own, and those that their kinds hand down."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from kgmm.encode.cache import fact_keys
from kgmm.language.relations import DENIES, LINKS, NOT_INHERITED, UPWARD
from kgmm.store import Fact, is_general
from kgmm.store.senses import senses

if TYPE_CHECKING:
    from kgmm.store import LocalStore
    from kgmm.trace import Link

Ids = NDArray[np.int64]
Key = tuple[str, str, str]  #: a statement's terms: subject, predicate, object
#: kinds above a concept: node → (steps, the node it was reached from, by which relation), the concept itself first; a
#: node's senses, or a sense's lemma, are reached from it by no relation (-1)
Closure = dict[int, tuple[int, int, int]]
_Columns = tuple[NDArray[Any], ...]

#: IsA steps along which facts are inherited, and kinds above one concept at most
MAX_DEPTH = 8
MAX_ANCESTORS = 40
#: (node, end) pairs, and concepts with all they inherit, whose facts are kept between questions to a store's version
MAX_ROWS_KEPT = 50_000
MAX_REACHES_KEPT = 256


@dataclass
class Candidates:
    """Facts around linked concepts, one row each; arrays of equal length, terms as ids of the store."""

    subject: Ids
    predicate: Ids
    object: Ids
    weight: NDArray[np.float32]
    graph: Ids
    depth: Ids  #: IsA steps between the concept that the fact was reached from and the fact's near end
    end: Ids  #: 0 if the near end is the fact's subject, 1 if it is its object
    root: Ids  #: row → index into ``roots``: the concept that the fact was reached from
    roots: list[int]
    closures: dict[int, Closure]  #: root id → the kinds above it

    def __len__(self) -> int:
        return len(self.subject)

    def take(self, rows: Any) -> Candidates:
        """Return the chosen rows."""
        return replace(self, **{column: getattr(self, column)[rows] for column in _COLUMNS})


_COLUMNS = ("subject", "predicate", "object", "weight", "graph", "depth", "end", "root")


def gather(
    store: LocalStore,
    links: Iterable[Link],
    *,
    exclude: frozenset[Key] = frozenset(),
    graphs: Collection[str] | None = None,
    split_senses: bool = False,
) -> Candidates:
    """Collect the facts of linked concepts and what they inherit.

    Args:
        store: the knowledge.
        links: where to start.
        exclude: statements that do not exist here, nor lead to a kind.
        graphs: named graphs facts may come from; all but scenes and stories if None.
        split_senses: keep a word's senses (``/c/en/dog/n``) and the word apart (:mod:`kgmm.store.senses`).

    Returns:
        Each fact once for every concept it was reached from; nothing that a nearer fact denies.
    """
    linked = (store.terms.id(k.concept) for k in links if k.score > 0)
    roots = list(dict.fromkeys(i for i in linked if i is not None))
    keys = (tuple(store.terms.id(term) for term in key) for key in exclude)
    banned = cast("set[tuple[int, int, int]]", {key for key in keys if None not in key})
    reached = [_reach(store, root, banned, split_senses) for root in roots]
    chunks = [(*columns, _fill(index, columns[0])) for index, (_, columns) in enumerate(reached)] or [_NOTHING]
    columns = {name: np.concatenate(parts) for name, parts in zip(_COLUMNS, zip(*chunks, strict=True), strict=True)}
    closures = {root: kinds for root, (kinds, _) in zip(roots, reached, strict=True)}
    around = Candidates(**columns, roots=roots, closures=closures)
    return around.take(_admissible(store, around, banned, graphs))


def _fill(value: int, like: NDArray[Any]) -> Ids:
    return np.full(len(like), value, np.int64)


_NOTHING = tuple(np.empty(0, np.float32 if column == "weight" else np.int64) for column in _COLUMNS)


def _reach(
    store: LocalStore, root: int, banned: Collection[tuple[int, int, int]], split_senses: bool
) -> tuple[Closure, _Columns]:
    """Return the kinds above a concept, and the columns of all facts there but for the root."""
    kept: dict[int, tuple[Closure, _Columns]] = store.derived(("reaches", split_senses), dict)
    if len(kept) >= MAX_REACHES_KEPT:
        kept.clear()
    if not banned and root in kept:
        return kept[root]
    kinds = closure(store, root, banned, split_senses)
    parts = []
    for node, (depth, _, _) in kinds.items():
        own = rows(store, node, 0)
        parts.append((*own, _fill(depth, own[0]), _fill(0, own[0])))
        if depth == 0:
            about = rows(store, node, 1)
            parts.append((*about, _fill(0, about[0]), _fill(1, about[0])))
    reached = kinds, tuple(np.concatenate(column) for column in zip(*parts, strict=True))
    if not banned:
        kept[root] = reached
    return reached


def rows(store: LocalStore, node: int, end: int) -> _Columns:
    """Return (subject, predicate, object, weight, graph) of the facts with *node* at one end (0 subject, 1 object)."""
    kept: dict[tuple[int, int], _Columns] = store.derived("rows", dict)
    if len(kept) >= MAX_ROWS_KEPT:
        kept.clear()
    if (node, end) not in kept:
        facts = store.find_ids(subject=node) if end == 0 else store.find_ids(object=node)
        kept[node, end] = tuple(
            np.asarray(getattr(facts, column), np.float32 if column == "weight" else np.int64)
            for column in _COLUMNS[:5]
        )
    return kept[node, end]


def known_ids(store: LocalStore, terms: Iterable[str]) -> list[int]:
    """Return the ids of those terms that a store knows."""
    return [i for term in terms if (i := store.terms.id(term)) is not None]


def closure(
    store: LocalStore, root: int, banned: Collection[tuple[int, int, int]] = (), split_senses: bool = False
) -> Closure:
    """Return the kinds above a concept, the nearest first; *banned* statements lead to none."""
    kin = (lambda node: []) if split_senses else senses(store).kin
    kinds = {root: (0, root, -1), **dict.fromkeys(kin(root), (0, root, -1))}
    upward = known_ids(store, UPWARD)
    front, most = list(kinds), MAX_ANCESTORS + len(kinds) - 1
    for depth in range(1, MAX_DEPTH + 1):
        following: list[int] = []
        for node in front:
            _s, p, o, w, _ = rows(store, node, 0)
            up = np.flatnonzero(np.isin(p, upward))
            for r in up[np.argsort(-w[up], kind="stable")]:
                parent, predicate = int(o[r]), int(p[r])
                if parent not in kinds and (node, predicate, parent) not in banned:
                    kinds[parent] = (depth, node, predicate)
                    others = [other for other in kin(parent) if other not in kinds]
                    kinds.update((other, (depth, parent, -1)) for other in others)
                    following += parent, *others
                    most += len(others)
            if len(kinds) >= most:
                return kinds
        if not following:
            return kinds
        front = following
    return kinds


def fact_at(store: LocalStore, c: Candidates, row: int) -> Fact:
    """Return a row as a fact."""
    s, p, o, graph = (store.terms.name(int(column[row])) for column in (c.subject, c.predicate, c.object, c.graph))
    return Fact(s, p, o, float(c.weight[row]), graph)


def chain_at(store: LocalStore, c: Candidates, row: int) -> tuple[Fact, ...]:
    """Return the IsA facts from a row's root to the fact's near end, nearest first."""
    near = c.subject[row] if c.end[row] == 0 else c.object[row]
    return chain(store, c.closures[c.roots[int(c.root[row])]], int(near))


def chain(store: LocalStore, closure: Closure, node: int) -> tuple[Fact, ...]:
    """Return the facts that lead from a closure's root up to *node*, nearest first."""
    name = store.terms.name
    steps: list[Fact] = []
    while node in closure and closure[node][1] != node:
        _, child, predicate = closure[node]
        if predicate < 0:
            node = child
            continue
        key = name(child), name(predicate), name(node)
        stated = store.find(*key)
        steps.append(stated[0] if len(stated) else Fact(*key))
        node = child
    return tuple(reversed(steps))


def _admissible(
    store: LocalStore, c: Candidates, banned: Collection[tuple[int, int, int]], graphs: Collection[str] | None
) -> NDArray[np.bool_]:
    """Tell which rows count: chosen graphs, nothing banned or denied, only what a kind hands down, each once."""
    ids, at = np.unique(c.graph, return_inverse=True)
    wanted = [name in graphs if graphs is not None else is_general(name) for name in store.terms.names(ids)]
    keep = np.array(wanted, bool)[at]
    keep &= ~np.isin(c.predicate, known_ids(store, LINKS))
    keep &= ~((c.depth > 0) & np.isin(c.predicate, known_ids(store, NOT_INHERITED)))
    for s, p, o in banned:
        keep &= ~((c.subject == s) & (c.predicate == p) & (c.object == o))
    keep &= ~denied(store, c, keep)
    kept = np.flatnonzero(keep)
    order = kept[np.argsort(c.depth[kept], kind="stable")]  # the nearest way to a fact counts
    keys = fact_keys(c.subject[order], c.predicate[order], c.object[order])
    _, first = np.unique(fact_keys(keys, c.root[order], c.graph[order] * 0), return_index=True)
    unique = np.zeros(len(c), bool)
    unique[order[first]] = True
    return unique


def denied(store: LocalStore, c: Candidates, keep: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which rows a nearer one of *keep* denies, or outranks: penguin NotCapableOf fly hides bird CapableOf fly."""
    hidden = np.zeros(len(c), bool)
    for relation, targets in DENIES.items():
        denies = np.flatnonzero(keep & np.isin(c.predicate, known_ids(store, [relation])) & (c.end == 0))
        held = np.flatnonzero(np.isin(c.predicate, known_ids(store, targets)) & (c.end == 0))
        if not len(denies) or not len(held):
            continue
        ends = np.stack([c.root, c.object], axis=1)[np.concatenate([denies, held])]
        kinds, at = np.unique(ends, axis=0, return_inverse=True)
        ours, theirs = np.split(at.reshape(-1), [len(denies)])
        nearest = np.full((2, len(kinds)), np.iinfo(np.int64).max)
        np.minimum.at(nearest[0], ours, c.depth[denies])
        np.minimum.at(nearest[1], theirs, c.depth[held])
        hidden[held] |= c.depth[held] > nearest[0][theirs]
        hidden[denies] |= c.depth[denies] > nearest[1][ours]
    return hidden
