"""Property paths (SPARQL 1.1 Query, section 9) by breadth-first search from all starts at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from kgmm.store.sparql.engine.algebra import Iri, Triple, Var
from kgmm.store.sparql.engine.context import Context, Scope
from kgmm.store.sparql.engine.source import MOST
from kgmm.store.sparql.engine.table import Rows, Table, expanded
from kgmm.store.sparql.engine.vocabulary import Ids

STARTS = 4096  #: nodes a path is followed from at once where neither end is known
Steps = tuple[Rows, Ids]  #: the place of each start, and where it leads


def along(context: Context, triple: Triple, table: Table, scope: Scope) -> Iterator[Table]:
    """Yield the solutions of a path pattern that extend given solutions."""
    start, end = (_column(context, part, table) for part in (triple.s, triple.o))
    if start is None and end is None:
        nodes = scope.source.nodes()
        for begin in range(0, len(nodes), STARTS):
            some = nodes[begin : begin + STARTS]
            of, found = _follow(context, triple.p, some, scope, False)
            context.check(len(of) * table.size * 8 * (len(table.columns) + 2))
            rows = np.repeat(np.arange(table.size), len(of))
            columns = table.take(rows).columns
            starts, ends = np.tile(some[of], table.size), np.tile(found, table.size)
            if triple.s == triple.o:
                yield Table(len(rows), {**columns, triple.s.name: starts}).take(starts == ends)
            else:
                yield Table(len(rows), {**columns, triple.s.name: starts, triple.o.name: ends})
        return
    back = start is None
    known = end if back else start
    assert known is not None
    ends, place = np.unique(known, return_inverse=True)
    place = place.reshape(-1)
    of, found = _follow(context, triple.p, ends, scope, back)
    order = np.argsort(of, kind="stable")
    of, found = of[order], found[order]
    low = np.searchsorted(of, place)
    counts = np.searchsorted(of, place, "right") - low
    context.check(int(counts.sum()) * 8 * (len(table.columns) + 2))
    rows, at = expanded(counts)
    values = found[low[rows] + at]
    made = table.take(rows)
    if start is not None and end is not None:
        yield made.take(values == end[rows])
    else:
        yield made.with_column((triple.s if back else triple.o).name, values)


def _column(context: Context, part: Any, table: Table) -> Ids | None:
    if isinstance(part, Var):
        return table.columns.get(part.name)
    return np.full(table.size, context.words.id(part), np.int64)


def _follow(context: Context, path: Any, starts: Ids, scope: Scope, back: bool) -> Steps:
    """Return where a path leads from some nodes, or with *back* which nodes it leads from to them."""
    context.check()
    if isinstance(path, Iri):
        number = context.words.predicates(np.array([context.words.id(path)]))
        return _step(context, starts, number, None, scope, back)
    match path[0]:
        case "^":
            return _follow(context, path[1], starts, scope, not back)
        case "!":
            without = context.words.predicates(np.array([context.words.id(p) for p in path[1]], np.int64))
            return _step(context, starts, None, without, scope, back)
        case "|":
            parts = [_follow(context, part, starts, scope, back) for part in path[1:]]
            return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
        case "/":
            first, then = (path[2], path[1]) if back else (path[1], path[2])
            of, middle = _follow(context, first, starts, scope, back)
            return _composed(context, of, middle, then, scope, back)
    return _closure(context, path[0], path[1], starts, scope, back)


def _step(context: Context, starts: Ids, only: Any, without: Any, scope: Scope, back: bool) -> Steps:
    p = None if only is None else np.full(len(starts), only[0], np.int64)
    s, o = (None, starts) if back else (starts, None)
    rows, ends, size = [], [], 0
    if not len(starts):
        return np.empty(0, np.intp), np.empty(0, np.int64)
    for found in scope.source.match(s, p, o, len(starts), MOST):
        other = found.s if back else found.o
        keep = slice(None) if without is None else ~np.isin(found.p, without)
        rows.append(found.of[keep])
        ends.append(other[keep])
        size += len(rows[-1])
        context.check(size * 32)
    if not rows:
        return np.empty(0, np.intp), np.empty(0, np.int64)
    return np.concatenate(rows), np.concatenate(ends)


def _composed(context: Context, of: Rows, middle: Ids, path: Any, scope: Scope, back: bool) -> Steps:
    """Return where a path leads from where others led."""
    nodes, place = np.unique(middle, return_inverse=True)
    place = place.reshape(-1)
    of_node, ends = _follow(context, path, nodes, scope, back)
    order = np.argsort(of_node, kind="stable")
    of_node, ends = of_node[order], ends[order]
    low = np.searchsorted(of_node, place)
    counts = np.searchsorted(of_node, place, "right") - low
    context.check(int(counts.sum()) * 32)
    rows, at = expanded(counts)
    return of[rows], ends[low[rows] + at]


def _closure(context: Context, kind: str, path: Any, starts: Ids, scope: Scope, back: bool) -> Steps:
    """Return what is reached by a path taken zero or one time (``?``), any number of times (``*``), once or more (``+``)."""
    here = np.arange(len(starts))
    wide = np.int64(context.words.size + (1 << 31))
    seen = here * wide + starts if kind != "+" else np.empty(0, np.int64)
    of, nodes = here, starts
    while len(of):
        of, nodes = _composed(context, of, nodes, path, scope, back)
        keys = np.setdiff1d(of * wide + nodes, seen)
        seen = np.union1d(seen, keys)
        context.check(len(seen) * 48)
        of, nodes = (keys // wide).astype(np.intp), keys % wide
        if kind == "?":
            break
    return (seen // wide).astype(np.intp), seen % wide
