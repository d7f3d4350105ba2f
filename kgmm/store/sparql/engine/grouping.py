"""Groups and aggregates (SPARQL 1.1 Query, section 11)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.store.sparql.engine.algebra import Group, Lit, mentioned
from kgmm.store.sparql.engine.context import Context
from kgmm.store.sparql.engine.expressions import anew
from kgmm.store.sparql.engine.table import Table, concatenated, distinct, numbered
from kgmm.store.sparql.engine.values import EXACT, Wrong, calculate, kind, literal, number, sort_key
from kgmm.store.sparql.engine.vocabulary import UNBOUND, Ids

HELD = 1 << 19  #: solutions from which on equal ones are counted, not kept
Times = NDArray[np.int64]  #: how often each solution comes


def grouped(context: Context, node: Group, parts: Iterator[Table], values: Callable[[Any, Table], Ids]) -> Table:
    """Return a solution a group: its keys and aggregates."""
    table, times = _counted(context, node, parts)
    context.check(rows=2 * table.size)
    keys = {name: values(expr, table) for name, expr in node.keys}
    if keys:
        codes, first = numbered(list(keys.values()))
        if not table.size:
            codes, first = np.empty(0, np.int64), np.empty(0, np.intp)
        size = len(first)
        columns = {name: column[first] for name, column in keys.items()}
    else:
        codes, size, columns = np.zeros(table.size, np.int64), 1, {}
    for name, (how, once, expr, separator) in node.aggregates.items():
        if expr is None:
            counts = _sum(codes, times, size)
            if once:
                counts = np.bincount(codes[distinct(table.with_column(".group", codes))], minlength=size)
            columns[name] = _numbers(context, counts)
            continue
        columns[name] = _aggregate(context, how, once, separator, codes, values(expr, table), times, size)
    return Table(size, columns)


def _sum(codes: Ids, times: Times, size: int) -> Ids:
    return np.bincount(codes, times, size).astype(np.int64)


def _counted(context: Context, node: Group, parts: Iterator[Table]) -> tuple[Table, Times]:
    """Return solutions with what keys and aggregates read of them, equal ones once if they are many, and how often each comes."""
    read = [expr for _, expr in node.keys] + [expr for _, _, expr, _ in node.aggregates.values()]
    names = None if any(once and expr is None for _, once, expr, _ in node.aggregates.values()) else mentioned(read)
    held, found, size = HELD if not any(map(anew, read)) else np.inf, [], 0
    for part in parts:
        context.check()
        table = part if names is None else part.only(names)
        found.append((table, np.ones(table.size, np.int64)))
        size += table.size
        if size > held:
            found = [_once(context, found)]
            size = found[0][0].size
            held = max(2 * size, HELD)
    if not found:
        return Table(0, {}), np.empty(0, np.int64)
    return concatenated([t for t, _ in found]), np.concatenate([n for _, n in found])


def _once(context: Context, found: list[tuple[Table, Times]]) -> tuple[Table, Times]:
    size = sum(t.size * (len(t.columns) + 2) for t, _ in found)
    context.check(size * 16, size)
    table, times = concatenated([t for t, _ in found]), np.concatenate([n for _, n in found])
    if not table.columns:
        return Table(1, {}), np.array([times.sum()])
    codes, first = numbered(list(table.columns.values()))
    return table.take(first), _sum(codes, times, len(first))


def _numbers(context: Context, counts: Any) -> Ids:
    values, places = np.unique(counts, return_inverse=True)
    ids = np.array([context.words.id(literal(int(v), 0)) for v in values.tolist()], np.int64)
    return np.asarray(ids[places.reshape(-1)])


def _aggregate(
    context: Context, how: str, once: bool, separator: str, of: Ids, given: Ids, times: Times, size: int
) -> Ids:
    there = given != UNBOUND
    failed = np.zeros(size, bool)
    failed[of[~there]] = True
    of, given, times = of[there], given[there], times[there]
    if once and len(of):
        rows = np.sort(numbered([of, given])[1])
        of, given, times = of[rows], given[rows], np.ones(len(rows), np.int64)
    if how == "COUNT":
        return _numbers(context, _sum(of, times, size))
    found = np.full(size, UNBOUND, np.int64)
    if how == "SAMPLE":
        found[of[::-1]] = given[::-1]
    elif how in ("MIN", "MAX"):
        ids = _ascending(context, np.unique(given))
        rank = np.empty(len(ids), np.int64)
        by_id = np.argsort(ids)
        rank[:] = by_id
        places = rank[np.searchsorted(ids[by_id], given)]
        best = np.full(size, len(ids) if how == "MIN" else -1, np.int64)
        (np.minimum if how == "MIN" else np.maximum).at(best, of, places)
        some = (best >= 0) & (best < len(ids))
        found[some] = ids[best[some]]
    elif how in ("SUM", "AVG"):
        found = _sums(context, how, of, given, times, size)
        found[failed] = UNBOUND
    else:
        parts: list[list[str]] = [[] for _ in range(size)]
        length = 0
        for group, value, often in zip(of.tolist(), given.tolist(), times.tolist(), strict=True):
            term = context.words.term(value)
            if isinstance(term, Lit):
                length += (len(term.text) + len(separator)) * often
                context.check(4 * length)
                parts[group] += [term.text] * often
            else:
                failed[group] = True
            context.check()
        found[:] = [context.words.id(Lit(separator.join(texts))) for texts in parts]
        found[failed] = UNBOUND
    return found


def _ascending(context: Context, ids: Ids) -> Ids:
    def key(number: int) -> tuple[Any, ...]:
        context.check()
        return sort_key(context.words.term(number))

    keyed = sorted(ids.tolist(), key=key)
    return np.array(keyed, np.int64)


def _sums(context: Context, how: str, of: Ids, given: Ids, times: Times, size: int) -> Ids:
    """Return sums or means; equal values of a group are multiplied, not added one by one."""
    totals: list[Any] = [0] * size
    wides, counts, wrong = [0] * size, _sum(of, times, size), np.zeros(size, bool)
    if len(of):
        codes, first = numbered([of, given])
        rows = zip(of[first].tolist(), given[first].tolist(), _sum(codes, times, len(first)).tolist(), strict=True)
        for at, (group, value, often) in enumerate(rows):
            if not at & 1023:
                context.check()
            term: Any = context.words.term(value)
            try:
                one, wide = number(term), kind(term)
            except Wrong:
                wrong[group] = True
                continue
            wides[group] = max(wides[group], wide)
            totals[group] = _plus(totals[group], one, often)
    found = np.full(size, UNBOUND, np.int64)
    for group in np.flatnonzero(~wrong).tolist():
        try:
            sum_of = literal(totals[group], wides[group])
            if how == "AVG" and counts[group]:
                sum_of = calculate("/", sum_of, literal(int(counts[group]), 0))
            found[group] = context.words.id(sum_of)
        except Wrong:
            continue
    return found


def _plus(total: Any, one: Any, often: int) -> Any:
    if isinstance(total, float) or isinstance(one, float):
        return float(total) + float(one) * often
    if isinstance(total, Decimal) or isinstance(one, Decimal):
        return EXACT.add(Decimal(total), EXACT.multiply(Decimal(one), Decimal(often)))
    return total + one * often
