"""Evaluating graph patterns: solutions come in parts, and what is known already is looked up, not joined afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.store.sparql.engine import conditions, expressions
from kgmm.store.sparql.engine.algebra import (
    Bgp,
    Distinct,
    Extend,
    Filter,
    GraphOf,
    Group,
    Join,
    LeftJoin,
    Minus,
    Node,
    OrderBy,
    Project,
    Slice,
    Union,
    Unsupported,
    Values,
    Var,
    bound,
    mentioned,
    variables,
    visible,
)
from kgmm.store.sparql.engine.context import Context, Scope
from kgmm.store.sparql.engine.grouping import grouped
from kgmm.store.sparql.engine.matching import growth, matched
from kgmm.store.sparql.engine.table import UNIT, Table, concatenated, distinct, merged, most, numbered, pairs, placed
from kgmm.store.sparql.engine.texts import strings
from kgmm.store.sparql.engine.values import sort_key
from kgmm.store.sparql.engine.vocabulary import UNBOUND, Ids

MANY = 256  #: terms from which on their names are read at once


class Evaluation:
    """A query's patterns being evaluated.

    ``solutions(node, seed, scope)`` yields the join of *seed* with the pattern's solutions; :meth:`follows` tells whether
    binding the pattern's variables first gives that, which it does not where a filter may not see what is outside of it.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self._orders: dict[tuple[int, frozenset[str], int], list[Node]] = {}
        self._firsts: dict[int, int] = {}  #: how many solutions of an order are asked for
        self._following: dict[tuple[int, frozenset[str], bool], bool] = {}

    def joined(self, node: Node, seed: Table, scope: Scope) -> Iterator[Table]:
        """Yield the join of solutions with a pattern's, whichever way that is done."""
        if self.follows(node, set(seed.columns), scope):
            yield from self.solutions(node, seed, scope)
            return
        yield from self._with(seed, self.whole(node, scope))

    def whole(self, node: Node, scope: Scope) -> Table:
        """Return all solutions of a pattern, which are kept for the next time."""
        key = id(node), id(scope.source), scope.graph
        if key not in self.context.kept:
            self.context.kept[key] = self.gathered(self.solutions(node, UNIT, scope))
        return self.context.kept[key]

    def gathered(self, tables: Iterator[Table]) -> Table:
        """Return all parts as one, if the memory allows."""
        found, size = [], 0
        for table in tables:
            size += table.size * (len(table.columns) + 1) * 8
            self.context.check(size * 2, size >> 6)
            found.append(table)
        return concatenated(found) if found else Table(0, {})

    def _with(self, left: Table, right: Table) -> Iterator[Table]:
        self.context.check(rows=left.size + right.size)
        for rows, counts, starts, others in pairs(left, right):
            room = most(len(left.columns) + len(right.columns))
            for of, place in placed(counts, room, room):  # in pieces, so that a product of large relations can be ended
                self.context.check()
                yield merged(left, rows[of], right, others[starts[of] + place])

    def follows(self, node: Node, names: set[str], scope: Scope) -> bool:
        """Tell whether a pattern may be evaluated with some variables bound from outside."""
        key = id(node), frozenset(names), scope.substituted
        if key not in self._following:
            self._following[key] = self._follows(node, names, scope)
        return self._following[key]

    def _follows(self, node: Node, names: set[str], scope: Scope) -> bool:
        free = scope.substituted
        match node:
            case Bgp() | Values():
                return True
            case Join() | Union():
                return self.follows(node.left, names, scope) and self.follows(node.right, names, scope)
            case LeftJoin():
                inner = (variables(node.right) | mentioned(node.expr)) & names
                return self.follows(node.left, names, scope) and (free or inner <= bound(node.left))
            case Minus():
                inner = variables(node.right) & names
                return self.follows(node.left, names, scope) and (free or inner <= bound(node.left))
            case Filter():
                return self.follows(node.of, names, scope) and (free or mentioned(node.expr) & names <= bound(node.of))
            case Extend():
                read = mentioned(node.expr) & names
                return (
                    self.follows(node.of, names, scope) and node.name not in names and (free or read <= bound(node.of))
                )
            case GraphOf():
                return self.follows(node.of, names, scope)
        return not names

    def solutions(self, node: Node, seed: Table, scope: Scope) -> Iterator[Table]:
        """Yield the join of solutions with a pattern's; the pattern must follow them."""
        self.context.check()
        match node:
            case Bgp():
                yield from matched(self.context, node.triples, seed, scope, (), self._test(scope))
            case Join():
                yield from self._join(node, seed, scope)
            case LeftJoin():
                yield from self._left_join(node, seed, scope)
            case Union():
                yield from self.joined(node.left, seed, scope)
                yield from self.joined(node.right, seed, scope)
            case Minus():
                for table in self.solutions(node.left, seed, scope):
                    yield from self._minus(node.right, table, scope)
            case Filter():
                yield from self._filter(node, seed, scope)
            case Extend():
                for table in self.solutions(node.of, seed, scope):
                    yield self._extended(node, table, scope)
            case GraphOf():
                yield from self._graph(node, seed, scope)
            case Values():
                yield from self._with(seed, self._values(node))
            case Group():
                parts = self.solutions(node.of, seed, scope)
                yield grouped(self.context, node, parts, lambda expr, rows: self._value(expr, rows, scope))
            case OrderBy():
                table = self.gathered(self.solutions(node.of, seed, scope))
                yield self._ordered(node, table, scope, self._firsts.get(id(node)))
            case Project():
                for table in self.solutions(node.of, seed, scope):
                    yield table.only(node.names)
            case Distinct():
                yield from self._distinct(self.solutions(node.of, seed, scope))
            case Slice():
                if node.limit is not None:
                    self._cut(node.of, node.offset + node.limit)
                yield from sliced(self.solutions(node.of, seed, scope), node.offset, node.limit)
            case _:
                raise Unsupported(type(node).__name__)

    def _cut(self, node: Node, first: int) -> None:
        """Note how many of an order's solutions are asked for."""
        while isinstance(node, Project | Extend):
            node = node.of
        if isinstance(node, OrderBy):
            self._firsts[id(node)] = first

    def _test(self, scope: Scope) -> Any:
        return lambda expr, table: conditions.test(self.context, expr, table, self._exists(scope))

    def _value(self, expr: Any, table: Table, scope: Scope) -> Ids:
        return expressions.values(self.context, expr, table, self._exists(scope))

    def _exists(self, scope: Scope) -> Any:
        return lambda node, table: self._held(node, table, scope)

    def _held(self, node: Node, table: Table, scope: Scope) -> NDArray[np.bool_]:
        """Tell which solutions a pattern holds for when their values stand in it."""
        names = [n for n in table.columns if n in variables(node)]
        scope = scope._replace(substituted=True)
        if not names:
            found = next(self.solutions(node, UNIT, scope), None) is not None
            return np.full(table.size, found)
        if not table.size:
            return np.zeros(0, bool)
        codes, first = numbered([table.columns[n] for n in names])
        keys = table.take(first).only(names).with_column(".key", np.arange(len(first)))
        hits = np.zeros(len(first), bool)
        for part in self.joined(node, keys, scope):
            hits[part.columns[".key"]] = True
            if hits.all():
                break
        return hits[codes]

    def _join(self, node: Join, seed: Table, scope: Scope) -> Iterator[Table]:
        key = id(node), frozenset(seed.columns), id(scope.source)
        if key not in self._orders:
            self._orders[key] = self._ordered_parts(node, set(seed.columns), scope)

        def chained(table: Table, left: list[Node]) -> Iterator[Table]:
            if not left:
                yield table
                return
            for found in self.joined(left[0], table, scope):
                if found.size:
                    yield from chained(found, left[1:])

        yield from chained(seed, self._orders[key])

    def _ordered_parts(self, node: Join, known: set[str], scope: Scope) -> list[Node]:
        """Return a join's parts: stated values, what is evaluated by itself, then always the least that what is known binds."""
        parts = _flat(node)
        triples = tuple(t for p in parts if isinstance(p, Bgp) for t in p.triples)
        others = [p for p in parts if not isinstance(p, Bgp)]
        names = set().union(*(visible(p) for p in parts)) | known
        order: list[Node] = [p for p in others if isinstance(p, Values)]
        order += [p for p in others if not isinstance(p, Values) and not self.follows(p, names, scope)]
        left = [p for p in others if not any(p is o for o in order)]
        left = [Bgp(triples), *left] if triples else left
        known = known.union(*(visible(p) for p in order))
        while left:
            near = [p for p in left if visible(p) & known] or left
            best = min(near, key=lambda p: self._size(p, scope))
            left = [p for p in left if p is not best]
            known |= visible(best)
            order.append(best)
        return order

    def _size(self, node: Node, scope: Scope) -> float:
        """Return about how many solutions a pattern has by itself."""
        match node:
            case Bgp():
                return min((growth(self.context, t, UNIT, scope) for t in node.triples), default=1.0)
            case Union():
                return self._size(node.left, scope) + self._size(node.right, scope)
            case Join():
                return min(self._size(node.left, scope), self._size(node.right, scope))
            case LeftJoin() | Minus():
                return self._size(node.left, scope)
            case Filter() | Extend() | GraphOf() | Group() | OrderBy() | Project() | Distinct() | Slice():
                return self._size(node.of, scope)
            case Values():
                return float(len(node.rows))
        return 1.0

    def _left_join(self, node: LeftJoin, seed: Table, scope: Scope) -> Iterator[Table]:
        mark = f".row{id(node)}"
        for table in self.solutions(node.left, seed, scope):
            marked = table.with_column(mark, np.arange(table.size))
            partnered = np.zeros(table.size, bool)
            for found in self.joined(node.right, marked, scope):
                if node.expr is not None:
                    found = found.take(self._test(scope)(node.expr, found))
                partnered[found.columns[mark]] = True
                yield found.without(mark)
            if not partnered.all():
                yield table.take(~partnered)

    def _minus(self, node: Node, table: Table, scope: Scope) -> Iterator[Table]:
        shared = [n for n in table.columns if n in visible(node)]
        if not shared or not table.size:
            yield table
            return
        keys = table.only(shared)
        keys = keys.take(distinct(keys))
        closed = all((c != UNBOUND).all() for c in keys.columns.values())
        if closed and set(shared) <= bound(node) and self.follows(node, set(shared), scope._replace(substituted=False)):
            right = self.gathered(self.solutions(node, keys, scope))
        else:
            right = self.whole(node, scope)
        gone = np.zeros(table.size, bool)
        for rows, counts, _, _ in pairs(table, right, sharing=True):
            gone[rows[counts > 0]] = True
        yield table.take(~gone)

    def _filter(self, node: Filter, seed: Table, scope: Scope) -> Iterator[Table]:
        filters, of = [node.expr], node.of
        while isinstance(of, Filter):
            filters.append(of.expr)
            of = of.of
        if isinstance(of, Bgp):
            yield from matched(self.context, of.triples, seed, scope, filters, self._test(scope))
            return
        for table in self.solutions(of, seed, scope):
            for expr in reversed(filters):
                table = table.take(self._test(scope)(expr, table))
            if table.size:
                yield table

    def _extended(self, node: Extend, table: Table, scope: Scope) -> Table:
        made = self._value(node.expr, table, scope)
        known = table.columns.get(node.name)
        if known is None:
            return table.with_column(node.name, made)
        fits = (known == UNBOUND) | (made == UNBOUND) | (known == made)
        return table.with_column(node.name, np.where(known == UNBOUND, made, known)).take(fits)

    def _graph(self, node: GraphOf, seed: Table, scope: Scope) -> Iterator[Table]:
        context = self.context
        allowed = context.graphs()
        if not isinstance(node.name, Var):
            number = context.words.id(node.name)
            if number in allowed:
                yield from self.solutions(
                    node.of, seed, Scope(context.source((number,), False), None, scope.substituted)
                )
            return
        name = node.name.name
        of = node.of.of if isinstance(node.of, Filter) else node.of
        simple = isinstance(of, Bgp) and of.triples and all(type(t.p) is not tuple for t in of.triples)
        if simple and (of is node.of or not _with_pattern(node.of.expr)):  # type: ignore[attr-defined]
            source = context.source(None if context.named is None else allowed, True)
            yield from self.solutions(node.of, seed, Scope(source, name, scope.substituted))
            return
        for number in allowed:
            here = Scope(context.source((number,), False), None, scope.substituted)
            column = seed.columns.get(name)
            rows = seed if column is None else seed.take((column == UNBOUND) | (column == number))
            if not rows.size:
                continue
            inner = rows.with_column(name, np.full(rows.size, number, np.int64))
            if self.follows(node.of, set(inner.columns), here):
                yield from self.solutions(node.of, inner, here)
                continue
            for table in self.solutions(node.of, UNIT, here):  # GRAPH's variable is bound after the pattern
                yield from self._with(inner, table)

    def _values(self, node: Values) -> Table:
        words = self.context.words
        columns = {}
        for at, name in enumerate(node.names):
            ids = [UNBOUND if row[at] is None else words.id(row[at]) for row in node.rows]
            columns[name] = np.array(ids, np.int64)
        return Table(len(node.rows), columns)

    def _ordered(self, node: OrderBy, table: Table, scope: Scope, first: int | None) -> Table:
        """Return solutions in their order, or the *first* of them: only ties are looked at by later keys."""
        rows, place = np.arange(table.size), np.zeros(table.size, np.int64)
        for expr, down in node.keys:
            given = table if len(rows) == table.size else table.take(rows)
            ids, places = np.unique(self._value(expr, given, scope), return_inverse=True)
            self.context.check(len(ids) * 100)
            keyed = self._keys(ids)
            rank = {key: at for at, key in enumerate(sorted(set(keyed), reverse=down))}
            ranks = np.array([rank[key] for key in keyed], np.int64)[places.reshape(-1)]
            self.context.check(rows=len(rows))
            place = np.unique(place * max(len(rank), 1) + ranks, return_inverse=True)[1].reshape(-1)
            if first is not None and len(rows) > first:
                near = place <= np.partition(place, first)[first]
                rows, place = rows[near], place[near]
        return table.take(rows[np.argsort(place, kind="stable")])

    def _keys(self, ids: Ids) -> list[tuple[Any, ...]]:
        """Return what orders terms; names are read many at once."""
        words, check = self.context.words, self.context.check
        found: list[Any] = [None] * len(ids)
        if len(ids) > MANY:
            names = np.flatnonzero((ids >= 0) & ~words.literals(ids))
            texts = strings(self.context, ids[names]).to_pylist()
            for at, text in zip(names.tolist(), texts, strict=True):
                found[at] = None if text is None else (2, text)
        for at, number in enumerate(ids.tolist()):
            if found[at] is None:
                check()
                found[at] = sort_key(None if number < 0 else words.term(number))
        return found

    def _distinct(self, tables: Iterator[Table]) -> Iterator[Table]:
        seen: Table | None = None
        for table in tables:
            table = table.take(distinct(table))
            if seen is not None:
                both = concatenated([seen, table])
                rows = distinct(both)
                table = both.take(rows[rows >= seen.size])
                seen = both.take(rows)
            else:
                seen = table
            self.context.check(seen.size * 8 * (len(seen.columns) + 1), seen.size)
            if table.size:
                yield table


def sliced(tables: Iterator[Table], offset: int, limit: int | None) -> Iterator[Table]:
    """Yield a range of all rows, and ask for no more than it takes."""
    left = limit
    if left == 0:
        return
    for table in tables:
        if offset >= table.size:
            offset -= table.size
            continue
        stop = table.size if left is None else min(table.size, offset + left)
        found = table.part(offset, stop)
        offset = 0
        yield found
        if left is not None:
            left -= found.size
            if left <= 0:
                return


def _flat(node: Node) -> list[Node]:
    return [*_flat(node.left), *_flat(node.right)] if isinstance(node, Join) else [node]


def _with_pattern(expr: Any) -> bool:
    return type(expr) is tuple and (expr[0] == "exists" or any(map(_with_pattern, expr[1:])))
