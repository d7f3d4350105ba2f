"""Property paths (SPARQL 1.1 Query, section 9) by breadth-first search from all starts at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from kgmm.store.sparql.engine.algebra import Iri, Triple, Var
from kgmm.store.sparql.engine.context import Context, Scope
from kgmm.store.sparql.engine.limits import OutOfMemory
from kgmm.store.sparql.engine.source import MOST
from kgmm.store.sparql.engine.table import Rows, Table, expanded, most, placed
from kgmm.store.sparql.engine.vocabulary import WIDTH, Ids

STARTS = 4096  #: nodes a path is followed from at once
PAIRS = 1 << 21  #: pairs of a start and an end that are held at once, if there is more than one start
Steps = tuple[Rows, Ids]  #: the place of each start, and where it leads


class _Much(Exception):
    """From so many starts a path leads to more than are held at once."""


def along(context: Context, triple: Triple, table: Table, scope: Scope) -> Iterator[Table]:
    """Yield the solutions of a path pattern that extend given solutions."""
    start, end = (_column(context, part, table) for part in (triple.s, triple.o))
    room = most(len(table.columns) + 2)
    if start is None and end is None:
        for _, _, begin, found in _led(context, triple.p, scope.source.nodes(), scope, False):
            if triple.s == triple.o:
                begin, found = begin[begin == found], found[begin == found]
            for rows, at in placed(np.full(table.size, len(begin)), room, room):
                yield Table(len(rows), {**table.take(rows).columns, triple.s.name: begin[at], triple.o.name: found[at]})
        return
    back = start is None
    known = end if back else start
    assert known is not None
    ends, place = np.unique(known, return_inverse=True)
    if isinstance(triple.s, Var) and isinstance(triple.o, Var) and not scope.substituted and _may_stay(triple.p):
        there = scope.source.holds(ends)  # between two variables, a way of no length begins at a node of the graph only
        table = table.take(there[place.reshape(-1)])
        yield from along(context, triple, table, scope._replace(substituted=True)) if table.size else ()
        return
    by_place = np.argsort(place.reshape(-1), kind="stable")
    place = place.reshape(-1)[by_place]
    for first, last, begin, found in _led(context, triple.p, ends, scope, back):
        low, high = np.searchsorted(place, (first, last))
        order = np.argsort(begin, kind="stable")
        begin, found = begin[order], found[order]
        starts = np.searchsorted(begin, ends[place[low:high]])
        counts = np.searchsorted(begin, ends[place[low:high]], "right") - starts
        for of, at in placed(counts, room, room):
            context.check()
            rows, values = by_place[low + of], found[starts[of] + at]
            if start is not None and end is not None:
                yield table.take(rows[values == end[rows]])
            else:
                yield table.take(rows).with_column((triple.s if back else triple.o).name, values)


def _led(context: Context, path: Any, nodes: Ids, scope: Scope, back: bool) -> Iterator[tuple[int, int, Ids, Ids]]:
    """Yield where a path leads, some nodes at a time: which of them, then pairs of one of them and where it leads."""
    low, size = 0, STARTS
    while low < len(nodes):
        some = nodes[low : low + size]
        pairs = PAIRS if len(some) > 1 else context.memory // 48
        try:
            of, found = _Walk(context, scope, pairs).follow(path, some, back)
        except _Much:
            if len(some) == 1:
                raise OutOfMemory from None
            size = (len(some) + 3) // 4
            continue
        yield low, low + len(some), some[of], found
        low, size = low + len(some), min(2 * size, STARTS)


def _may_stay(path: Any) -> bool:
    """Tell whether a path may have no length."""
    return type(path) is tuple and (path[0] in ("*", "?") or any(map(_may_stay, path[1:])))


def _column(context: Context, part: Any, table: Table) -> Ids | None:
    if isinstance(part, Var):
        return table.columns.get(part.name)
    return np.full(table.size, context.words.id(part), np.int64)


class _Walk:
    """A path being followed from some nodes; _Much if it leads to more than *pairs*."""

    def __init__(self, context: Context, scope: Scope, pairs: int) -> None:
        self._context, self._source, self._pairs = context, scope.source, pairs

    def _check(self, size: int) -> None:
        self._context.check()
        if size > self._pairs:
            raise _Much

    def follow(self, path: Any, starts: Ids, back: bool) -> Steps:
        """Return where a path leads from some nodes, or with *back* which nodes it leads from to them."""
        words = self._context.words
        self._check(0)
        if isinstance(path, Iri):
            return self._step(starts, words.predicates(np.array([words.id(path)])), None, back)
        match path[0]:
            case "^":
                return self.follow(path[1], starts, not back)
            case "!":
                without = words.predicates(np.array([words.id(p) for p in path[1]], np.int64))
                return self._step(starts, None, without, back)
            case "|":
                parts = [self.follow(part, starts, back) for part in path[1:]]
                self._check(sum(len(p[0]) for p in parts))
                return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
            case "/":
                first, then = (path[2], path[1]) if back else (path[1], path[2])
                return self._composed(*self.follow(first, starts, back), then, back)
        return self._closure(path[0], path[1], starts, back)

    def _step(self, starts: Ids, only: Any, without: Any, back: bool) -> Steps:
        p = None if only is None else np.full(len(starts), only[0], np.int64)
        s, o = (None, starts) if back else (starts, None)
        rows, ends, size = [np.empty(0, np.intp)], [np.empty(0, np.int64)], 0
        for found in self._source.match(s, p, o, len(starts), MOST) if len(starts) else ():
            other = found.s if back else found.o
            keep = slice(None) if without is None else ~np.isin(found.p, without)
            rows.append(found.of[keep])
            ends.append(other[keep])
            size += len(rows[-1])
            self._check(size)
        return np.concatenate(rows), np.concatenate(ends)

    def _composed(self, of: Rows, middle: Ids, path: Any, back: bool) -> Steps:
        """Return where a path leads from where others led."""
        nodes, place = np.unique(middle, return_inverse=True)
        place = place.reshape(-1)
        of_node, ends = self.follow(path, nodes, back)
        order = np.argsort(of_node, kind="stable")
        of_node, ends = of_node[order], ends[order]
        low = np.searchsorted(of_node, place)
        counts = np.searchsorted(of_node, place, "right") - low
        self._check(int(counts.sum()))
        rows, at = expanded(counts)
        return of[rows], ends[low[rows] + at]

    def _closure(self, kind: str, path: Any, starts: Ids, back: bool) -> Steps:
        """Return what is reached by a path taken at most once (``?``), any number of times (``*``), once or more (``+``)."""
        here = np.arange(len(starts))
        wide = np.int64(self._context.words.size + WIDTH)
        seen = here * wide + starts if kind != "+" else np.empty(0, np.int64)
        of, nodes = here, starts
        while len(of):
            of, nodes = self._composed(of, nodes, path, back)
            keys = np.setdiff1d(of * wide + nodes, seen)
            seen = np.union1d(seen, keys)
            self._check(len(seen))
            of, nodes = (keys // wide).astype(np.intp), keys % wide
            if kind == "?":
                break
        return (seen // wide).astype(np.intp), seen % wide
